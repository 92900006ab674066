import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { TreadleError } from '#bindings';
import { keysOf, PREFIX, queueName, RUNS, WORKERS } from './keys.js';
import { loadBullmq } from './modules.js';
import { DATA, objectsOf } from './objects.js';
import { type QueuedRun, readRecord, type WorkerRecord } from './records.js';
import { deleteAll, type Store } from './store.js';

/** All runs in the queue, by their ids. What is no record of one is passed over and told. */
export async function listRuns(client: Redis, log: (line: string) => void = () => {}): Promise<QueuedRun[]> {
  const texts = await client.hgetall(RUNS);
  return Object.keys(texts)
    .sort()
    .flatMap((id) => {
      try {
        const run = readRecord('The record of a run', texts[id]);
        return run.run === id ? [run] : [];
      } catch (error) {
        if (!(error instanceof TreadleError)) throw error;
        log(error.message);
        return [];
      }
    });
}

/** A worker that said nothing for so long, in milliseconds, is gone. */
const SILENT_MS = 60_000;

/** The workers that are there. */
export async function listWorkers(client: Redis): Promise<WorkerRecord[]> {
  const texts = await client.hgetall(WORKERS);
  const found: WorkerRecord[] = [];
  for (const [id, text] of Object.entries(texts)) {
    const worker = workerOrNull(text);
    if (worker !== null && Date.now() - worker.at < SILENT_MS) found.push(worker);
    else await client.hdel(WORKERS, id);
  }
  return found.sort((a, b) => (a.worker < b.worker ? -1 : 1));
}

function workerOrNull(text: string): WorkerRecord | null {
  try {
    return readRecord('The record of a worker', text);
  } catch {
    return null;
  }
}

/** A run's queue, to be looked at or steered: nothing of it is there that was not. */
export async function queueOf(client: Redis, run: string): Promise<Queue> {
  const { Queue } = await loadBullmq();
  const options = { connection: client, prefix: PREFIX, skipMetasUpdate: true };
  const queue = new Queue(queueName(run), options);
  queue.on('error', () => {}); // Told by the commands that fail.
  return queue;
}

/** Removes all that the queue and the store have of a run. Workers that train its models stop. */
export async function forgetRun(client: Redis, store: Store, run: string): Promise<void> {
  await client.hdel(RUNS, run);
  const queue = await queueOf(client, run);
  try {
    await queue.obliterate({ force: true });
  } finally {
    await queue.close();
  }
  const { cancelled: _, ...keys } = keysOf(run);
  await client.unlink(...Object.values(keys));
  await deleteAll(store, objectsOf(run));
  const used = new Set(
    (await listRuns(client)).flatMap(({ data }) => [data.images.sha256, data.labels.sha256]),
  );
  for (const name of await store.list(DATA)) if (!used.has(name.slice(DATA.length))) await store.delete(name);
}
