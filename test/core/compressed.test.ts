import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Core } from '../../dist/bindings/host.js';
import { DensityWatch } from '../../dist/bindings/network/density.js';
import { NetworkMemory } from '../../dist/bindings/network/memory.js';
import type { Operation } from '../../dist/bindings/program/operations.js';
import {
  bytesOf,
  coreOf,
  cores,
  type Images,
  networkOn,
  range,
  recipe,
  type Shape,
  toySamples,
  withTensors,
} from './support.js';

// Which blocks are compressed, and by which micro-kernels, is a choice of speed: every choice gives the same bytes.

afterEach(() => {
  vi.restoreAllMocks();
});

/** toySamples with every second pixel empty, so that three in four are. */
function sparseSamples(shape: Shape, count: number): Images {
  const { inputs, targets } = toySamples(shape, count, 4);
  return { inputs: inputs.map((pixel, i) => (i % 2 === 0 ? 0 : pixel)), targets };
}

interface Case {
  shape: Shape;
  samples: number;
  batchSize: number;
}

/** Losses, state and evaluation after two epochs. */
function train(core: Core, { shape, samples, batchSize }: Case): Buffer {
  const network = networkOn(core, recipe(shape), sparseSamples(shape, samples), { seed: 2, batchSize });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    network.training.begin(range(samples));
    for (let first = 0; first + 1 < samples; first += batchSize) {
      losses.push(network.training.step(first, Math.min(batchSize, samples - first), 0.01));
    }
  }
  expect(losses.every(Number.isFinite)).toBe(true);
  return bytesOf([losses, network.training.exportState(), network.evaluate(0, range(samples))]);
}

/** Lets every epoch compress the inputs of these blocks, whatever their density. */
function force(compressed: boolean[]): void {
  vi.spyOn(DensityWatch.prototype, 'compressed', 'get').mockReturnValue(compressed);
}

/** For each product of a training program, whether its input is compressed. */
function compressedIn(program: readonly Operation[]): boolean[] {
  return program.flatMap(({ name }) => (name === 'Spmm' ? [true] : name === 'Gemm' ? [false] : []));
}

/** The training programs that are written from now on. */
function watchPrograms(): (readonly Operation[])[] {
  const programs: (readonly Operation[])[] = [];
  const write = NetworkMemory.prototype.writeProgram;
  vi.spyOn(NetworkMemory.prototype, 'writeProgram').mockImplementation(function (
    this: NetworkMemory,
    name,
    operations,
  ) {
    if (name === 'train') programs.push(operations);
    write.call(this, name, operations);
  });
  return programs;
}

describe.each(cores)('compressed and dense blocks in the build $build', (core) => {
  it.each([
    { shape: { inputs: 21, hidden: [35, 18], classes: 3, dropout: 0.5 }, samples: 103, batchSize: 17 },
    // More inputs and a larger batch than a K-block of 256.
    { shape: { inputs: 301, hidden: [40, 270], classes: 11, dropout: 0.5 }, samples: 290, batchSize: 290 },
  ])('give the same bytes: $shape.inputs inputs, batches of $batchSize', (each) => {
    const programs = watchPrograms();
    const chosen = train(core, each);
    // Pixels and both blocks' outputs are sparse here, as measured after an epoch.
    expect(compressedIn(programs.at(-1)!)).toEqual([true, true, true]);
    for (const choice of [
      [false, false, false],
      [true, false, true],
      [false, true, false],
    ]) {
      force(choice);
      expect(train(core, each).equals(chosen), `compressed: ${choice}`).toBe(true);
      expect(compressedIn(programs.at(-1)!)).toEqual(choice);
    }
  });

  it('give the same bytes by every micro-kernel', () => {
    const each = {
      shape: { inputs: 43, hidden: [50, 26], classes: 5, dropout: 0.5 },
      samples: 80,
      batchSize: 40,
    };
    force([true, true, false]);
    const bytes = train(core, each);
    for (const tileHeight of [4, 6] as const) {
      for (const sparseWidth of [16, 32, 64] as const) {
        const other = { ...core, kernels: { tileHeight, sparseWidth } };
        expect(train(other, each).equals(bytes), `${tileHeight} rows, ${sparseWidth} columns`).toBe(true);
      }
    }
  });
});

it('a block that turns out dense is compressed no longer', () => {
  const shape = { inputs: 6, hidden: [64], classes: 2, dropout: 0.2 };
  const programs = watchPrograms();
  const options = { seed: 1, batchSize: 16 };
  const network = networkOn(coreOf('simd'), recipe(shape), sparseSamples(shape, 16), options);
  // Betas far above what a normalised number reaches: only dropout makes zeros, of one in five.
  network.setTensors(withTensors(network.tensors(), { '1.beta': new Float32Array(64).fill(50) }));
  const compressed = [0, 1].map(() => {
    network.training.begin(range(16));
    const choice = compressedIn(programs.at(-1)!)[1];
    network.training.step(0, 16, 1e-3);
    return choice;
  });
  expect(compressed).toEqual([true, false]);
});
