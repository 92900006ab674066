import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job as QueuedJob } from 'bullmq';
import type { ChainableCommander, Redis } from 'ioredis';
import { TreadleError } from '#bindings';
import { jobTitle } from '../experiment/job-title.js';
import { trainJobs } from '../experiment/pool.js';
import { startOf } from '../experiment/starts.js';
import type { Job, TrainedModel } from '../results/records.js';
import type { Weights } from '../train/loop.js';
import type { QueuedData, QueuedOutcome } from './jobs.js';
import { keysOf, LIFE_SECONDS, RUNS } from './keys.js';
import { loadBullmq } from './modules.js';
import { fetchCheckpoint, fetchResult, fetchStart, pushCheckpoint, pushResult } from './objects.js';
import { type EventRecord, type Failure, type Outcome, readRecord, type WorkerEvent } from './records.js';
import { redact } from './redact.js';
import type { OpenRun, WorkerContext } from './worker.js';

/** Workers that a job may take with it before it is given up. */
const MAX_STRIKES = 3;

/** Events that a run's stream keeps, about: those of a late producer come with the results. */
const MAX_EVENTS = 50_000;

/** Least time between two steps that are told, in milliseconds. */
const STEP_MS = 1000;

/** How a job's training ended, at this worker. */
type End =
  | { type: 'trained'; trained: TrainedModel }
  | { type: 'failed'; error: TreadleError }
  /** The worker stops: the job goes back. */
  | { type: 'stopped' }
  /** What it starts from is being trained once more: it is tried again in a while. */
  | { type: 'early' }
  /** Another worker has it: nothing of this one counts any more. */
  | { type: 'lost' };

/** Pause before a job is tried again, in milliseconds. */
const EARLY_MS = 1000;

/** Thrown where the job that another starts from has not ended. */
class TooEarly extends Error {}

/** A job that this worker has taken out of the queue. */
class Attempt {
  readonly #context: WorkerContext;
  readonly #run: OpenRun;
  readonly #queued: QueuedJob<QueuedData, QueuedOutcome>;
  readonly #token: string;
  readonly #keys: ReturnType<typeof keysOf>;
  readonly #stop = new AbortController();
  #number = 0;
  #isLost = false;
  #steppedAt = 0;

  constructor(
    context: WorkerContext,
    run: OpenRun,
    queued: QueuedJob<QueuedData, QueuedOutcome>,
    token: string,
  ) {
    this.#context = context;
    this.#run = run;
    this.#queued = queued;
    this.#token = token;
    this.#keys = keysOf(run.record.run);
  }

