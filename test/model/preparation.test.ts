import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOut } from '../../dist/data/hold-out.js';
import { ColumnSums, columnStatistics } from '../../dist/data/standardize.js';
import { failure } from '../support/errors.js';

// What is held out, and what inputs and targets are standardised by.

describe('holdOut', () => {
  const shares = fc.double({ min: 0.01, max: 0.99, noNaN: true });

  it('parts the rows: each once, ascending, at least one on either side', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), shares, fc.nat(), (rows, share, seed) => {
        const { train, validation } = holdOut(rows, share, seed, null);
        expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...Array(rows).keys()]);
        for (const part of [train, validation]) expect([...part]).toEqual([...part].sort((a, b) => a - b));
        expect(validation).toHaveLength(Math.min(rows - 1, Math.max(1, Math.round(rows * share))));
      }),
    );
  });

  it('takes from each class in proportion, and leaves one of it', () => {
    const labels = fc.array(fc.nat({ max: 4 }), { minLength: 10, maxLength: 300 });
    fc.assert(
      fc.property(labels, shares, fc.nat(), (list, share, seed) => {
        const { train, validation } = holdOut(list.length, share, seed, Uint32Array.from(list));
        expect(train.length + validation.length).toBe(list.length);
        const wanted = Math.min(list.length - 1, Math.max(1, Math.round(list.length * share)));
        for (const label of new Set(list)) {
          const count = (rows: Uint32Array) => rows.filter((row) => list[row] === label).length;
          const all = list.filter((each) => each === label).length;
          expect(count(train)).toBeGreaterThanOrEqual(1);
          const ideal = (wanted * all) / list.length;
          expect(Math.abs(count(validation) - Math.min(ideal, all - 1))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('takes exactly a fifth of classes that are multiples of five', () => {
    const labels = Uint32Array.from({ length: 100 }, (_, row) => (row < 50 ? 0 : row < 80 ? 1 : 2));
    const { validation } = holdOut(100, 0.2, 1, labels);
    expect([0, 1, 2].map((label) => validation.filter((row) => labels[row] === label).length)).toEqual([
      10, 6, 4,
    ]);
  });

  it('is another with another seed, and the same with the same', () => {
    const rows = (seed: number) => [...holdOut(100, 0.2, seed, null).validation];
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
  });

  it('takes every row about as often as another', () => {
    const counts = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 400; seed++) {
      for (const row of holdOut(20, 0.25, seed, null).validation) counts[row]! += 1;
    }
    // 100 each, with a deviation of 8.7.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(45);
  });

  it('refuses what leaves nothing to hold out', async () => {
    await failure('data', () => holdOut(1, 0.5, 0, null));
    const error = await failure('data', () => holdOut(3, 0.5, 0, Uint32Array.of(0, 1, 2)));
    expect(error.message).toBe(
      'The number of samples of every class is 1; at least 2 of one class, one of them held out, is expected.',
    );
    expect(holdOut(3, 0.5, 0, Uint32Array.of(0, 1, 1)).validation).toHaveLength(1);
  });
});

describe('statistics of columns', () => {
  /** Mean and deviation of numbers as exactly as f64 has them: in two passes. */
  const exact = (values: number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return { mean, deviation };
  };

  it('are the mean and the deviation of the given rows', () => {
    const values = [1, 100, 2, 200, 3, 300, 99, 99];
    const { mean, deviation, constant } = columnStatistics(values, 2, Uint32Array.of(0, 1, 2));
    expect([...mean]).toEqual([2, 200]);
    expect([...deviation]).toEqual([Math.fround(Math.sqrt(2 / 3)), Math.fround(100 * Math.sqrt(2 / 3))]);
    expect(constant).toEqual([]);
  });

  it('of a column that is constant are its value and 1, so that it becomes 0', () => {
    const { mean, deviation, constant } = columnStatistics(
      [0.1, 5, 0.1, 6, 0.1, 7],
      2,
      Uint32Array.of(0, 1, 2),
    );
    expect(constant).toEqual([0]);
    expect(mean[0]).toBe(Math.fround(0.1));
    expect(deviation[0]).toBe(1);
  });

  it('of one row are all constant', () => {
    const { mean, deviation, constant } = columnStatistics([3, -4], 2, Uint32Array.of(0));
    expect([[...mean], [...deviation], constant]).toEqual([
      [3, -4],
      [1, 1],
      [0, 1],
    ]);
  });

  it('of small differences far from 0 are not lost', () => {
    const values = Float64Array.from({ length: 1000 }, (_, row) => 1e9 + (row % 2));
    const { deviation } = columnStatistics(
      values,
      1,
      Uint32Array.from({ length: 1000 }, (_, row) => row),
    );
    expect(deviation[0]).toBeCloseTo(0.5, 6);
  });

  it('are the same however the rows are parted', () => {
    const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(numbers, fc.array(fc.nat({ max: 60 }), { maxLength: 5 }), (values, cuts) => {
        const places = [0, ...cuts.filter((cut) => cut < values.length).sort((a, b) => a - b), values.length];
        const sums = new ColumnSums(1);
        for (let part = 1; part < places.length; part++) {
          const rows = values.slice(places[part - 1], places[part]);
          sums.add(rows, rows.length);
        }
        const { mean, deviation, constant } = sums.statistics();
        if (new Set(values.map((value) => value + 0)).size === 1) {
          expect(constant).toEqual([0]);
          return;
        }
        const expected = exact(values);
        expect(Math.abs(mean[0]! - expected.mean)).toBeLessThanOrEqual(
          1e-6 * Math.max(1, Math.abs(expected.mean)),
        );
        if (constant.length === 0) {
          expect(Math.abs(deviation[0]! - expected.deviation)).toBeLessThanOrEqual(
            1e-6 * Math.max(1, expected.deviation),
          );
        }
      }),
    );
  });
});
