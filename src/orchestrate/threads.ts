import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type HelperTicket, TreadleError } from '#bindings';
import type { WorkerTask } from './messages.js';

/** Starts a thread on a task. It takes none of the program's own flags, which may not suit a worker. */
export function startWorker(task: WorkerTask): Worker {
  return new TaskWorker(task, new Int32Array(new SharedArrayBuffer(4)));
}

/** A thread that is ended only when it has loaded its modules: ended before, it leaves the file it reads open for good. */
class TaskWorker extends Worker {
  readonly #loaded: Int32Array;
  #over = false;

  /** The thread stores 1 in `loaded` when its modules have been read. */
  constructor(task: WorkerTask, loaded: Int32Array) {
    super(new URL('./worker.js', import.meta.url), {
      workerData: { ...task, loaded },
      transferList: task.role === 'help' ? [task.ticket] : [],
      execArgv: [],
    });
    this.#loaded = loaded;
    this.once('exit', () => {
      this.#over = true;
    });
  }

  override async terminate(): Promise<number> {
    while (!this.#over && Atomics.load(this.#loaded, 0) === 0) await setTimeout(1);
    return super.terminate();
  }
}

/** A port at which a ticket waits for the one thread that reads it (see messages.ts). */
export function ticketPort(ticket: HelperTicket): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(ticket);
  return port2;
}

/** A `worker` error for a thread that ended before its work: by an error, or with an exit code. */
export function workerError(subject: string, reason: Error | number): TreadleError {
  const what = typeof reason === 'number' ? `its thread ended with exit code ${reason}` : reason.message;
  return new TreadleError('worker', `${subject} did not finish: ${what}; a finished thread is expected.`, {
    subject,
    found: what,
    expected: 'a finished thread',
    cause: typeof reason === 'number' ? undefined : reason,
  });
}

/** The error of a run that its user stopped. */
export function interruptedError(): TreadleError {
  return new TreadleError('interrupted', 'The run was interrupted before it was finished.');
}

/** Throws `interrupted` when the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interruptedError();
}

/** Calls `stop` with an `interrupted` error when the signal aborts or already has; returns how to stop listening. */
export function onAbort(signal: AbortSignal | undefined, stop: (error: TreadleError) => void): () => void {
  const listener = (): void => stop(interruptedError());
  if (signal?.aborted) listener();
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/** The promise's own outcome, or `interrupted` as soon as the signal aborts; what was begun goes on unheard. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let stopListening = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, reject);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stopListening();
  }
}
