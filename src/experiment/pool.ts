import { type AbortSignalLike, type Core, problem, TreadleError } from '#bindings';
import type { LabelledImages } from '../model/classifier.js';
import { rateText } from '../results/format.js';
import type { Job } from '../results/records.js';
import { onAbort } from '../strict/abort.js';
import type { Weights } from '../train/loop.js';
import { type Clock, newClock } from './clock.js';
import type { Executor, JobListener } from './executor.js';
import { jobTitle } from './job-title.js';
import { descendants } from './jobs.js';
import { decide, type ScheduleLimits } from './schedule.js';
import { hear, newSlot, type Slot, stateOf } from './slot.js';
import type { SampleIndices } from './train-job.js';
import { TrainingThreads } from './training-threads.js';

/** What the threads of this process train with. */
export interface ThreadOptions {
  core: Core;
  /** In shared memory, so that every worker reads the same bytes. */
  data: LabelledImages;
  split: SampleIndices;
  /** Weights that jobs start from, by the SHA-256 that their `from` names. */
  starts?: ReadonlyMap<string, Weights> | undefined;
  limits: ScheduleLimits;
  /**
   * A folder for checkpoints, which must exist. Each job goes on from its newest there and saves one after every epoch
   * and when the signal aborts. Left out, none is read or saved.
   */
  checkpoints?: string | undefined;
  /**
   * Called after each checkpoint that was saved there; the job's training waits for it. When it rejects, so does the
   * training of all jobs.
   */
  onCheckpoint?: ((job: Job) => Promise<void>) | undefined;
  /** Final weights of jobs that were trained elsewhere and that some of these start from, by their ids. */
  parents?: ReadonlyMap<string, Weights> | undefined;
  /** Measures the epochs; one that is never paused when left out. */
  clock?: Clock | undefined;
}

export interface TrainJobsOptions extends ThreadOptions, JobListener {
  signal?: AbortSignalLike | undefined;
}

/** Times that a job whose thread died is started again from its newest checkpoint. */
const MAX_RESTARTS = 2;

/**
 * Trains all jobs in worker threads as `decide` says and resolves when each has ended, well or not.
 * A job whose thread dies is reported by a `warning` event and started again, twice at most.
 * Rejects with `interrupted` when the signal has aborted and every model has finished its step and saved its
 * checkpoint, and with whatever a callback throws. No thread is left running in any case.
 *
 * @example await trainJobs(jobs, { core, data, split, limits, onEvent, onTrained, onFailed });
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

/** Trains jobs in threads of this process. */
export function threadExecutor(options: ThreadOptions): Executor {
  return {
    train: (jobs, listener, signal) => trainJobs(jobs, { ...options, ...listener, signal }),
  };
}

class TrainingPool {
  readonly #options: TrainJobsOptions;
  readonly #slots: Map<string, Slot>;
  readonly #teams = new Set<TrainingThreads>();
  /** Read by every training thread before each step. */
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  /** Set once the signal has aborted: the running jobs stop, and no other is started. */
  #interruption: TreadleError | null = null;
  #over = false;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  readonly #ended: Promise<void>;

  constructor(jobs: readonly Job[], options: TrainJobsOptions) {
    this.#options = options;
    this.#slots = new Map(jobs.map((job) => [job.id, newSlot(job, options.parents?.get(job.parent ?? ''))]));
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
    await Promise.all([...this.#teams].map((team) => team.close()));
  }

  /** Applies a change of state, then starts what can be started. An error in either ends the run. */
  #react(change: () => void): void {
    if (this.#over) return;
    try {
      change();
      this.#advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  #advance(): void {
    const states = () => [...this.#slots.values()].map(stateOf);
    if (this.#interruption !== null) {
      if (!states().some(({ status }) => status === 'running')) this.#fail(this.#interruption);
      return;
    }
    const { limits } = this.#options;
    for (let next = decide(states(), limits); next !== null; next = decide(states(), limits)) {
      const slot = this.#slots.get(next.job)!;
      if (next.type === 'start') this.#startJob(slot);
      else slot.team!.addHelper();
    }
    if (states().every(({ status }) => status === 'done' || status === 'failed')) {
      this.#over = true;
      this.#resolve();
    }
  }

  #startJob(slot: Slot): void {
    const { core, data, split, starts, limits, onEvent, onCheckpoint, checkpoints = null } = this.#options;
    const { clock = newClock() } = this.#options;
    const before = slot.job.parent === null ? undefined : this.#slots.get(slot.job.parent);
    if (before?.last) {
      slot.parent = before.last;
      before.last = null;
    }
    const { job } = slot;
    const parent = job.from === null ? slot.parent : startOf(job, starts);
    const team = new TrainingThreads(
      {
        role: 'train',
        core,
        job,
        data,
        split,
        parent,
        checkpoints,
        isCopied: onCheckpoint !== undefined,
        tickets: limits.helpers ? limits.threads - 1 : 0,
        stop: this.#stop,
        clock,
      },
      jobTitle(job),
      {
        onMessage: (message) => {
          this.#react(() => hear(slot, message, onEvent));
          if (message.type === 'checkpoint') {
            onCheckpoint?.(job).then(
              () => team.goOn(),
              (error: unknown) => this.#fail(error),
            );
          }
        },
        onEnd: (death) => this.#react(() => this.#endJob(slot, death)),
      },
    );
    this.#teams.add(team);
    slot.team = team;
    slot.state.status = 'running';
  }

  #endJob(slot: Slot, death: TreadleError): void {
    const { outcome } = slot;
    slot.team = null;
    slot.outcome = null;
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
      const error = outcome ?? death;
      this.#options.onFailed(slot.job, error);
      this.#failDescendants(slot.job, error);
    }
  }

  #failDescendants(failed: Job, cause: TreadleError): void {
    const jobs = [...this.#slots.values()].map(({ job }) => job);
    for (const id of descendants(jobs, failed.id)) {
      const { job, state } = this.#slots.get(id)!;
      state.status = 'failed';
      this.#options.onFailed(job, orphaned(job, failed, cause));
    }
  }
}

/** The error of a job whose parent, directly or not, has failed. */
export function orphaned(job: Job, failed: Job, cause: TreadleError): TreadleError {
  return new TreadleError(
    'worker',
    `${jobTitle(job)} was not trained: it starts from the weights of the model at learning rate ${rateText(failed.learningRate)}, which failed. ${cause.message}`,
    { subject: job.id, found: `${failed.id} failed`, expected: `the weights of ${failed.id}`, cause },
  );
}

/** The weights of the file that a job starts from. Throws `usage` where they are not among those given. */
function startOf({ id, from }: Job, starts: ThreadOptions['starts']): Weights {
  const weights = starts?.get(from!);
  if (weights !== undefined) return weights;
  throw problem('usage', {
    subject: 'starts',
    found: 'without weights',
    because: `job ${id} starts from those of SHA-256 ${from}`,
    expected: "every job's weights by their SHA-256",
  });
}
