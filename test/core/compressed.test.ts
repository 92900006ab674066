import { afterEach, describe, expect, it, vi } from 'vitest';
import { DensityWatch } from '../../dist/bindings/density.js';
import { type Engine, Network, type NetworkSpec, type Samples } from '../../dist/bindings/index.js';
import { NetworkMemory } from '../../dist/bindings/memory.js';
import { engines, flatten, range, toySamples } from './support.js';

// Which layers are compressed, and by which micro-kernels, is a choice of speed: every choice gives the same bytes.

afterEach(() => {
  vi.restoreAllMocks();
});

/** toySamples with every second pixel empty, so that three in four are. */
function sparseSamples(spec: NetworkSpec, count: number): Samples {
  const { images, labels } = toySamples(spec, count, 4);
  return { images: images.map((pixel, i) => (i % 2 === 0 ? 0 : pixel)), labels };
}

interface Case {
  spec: NetworkSpec;
  samples: number;
  batchSize: number;
}

/** Losses, tensors, optimiser state and evaluation after two epochs, as f64 bytes. */
function train(engine: Engine, { spec, samples, batchSize }: Case): Buffer {
  const data = sparseSamples(spec, samples);
  const network = new Network(engine, spec, { seed: 2, batchSize, data });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    network.beginEpoch(range(samples), 0.01);
    for (let first = 0; first + 1 < samples; first += batchSize) {
      losses.push(network.trainBatch(first, Math.min(batchSize, samples - first)));
    }
  }
  expect(losses.every(Number.isFinite)).toBe(true);
  const state = [network.exportTensors(), network.exportOptimizer(), network.evaluate(range(samples))];
  return Buffer.from(Float64Array.from([...losses, ...flatten(state)]).buffer);
}

/** Lets every epoch compress the inputs of these layers, whatever their density. */
function force(compressed: boolean[]): void {
  vi.spyOn(DensityWatch.prototype, 'compressed', 'get').mockReturnValue(compressed);
}

describe.each(engines)('compressed and dense layers in the build $build', (engine) => {
  it.each([
    { spec: { inputs: 21, hidden: [35, 18], classes: 3, dropout: 0.5 }, samples: 103, batchSize: 17 },
    // More inputs and a larger batch than a K-block of 256.
    { spec: { inputs: 301, hidden: [40, 270], classes: 11, dropout: 0.5 }, samples: 290, batchSize: 290 },
  ])('give the same bytes: $spec.inputs inputs, batches of $batchSize', (shape) => {
    const written = vi.spyOn(NetworkMemory.prototype, 'writePrograms');
    const chosen = train(engine, shape);
    // Pixels and both blocks' outputs are sparse here, as measured after an epoch.
    expect(written.mock.lastCall).toEqual([[true, true, true]]);
    for (const choice of [
      [false, false, false],
      [true, false, true],
      [false, true, false],
    ]) {
      force(choice);
      expect(train(engine, shape).equals(chosen), `compressed: ${choice}`).toBe(true);
    }
  });

  it('give the same bytes by every micro-kernel', () => {
    const shape = {
      spec: { inputs: 43, hidden: [50, 26], classes: 5, dropout: 0.5 },
      samples: 80,
      batchSize: 40,
    };
    force([true, true, false]);
    const bytes = train(engine, shape);
    for (const tileHeight of [4, 6] as const) {
      for (const sparseWidth of [16, 32, 64] as const) {
        const other = { ...engine, kernels: { tileHeight, sparseWidth } };
        expect(train(other, shape).equals(bytes), `${tileHeight} rows, ${sparseWidth} columns`).toBe(true);
      }
    }
  });
});

it('a layer that turns out dense is compressed no longer', () => {
  const spec = { inputs: 6, hidden: [64], classes: 2, dropout: 0.2 };
  const written = vi.spyOn(NetworkMemory.prototype, 'writePrograms');
  const network = new Network(engines[1]!, spec, { seed: 1, batchSize: 16, data: sparseSamples(spec, 16) });
  // Betas far above what a normalised number reaches: only dropout makes zeros, of one in five.
  const tensors = network.exportTensors();
  tensors.batchNorm[0]!.beta.fill(50);
  network.importTensors(tensors);
  const compressed = [0, 1].map(() => {
    network.beginEpoch(range(16), 1e-3);
    const [choice] = written.mock.lastCall!;
    const isCompressed = choice[1];
    network.trainBatch(0, 16);
    return isCompressed;
  });
  expect(compressed).toEqual([true, false]);
});
