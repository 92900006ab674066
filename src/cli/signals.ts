import { EXIT } from './errors.js';

/**
 * Runs work that SIGINT and SIGTERM abort, which `stopping` is told; a second signal ends the process at once.
 * The process's handlers are as before when it is done.
 */
export async function withSignals<T>(
  work: (signal: AbortSignal) => Promise<T>,
  stopping: () => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    stopping();
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
