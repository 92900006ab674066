import { setTimeout } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type HelperTicket, TreadleError } from '#bindings';
import { deniedSentence } from '../node/denied.js';
import type { WorkerTask } from './messages.js';

/**
 * Starts a thread on a task. It takes none of the program's own flags, which may not suit a worker. Throws `engine`
 * where Node's permission model forbids threads.
 */
export function startWorker(task: WorkerTask): Worker {
  try {
    return new TaskWorker(task, new Int32Array(new SharedArrayBuffer(4)));
  } catch (cause) {
    const sentence = deniedSentence(cause);
    if (sentence === null) throw cause;
    throw new TreadleError('engine', sentence, {
      subject: 'worker threads',
      found: 'no permission',
      expected: '--allow-worker',
      cause,
    });
  }
}

/** A thread that is terminated only once it has loaded its modules: before, it would leak the file it is reading. */
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
