import type { Redis } from 'ioredis';
import { TreadleError } from '#bindings';
import { queueAddress } from './address.js';
import { connect, queueError } from './connect.js';
import { keysOf, LIFE_SECONDS } from './keys.js';
import { openStore } from './open-store.js';
import type { WorkerRecord } from './records.js';
import { forgetRun, listRuns, listWorkers, queueOf } from './runs.js';

/** Jobs of a run by where they are. */
export interface RunStatus {
  run: string;
  treadle: string;
  build: string;
  /** Jobs that a worker could take, that a chain holds back, that are trained, that have ended well, and that have not. */
  waiting: number;
  chained: number;
  active: number;
  completed: number;
  failed: number;
  /** Whether no new job is begun. */
  drained: boolean;
  /** Why workers do not serve it, a sentence each. */
  refusals: string[];
}

/** What is in a queue, and who works at it. */
export interface QueueStatus {
  runs: RunStatus[];
  workers: WorkerRecord[];
}

/** Which queue is asked, and who is told what could not be read. */
export interface AskOptions {
  url: string;
  /** As for the run; needed to cancel one. */
  store?: string | undefined;
  log: (line: string) => void;
}

/** What is in a queue: of one run, or of all. Throws `not-found` for a run that is not in it. */
export function queueStatus(options: AskOptions, run?: string): Promise<QueueStatus> {
  return withClient(options, async (client) => {
    const records = await listRuns(client, options.log);
    const asked = run === undefined ? records : records.filter((record) => record.run === run);
    if (run !== undefined && asked.length === 0) throw noRun(run);
    const runs: RunStatus[] = [];
    for (const record of asked) {
      const queue = await queueOf(client, record.run);
      const counts = await queue.getJobCounts('waiting', 'waiting-children', 'active', 'completed', 'failed');
      const refusals = await client.hvals(keysOf(record.run).refusals);
      runs.push({
        run: record.run,
        treadle: record.treadle,
        build: record.build,
        waiting: counts.waiting ?? 0,
        chained: counts['waiting-children'] ?? 0,
        active: counts.active ?? 0,
        completed: counts.completed ?? 0,
        failed: counts.failed ?? 0,
        drained: await queue.isPaused(),
        refusals: [...new Set(refusals)].sort(),
      });
      await queue.close();
    }
    return { runs, workers: await listWorkers(client) };
  });
}

/** Lets workers finish what they train of a run and begin no more of it, or lets them go on. Throws `not-found`. */
export function drainRun(options: AskOptions, run: string, isDrained = true): Promise<void> {
  return withClient(options, async (client) => {
    await expectRun(client, run);
    const queue = await queueOf(client, run);
    try {
      await (isDrained ? queue.pause() : queue.resume());
    } finally {
      await queue.close();
    }
  });
}

/** Ends a run in the queue: its jobs, checkpoints and results there are removed. Throws `not-found`. */
export function cancelRun(options: AskOptions, run: string): Promise<void> {
  return withClient(options, async (client) => {
    await expectRun(client, run);
    const store = await openStore(options.store, client);
    try {
      await client.set(keysOf(run).cancelled, '1', 'EX', LIFE_SECONDS);
      await forgetRun(client, store, run);
    } finally {
      await store.close();
    }
  });
}

async function withClient<T>({ url, log }: AskOptions, action: (client: Redis) => Promise<T>): Promise<T> {
  const address = queueAddress(url);
  const client = await connect(address, { patienceMs: 10_000, firstMs: 0, log });
  try {
    return await action(client);
  } catch (error) {
    throw error instanceof TreadleError ? error : queueError(address, error);
  } finally {
    client.disconnect();
  }
}

async function expectRun(client: Redis, run: string): Promise<void> {
  const runs = await listRuns(client);
  if (!runs.some((record) => record.run === run)) throw noRun(run);
}

function noRun(run: string): TreadleError {
  return new TreadleError('not-found', `${run} is no run in the queue; the id of one that is is expected.`, {
    subject: run,
    found: 'no run',
    expected: 'the id of a run in the queue',
  });
}
