import { describe, expect, it } from 'vitest';
import { type Layer, lowerModel } from '../../dist/bindings/host.js';
import { DensityWatch, nonZeroShare, sampleDensity } from '../../dist/bindings/network/density.js';

/** Two hidden blocks and the output. */
const blocks = (rate = 0.5, activation: 'relu' | 'gelu' = 'relu') => {
  const hidden: Layer[] = [{ type: 'dense', units: 8 }, { type: activation }, { type: 'dropout', rate }];
  return lowerModel({
    input: { features: 4, type: 'u8' },
    layers: [...hidden, ...hidden, { type: 'dense', units: 2 }],
  });
};

describe('a density watch', () => {
  it.each([
    // A block's output is positive half of the time at most, which is below 0.6 without dropout too.
    [0, 0.19, [true, true, true]],
    [0.2, 0.59, [true, true, true]],
    [0.5, 0.6, [false, true, true]],
    [0, 1, [false, true, true]],
  ])('starts from what dropout %f and pixels of density %f let expect: %j', (dropout, pixels, expected) => {
    expect(new DensityWatch(blocks(dropout), pixels).compressed).toEqual(expected);
  });

  it.each([
    [0, [false, false, false]],
    [0.4, [false, false, false]],
    [0.5, [false, true, true]],
  ])('expects zeros of dropout %f alone behind another activation than ReLU: %j', (dropout, expected) => {
    expect(new DensityWatch(blocks(dropout, 'gelu'), 1).compressed).toEqual(expected);
  });

  it('never compresses what a single output is worked out from', () => {
    const single = lowerModel({
      input: { features: 4, type: 'f32' },
      layers: [{ type: 'dense', units: 8 }, { type: 'relu' }, { type: 'dense', units: 1 }],
    });
    const watch = new DensityWatch(single, 0.1);
    watch.measure(1, 0.1);
    expect(watch.compressed).toEqual([true, false]);
  });

  it('compresses below 0.6, and goes back at 0.65', () => {
    const watch = new DensityWatch(blocks(), 0.1);
    const after = (density: number) => {
      watch.measure(1, density);
      return watch.compressed[1];
    };
    const densities = [0.64, 0.65, 0.64, 0.6, 0.59, 0.62, 0.649, 0.651, 0.61, 0];
    expect(densities.map(after)).toEqual([true, false, false, false, true, true, true, false, false, true]);
    expect(watch.compressed).toEqual([true, true, true]);
  });

  it('follows each layer alone', () => {
    const watch = new DensityWatch(blocks(), 0.1);
    watch.measure(2, 0.9);
    expect(watch.compressed).toEqual([true, true, false]);
    watch.measure(0, 0.9);
    watch.measure(2, 0.1);
    expect(watch.compressed).toEqual([false, true, true]);
  });
});

describe('sampleDensity', () => {
  it('is the share of values that are not zero, -0 among the zeros', () => {
    expect(sampleDensity(Float32Array.of(0, -1.5, -0, 2), 2, 2)).toBe(1 / 2);
    expect(sampleDensity(Uint8Array.of(0, 1, 255, 0, 0, 7, 0, 0), 4, 2)).toBe(3 / 8);
    expect(sampleDensity(new Uint8Array(12), 4, 3)).toBe(0);
  });

  it('counts samples spread evenly over many: every third of 3 x 2048', () => {
    const images = new Uint8Array(3 * 2048 * 2);
    for (let sample = 0; sample < 3 * 2048; sample += 3) images[2 * sample] = 9;
    expect(sampleDensity(images, 2, 3 * 2048)).toBe(0.5);
  });

  it('is 1, the density that is not compressed, of no samples', () => {
    expect(sampleDensity(new Uint8Array(0), 4, 0)).toBe(1);
  });
});

describe('nonZeroShare', () => {
  it('counts neither padding nor rows beyond the last, and -0 as zero', () => {
    const matrix = Float32Array.of(0, -1, 9, 9, -0, 2, 9, 9, Number.NaN, 0, 9, 9, 9, 9, 9, 9);
    expect(nonZeroShare(matrix, 3, 2, 4)).toBe(3 / 6);
    expect(nonZeroShare(matrix, 1, 4, 4)).toBe(3 / 4);
  });
});
