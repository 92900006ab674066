import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { FlowProducer, Queue, Job as QueuedJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { type AbortSignalLike, problem, TreadleError } from '#bindings';
import type { Executor, ExecutorChoice, ExecutorContext, JobListener } from '../experiment/executor.js';
import { jobTitle } from '../experiment/job-title.js';
import { descendants } from '../experiment/jobs.js';
import { orphaned } from '../experiment/pool.js';
import type { Job, TrainedModel } from '../results/records.js';
import { onAbort } from '../strict/abort.js';
import { type QueueAddress, queueAddress } from './address.js';
import { connect, queueError } from './connect.js';
import { describeData, publishData, trainingFiles } from './data.js';
import { IdleTeller, idleReason, type WorkPlace } from './idle.js';
import { flowsOf, type QueuedData, type QueuedOutcome } from './jobs.js';
import { keysOf, LIFE_SECONDS, PREFIX, queueName, RUNS } from './keys.js';
import { loadBullmq } from './modules.js';
import { fetchResult, pushStart } from './objects.js';
import { openStore, storePlace } from './open-store.js';
import { jobsDigest, type QueuedRun, readRecord, type WorkerEvent } from './records.js';
import { forgetRun } from './runs.js';
import type { Store } from './store.js';
import { VERSION } from './version.js';

/** Where a run's jobs go. */
export interface QueueOptions {
  /** Of the Redis, such as `redis://HOST:6379/0`. */
  url: string;
  /** Where checkpoints and results are kept: see open-store.ts. */
  store?: string | undefined;
  /** Bytes that a store in Redis may hold. */
  storeLimit?: number | undefined;
  /** Told what a person may want to know, a line each. */
  log?: ((line: string) => void) | undefined;
  /** Milliseconds that a lost Redis is waited for. */
  patienceMs?: number | undefined;
}

/** A lost Redis is waited for so long, in milliseconds. */
const PATIENCE_MS = 10 * 60 * 1000;

/** Pause between two looks at what has ended, in milliseconds: they find what no event has told. */
const SWEEP_MS = 2000;

/** A producer counts as alive for so long after its last sign of life, in milliseconds. */
const PRODUCER_MS = 15_000;

/**
 * Trains jobs by way of a queue, wherever workers are. When the signal aborts, it ends and the queue goes on; the same run,
 * given again, is followed.
 *
 * @example await runAll({ executor: queueExecutor({ url: 'redis://localhost' }) });
 */
export function queueExecutor(options: QueueOptions): ExecutorChoice {
  const address = queueAddress(options.url);
  return (context) => new QueueExecutor(address, options, context);
}

/** Rejects where no queue can be reached, or a store is none: before there is a run that waits for them. */
export async function expectQueue({ url, store }: QueueOptions): Promise<void> {
  if (store !== undefined) storePlace(store);
  const client = await connect(queueAddress(url));
  client.disconnect();
}

/** The open connections of one training. */
interface Open {
  client: Redis;
  /** Waits for events, and so serves nothing else. */
  reader: Redis;
  subscriber: Redis;
  store: Store;
  queue: Queue<QueuedData, QueuedOutcome>;
}

class QueueExecutor implements Executor {
  readonly #address: QueueAddress;
  readonly #options: QueueOptions;
  readonly #context: ExecutorContext;
  readonly #producer = randomUUID();

  constructor(address: QueueAddress, options: QueueOptions, context: ExecutorContext) {
    this.#address = address;
    this.#options = options;
    this.#context = context;
  }

  async train(jobs: readonly Job[], listener: JobListener, signal?: AbortSignalLike): Promise<void> {
    await this.#connected(async (open) => {
      await this.#enqueue(open, jobs);
      const place = { shown: this.#address.shown, store: this.#options.store };
      const idle = new IdleTeller(this.#options.log ?? (() => {}));
      const following = new Following(open, this.#context.id, this.#producer, jobs, listener, place, idle);
      await following.untilEnded(signal);
    });
  }

  async finish(): Promise<void> {
    const { id } = this.#context;
    await this.#connected(async ({ client, store }) => {
      const { producers } = keysOf(id);
      await client.zrem(producers, this.#producer);
      const others = await client.zcount(producers, Date.now() - PRODUCER_MS, '+inf');
      // Another producer that still follows needs what is left.
      if (others === 0) await forgetRun(client, store, id);
    });
  }

  async #connected(action: (open: Open) => Promise<void>): Promise<void> {
    const { log, patienceMs = PATIENCE_MS, store: place, storeLimit } = this.#options;
    const address = this.#address;
    const { Queue } = await loadBullmq();
    const opened: { close: () => unknown }[] = [];
    const client = await connect(address, { patienceMs, log });
    opened.push({ close: () => client.disconnect() });
    try {
      const reader = await connect(address, { patienceMs });
      opened.push({ close: () => reader.disconnect() });
      const subscriber = await connect(address, { patienceMs });
      opened.push({ close: () => subscriber.disconnect() });
      const store = await openStore(place, client, storeLimit);
      opened.push(store);
      const name = queueName(this.#context.id);
      const queue = new Queue<QueuedData, QueuedOutcome>(name, { connection: client, prefix: PREFIX });
      queue.on('error', () => {}); // Told by the commands that fail.
      opened.push({ close: () => queue.close().catch(() => {}) });
      await action({ client, reader, subscriber, store, queue });
    } catch (error) {
      throw error instanceof TreadleError ? error : queueError(address, error);
    } finally {
      for (const { close } of opened.reverse()) await close();
    }
  }

  /** Puts the jobs into the queue, unless they are there. Throws `usage` where the run there is another one. */
  async #enqueue({ client, store, queue }: Open, jobs: readonly Job[]): Promise<void> {
    const { id, record, data, starts, config } = this.#context;
    const files = trainingFiles(data);
    const { validationSize, trainSamples, seed } = config;
    const run: QueuedRun = {
      schema: 1,
      run: id,
      treadle: VERSION,
      build: record.build as QueuedRun['build'],
      core: record.core,
      store: store.location,
      data: describeData(files, data.shape.classes),
      split: { validationSize, trainSamples, seed },
      jobs: jobs.length,
      digest: jobsDigest(jobs),
      created: Date.now(),
    };
    await client.del(keysOf(id).cancelled);
    const text = await client.hget(RUNS, id);
    if (text !== null) {
      expectSameRun(readRecord('The record of a run', text), run);
      if (!(await hasProducers(client, id))) await retryFailed(queue, client, id);
      return;
    }
    await publishData(store, files, run.data);
    for (const { digest, bytes } of starts.values()) await pushStart(store, id, digest, bytes);
    const { FlowProducer } = await loadBullmq();
    const producer: FlowProducer = new FlowProducer({ connection: client, prefix: PREFIX });
    producer.on('error', () => {});
    const flows = flowsOf(id, jobs);
    for (let at = 0; at < flows.length; at += FLOWS_AT_ONCE)
      await producer.addBulk(flows.slice(at, at + FLOWS_AT_ONCE));
    await producer.close();
    // Last: workers begin with a run that is whole.
    await client.hset(RUNS, id, JSON.stringify(run));
  }
}

