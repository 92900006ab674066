import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type AbortSignalLike, type BuildChoice, type Core, loadCore, TreadleError } from '#bindings';
import type { SampleIndices } from '../experiment/train-job.js';
import type { LabelledImages } from '../model/classifier.js';
import { ensureWritableFolder } from '../node/files.js';
import { coreDigest } from '../node/run-folders.js';
import { queueAddress } from './address.js';
import { connect, queueError } from './connect.js';
import { obtainData } from './data.js';
import type { QueuedData, QueuedOutcome } from './jobs.js';
import { keysOf, LIFE_SECONDS, metaOf, PREFIX, queueName, RUNS, WORKERS } from './keys.js';
import { loadBullmq } from './modules.js';
import { openStore } from './open-store.js';
import type { QueuedRun, WorkerRecord } from './records.js';
import { redact } from './redact.js';
import { listRuns } from './runs.js';
import type { Store } from './store.js';
import { trainQueued } from './train-queued.js';
import { VERSION } from './version.js';

/** How a worker works. */
export interface WorkOptions {
  /** Of the queue's Redis. */
  url: string;
  /** Models trained at once. */
  jobs: number;
  /** Threads of all of them together. */
  threads: number;
  /** Folder for data and for checkpoints under way. */
  cache: string;
  /** Where checkpoints and results are kept, as the producers have it; the queue's Redis when left out. */
  store?: string | undefined;
  storeLimit?: number | undefined;
  /** Milliseconds without a sign of life after which a job is given to another worker. */
  lockMs?: number | undefined;
  /** Told what a person may want to know, a line each. */
  log: (line: string) => void;
  /** Ends the work: models finish their step, save a checkpoint and are handed back. */
  signal?: AbortSignalLike | undefined;
  /** Opens a build of the core; by default without setting any V8 flag. */
  openCore?: ((build: string) => Promise<Core>) | undefined;
  /** Gets what the worker says of itself, as often as it says so. */
  onState?: ((state: WorkerRecord) => void) | undefined;
}

/** See `lockMs`. */
export const LOCK_MS = 30_000;

/** Pause between two looks for work while there is none, in milliseconds. */
const IDLE_MS = 200;

/** Pause between two looks at which runs there are, and between two words about itself. */
const RUNS_MS = 1000;
const STATE_MS = 5000;

/** A run whose models this worker may train. */
export interface OpenRun {
  record: QueuedRun;
  queue: Queue<QueuedData, QueuedOutcome>;
  /** Takes jobs and gives them back; it processes none by itself. */
  taker: Worker<QueuedData, QueuedOutcome>;
  core: Core;
  /** Fetched when the first job needs it. */
  data: () => Promise<{ data: LabelledImages; split: SampleIndices }>;
}

/** What jobs of a worker share. */
export interface WorkerContext {
  client: Redis;
  store: Store;
  /** Its name: host, process and a random part. */
  worker: string;
  cache: string;
  threadsOfJob: number;
  lockMs: number;
  log: (line: string) => void;
  signal: AbortSignalLike | undefined;
  /** Told the samples a second of a job; 0 when it ends. */
  onSpeed: (run: string, job: string, samplesPerSecond: number) => void;
}

/**
 * Trains jobs out of a queue until the signal aborts, then hands back what it has begun. Runs of another treadle or another
 * core than its own are told once and left to others. Throws `usage`, `network` and `unwritable` before it begins.
 *
 * @example await workQueue({ url: 'redis://localhost', jobs: 2, threads: 2, cache: 'cache', log: console.log, signal });
 */
export async function workQueue(options: WorkOptions): Promise<void> {
  const address = queueAddress(options.url);
  const log = (line: string): void => options.log(redact(line, address.secrets));
  await ensureWritableFolder(options.cache);
  await loadBullmq();
  const client = await connect(address, { log });
  try {
    const store = await openStore(options.store, client, options.storeLimit);
    try {
      const working = new Working({ ...options, log }, client, store);
      await working.untilStopped();
    } finally {
      await store.close();
    }
  } catch (error) {
    throw error instanceof TreadleError ? error : queueError(address, error);
  } finally {
    client.disconnect();
  }
}

