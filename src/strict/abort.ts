import { type AbortSignalLike, TreadleError } from '#bindings';

/** The error of a run, or of another work, that its user stopped. */
export function interruptedError(what = 'The run'): TreadleError {
  return new TreadleError('interrupted', `${what} was interrupted before it was finished.`);
}

/** Throws `interrupted` when the signal has aborted. */
export function throwIfAborted(signal: AbortSignalLike | undefined, what?: string): void {
  if (signal?.aborted) throw interruptedError(what);
}

/** Calls `stop` with an `interrupted` error when the signal aborts or already has; returns how to stop listening. */
export function onAbort(
  signal: AbortSignalLike | undefined,
  stop: (error: TreadleError) => void,
): () => void {
  const listener = (): void => stop(interruptedError());
  if (signal?.aborted) listener();
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/**
 * Does work under a signal that aborts when the given one does, and with a `TimeoutError` after so many milliseconds.
 * Node 20's AbortSignal.any loses its timeout when garbage is collected.
 */
export async function withTimeout<T>(
  signal: AbortSignalLike | undefined,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const either = new AbortController();
  const timer = setTimeout(() => either.abort(new DOMException('too slow', 'TimeoutError')), timeoutMs);
  const stopListening = onAbort(signal, (error) => either.abort(error));
  try {
    return await work(either.signal);
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}
