import type { AbortSignalLike, TreadleError } from '#bindings';
import type { Job, RunEvent, TrainedModel } from '../results/records.js';

/** Callbacks of a training of jobs. */
export interface JobListener {
  onEvent: (event: RunEvent) => void;
  /** Called once for each job that ends well, before jobs that start from its weights. */
  onTrained: (job: Job, trained: TrainedModel) => void;
  /** Called once for each job that does not; the other jobs go on. */
  onFailed: (job: Job, error: TreadleError) => void;
}

/** Trains a run's jobs: in threads of this process (pool.ts), or wherever records and weights can be sent. */
export interface Executor {
  /**
   * Trains all jobs, each after the one whose weights it starts from, and resolves when each has ended, well or not. A job
   * that was trained in part goes on where it stood. Rejects with `interrupted` when the signal has aborted and all
   * checkpoints are saved, and with whatever the listener throws. Nothing is left running in any case.
   */
  train(jobs: readonly Job[], listener: JobListener, signal?: AbortSignalLike): Promise<void>;
}
