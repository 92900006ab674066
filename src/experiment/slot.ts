import type { TreadleError } from '#bindings';
import { classifierParameters } from '../model/classifier.js';
import type { Job, RunEvent, TrainedModel } from '../results/records.js';
import type { Weights } from '../train/loop.js';
import { fromErrorRecord, type WorkerMessage } from './messages.js';
import type { JobState } from './schedule.js';
import type { TrainingThreads } from './training-threads.js';

/** A job with its state and, while it runs, its threads. */
export interface Slot {
  job: Job;
  state: JobState;
  team: TrainingThreads | null;
  /** How it ended, known before its thread has exited. */
  outcome: TrainedModel | TreadleError | null;
  restarts: number;
  /** Weights that it starts from, held until it has ended. */
  parent: Weights | null;
  /** Final weights, held until the next job of the chain has them. */
  last: Weights | null;
}

/** A job that has not been started; `parent` has the weights that it starts from, where those are known already. */
export function newSlot(job: Job, parent: Weights | null = null): Slot {
  const state: JobState = {
    id: job.id,
    parent: parent === null ? job.parent : null,
    status: 'waiting',
    epochCost: classifierParameters(job.spec),
    epochs: job.epochs,
    epochsDone: 0,
    joinable: false,
    helpers: 0,
  };
  return { job, state, team: null, outcome: null, restarts: 0, parent, last: null };
}

/** A job's present state, for the scheduler. */
export function stateOf({ state, team }: Slot): JobState {
  return { ...state, joinable: team?.joinable ?? false, helpers: team?.helpers ?? 0 };
}

/** Applies a message from the job's thread. */
export function hear(slot: Slot, message: WorkerMessage, onEvent: (event: RunEvent) => void): void {
  switch (message.type) {
    case 'event':
      if (message.event.type === 'start') slot.state.epochsDone = message.event.finished.length;
      if (message.event.type === 'epoch') slot.state.epochsDone = message.event.epoch;
      onEvent(message.event);
      break;
    case 'trained':
      slot.outcome = message.trained;
      break;
    case 'failed':
      slot.outcome = fromErrorRecord(message.error);
      break;
  }
}
