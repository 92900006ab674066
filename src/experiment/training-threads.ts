import type { MessagePort, Worker } from 'node:worker_threads';
import type { TreadleError } from '#bindings';
import type { TimeTask, TrainTask, WorkerMessage } from './messages.js';
import { startWorker, workerError } from './threads.js';

/** Callbacks of {@link TrainingThreads}. */
export interface TrainingListener {
  /** A message of the thread that trains. */
  onMessage: (message: WorkerMessage) => void;
  /** That thread has exited, as `death` says: a failure, unless it had sent an outcome. */
  onEnd: (death: TreadleError) => void;
}

/** A thread that trains one network, and the helper threads that share its work. */
export class TrainingThreads {
  readonly #title: string;
  readonly #trainer: Worker;
  readonly #threads = new Set<Worker>();
  /** One for each helper that may still join. */
  #tickets: MessagePort[] = [];
  /** Each helper, with what removes its listeners. */
  readonly #helpers = new Map<Worker, () => void>();
  /** Whether the trainer has said how its work ended. */
  #hasOutcome = false;
  /** Why a thread died, where that is known. */
  #death: TreadleError | null = null;

  /** Starts the thread that trains; `title` is what it is called in errors. Throws `engine` as startWorker. */
  constructor(task: TrainTask | TimeTask, title: string, { onMessage, onEnd }: TrainingListener) {
    this.#title = title;
    this.#trainer = this.#launch(startWorker(task));
    this.#trainer.on('message', (message: WorkerMessage) => {
      if (message.type === 'tickets') this.#tickets = message.ports;
      if (message.type === 'trained' || message.type === 'timed' || message.type === 'failed')
        this.#hasOutcome = true;
      onMessage(message);
      // It waits for the number of helpers.
      if (message.type === 'tickets') this.#trainer.postMessage(this.#helpers.size);
    });
    this.#trainer.on('error', (error) => {
      this.#death ??= workerError(title, error);
    });
    this.#trainer.on('exit', (code) => {
      for (const port of this.#tickets.splice(0)) port.close();
      if (!this.#hasOutcome) this.#endHelpers();
      onEnd(this.#death ?? workerError(title, code));
    });
  }

  /** Whether there is a ticket for one more helper. */
  get joinable(): boolean {
    return this.#tickets.length > 0;
  }

  /** Helpers that are alive. */
  get helpers(): number {
    return this.#helpers.size;
  }

  /** Lets a trainer that waits at a checkpoint go on. */
  goOn(): void {
    this.#trainer.postMessage(null);
  }

  /** Starts a thread that helps this network alone: it would keep the network's memory while it waits for another. */
  addHelper(): void {
    const helper = this.#launch(startWorker({ role: 'help', ticket: this.#tickets.pop()! }));
    const leave = (): void => {
      helper.off('message', leave).off('error', died).off('exit', died);
      this.#helpers.delete(helper);
    };
    // The other threads would wait for this one at a barrier, so the trainer ends with it.
    const died = (reason: Error | number): void => {
      leave();
      this.#death ??= workerError(`A helper of ${this.#title}`, reason);
      void this.#trainer.terminate();
    };
    helper.on('message', leave).on('error', died).on('exit', died);
    this.#helpers.set(helper, leave);
  }

  /** Ends all threads; resolves when none is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((worker) => worker.terminate()));
  }

  #launch(worker: Worker): Worker {
    this.#threads.add(worker);
    worker.on('exit', () => this.#threads.delete(worker));
    // An error is followed by the exit; without a listener it would be thrown here.
    worker.on('error', () => {});
    return worker;
  }

  /** A trainer that died has not released its helpers; they would wait for ever. */
  #endHelpers(): void {
    for (const [helper, leave] of this.#helpers) {
      leave();
      void helper.terminate();
    }
  }
}
