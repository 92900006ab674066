import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runAll } from '../../dist/experiment/run-all.js';
import type { RunConfig } from '../../dist/results/records.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

/** Of each of four models: helper threads take tens of the first one's to start, and then help with every epoch. */
const EPOCHS = 40;

const SETTINGS: Partial<RunConfig> = {
  architectures: [
    { name: 'wide', hidden: [96, 32] },
    { name: 'slim', hidden: [40] },
  ],
  learningRates: [0.01, 0.005],
  epochs: EPOCHS,
  batchSize: 64,
  validationSize: 60,
  keep: 'last',
  build: 'strict',
};

/** What a run left, and how it was worked on. */
interface Left {
  /** SHA-256 of each file in the weights folder, by name. */
  digests: Record<string, string>;
  build: string;
  /** Most threads that trained one model in an epoch. */
  mostThreads: number;
  /** Most models that were in training at the same time. */
  mostJobs: number;
}

async function run(folder: string, name: string, settings: Partial<RunConfig>): Promise<Left> {
  const weights = join(folder, name);
  const training = new Set<string>();
  const left: Left = { digests: {}, build: '', mostThreads: 0, mostJobs: 0 };
  await runAll({
    data: join(folder, 'data'),
    verify: false,
    report: false,
    weights,
    out: join(folder, 'runs'),
    settings: { ...SETTINGS, ...settings },
    onEvent: (event) => {
      if (event.type === 'run') left.build = event.build;
      if (event.type === 'start') training.add(event.job);
      if (event.type === 'epoch') {
        left.mostThreads = Math.max(left.mostThreads, event.threads);
        left.mostJobs = Math.max(left.mostJobs, training.size);
        if (event.epoch === EPOCHS) training.delete(event.job);
      }
    },
  });
  for (const file of await readdir(weights)) {
    left.digests[file] = createHash('sha256')
      .update(await readFile(join(weights, file)))
      .digest('hex');
  }
  return left;
}

it('1, 2 and 3 threads and 1 and 2 jobs leave the same files in strict mode', async () => {
  const folder = await temporaryFolder();
  await writeIdxDataset(
    join(folder, 'data'),
    syntheticDataset({ classes: 5, height: 8, width: 8, train: 700, test: 50, seed: 4 }),
  );
  const alone = await run(folder, 'alone', { threads: 1, jobs: 1 });
  expect(alone).toMatchObject({ build: 'simd-mt', mostThreads: 1, mostJobs: 1 });
  // Two formats of four models that differ.
  expect(new Set(Object.values(alone.digests)).size).toBe(8);
  for (const [threads, jobs] of [
    [2, 1],
    [3, 1],
    [2, 2],
    [3, 2],
  ] as const) {
    const left = await run(folder, `${threads}-${jobs}`, { threads, jobs });
    expect(left.digests, `${threads} threads, ${jobs} jobs`).toEqual(alone.digests);
    expect(left.mostJobs).toBe(jobs);
    if (jobs === 1) expect(left.mostThreads).toBe(threads);
  }
});