/** Chains that are put into the queue with one request. */
const FLOWS_AT_ONCE = 100;

/** Throws `usage` where a run of the same id is in the queue that is not the same run. */
function expectSameRun(found: QueuedRun, own: QueuedRun): void {
  const what = (['treadle', 'core', 'store', 'digest'] as const).find((key) => found[key] !== own[key]);
  if (what === undefined && found.data.images.sha256 === own.data.images.sha256) return;
  const key = what ?? 'digest';
  const subjects = {
    treadle: 'its treadle',
    core: "its core's SHA-256",
    store: 'its store',
    digest: 'its jobs',
  };
  throw problem('usage', {
    subject: `Run ${own.run}: ${subjects[key]}`,
    found: own[key],
    because: `the queue has ${found[key]}`,
    expected: 'what the queue has',
  });
}

/** Whether some producer follows the run. */
async function hasProducers(client: Redis, run: string): Promise<boolean> {
  return (await client.zcount(keysOf(run).producers, Date.now() - PRODUCER_MS, '+inf')) > 0;
}

/** Gives failed jobs another chance: a run that is taken up again trains what is left. */
async function retryFailed(
  queue: Queue<QueuedData, QueuedOutcome>,
  client: Redis,
  run: string,
): Promise<void> {
  const failed = await queue.getFailed(0, -1);
  for (const job of failed) {
    await client.hdel(keysOf(run).strikes, job.id!);
    await job.retry('failed');
  }
}

