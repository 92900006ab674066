import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { loadCore, mlp, Network } from '../../dist/bindings/host.js';

it('ends in an error, not in a hang, when a helper thread is terminated', { timeout: 60_000 }, async () => {
  const core = await loadCore({ build: 'simd-mt' });
  const rows = Uint32Array.from({ length: 64 }, (_, row) => row);
  const network = new Network(core, mlp({ inputs: 20, hidden: [70], outputs: 3 }), {
    batchSize: 64,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: 64 }],
    threads: 2,
  });
  network.load(0, { inputs: new Float32Array(64 * 20).fill(0.5), targets: rows.map((row) => row % 3) });
  const worker = new Worker(new URL('../support/help-worker.mjs', import.meta.url), {
    workerData: network.ticket,
  });
  await once(worker, 'message');
  while (network.joined < 2) await setTimeout(5);
  expect(network.admit()).toBe(2);
  network.training.begin(rows);
  expect(network.training.step(0, 64, 0.01)).toBeGreaterThan(0);
  await worker.terminate();
  const failure = expect.objectContaining({
    code: 'worker',
    message: expect.stringContaining('A helper thread of the network is gone'),
  });
  expect(() => network.training.step(0, 64, 0.01)).toThrow(failure);
  // It stays so.
  expect(() => network.predict(new Float32Array(20))).toThrow(failure);
  network.dispose();
});
