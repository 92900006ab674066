import type { MessagePort, Worker } from 'node:worker_threads';
import type { TreadleError } from '#bindings';
import { classifierParameters } from '../model/classifier.js';
import type { Job, RunEvent, TrainedModel } from '../results/records.js';
import type { Weights } from '../train/loop.js';
import { fromErrorRecord, type WorkerMessage } from './messages.js';
import type { JobState } from './schedule.js';

/** A job with its state and, while it runs, its threads. */
export interface Slot {
  job: Job;
  state: JobState;
  worker: Worker | null;
  /** One for each helper that may still join. */
  tickets: MessagePort[];
  /** Its helpers, each with how to stop listening to it. */
  helpers: Map<Worker, () => void>;
  /** How it ended, known before its thread has exited. */
  outcome: TrainedModel | TreadleError | null;
  /** Why its thread died, where that is known. */
  death: TreadleError | null;
  restarts: number;
  /** Weights that it starts from, held until it has ended. */
  parent: Weights | null;
  /** Final weights, held until the next job of the chain has them. */
  last: Weights | null;
}

/** A job that has not been started. */
export function newSlot(job: Job): Slot {
  const state: JobState = {
    id: job.id,
    parent: job.parent,
    status: 'waiting',
    epochCost: classifierParameters(job.spec),
    epochs: job.epochs,
    epochsDone: 0,
    joinable: false,
    helpers: 0,
  };
  return {
    job,
    state,
    worker: null,
    tickets: [],
    helpers: new Map(),
    outcome: null,
    death: null,
    restarts: 0,
    parent: null,
    last: null,
  };
}

/** Takes in what a job's thread has sent. */
export function hear(slot: Slot, message: WorkerMessage, onEvent: (event: RunEvent) => void): void {
  switch (message.type) {
    case 'event':
      if (message.event.type === 'start') slot.state.epochsDone = message.event.finished.length;
      if (message.event.type === 'epoch') slot.state.epochsDone = message.event.epoch;
      onEvent(message.event);
      break;
    case 'tickets':
      slot.tickets = message.ports;
      slot.state.joinable = true;
      break;
    case 'trained':
      slot.outcome = message.trained;
      break;
    case 'failed':
      slot.outcome = fromErrorRecord(message.error);
      break;
  }
}
