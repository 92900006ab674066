import type { Worker } from 'node:worker_threads';
import { type Core, TreadleError } from '#bindings';
import type { LabelledImages } from '../model/classifier.js';
import { rateText } from '../results/format.js';
import type { Job, RunEvent, TrainedModel } from '../results/records.js';
import { onAbort } from '../strict/abort.js';
import { type Clock, newClock } from './clock.js';
import { jobTitle } from './job-title.js';
import type { WorkerMessage, WorkerTask } from './messages.js';
import { descendants } from './plan.js';
import { decide, type ScheduleLimits } from './schedule.js';
import { hear, newSlot, type Slot } from './slot.js';
import { startWorker, workerError } from './threads.js';
import type { SampleIndices } from './train-job.js';

export interface TrainJobsOptions {
  engine: Core;
  /** In shared memory, so that every worker reads the same bytes. */
  data: LabelledImages;
  split: SampleIndices;
  limits: ScheduleLimits;
  onEvent: (event: RunEvent) => void;
  /** Called once for each job that ends well, before jobs that start from its weights. */
  onTrained: (job: Job, trained: TrainedModel) => void;
  /** Called once for each job that does not; the other jobs go on. */
  onFailed: (job: Job, error: TreadleError) => void;
  /**
   * A folder for checkpoints, which must exist. Each job goes on from its newest there and saves one after every epoch
   * and when the signal aborts. Left out, none is read or saved.
   */
  checkpoints?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Measures the epochs; one that never stands still when left out. */
  clock?: Clock | undefined;
}

/** Times that a job whose thread died is started again from its newest checkpoint. */
const MAX_RESTARTS = 2;

/**
 * Trains all jobs in worker threads as {@link decide} says and resolves when each has ended, well or not.
 * A job whose thread dies is told by a `warning` event and started again, twice at most.
 * Rejects with `interrupted` when the signal has aborted and every model has finished its step and saved its
 * checkpoint, and with whatever a callback throws. No thread is left running in any case.
 */
export async function trainJobs(jobs: readonly Job[], options: TrainJobsOptions): Promise<void> {
  const pool = new TrainingPool(jobs, options);
  const stopListening = onAbort(options.signal, (error) => pool.interrupt(error));
  try {
    await pool.run();
  } finally {
    stopListening();
    await pool.close();
  }
}

class TrainingPool {
  readonly #options: TrainJobsOptions;
  readonly #slots: Map<string, Slot>;
  readonly #threads = new Set<Worker>();
  /** Read by every training thread before each step. */
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  /** Why the running jobs are the last. */
  #interruption: TreadleError | null = null;
  #over = false;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  readonly #ended: Promise<void>;

