import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker, WorkerOptions } from 'node:worker_threads';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadCore, type TreadleError } from '../../dist/bindings/host.js';
import { toShared } from '../../dist/data/shared.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import type { WorkerTask } from '../../dist/experiment/messages.js';
import { type TrainJobsOptions, trainJobs } from '../../dist/experiment/pool.js';
import type { Job, RunEvent, TrainedModel } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset } from '../support/idx.js';

/** Every thread that was started, with its task, in order. */
const threads = vi.hoisted(() => [] as { worker: Worker; task: WorkerTask }[]);
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class WatchedWorker extends actual.Worker {
    constructor(entry: string | URL, options: WorkerOptions) {
      super(entry, options);
      threads.push({ worker: this, task: options.workerData });
    }
  }
  return { ...actual, Worker: WatchedWorker };
});

beforeEach(() => {
  threads.length = 0;
});

/** Ends the latest thread that trains a job, as a crash would. */
function killTrainer(id: string): void {
  void threads.findLast(({ task }) => task.role === 'train' && task.job.id === id)!.worker.terminate();
}

/** Ends the latest helper thread. */
function killHelper(): void {
  void threads.findLast(({ task }) => task.role === 'help')!.worker.terminate();
}

/** Threads that have not ended. */
const alive = () => threads.filter(({ worker }) => worker.threadId !== -1);

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
    core: await loadCore({ build: 'simd-mt' }),
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

  it('fails a job whose thread dies again and again, and those that wait for it; the others go on', async () => {
    // No check refuses a BigInt, and arithmetic on it ends the thread with a TypeError.
    const batchSize = 16n as unknown as number;
    const broken = jobs('simd-mt', 2).map((job) => (job.id === 'a_0.01' ? { ...job, batchSize } : job));
    const { trained, failed, events } = await run(broken);
    expect([...trained.keys()].sort()).toEqual(['b_0.001', 'b_0.01']);
    expect(failed.get('a_0.01')).toMatchObject({ code: 'worker' });
    expect(failed.get('a_0.01')!.message).toContain('Model a at learning rate 0.01');
    expect(failed.get('a_0.001')).toMatchObject({ code: 'worker' });
    expect(failed.get('a_0.001')!.message).toContain('starts from the weights');
    const why = failed.get('a_0.01')!.message;
    expect(why).toMatch(/BigInt/);
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      { type: 'warning', job: 'a_0.01', message: `${why} It is started again (1 of 2 times).` },
      { type: 'warning', job: 'a_0.01', message: `${why} It is started again (2 of 2 times).` },
    ]);
    const trainers = threads.filter(({ task }) => task.role === 'train' && task.job.id === 'a_0.01');
    expect(trainers).toHaveLength(3);
  });

  it('fails a job whose network no memory can hold once, with the code and words of its constructor', async () => {
    const huge = jobs('simd-mt', 2).map((job) =>
      job.model === 'a' ? { ...job, spec: { ...job.spec, hidden: [20_000, 20_000] } } : job,
    );
    const { trained, failed, events } = await run(huge);
    expect([...trained.keys()].sort()).toEqual(['b_0.001', 'b_0.01']);
    expect(failed.get('a_0.01')).toMatchObject({ code: 'range' });
    expect(failed.get('a_0.01')!.message).toMatch(/^The network needs \d\.\d\d GiB of memory; .* 4 GiB\.$/);
    expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
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
    expect(alive()).toEqual([]);
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

/** A chain of two models whose epochs take a few milliseconds, so that a thread can be ended within its training. */
function slowJobs(epochs: number): Job[] {
  const config = resolveConfig({
    architectures: [{ name: 'slow', hidden: [256, 128] }],
    learningRates: [0.01, 0.001],
    epochs,
    batchSize: 64,
  });
  return planJobs(config, { inputs: 16, classes: 3 }, 'simd-mt');
}

const EPOCHS = 50;
const [FIRST, SECOND] = slowJobs(EPOCHS).map(({ id }) => id) as [string, string];
const ALONE = { jobs: 1, threads: 1, helpers: true };
const HELPED = { jobs: 1, threads: 2, helpers: true };

/** What training gave, without the time it took. */
function bytesOf(trained: ReadonlyMap<string, TrainedModel>) {
  return new Map(
    [...trained].map(([id, { epochs, ...rest }]) => [
      id,
      { ...rest, epochs: epochs.map((epoch) => ({ ...epoch, seconds: 0 })) },
    ]),
  );
}

/** What the slow jobs end with when nothing goes wrong. */
const whole = bytesOf((await run(slowJobs(EPOCHS), { limits: ALONE })).trained);

/** Runs the slow jobs and does something at each event. */
async function runWith(react: (event: RunEvent) => void, change: Partial<TrainJobsOptions> = {}) {
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => {
    events.push(event);
    react(event);
  };
  const result = await run(slowJobs(EPOCHS), { limits: ALONE, ...change, onEvent });
  const of = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
  return { ...result, starts: of('start'), epochs: of('epoch'), warnings: of('warning') };
}

/** Does something the first time that a condition holds. */
function once(when: (event: RunEvent) => boolean, act: (event: RunEvent) => void): (event: RunEvent) => void {
  let done = false;
  return (event) => {
    if (done || !when(event)) return;
    done = true;
    act(event);
  };
}

const isEpoch = (id: string, least: number) => (event: RunEvent) =>
  event.type === 'epoch' && event.job === id && event.epoch >= least;

const isHelped = (event: RunEvent) => event.type === 'epoch' && event.threads === 2;

describe('a thread that dies once', () => {
  it.each([FIRST, SECOND])(
    'begins %s again without checkpoints, and ends with the same bytes',
    async (id) => {
      const kill = once(isEpoch(id, 2), () => killTrainer(id));
      const { trained, failed, starts, warnings } = await runWith(kill);
      expect(failed.size).toBe(0);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.job).toBe(id);
      expect(warnings[0]!.message).toMatch(
        /^Model slow at learning rate 0\.0*1 did not finish: its thread ended with exit code 1; .* It is started again \(1 of 2 times\)\.$/,
      );
      expect(starts.filter(({ job }) => job === id).map(({ finished }) => finished)).toEqual([[], []]);
      expect(bytesOf(trained)).toEqual(whole);
    },
  );

  it.each([FIRST, SECOND])(
    'goes on with %s from its checkpoint, and ends with the same bytes',
    async (id) => {
      const checkpoints = await temporaryFolder();
      const kill = once(isEpoch(id, 2), () => killTrainer(id));
      const { trained, failed, starts, epochs, warnings } = await runWith(kill, { checkpoints });
      expect(failed.size).toBe(0);
      expect(warnings).toHaveLength(1);
      const [, again] = starts.filter(({ job }) => job === id);
      expect(again!.finished.length).toBeGreaterThanOrEqual(2);
      // No epoch is told twice but one that was saved and not yet told when the thread died.
      const told = epochs.filter(({ job }) => job === id).map(({ epoch }) => epoch);
      expect(new Set(told).size).toBe(told.length);
      expect(told.slice(-1)).toEqual([EPOCHS]);
      expect(bytesOf(trained)).toEqual(whole);
    },
  );

  it.each([false, true])('while it is helped ends with the same bytes (checkpoints: %s)', async (saving) => {
    const kill = once(isHelped, (event) => killTrainer((event as { job: string }).job));
    const checkpoints = saving ? await temporaryFolder() : undefined;
    const { trained, failed, warnings } = await runWith(kill, { checkpoints, limits: HELPED });
    expect(failed.size).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(bytesOf(trained)).toEqual(whole);
    expect(alive()).toEqual([]);
  });

  it.each([false, true])(
    'as a helper has its model started again, to the same bytes (checkpoints: %s)',
    async (saving) => {
      const kill = once(isHelped, killHelper);
      const checkpoints = saving ? await temporaryFolder() : undefined;
      const { trained, failed, warnings } = await runWith(kill, { checkpoints, limits: HELPED });
      expect(failed.size).toBe(0);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]!.message).toMatch(
        /^A helper of Model slow at learning rate 0\.0*1 did not finish: /,
      );
      expect(bytesOf(trained)).toEqual(whole);
      expect(alive()).toEqual([]);
    },
  );
});

