import { type Core, type Network, problem, TreadleError } from '#bindings';
import { startHelper, type ThreadPort } from './start.js';

/** Longest wait for helpers to join, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** Throws `usage` where a model of this core cannot be trained by so many threads. */
export function checkThreads(core: Core, threads: number): void {
  if (threads === 1) return;
  if (!core.build.endsWith('-mt')) {
    throw problem('usage', {
      subject: 'threads',
      found: threads,
      because: `the build ${core.build} has none`,
      expected: '1, or an engine with shared memory (a page that is cross-origin isolated)',
    });
  }
  if ('document' in globalThis) {
    throw problem('usage', {
      subject: 'threads',
      found: threads,
      because: "a page's own thread may not wait for others",
      expected: '1, or a model in a worker',
    });
  }
}

/**
 * Starts the helpers of a network and waits until they have joined; they end when it is disposed of. Rejects with `worker`
 * when one does not join.
 */
export async function startHelpers(network: Network, threads: number): Promise<ThreadPort[]> {
  const { ticket } = network;
  if (threads === 1 || ticket === null) return [];
  const helpers = Array.from({ length: threads - 1 }, () => startHelper(ticket));
  let death: string | null = null;
  for (const helper of helpers) {
    helper.onDeath((reason) => {
      death = reason;
    });
  }
  const until = performance.now() + LONGEST_WAIT;
  while (network.joined < threads) {
    if (death !== null || performance.now() > until) {
      for (const helper of helpers) helper.terminate();
      const found = death ?? `${network.joined} of ${threads} threads after ${LONGEST_WAIT / 1000} s`;
      throw new TreadleError(
        'worker',
        `A helper thread did not start: ${found}; a running thread is expected.`,
        {
          subject: 'threads',
          found,
          expected: 'a running thread',
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  network.admit();
  return helpers;
}
