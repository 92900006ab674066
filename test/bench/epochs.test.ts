import type { Worker, WorkerOptions } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { measureEpoch } from '../../dist/bench/epochs.js';
import { loadCore } from '../../dist/bindings/host.js';
import { toShared } from '../../dist/data/shared.js';
import type { WorkerTask } from '../../dist/experiment/messages.js';
import { failure } from '../support/errors.js';
import { syntheticDataset } from '../support/idx.js';

const threads = vi.hoisted(() => [] as Worker[]);
const doomed = vi.hoisted(() => ({ role: '' }));
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class DoomedWorker extends actual.Worker {
    constructor(entry: string | URL, options: WorkerOptions) {
      super(entry, options);
      threads.push(this);
      if ((options.workerData as WorkerTask).role === doomed.role)
        queueMicrotask(() => void this.terminate());
    }
  }
  return { ...actual, Worker: DoomedWorker };
});

const { train } = syntheticDataset({ classes: 3, height: 4, width: 4, train: 600, test: 3, seed: 1 });
const data = { images: toShared(train.images), labels: toShared(train.labels) };
const work = {
  model: 'tiny',
  spec: { inputs: 16, hidden: [16], classes: 3, dropout: 0 },
  batchSize: 64,
  threads: 2,
  data,
};

it('times an epoch in as many threads as it says', async () => {
  const core = await loadCore({ build: 'simd-mt' });
  const { seconds, ...figures } = await measureEpoch(core, work);
  expect(figures).toEqual({ model: 'tiny', batchSize: 64, threads: 2, samples: 600 });
  expect(seconds).toBeGreaterThan(0);
});

it.each([
  ['help', 'A helper of The training of tiny did not finish: '],
  ['time', 'The training of tiny did not finish: '],
])('fails, and leaves no thread, when the thread of role %s dies', async (role, sentence) => {
  doomed.role = role;
  threads.length = 0;
  const core = await loadCore({ build: 'simd-mt' });
  const error = await failure('worker', () => measureEpoch(core, work));
  doomed.role = '';
  expect(error.message).toContain(sentence);
  expect(threads.every(({ threadId }) => threadId === -1)).toBe(true);
});

it('refuses more than one thread in a build without threads', async () => {
  const core = await loadCore({ build: 'simd' });
  const error = await failure('usage', () => measureEpoch(core, work));
  expect(error.message).toContain('the build simd has no threads');
});
