import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type Engine, Network, type NetworkSpec } from '../../dist/bindings/index.js';
import { engines, range, toySamples } from './support.js';

const spec: NetworkSpec = { inputs: 50, hidden: [130, 40, 17], classes: 5, dropout: 0.5 };
const data = toySamples(spec, 300, 9);
const threaded = engines.filter(({ build }) => build.endsWith('-mt'));

/** Trains three epochs; helpers join before the epoch that `joins` says: joins[e] more threads at epoch e. */
async function train(
  engine: Engine,
  joins: number[],
): Promise<{ threads: number[]; tensors: unknown; evaluation: unknown }> {
  const network = new Network(engine, spec, { seed: 5, batchSize: 64, data });
  const workers: Worker[] = [];
  const threads: number[] = [];
  for (const helpers of joins) {
    for (let i = 0; i < helpers; i++) {
      const worker = new Worker(new URL('../support/assist-worker.mjs', import.meta.url), {
        workerData: network.ticket,
      });
      workers.push(worker);
      await once(worker, 'message');
    }
    // A helper joins moments after it is ready; epochs go by until all have.
    for (let patience = 0; patience < 200; patience++) {
      network.beginEpoch(range(300), 0.01);
      if (network.threads === workers.length + 1) break;
      await setTimeout(10);
    }
    for (let first = 0; first < 300; first += 64) network.trainBatch(first, Math.min(64, 300 - first));
    threads.push(network.threads);
  }
  const evaluation = network.evaluate(range(300));
  const tensors = network.exportTensors();
  const exits = workers.map((worker) => once(worker, 'exit'));
  network.dispose();
  await Promise.all(exits);
  return { threads, tensors, evaluation };
}

describe.each(threaded)('threads in the build $build', (engine) => {
  it('give the same bytes: 1, 2 and 3 from the start, or joining later', async () => {
    const alone = await train(engine, [0, 0, 0]);
    expect(alone.threads).toEqual([1, 1, 1]);
    for (const joins of [
      [1, 0, 0],
      [2, 0, 0],
      [0, 1, 1],
    ]) {
      const together = await train(engine, joins);
      const expected = joins.map((_, e) => 1 + joins.slice(0, e + 1).reduce((sum, count) => sum + count));
      expect(together.threads).toEqual(expected);
      expect(together.tensors).toEqual(alone.tensors);
      expect(together.evaluation).toEqual(alone.evaluation);
    }
  });
});

it('the builds with and without threads give the same bytes', async () => {
  const tensors = async (build: string) =>
    (await train(engines.find((engine) => engine.build === build)!, [0, 0])).tensors;
  expect(await tensors('simd-mt')).toEqual(await tensors('simd'));
  expect(await tensors('relaxed-mt')).toEqual(await tensors('relaxed'));
  expect(await tensors('debug')).toEqual(await tensors('simd'));
});
