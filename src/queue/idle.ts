import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { keysOf } from './keys.js';
import { redact } from './redact.js';
import { listWorkers } from './runs.js';

/** Where workers of a run are to be started: the queue's address without credentials, and the store. */
export interface WorkPlace {
  shown: string;
  store: string | undefined;
}

/** Why no model of a run is begun, with what helps; null where some worker serves it. */
export async function idleReason(
  client: Redis,
  queue: Pick<Queue, 'isPaused'>,
  run: string,
  { shown, store }: WorkPlace,
): Promise<string | null> {
  if (await queue.isPaused())
    return `Run ${run} is drained: none of its models is begun before treadle queue drain ${run} --undo.`;
  const workers = await listWorkers(client);
  if (workers.length === 0) {
    const where = store === undefined ? '' : ` --store ${redact(store)}`;
    return `No worker is connected to the queue; on each machine that is to train, start treadle worker --queue ${shown}${where}`;
  }
  const refusals = await client.hgetall(keysOf(run).refusals);
  const refused = workers.flatMap(({ worker }) => refusals[worker] ?? []);
  if (refused.length < workers.length) return null;
  return `No worker that is connected serves the run. ${[...new Set(refused)].sort().join(' ')}`;
}

/** How long nothing is begun before it is told, in milliseconds: workers come and go. */
const TOLD_AFTER_MS = 5000;

/** Tells once why nothing is begun, when that has lasted, and that it is over. */
export class IdleTeller {
  #reason: string | null = null;
  #since = 0;
  /** What was told last; null once it is over. */
  #told: string | null = null;

  constructor(readonly log: (line: string) => void) {}

  /** Takes in what {@link idleReason} has found, at a time in milliseconds. */
  hear(reason: string | null, now: number): void {
    if (reason !== this.#reason) this.#since = now;
    this.#reason = reason;
    if (reason === this.#told || (reason !== null && now - this.#since < TOLD_AFTER_MS)) return;
    this.log(reason ?? 'A worker is there: the run goes on.');
    this.#told = reason;
  }
}
