import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  type Core,
  type ModelSpec,
  mlp,
  type Network,
  type Samples,
  type TrainingOptions,
} from '../../dist/bindings/host.js';
import {
  bytesOf,
  coreOf,
  cores,
  networkOn,
  RECIPE,
  range,
  recipe,
  sparse,
  toySamples,
  uniform,
} from './support.js';

const ROWS = 300;
const shape = { inputs: 50, hidden: [130, 40, 17], classes: 5, dropout: 0.5 };
const data = toySamples(shape, ROWS, 9);
const next = uniform(4);
const floats = Float32Array.from(data.inputs, (pixel) => pixel / 255);
const numbers = Float32Array.from({ length: 3 * ROWS }, next);
const weights = Float32Array.from({ length: ROWS }, () => 2 * next());
const threaded = cores.filter(({ build }) => build.endsWith('-mt'));

interface Run {
  name: string;
  model: ModelSpec;
  data: Samples;
  training: TrainingOptions;
}

const wide = { inputs: 50, hidden: [130, 40, 17] } as const;
const plain = (activation: 'tanh' | 'gelu' | 'relu', outputs: number, inputType?: 'sparse') =>
  mlp({ ...wide, activation, outputs, standardize: false, ...(inputType && { inputType }) });

const runs: Run[] = [
  { name: 'the default recipe', model: recipe(shape), data, training: RECIPE },
  {
    name: 'tanh without norm, by SGD with momentum',
    model: plain('tanh', 3),
    data: { inputs: floats, targets: numbers },
    training: { loss: { type: 'squaredError' }, optimizer: { type: 'sgd', momentum: 0.9 } },
  },
  {
    name: 'GELU by AdamW, weighted and clipped',
    model: plain('gelu', 3),
    data: { inputs: floats, targets: numbers, weights },
    training: { loss: { type: 'binaryCrossEntropy' }, optimizer: { type: 'adamW' }, clipNorm: 0.01 },
  },
  {
    name: 'sparse input',
    model: plain('relu', 5, 'sparse'),
    data: { inputs: sparse(floats, 50), targets: data.targets },
    training: RECIPE,
  },
  {
    name: 'an average of the parameters',
    model: recipe(shape),
    data,
    training: { ...RECIPE, average: true },
  },
];

interface Result {
  threads: number[];
  bytes: Buffer;
}

/** Trains three epochs; helpers join before the epoch that `joins` says: joins[e] more threads at epoch e. */
async function train(core: Core, run: Run, joins: number[]): Promise<Result> {
  const { model, training } = run;
  const network = networkOn(core, model, run.data, { seed: 5, batchSize: 64, threads: 3, training });
  const helpers: Helper[] = [];
  const threads: number[] = [];
  try {
    for (const more of joins) {
      for (let i = 0; i < more; i++) helpers.push(await helper(network));
      // A helper joins moments after it is ready.
      while (network.joined <= helpers.length) await setTimeout(10);
      threads.push(network.admit());
      network.training.begin(range(ROWS));
      if (training.average) network.training.averageBy(0.1);
      for (let first = 0; first < ROWS; first += 64) {
        network.training.step(first, Math.min(64, ROWS - first), 0.01);
      }
    }
    const evaluation = network.evaluate(0, range(ROWS), { outputs: true });
    const averaged = training.average ? network.training.averaged() : [];
    network.training.estimateStatistics([
      { first: 0, rows: 64 },
      { first: 64, rows: 64 },
    ]);
    const state = network.training.exportState();
    return { threads, bytes: bytesOf([evaluation, averaged, state]) };
  } finally {
    network.dispose();
    await Promise.all(helpers.map(({ ended }) => ended));
  }
}

interface Helper {
  /** Resolves when its thread has ended. */
  ended: Promise<unknown>;
}

/** A thread that is about to join the network. */
async function helper(network: Network): Promise<Helper> {
  const worker = new Worker(new URL('../support/help-worker.mjs', import.meta.url), {
    workerData: network.ticket,
  });
  // From the start: it may end before anybody waits for that.
  const ended = once(worker, 'exit');
  await once(worker, 'message');
  return { ended };
}

describe.each(threaded)('threads in the build $build', (core) => {
  it.each(runs)('give the same bytes, 1, 2 and 3 of them: $name', async (run) => {
    const alone = await train(core, run, [0, 0, 0]);
    expect(alone.threads).toEqual([1, 1, 1]);
    for (const helpers of [1, 2]) {
      const together = await train(core, run, [helpers, 0, 0]);
      expect(together.threads).toEqual([1, 1, 1].map(() => 1 + helpers));
      expect(together.bytes.equals(alone.bytes), `${1 + helpers} threads`).toBe(true);
    }
  });

  it('give the same bytes where they join later', async () => {
    const alone = await train(core, runs[0]!, [0, 0, 0]);
    const together = await train(core, runs[0]!, [0, 1, 1]);
    expect(together.threads).toEqual([1, 2, 3]);
    expect(together.bytes.equals(alone.bytes)).toBe(true);
  });

  it('more than there is room for go home again', async () => {
    const network = networkOn(core, recipe(shape), data, { threads: 2 });
    const helpers = [await helper(network), await helper(network)];
    await Promise.race(helpers.map(({ ended }) => ended));
    expect(network.admit()).toBe(2);
    expect(network.joined).toBe(2);
    network.dispose();
    await Promise.all(helpers.map(({ ended }) => ended));
  });
});

it.each(runs)('the builds with and without threads give the same bytes: $name', async (run) => {
  const bytes = async (build: string) => (await train(coreOf(build), run, [0, 0])).bytes;
  expect((await bytes('simd-mt')).equals(await bytes('simd'))).toBe(true);
  expect((await bytes('relaxed-mt')).equals(await bytes('relaxed'))).toBe(true);
  expect((await bytes('debug')).equals(await bytes('simd'))).toBe(true);
});

it('a build without threads has no ticket and stays alone', () => {
  const network = networkOn(coreOf('simd'), recipe(shape), data, { threads: 2 });
  expect(network.ticket).toBeNull();
  expect([network.joined, network.admit()]).toEqual([1, 1]);
});