  constructor(jobs: readonly Job[], options: TrainJobsOptions) {
    this.#options = options;
    this.#slots = new Map(jobs.map((job) => [job.id, newSlot(job)]));
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  run(): Promise<void> {
    this.#react(() => {});
    return this.#ended;
  }

  /** Lets the running jobs finish their steps and save their checkpoints, and starts no other. */
  interrupt(reason: TreadleError): void {
    this.#interruption = reason;
    Atomics.store(this.#stop, 0, 1);
    this.#react(() => {});
  }

  #fail(reason: unknown): void {
    this.#over = true;
    this.#reject(reason);
  }

  async close(): Promise<void> {
    this.#over = true;
    await Promise.all([...this.#threads].map((worker) => worker.terminate()));
  }

  /** Takes in a thread's news, then does what the new state asks for. Whatever that throws ends the run. */
  #react(news: () => void): void {
    if (this.#over) return;
    try {
      news();
      this.#advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  #advance(): void {
    const states = [...this.#slots.values()].map((slot) => slot.state);
    if (this.#interruption !== null) {
      if (!states.some(({ status }) => status === 'running')) this.#fail(this.#interruption);
      return;
    }
    const { limits } = this.#options;
    for (let next = decide(states, limits); next !== null; next = decide(states, limits)) {
      const slot = this.#slots.get(next.job)!;
      if (next.type === 'start') this.#startJob(slot);
      else this.#startHelper(slot);
    }
    if (states.every(({ status }) => status === 'done' || status === 'failed')) {
      this.#over = true;
      this.#resolve();
    }
  }

  #launch(task: WorkerTask): Worker {
    const worker = startWorker(task);
    this.#threads.add(worker);
    worker.on('exit', () => this.#threads.delete(worker));
    // An error is followed by the exit; without a listener it would be thrown here.
    worker.on('error', () => {});
    return worker;
  }

  #startJob(slot: Slot): void {
    const { engine, data, split, limits, onEvent, checkpoints = null, clock = newClock() } = this.#options;
    const before = slot.job.parent === null ? undefined : this.#slots.get(slot.job.parent);
    if (before?.last) {
      slot.parent = before.last;
      before.last = null;
    }
    const { job, parent } = slot;
    const worker = this.#launch({
      role: 'train',
      engine,
      job,
      data,
      split,
      parent,
      checkpoints,
      tickets: limits.helpers ? limits.threads - 1 : 0,
      stop: this.#stop,
      clock,
    });
    slot.worker = worker;
    slot.state.status = 'running';
    worker.on('message', (message: WorkerMessage) => {
      this.#react(() => hear(slot, message, onEvent));
      // It waits to hear how many helpers it was given.
      if (message.type === 'tickets') worker.postMessage(slot.helpers.size);
    });
    worker.on('error', (error) => {
      slot.death ??= workerError(jobTitle(slot.job), error);
    });
    worker.on('exit', (code) => this.#react(() => this.#endJob(slot, code)));
  }

  #endJob(slot: Slot, exitCode: number): void {
    const { outcome } = slot;
    const death = slot.death ?? workerError(jobTitle(slot.job), exitCode);
    slot.worker = null;
    for (const port of slot.tickets.splice(0)) port.close();
    slot.outcome = null;
    slot.death = null;
    slot.state.joinable = false;
    if (outcome === null) {
      // A thread that died has not released its helpers; they would wait for ever.
      for (const [helper, leave] of slot.helpers) {
        leave();
        void helper.terminate();
      }
    }
    if (outcome !== null && !(outcome instanceof TreadleError)) {
      slot.state.status = 'done';
      slot.parent = null;
      const jobs = [...this.#slots.values()].map(({ job }) => job);
      if (jobs.some((job) => job.parent === slot.job.id)) slot.last = outcome.last;
      this.#options.onTrained(slot.job, outcome);
    } else if (this.#interruption !== null && (outcome === null || outcome.code === 'interrupted')) {
      slot.state.status = 'waiting';
    } else if (outcome === null && slot.restarts < MAX_RESTARTS) {
      slot.restarts += 1;
      slot.state.status = 'waiting';
      const message = `${death.message} It is started again (${slot.restarts} of ${MAX_RESTARTS} times).`;
      this.#options.onEvent({ type: 'warning', job: slot.job.id, message });
    } else {
      slot.state.status = 'failed';
      slot.parent = null;
      this.#options.onFailed(slot.job, outcome ?? death);
      this.#failDescendants(slot.job);
    }
  }

  #failDescendants(failed: Job): void {
    const jobs = [...this.#slots.values()].map(({ job }) => job);
    for (const id of descendants(jobs, failed.id)) {
      const { job, state } = this.#slots.get(id)!;
      state.status = 'failed';
      this.#options.onFailed(job, orphaned(job, failed));
    }
  }

  /** Starts a thread that helps this model alone: it would keep the model's memory while it waits for another. */
  #startHelper(slot: Slot): void {
    const worker = this.#launch({ role: 'help', ticket: slot.tickets.pop()! });
    slot.state.joinable = slot.tickets.length > 0;
    const leave = (): void => {
      worker.off('message', leave).off('error', died).off('exit', died);
      slot.helpers.delete(worker);
      slot.state.helpers = slot.helpers.size;
    };
    // The model's other threads would wait for this one at a barrier, so the model ends with it.
    const died = (reason: Error | number): void =>
      this.#react(() => {
        leave();
        slot.death ??= workerError(`A helper of ${jobTitle(slot.job)}`, reason);
        void slot.worker?.terminate();
      });
    worker.on('message', leave).on('error', died).on('exit', died);
    slot.helpers.set(worker, leave);
    slot.state.helpers = slot.helpers.size;
  }
}

function orphaned(job: Job, failed: Job): TreadleError {
  return new TreadleError(
    'worker',
    `${jobTitle(job)} was not trained: it starts from the weights of the model at learning rate ${rateText(failed.learningRate)}, which failed.`,
    { subject: job.id, found: `${failed.id} failed`, expected: `the weights of ${failed.id}` },
  );
}
