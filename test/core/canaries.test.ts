import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Core, type ModelSpec, mlp, Network, type TrainingOptions } from '../../dist/bindings/host.js';
import { NetworkMemory } from '../../dist/bindings/network/memory.js';
import type { Buffer } from '../../dist/bindings/program/types.js';
import { coreOf, cores, networkOn, RECIPE, range, sparse, toySamples } from './support.js';

// The debug build keeps bytes between buffers that no program may write. They are looked at after each.

afterEach(() => {
  vi.restoreAllMocks();
});

const ROWS = 37;
const data = toySamples({ inputs: 21, classes: 3 }, ROWS, 2);
const model = mlp({ inputs: 21, hidden: [35, 18], outputs: 3, norm: true, dropout: 0.3, inputType: 'u8' });

/** A network and its memory. */
function create(core: Core): { network: Network; memory: NetworkMemory } {
  const run = vi.spyOn(NetworkMemory.prototype, 'run');
  const network = networkOn(core, model, data, { batchSize: 9 });
  network.predict(data.inputs);
  const memory = run.mock.contexts.at(-1) as NetworkMemory;
  run.mockRestore();
  return { network, memory };
}

const debug = coreOf('debug');

describe('in the debug build', () => {
  const { network, memory } = create(debug);
  const bytesBehind = (buffer: Buffer) =>
    new Uint8Array(memory.instance.memory.buffer, memory.address(buffer) + buffer.bytes, 64);

  it.each(memory.plan.buffers)(
    '64 bytes behind "$name" are looked at, the first and the last too',
    (buffer) => {
      const behind = bytesBehind(buffer);
      expect([...new Set(behind)]).toEqual([0xc5]);
      for (const at of [0, 63]) {
        behind[at] = 0;
        expect(() => network.predict(data.inputs)).toThrow('A program wrote outside its buffers.');
        network.training.begin(range(ROWS));
        expect(() => network.training.step(0, 9, 0.01)).toThrow('A program wrote outside its buffers.');
        behind[at] = 0xc5;
        expect(() => network.predict(data.inputs)).not.toThrow();
      }
    },
  );

  it('no two buffers share a byte with each other or with what stands between them', () => {
    const stretches = memory.plan.buffers
      .map((buffer) => [memory.address(buffer), memory.address(buffer) + buffer.bytes + 64] as const)
      .sort(([a], [b]) => a - b);
    stretches.slice(1).forEach(([start], index) => {
      expect(start).toBeGreaterThanOrEqual(stretches[index]![1]);
    });
  });
});

it.each(cores.filter(({ build }) => build !== 'debug'))('other builds keep none: $build', (core) => {
  const { network, memory } = create(core);
  const { network: guarded } = create(debug);
  const end = (of: NetworkMemory) => Math.max(...of.plan.buffers.map((buffer) => of.address(buffer)));
  expect(end(memory)).toBeLessThan(end(create(debug).memory));
  expect(network.memoryBytes).toBeLessThanOrEqual(guarded.memoryBytes);
});

/** Widths around the panel of 32 and the tiles, and batches around the rows that are padded to. */
const WIDTHS = [1, 4, 31, 32, 33, 65];
const trainings: TrainingOptions[] = [
  RECIPE,
  { ...RECIPE, clipNorm: 0.1, average: true, optimizer: { type: 'adamW' } },
  { loss: { type: 'huber' }, optimizer: { type: 'sgd', momentum: 0.9 } },
];

describe.each(['u8', 'f32', 'sparse'] as const)('no program writes outside its buffers: %s input', (type) => {
  it.each(WIDTHS)('%i wide', (width) => {
    for (const features of [1, 33]) {
      for (const training of trainings) {
        for (const activation of ['relu', 'gelu'] as const) {
          for (const norm of [true, false]) {
            const layers: ModelSpec['layers'] = [
              { type: 'dense', units: width, bias: norm },
              ...(norm ? [{ type: 'batchNorm' } as const] : []),
              { type: activation },
              { type: 'dropout', rate: 0.5 },
              { type: 'dense', units: 3 },
            ];
            const of: ModelSpec = { input: { features, type }, layers };
            const { inputs, targets } = toySamples({ inputs: features, classes: 3 }, 26, 5);
            const floats = Float32Array.from(inputs);
            const samples = {
              inputs: type === 'u8' ? inputs : type === 'f32' ? floats : sparse(floats, features),
              targets: training.loss.type === 'crossEntropy' ? targets : new Float32Array(78),
            };
            const options = { batchSize: 12, training };
            const network = networkOn(debug, of, samples, options);
            network.training.begin(range(26));
            // The first batch finds out what is sparse; the fewest and the most rows follow.
            network.training.step(0, 12, 0.01);
            network.training.begin(range(26));
            for (const rows of [13, 2]) network.training.step(0, rows, 0.01);
            network.training.estimateStatistics([{ first: 13, rows: 13 }]);
            network.evaluate(0, range(26));
            network.evaluateOn(samples);
            network.predict(samples.inputs);
            const only = new Network(debug, of);
            only.setTensors(network.tensors());
            only.predict(samples.inputs);
          }
        }
      }
    }
  });
});