class Working {
  readonly #options: WorkOptions;
  readonly #client: Redis;
  readonly #context: WorkerContext;
  readonly #runs = new Map<string, OpenRun>();
  /** Runs that it does not serve, which were told. */
  readonly #refused = new Set<string>();
  readonly #cores = new Map<string, Promise<{ core: Core; digest: string }>>();
  /** Jobs that are being trained: their ends. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #speeds = new Map<string, { run: string; job: string; samplesPerSecond: number }>();
  #lookedAt = 0;
  #saidAt = 0;
  /** Of the run that gives the next job: all get their turn. */
  #turn = 0;

  constructor(options: WorkOptions, client: Redis, store: Store) {
    this.#options = options;
    this.#client = client;
    const worker = `${hostname().replace(/[^\w.-]/g, '-')}/${process.pid}/${randomUUID().slice(0, 8)}`;
    this.#context = {
      client,
      store,
      worker,
      cache: options.cache,
      threadsOfJob: Math.max(1, Math.floor(options.threads / options.jobs)),
      lockMs: options.lockMs ?? LOCK_MS,
      log: options.log,
      signal: options.signal,
      onSpeed: (run, job, samplesPerSecond) => {
        const key = `${run}/${job}`;
        if (samplesPerSecond === 0) this.#speeds.delete(key);
        else this.#speeds.set(key, { run, job, samplesPerSecond });
      },
    };
  }

  async untilStopped(): Promise<void> {
    const { log, signal, jobs, threads } = this.#options;
    log(
      `Worker ${this.#context.worker}: treadle ${VERSION}, ${jobs} jobs, ${threads} threads; waiting for work.`,
    );
    try {
      while (!signal?.aborted) {
        await this.#lookForRuns();
        await this.#saySomething();
        if (this.#running.size >= jobs || !(await this.#takeOne())) await this.#pause();
      }
    } finally {
      await Promise.all(this.#running.values());
      for (const run of this.#runs.values()) await closeRun(run);
      await this.#client.hdel(WORKERS, this.#context.worker).catch(() => {});
    }
  }

  /** Waits a moment, or until a job ends. */
  async #pause(): Promise<void> {
    const waiting = new AbortController();
    const pause = setTimeout(IDLE_MS, undefined, { signal: waiting.signal }).catch(() => {});
    await Promise.race([pause, ...this.#running.values()]);
    waiting.abort();
  }

  async #lookForRuns(): Promise<void> {
    if (Date.now() - this.#lookedAt < RUNS_MS) return;
    this.#lookedAt = Date.now();
    const there = await listRuns(this.#client, (line) => this.#refuse(line, line));
    const ids = new Set(there.map(({ run }) => run));
    for (const [id, run] of this.#runs) {
      const isBusy = [...this.#running.keys()].some((key) => key.startsWith(`${id}/`));
      if (ids.has(id) || isBusy) continue;
      this.#runs.delete(id);
      await closeRun(run);
      // Looking for stalled jobs makes it anew.
      if ((await this.#client.hexists(RUNS, id)) === 0) await this.#client.unlink(metaOf(id));
    }
    for (const record of there) if (!this.#runs.has(record.run)) await this.#openRun(record);
  }

  /** Says once why it does not serve a run. */
  #refuse(run: string, sentence: string): void {
    if (this.#refused.has(run)) return;
    this.#refused.add(run);
    this.#options.log(sentence);
  }

  async #openRun(record: QueuedRun): Promise<void> {
    if (this.#refused.has(record.run)) return;
    const refuse = (what: string, own: string, theirs: string) => {
      const { worker, client } = this.#context;
      const sentence = `Run ${record.run} is refused: ${what} is ${own} here; ${theirs} is expected, as the run was begun with.`;
      this.#refuse(record.run, sentence);
      const { refusals } = keysOf(record.run);
      void client.hset(refusals, worker, sentence).then(
        () => client.expire(refusals, LIFE_SECONDS),
        () => {},
      );
    };
    if (record.treadle !== VERSION) return refuse('treadle', VERSION, record.treadle);
    const { location } = this.#context.store;
    if (record.store !== location) return refuse('--store', location, record.store);
    let core: Core;
    try {
      const opened = await this.#coreOf(record.build);
      if (opened.digest !== record.core) return refuse("the core's SHA-256", opened.digest, record.core);
      core = opened.core;
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      return refuse('the engine', `too old (${error.message})`, `one for build ${record.build}`);
    }
    const { Queue, Worker } = await loadBullmq();
    const shared = { connection: this.#client, prefix: PREFIX };
    const name = queueName(record.run);
    const { lockMs, store, cache, log } = this.#context;
    const queue = new Queue<QueuedData, QueuedOutcome>(name, shared);
    const taker = new Worker<QueuedData, QueuedOutcome>(name, null, {
      ...shared,
      lockDuration: lockMs,
      stalledInterval: Math.max(100, Math.floor(lockMs / 2)),
      // Strikes are counted by train-queued.ts, which knows whether a job got on.
      maxStalledCount: 1_000_000,
    });
    // Told by the commands that fail.
    queue.on('error', () => {});
    taker.on('error', () => {});
    await taker.startStalledCheckTimer();
    let data: ReturnType<OpenRun['data']> | null = null;
    this.#runs.set(record.run, {
      record,
      queue,
      taker,
      core,
      data: () => {
        data ??= obtainData(record, store, cache, log);
        data.catch(() => {
          data = null;
        });
        return data;
      },
    });
  }

  #coreOf(build: string): Promise<{ core: Core; digest: string }> {
    const open = this.#options.openCore ?? ((name: string) => loadCore({ build: name as BuildChoice }));
    const found =
      this.#cores.get(build) ??
      Promise.all([open(build), coreDigest(build)]).then(([core, digest]) => ({ core, digest }));
    this.#cores.set(build, found);
    return found;
  }

  /** Takes one job of some run and begins it; false where there is none. */
  async #takeOne(): Promise<boolean> {
    const runs = [...this.#runs.values()];
    for (let count = 0; count < runs.length; count++) {
      const run = runs[this.#turn++ % runs.length]!;
      const token = randomUUID();
      const job = await run.taker.getNextJob(token, { block: false });
      if (!job) continue;
      const key = `${run.record.run}/${job.id}`;
      const work = trainQueued(this.#context, run, job, token)
        .catch((error: unknown) => {
          this.#options.log(`Job ${job.id} of run ${run.record.run}: ${(error as Error).message}`);
        })
        .finally(() => {
          this.#running.delete(key);
          this.#context.onSpeed(run.record.run, job.id!, 0);
        });
      this.#running.set(key, work);
      return true;
    }
    return false;
  }

  async #saySomething(): Promise<void> {
    if (Date.now() - this.#saidAt < STATE_MS) return;
    this.#saidAt = Date.now();
    const speeds = [...this.#speeds.values()];
    const state: WorkerRecord = {
      worker: this.#context.worker,
      treadle: VERSION,
      jobs: this.#options.jobs,
      threads: this.#options.threads,
      samplesPerSecond: speeds.reduce((sum, { samplesPerSecond }) => sum + samplesPerSecond, 0),
      running: [...this.#running.keys()].map((key) => {
        const at = key.indexOf('/');
        return { run: key.slice(0, at), job: key.slice(at + 1) };
      }),
      at: Date.now(),
    };
    this.#options.onState?.(state);
    await this.#client.hset(WORKERS, this.#context.worker, JSON.stringify(state));
  }
}

async function closeRun({ queue, taker }: OpenRun): Promise<void> {
  for (const part of [taker, queue]) await part.close().catch(() => {});
}