  async toItsEnd(): Promise<void> {
    const { lockMs, signal } = this.#context;
    const renewing = setInterval(() => void this.#renew(), Math.max(50, lockMs / 3));
    const stop = (): void => this.#stop.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await this.#conclude(await this.#train());
    } catch (error) {
      // What is gone cannot be told how its job has ended.
      const gone = await this.#gone().catch(() => null);
      if (gone === null) throw error;
      this.#context.log(gone);
    } finally {
      clearInterval(renewing);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Says that the job is still being trained. Where it is another worker's by now, the training stops. */
  async #renew(): Promise<void> {
    try {
      if (this.#isLost || (await this.#queued.extendLock(this.#token, this.#context.lockMs)) === 1) return;
    } catch (error) {
      // While Redis is away nothing is known; it is asked again.
      if (!/lock/i.test((error as Error).message)) return;
    }
    this.#lose();
  }

  #lose(): void {
    this.#isLost = true;
    this.#stop.abort();
  }

  async #train(): Promise<End> {
    const { client } = this.#context;
    let job: Job;
    try {
      job = this.#read();
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      return { type: 'failed', error };
    }
    const [{ number, struck }, folder] = await Promise.all([
      beginning(client, this.#keys, job.id),
      mkdtemp(join(this.#context.cache, 'job-')),
    ]);
    this.#number = number;
    try {
      if (struck >= MAX_STRIKES) return { type: 'failed', error: givenUp(job, struck) };
      return await this.#trainIn(folder, job);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The job, once it is certain that it is one of this run. Throws `format`. */
  #read(): Job {
    const { record } = this.#run;
    const found = readRecord('The record of a job', this.#queued.data?.record);
    const { job } = found;
    const { images, classes } = record.data;
    const isOfRun =
      found.run === record.run &&
      job.id === this.#queued.id &&
      job.build === record.build &&
      images.bytes > 0;
    if (isOfRun && job.spec.classes === classes) return job;
    throw new TreadleError(
      'format',
      `Job ${this.#queued.id} is of another run; one of ${record.run} is expected.`,
    );
  }

  async #trainIn(folder: string, job: Job): Promise<End> {
    const { store, threadsOfJob } = this.#context;
    const { record, core, data } = this.#run;
    const ends: End[] = [];
    try {
      const prepared = await data();
      for (const message of await fetchCheckpoint(store, record.run, job, folder))
        await this.#tell({ type: 'warning', job: job.id, message });
      const parent = job.parent === null ? null : await this.#parentOf(job);
      const start = job.from === null ? null : await this.#startOf(job, job.from);
      await trainJobs([job], {
        core,
        data: prepared.data,
        split: prepared.split,
        limits: { jobs: 1, threads: threadsOfJob, helpers: core.build.endsWith('-mt') },
        checkpoints: folder,
        ...(parent !== null && { parents: new Map([[job.parent!, parent]]) }),
        ...(start !== null && { starts: new Map([[job.from!, start]]) }),
        signal: this.#stop.signal,
        onCheckpoint: (trained) => this.#keep(trained, folder),
        onEvent: (event) => void this.#tell(event as WorkerEvent).catch(() => {}),
        onTrained: (_, trained) => void ends.push({ type: 'trained', trained }),
        onFailed: (_, error) => void ends.push({ type: 'failed', error }),
      });
    } catch (error) {
      if (this.#isLost) return { type: 'lost' };
      if (error instanceof TooEarly) return { type: 'early' };
      if (!(error instanceof TreadleError)) throw error;
      if (error.code === 'interrupted' && this.#stop.signal.aborted) return { type: 'stopped' };
      return { type: 'failed', error };
    }
    const [end] = ends;
    if (end?.type !== 'trained') return end ?? { type: 'stopped' };
    if (!(await this.#isNewest(job))) return { type: 'lost' };
    await pushResult(store, record.run, job, this.#number, end.trained);
    return end;
  }

  /** The weights that the job before in the chain ended with. */
  async #parentOf(job: Job): Promise<Weights> {
    const { record, queue } = this.#run;
    const queued = await queue.getJob(job.parent!);
    if (queued !== undefined && !queued.finishedOn) throw new TooEarly();
    const { attempt } = readRecord('The outcome of a job', queued?.returnvalue);
    const parent = readRecord('The record of a job', queued?.data?.record).job;
    if (parent.id !== job.parent || JSON.stringify(parent.spec.hidden) !== JSON.stringify(job.spec.hidden))
      throw new TreadleError('format', `Job ${job.id} starts from ${parent.id}, which is another network.`);
    return (await fetchResult(this.#context.store, record.run, parent, attempt)).last;
  }

  async #startOf({ model, spec }: Job, digest: string): Promise<Weights> {
    const bytes = await fetchStart(this.#context.store, this.#run.record.run, digest);
    const shape = { inputs: spec.inputs, classes: spec.classes };
    return startOf(bytes, `The object ${digest} of the store`, model, spec.hidden, shape).weights;
  }

  /** Copies the newest checkpoint into the store; the training waits for it, so no more than an epoch is ever lost. */
  async #keep(job: Job, folder: string): Promise<void> {
    const { client, store } = this.#context;
    if (this.#isLost || !(await this.#isNewest(job))) return this.#lose();
    const isKept = await pushCheckpoint(store, this.#run.record.run, job, this.#number, folder);
    // It got on: what happens from here on is counted anew.
    if (isKept && !this.#isLost) await client.hset(this.#keys.strikes, job.id, 1);
  }

  /** Whether no other worker has begun the job since, and the run is still there. */
  async #isNewest(job: Job): Promise<boolean> {
    return Number(await this.#context.client.hget(this.#keys.attempts, job.id)) === this.#number;
  }

  /** Says that the run is not in the queue any more; null while it is. What was told since is not kept for ever. */
  async #gone(): Promise<string | null> {
    const { client } = this.#context;
    const { run } = this.#run.record;
    if ((await client.hexists(RUNS, run)) === 1) return null;
    const { events, attempts, strikes } = this.#keys;
    for (const key of [events, attempts, strikes]) await client.expire(key, LIFE_SECONDS);
    const isCancelled = (await client.exists(this.#keys.cancelled)) === 1;
    const what = isCancelled ? 'was cancelled' : 'is not in the queue any more';
    return `Run ${run} ${what}; what this worker has of job ${this.#queued.id} is dropped.`;
  }

  async #tell(event: WorkerEvent): Promise<void> {
    if (this.#isLost) return;
    const { client, worker, onSpeed } = this.#context;
    const record: EventRecord = { attempt: this.#number, worker, event: cleaned(event) };
    if (event.type === 'step') {
      const now = performance.now();
      if (now - this.#steppedAt < STEP_MS) return;
      this.#steppedAt = now;
      onSpeed(this.#run.record.run, event.job, event.samplesPerSecond);
      await client.publish(this.#keys.steps, JSON.stringify(record));
      return;
    }
    await client.xadd(this.#keys.events, ...newEvent(record));
  }

  /** Tells the queue how it ended. */
  async #conclude(end: End): Promise<void> {
    const { client, worker, log } = this.#context;
    const id = this.#queued.id!;
    if (end.type === 'lost' || this.#isLost) {
      const gone = await this.#gone();
      if (gone === null) await client.hincrby(this.#keys.strikes, id, -1);
      const { run } = this.#run.record;
      log(gone ?? `Job ${id} of run ${run} was given to another worker; what this one has is dropped.`);
      return;
    }
    if (end.type === 'stopped' || end.type === 'early') {
      if (end.type === 'stopped') await this.#queued.moveToWait(this.#token);
      else await this.#queued.moveToDelayed(Date.now() + EARLY_MS, this.#token);
      await client.hincrby(this.#keys.strikes, id, -1);
      return;
    }
    if (end.type === 'trained') {
      const outcome: Outcome = { schema: 1, attempt: this.#number };
      await this.#queued.moveToCompleted(JSON.stringify(outcome), this.#token, false);
    } else {
      const { UnrecoverableError } = await loadBullmq();
      const { code, message } = end.error;
      const failure: Failure = { code, message: redact(message).slice(0, 4000) };
      await this.#queued.moveToFailed(new UnrecoverableError(JSON.stringify(failure)), this.#token, false);
    }
    const ended: EventRecord = { attempt: this.#number, worker, ended: id };
    await atOnce(
      client
        .pipeline()
        .hdel(this.#keys.strikes, id)
        .xadd(this.#keys.events, ...newEvent(ended)),
    );
  }
}

/** Trains a job that was taken out of the queue and tells the queue how that ended. */
export async function trainQueued(
  context: WorkerContext,
  run: OpenRun,
  queued: QueuedJob<QueuedData, QueuedOutcome>,
  token: string,
): Promise<void> {
  await new Attempt(context, run, queued, token).toItsEnd();
}

/**
 * Counts an attempt at a job, and a strike against it, which every end but the worker's own takes back, and every epoch.
 * Returns the attempt's number and the strikes before it.
 */
async function beginning(
  client: Redis,
  { attempts, strikes }: ReturnType<typeof keysOf>,
  id: string,
): Promise<{ number: number; struck: number }> {
  const [number, count] = await atOnce(
    client
      .pipeline()
      .hincrby(attempts, id, 1)
      .hincrby(strikes, id, 1)
      .expire(attempts, LIFE_SECONDS)
      .expire(strikes, LIFE_SECONDS),
  );
  return { number: Number(number), struck: Number(count) - 1 };
}

/** Sends commands as one message and returns their answers. Rejects with the first error among them. */
async function atOnce(commands: ChainableCommander): Promise<unknown[]> {
  const answers = (await commands.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}

/** The end of an XADD that appends a record to a run's events. */
const newEvent = (record: EventRecord) =>
  ['MAXLEN', '~', MAX_EVENTS, '*', 'e', JSON.stringify(record)] as const;

/** An event without what must not travel. */
function cleaned(event: WorkerEvent): WorkerEvent {
  return event.type === 'warning' ? { ...event, message: redact(event.message).slice(0, 2000) } : event;
}

function givenUp(job: Job, strikes: number): TreadleError {
  return new TreadleError(
    'worker',
    `${jobTitle(job)} was given up: ${strikes} workers died while they trained it, without finishing an epoch; a model that can be trained is expected.`,
    { subject: job.id, found: `${strikes} workers died`, expected: 'a model that can be trained' },
  );
}
