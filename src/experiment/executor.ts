import type { AbortSignalLike, Core, TreadleError } from '#bindings';
import type { Job, RunConfig, RunEvent, TrainedModel } from '../results/records.js';
import type { PreparedData } from './prepare.js';
import type { RunRecord } from './run-folder.js';
import type { Starts } from './starts.js';

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
  /** Called once the run is finished: what is kept of it elsewhere is needed no more. */
  finish?(): Promise<void>;
}

/** What an executor is told of the run whose jobs it trains. */
export interface ExecutorContext {
  /** The run's id. */
  id: string;
  config: RunConfig;
  record: RunRecord;
  core: Core;
  data: PreparedData;
  starts: Starts;
}

/** Makes the executor of a run. */
export type ExecutorChoice = (run: ExecutorContext) => Executor;