/** One producer's view of a run in the queue, from its first event on. */
class Following {
  readonly #open: Open;
  readonly #run: string;
  readonly #producer: string;
  readonly #jobs: Map<string, Job>;
  readonly #listener: JobListener;
  readonly #place: WorkPlace;
  readonly #idle: IdleTeller;
  /** Jobs that have ended, well or not. */
  readonly #ended = new Set<string>();
  /** Jobs that are trained again, as their results were damaged. */
  readonly #damaged = new Set<string>();
  /** The attempt that each job's events are taken from, and the epochs heard. */
  readonly #heard = new Map<string, { attempt: number; epochs: number }>();
  #reason: unknown = null;
  #stopped = false;
  /** Work that has to be done one after another. */
  #line: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(
    open: Open,
    run: string,
    producer: string,
    jobs: readonly Job[],
    listener: JobListener,
    place: WorkPlace,
    idle: IdleTeller,
  ) {
    this.#open = open;
    this.#run = run;
    this.#producer = producer;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#listener = listener;
    this.#place = place;
    this.#idle = idle;
  }

  async untilEnded(signal: AbortSignalLike | undefined): Promise<void> {
    const stopListening = onAbort(signal, (error) => this.#stop(error));
    const { reader, subscriber } = this.#open;
    const work = [this.#readEvents(), this.#sweepAgainAndAgain(), this.#hearSteps()];
    const guarded = work.map((part) => part.catch((error: unknown) => this.#stop(error)));
    try {
      while (!this.#stopped) await new Promise<void>((resolve) => (this.#wake = resolve));
    } finally {
      stopListening();
      reader.disconnect();
      subscriber.disconnect();
      await Promise.all(guarded);
      await this.#line.catch(() => {});
    }
    if (this.#reason !== null) throw this.#reason;
  }

  #stop(reason: unknown = null): void {
    if (this.#stopped) return;
    this.#reason = reason;
    this.#stopped = true;
    this.#wake();
  }

  async #readEvents(): Promise<void> {
    const { reader } = this.#open;
    const { events } = keysOf(this.#run);
    let last = '0';
    while (!this.#stopped) {
      const found = await reader
        .xread('COUNT', 500, 'BLOCK', 2000, 'STREAMS', events, last)
        .catch((error: unknown) => {
          if (this.#stopped) return null;
          throw error;
        });
      for (const [, entries] of found ?? []) {
        for (const [id, [, text]] of entries) {
          last = id;
          await this.#hear(text);
        }
      }
    }
  }

  /** What stands in the stream: an event, or a sign that a job has ended. What is no record of one is passed over. */
  async #hear(text: string | undefined): Promise<void> {
    const record = recordOrNull(text);
    if (record === null || this.#stopped) return;
    if ('ended' in record) return this.#inLine(() => this.#look(record.ended));
    await this.#inLine(async () => this.#tell(record.event, record.attempt));
  }

  /** Passes an event on, unless it is of an attempt that was given up, or of a job that has ended. */
  #tell(event: WorkerEvent, attempt: number): void {
    if (!this.#jobs.has(event.job) || this.#ended.has(event.job)) return;
    const heard = this.#heard.get(event.job) ?? { attempt: 0, epochs: 0 };
    if (attempt < heard.attempt) return;
    if (event.type === 'epoch' && event.epoch !== heard.epochs + 1) return;
    if (event.type === 'step' && attempt !== heard.attempt) return;
    const epochs =
      event.type === 'start' ? event.finished.length : event.type === 'epoch' ? event.epoch : heard.epochs;
    this.#heard.set(event.job, { attempt, epochs });
    this.#listener.onEvent(event);
  }

  async #hearSteps(): Promise<void> {
    const { subscriber } = this.#open;
    subscriber.on('message', (_, text: string) => {
      const record = recordOrNull(text);
      if (record === null || !('event' in record) || record.event.type !== 'step' || this.#stopped) return;
      const { event, attempt } = record;
      void this.#inLine(async () => this.#tell(event, attempt)).catch(() => {});
    });
    await subscriber.subscribe(keysOf(this.#run).steps);
  }

  async #sweepAgainAndAgain(): Promise<void> {
    const { client, queue } = this.#open;
    const { producers, cancelled, events } = keysOf(this.#run);
    while (!this.#stopped) {
      if ((await client.exists(cancelled)) === 1) throw cancelledError(this.#run);
      if ((await client.hexists(RUNS, this.#run)) === 0) throw lostError(this.#run);
      await client.zadd(producers, Date.now(), this.#producer);
      for (const key of [producers, events]) await client.expire(key, LIFE_SECONDS);
      const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
      if (completed + failed > this.#told) await this.#inLine(() => this.#lookAtAll());
      this.#idle.hear(await idleReason(client, queue, this.#run, this.#place), Date.now());
      for (let waited = 0; waited < SWEEP_MS && !this.#stopped; waited += 100) await setTimeout(100);
    }
  }

  /** Jobs that have ended in the queue, as far as was told: orphans end without it. */
  #told = 0;

  async #lookAtAll(): Promise<void> {
    for (const id of this.#jobs.keys()) if (!this.#ended.has(id)) await this.#look(id);
  }

  /** Looks whether a job has ended, and tells how. */
  async #look(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined || this.#ended.has(id) || this.#stopped) return;
    const queued = await this.#open.queue.getJob(id);
    if (queued?.finishedOn === undefined || queued.finishedOn === null) return;
    // A job begins after the one that it starts from has ended, so that one is told first.
    if (job.parent !== null) await this.#look(job.parent);
    if (this.#ended.has(id)) return;
    this.#told++;
    if (queued.failedReason) this.#fail(job, failureOf(job, queued));
    else await this.#succeed(job, queued);
    if (this.#ended.size === this.#jobs.size) this.#stop();
  }

  async #succeed(job: Job, queued: QueuedJob<QueuedData, QueuedOutcome>): Promise<void> {
    const { store } = this.#open;
    let trained: TrainedModel;
    try {
      const { attempt } = readRecord('The outcome of a job', queued.returnvalue);
      trained = await fetchResult(store, this.#run, job, attempt);
    } catch (error) {
      if (!(error instanceof TreadleError) || error.code !== 'format') throw error;
      return this.#again(job, queued, error);
    }
    const { epochs } = trained;
    if (this.#heard.get(job.id)?.epochs !== epochs.length) {
      // Events are kept for a while only: whoever comes late is told all at once.
      const { id, model, learningRate } = job;
      this.#listener.onEvent({
        ...{ type: 'start', job: id, model, learningRate, epochs: job.epochs, stepsPerEpoch: 0 },
        finished: epochs,
      });
    }
    this.#ended.add(job.id);
    this.#listener.onTrained(job, trained);
  }

  /** Has a job trained again whose result is lost or damaged; once more at most. */
  async #again(job: Job, queued: QueuedJob<QueuedData, QueuedOutcome>, error: TreadleError): Promise<void> {
    this.#told--;
    if (this.#damaged.has(job.id)) return this.#fail(job, error);
    this.#damaged.add(job.id);
    this.#listener.onEvent({
      type: 'warning',
      job: job.id,
      message: `${error.message} It is trained again.`,
    });
    await queued.remove({ removeChildren: false });
    const [flow] = flowsOf(this.#run, [{ ...job, parent: null }]);
    const data: QueuedData = { record: JSON.stringify({ schema: 1, run: this.#run, job }) };
    await this.#open.queue.add('train', data, flow!.opts);
  }

  #fail(job: Job, error: TreadleError): void {
    this.#ended.add(job.id);
    this.#listener.onFailed(job, error);
    for (const id of descendants([...this.#jobs.values()], job.id)) {
      if (this.#ended.has(id)) continue;
      this.#ended.add(id);
      this.#listener.onFailed(this.#jobs.get(id)!, orphaned(this.#jobs.get(id)!, job, error));
    }
  }

  /** Does work after all that was asked for before, so that everything is told in its order. */
  #inLine(work: () => Promise<void>): Promise<void> {
    this.#line = this.#line.then(work);
    return this.#line;
  }
}

function recordOrNull(text: string | undefined) {
  try {
    return readRecord('The record of an event', text);
  } catch {
    return null;
  }
}

/** The error that a worker has left with a job. */
function failureOf(job: Job, { failedReason }: QueuedJob): TreadleError {
  try {
    const { code, message } = readRecord('The failure of a job', failedReason);
    return new TreadleError(code, message, { subject: job.id });
  } catch {
    return new TreadleError('worker', `${jobTitle(job)} failed in the queue; a trained model is expected.`, {
      subject: job.id,
    });
  }
}

function lostError(run: string): TreadleError {
  return new TreadleError(
    'network',
    `The queue knows nothing of run ${run} any more: its Redis was emptied, or restarted without keeping its data; a Redis that keeps its data is expected. Resumed, the run goes on from what its store has.`,
    { subject: run, found: 'no such run', expected: 'a Redis that keeps its data' },
  );
}

function cancelledError(run: string): TreadleError {
  return new TreadleError('interrupted', `Run ${run} was cancelled by treadle queue cancel.`, {
    subject: run,
  });
}
