import { describe, expect, it } from 'vitest';
import { loadEngine, type TreadleError } from '../../dist/bindings/index.js';
import { toShared } from '../../dist/data/shared.js';
import { resolveConfig } from '../../dist/orchestrate/config.js';
import { planJobs } from '../../dist/orchestrate/plan.js';
import { type TrainJobsOptions, trainJobs } from '../../dist/orchestrate/pool.js';
import type { Job, RunEvent, TrainedModel } from '../../dist/records.js';
import { failure } from '../support/errors.js';
import { syntheticDataset } from '../support/idx.js';

const { train } = syntheticDataset({ classes: 3, height: 4, width: 4, train: 600, test: 3, seed: 1 });
const data = { images: toShared(train.images), labels: toShared(train.labels) };
const all = Uint32Array.from({ length: 600 }, (_, index) => index);
const split = { train: toShared(all.slice(0, 500)), validation: toShared(all.slice(500)) };

function jobs(build: string, epochs: number): Job[] {
  const architectures = [
    { name: 'a', hidden: [16] },
    { name: 'b', hidden: [8] },
  ];
  const config = resolveConfig({ architectures, learningRates: [0.01, 0.001], epochs, batchSize: 128 });
  return planJobs(config, { inputs: 16, classes: 3 }, build);
}

/** Runs jobs and notes what the pool says of them. */
async function run(list: Job[], change: Partial<TrainJobsOptions> = {}) {
  const trained = new Map<string, TrainedModel>();
  const failed = new Map<string, TreadleError>();
  const events: RunEvent[] = [];
  const options: TrainJobsOptions = {
    engine: await loadEngine({ build: 'simd-mt' }),
    data,
    split,
    limits: { jobs: 2, threads: 2, helpers: true },
    onEvent: (event) => events.push(event),
    onTrained: (job, result) => trained.set(job.id, result),
    onFailed: (job, error) => failed.set(job.id, error),
    ...change,
  };
  await trainJobs(list, options);
  return { trained, failed, events };
}

describe('trainJobs', () => {
  it('hands a chain on: the second job starts from the last weights of the first', async () => {
    const { trained, failed } = await run(jobs('simd-mt', 2));
    expect(failed.size).toBe(0);
    expect([...trained.keys()].sort()).toEqual(['a_0.001', 'a_0.01', 'b_0.001', 'b_0.01']);
    // 500 samples in batches of 128 are 4 steps an epoch, counted on by the next of the chain.
    expect(trained.get('a_0.01')!.last.batchesTracked).toBe(8);
    expect(trained.get('a_0.001')!.last.batchesTracked).toBe(16);
  });

  it('lets a thread that is left over help, and gives the same weights', async () => {
    const [first] = jobs('simd-mt', 300);
    const alone = await run([first!], { limits: { jobs: 1, threads: 1, helpers: true } });
    const helped = await run([first!], { limits: { jobs: 1, threads: 2, helpers: true } });
    const threads = (events: RunEvent[]) =>
      events.flatMap((event) => (event.type === 'epoch' ? event.threads : []));
    expect(new Set(threads(alone.events))).toEqual(new Set([1]));
    expect(threads(helped.events)).toContain(2);
    expect(helped.trained.get(first!.id)!.last).toEqual(alone.trained.get(first!.id)!.last);
  });

  it('fails a job whose thread dies, and those that wait for it; the others go on', async () => {
    // No check refuses a BigInt zero, and arithmetic on it ends the thread with a TypeError.
    const dropout = 0n as unknown as number;
    const broken = jobs('simd-mt', 2).map((job) =>
      job.id === 'a_0.01' ? { ...job, spec: { ...job.spec, dropout } } : job,
    );
    const { trained, failed } = await run(broken);
    expect([...trained.keys()].sort()).toEqual(['b_0.001', 'b_0.01']);
    expect(failed.get('a_0.01')).toMatchObject({ code: 'worker' });
    expect(failed.get('a_0.01')!.message).toContain('Model a at learning rate 0.01');
    expect(failed.get('a_0.001')).toMatchObject({ code: 'worker' });
    expect(failed.get('a_0.001')!.message).toContain('starts from the weights');
  });

  it('rejects as interrupted and leaves no thread behind when the signal aborts', async () => {
    const controller = new AbortController();
    let heard = 0;
    const onEvent = (event: RunEvent) => {
      heard += 1;
      if (event.type === 'epoch' && event.epoch === 3) controller.abort();
    };
    await failure('interrupted', () => run(jobs('simd-mt', 100_000), { signal: controller.signal, onEvent }));
    const before = heard;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard).toBe(before);
    expect(
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker'),
    ).toEqual([]);
  });

  it('does not start when the signal has aborted before', async () => {
    const events: RunEvent[] = [];
    const signal = AbortSignal.abort();
    await failure('interrupted', () =>
      run(jobs('simd-mt', 2), { signal, onEvent: (event) => events.push(event) }),
    );
    expect(events).toEqual([]);
  });

  it('ends with what a callback throws', async () => {
    const onTrained = () => {
      throw new Error('the disk is gone');
    };
    await expect(run(jobs('simd-mt', 1), { onTrained })).rejects.toThrow('the disk is gone');
  });
});
