import { type Core, type HelperTicket, type Network, TreadleError } from '#bindings';

/** A started helper of a network. */
export interface Helper {
  /** Calls back once, when it has failed or ended before the network was disposed of. */
  onDeath(callback: (reason: string) => void): void;
  /** Resolves when it has ended by itself, where that can be told. */
  ended(): Promise<void>;
  terminate(): void;
}

/** Starts a thread that helps the network of a ticket until that is disposed of. */
export type StartHelper = (ticket: HelperTicket) => Helper;

/** Longest wait for helpers to join, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** Why models of a core cannot have helpers, in this thread or in a worker; null where they can. */
export function threadsProblem(core: Core, inWorker = false): { because: string; expected: string } | null {
  if (!core.build.endsWith('-mt')) {
    return {
      because: `the build ${core.build} has none`,
      expected: '1, or an engine with shared memory (a page that is cross-origin isolated)',
    };
  }
  if (!inWorker && 'document' in globalThis) {
    return {
      because: "a page's own thread may not wait for others",
      expected: '1, or worker: true',
    };
  }
  return null;
}

/** Processors that threads can have. */
export function processors(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  const node = globalThis.process?.getBuiltinModule?.('node:os');
  return node?.availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
}

/**
 * Starts the helpers of a network and waits until they have joined; they end when it is disposed of. Rejects with `worker`
 * when one does not join.
 */
export async function startHelpers(network: Network, threads: number, start: StartHelper): Promise<Helper[]> {
  const { ticket } = network;
  if (threads === 1 || ticket === null) return [];
  const helpers = Array.from({ length: threads - 1 }, () => start(ticket));
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
