import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { type Engine, type Network, TreadleError } from '#bindings';
import { startWorker, workerError } from '../orchestrate/threads.js';

/** Longest wait for the helpers to join, in milliseconds, and the time between two looks. */
const JOIN_TIME = 10_000;
const LOOK_INTERVAL = 5;

/**
 * Runs `work` while `threads` threads take part in the network's steps: the caller's own and helpers in worker
 * threads, which are gone when it returns. The network is disposed of then.
 * Throws `usage` for more than one thread in a build without threads, `worker` when the helpers do not join.
 */
export async function withThreads<T>(
  { build }: Engine,
  network: Network,
  threads: number,
  work: () => T,
): Promise<T> {
  const helpers: Worker[] = [];
  const failures: TreadleError[] = [];
  try {
    if (threads > 1 && network.ticket === null) throw noThreads(threads, build);
    for (let helper = 1; helper < threads; helper++) {
      const worker = startWorker({ role: 'help' });
      worker.on('error', (error) => failures.push(workerError('A helper thread', error)));
      worker.postMessage(network.ticket);
      helpers.push(worker);
    }
    await untilJoined(network, threads, failures);
    return work();
  } finally {
    network.dispose();
    await Promise.all(helpers.map((worker) => worker.terminate()));
  }
}

/** Helpers take part from the start of an epoch, so epochs without a step begin until all of them do. */
async function untilJoined(network: Network, threads: number, failures: TreadleError[]): Promise<void> {
  const deadline = performance.now() + JOIN_TIME;
  for (;;) {
    network.beginEpoch(new Uint32Array(0), 1);
    if (network.threads === threads) return;
    if (failures[0] !== undefined) throw failures[0];
    if (performance.now() > deadline) {
      const found = `${network.threads} of ${threads} threads have joined`;
      throw workerError('The team of threads', new Error(`${found} after ${JOIN_TIME / 1000} s`));
    }
    await setTimeout(LOOK_INTERVAL);
  }
}

function noThreads(threads: number, build: string): TreadleError {
  return new TreadleError(
    'usage',
    `--threads is ${threads}, but the build ${build} has no threads; 1 is expected, or a build whose name ends in -mt.`,
    { subject: '--threads', found: threads, expected: 1 },
  );
}