it('a thread that dies a third time fails its model, and is not started a fourth', async () => {
  const { trained, failed, starts, warnings } = await runWith((event) => {
    if (event.type === 'start') killTrainer(event.job);
  });
  expect(starts).toHaveLength(3);
  expect(warnings.map(({ message }) => message.slice(-16))).toEqual(
    ['(1 of 2 times).', '(2 of 2 times).'].map((text) => ` ${text}`),
  );
  expect(trained.size).toBe(0);
  expect([...failed].map(([id, { code }]) => [id, code])).toEqual([
    [FIRST, 'worker'],
    [SECOND, 'worker'],
  ]);
  expect(failed.get(FIRST)!.message).toContain('exit code 1');
  expect(alive()).toEqual([]);
});

describe('checkpoints', () => {
  /** A run of both small chains that is aborted at the first event of which the condition holds. */
  async function interrupted(checkpoints: string, epochs: number, when: (event: RunEvent) => boolean) {
    const controller = new AbortController();
    const started = new Set<string>();
    const trained = new Set<string>();
    const abort = once(when, () => controller.abort());
    const onEvent = (event: RunEvent) => {
      if (event.type === 'start') started.add(event.job);
      abort(event);
    };
    await failure('interrupted', () =>
      run(jobs('simd-mt', epochs), {
        checkpoints,
        signal: controller.signal,
        onEvent,
        onTrained: ({ id }) => trained.add(id),
      }),
    );
    return { started, trained };
  }

  /** Ids of the jobs that a folder has checkpoints of, and how many each. */
  async function saved(folder: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const name of await readdir(folder)) {
      const id = /^(.+)-e\d+-b\d+-[0-9a-f]{16}\.safetensors$/.exec(name)?.[1] ?? name;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  it('are kept of every job, the newest two, and a run that has them all trains nothing', async () => {
    const checkpoints = await temporaryFolder();
    const first = await run(jobs('simd-mt', 3), { checkpoints });
    const four = ['a_0.001', 'a_0.01', 'b_0.001', 'b_0.01'];
    expect([...(await saved(checkpoints))].sort()).toEqual(four.map((id) => [id, 2]));
    const again = await run(jobs('simd-mt', 3), { checkpoints });
    expect(again.events.map(({ type }) => type)).toEqual(['start', 'start', 'start', 'start']);
    expect(again.trained).toEqual(new Map([...again.trained].map(([id]) => [id, first.trained.get(id)!])));
    expect([...again.trained.keys()].sort()).toEqual(four);
  });

  it('are saved of the running models when the signal aborts, and of no other; no thread is left', async () => {
    const checkpoints = await temporaryFolder();
    const training = new Set<string>();
    const areBothTraining = (event: RunEvent) => {
      if (event.type === 'epoch') training.add(event.job);
      return training.size === 2;
    };
    const { started, trained } = await interrupted(checkpoints, 100_000, areBothTraining);
    expect(trained.size).toBe(0);
    expect(started).toEqual(new Set(['a_0.01', 'b_0.01']));
    expect([...(await saved(checkpoints)).keys()].sort()).toEqual(['a_0.01', 'b_0.01']);
    const names = await readdir(checkpoints);
    expect(alive()).toEqual([]);
    expect(await readdir(checkpoints)).toEqual(names);
  });

  it('give the bytes of a run never stopped, however often it was and with whatever threads', async () => {
    const checkpoints = await temporaryFolder();
    const epochs = 40;
    const whole = bytesOf((await run(jobs('simd-mt', epochs))).trained);
    for (const stop of [1, 7, 20, 33]) {
      await interrupted(checkpoints, epochs, (event) => event.type === 'epoch' && event.epoch === stop);
    }
    const { trained } = await run(jobs('simd-mt', epochs), { checkpoints, limits: ALONE });
    expect(bytesOf(trained)).toEqual(new Map([...trained.keys()].map((id) => [id, whole.get(id)!])));
    expect(trained.size).toBe(4);
  });

  it('that cannot be used are told, and the one before is taken', async () => {
    const checkpoints = await temporaryFolder();
    const [job] = jobs('simd-mt', 3);
    const first = await run([job!], { checkpoints });
    const newest = (await readdir(checkpoints)).find((name) => name.startsWith('a_0.01-e3-'))!;
    await truncate(join(checkpoints, newest), 1000);
    const { trained, events } = await run([job!], { checkpoints });
    const [warning, start, ...others] = events;
    expect(warning).toMatchObject({ type: 'warning', job: 'a_0.01' });
    expect((warning as { message: string }).message).toContain(join(checkpoints, newest));
    expect((start as { finished: unknown[] }).finished).toHaveLength(2);
    expect(others.map(({ type }) => type)).toEqual(['epoch']);
    expect(bytesOf(trained)).toEqual(bytesOf(first.trained));
  });

  it('that have no folder fail the models, which are not started again', async () => {
    const checkpoints = join(await temporaryFolder(), 'none');
    const { trained, failed, events } = await run(jobs('simd-mt', 2), { checkpoints });
    expect(trained.size).toBe(0);
    expect(failed.size).toBe(4);
    expect(failed.get('a_0.01')).toMatchObject({ code: 'not-found', subject: checkpoints });
    expect(events).toEqual([]);
  });
});
