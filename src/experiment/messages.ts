import type { MessagePort } from 'node:worker_threads';
import { type Core, type ErrorCode, TreadleError } from '#bindings';
import type { LabelledImages } from '../model/classifier.js';
import type { Job, RunEvent, TestRecord, TrainedModel } from '../results/records.js';
import type { Weights } from '../train/loop.js';
import type { Clock } from './clock.js';
import type { EnsembleTest } from './ensemble.js';
import type { TestShape } from './evaluate.js';
import type { EpochWork } from './time-epochs.js';
import type { SampleIndices } from './train-job.js';

/** Train one model. `data` and `split` lie in shared memory. */
export interface TrainTask {
  role: 'train';
  core: Core;
  job: Job;
  data: LabelledImages;
  split: SampleIndices;
  /** Weights to start from; null for fresh ones. */
  parent: Weights | null;
  /** Folder of checkpoints to go on from and to save in; null for none. */
  checkpoints: string | null;
  /** Whether each of them is told, and waited for until it is copied elsewhere. */
  isCopied: boolean;
  /** Helpers that it may get. The thread sends a ticket for each, and is answered how many were started. */
  tickets: number;
  /** In shared memory; anything but 0 asks the training to stop. */
  stop: Int32Array;
  /** Measures its epochs. */
  clock: Clock;
}

/** Train a model for a few epochs and time them. `work.data` lies in shared memory. */
export interface TimeTask {
  role: 'time';
  core: Core;
  work: EpochWork;
}

/** Help the network whose ticket waits at the port. */
export interface HelpTask {
  role: 'help';
  ticket: MessagePort;
}

/** Test weight files on all of `data`, in their order. */
export interface TestTask {
  role: 'test';
  core: Core;
  data: LabelledImages;
  files: string[];
  /** What the data asks of every file, and what predictions are averaged over. */
  shape: TestShape;
}

/** Test weights files as one: by the mean of their probabilities. */
export interface EnsembleTask {
  role: 'ensemble';
  core: Core;
  files: string[];
  shape: TestShape;
  data: LabelledImages;
  /** What the number of members is chosen by; null for all of them. */
  choice: LabelledImages | null;
}

/** What a worker is started with. */
export type WorkerTask = TrainTask | TimeTask | HelpTask | TestTask | EnsembleTask;

/** What a worker sends. */
export type WorkerMessage =
  | { type: 'event'; event: RunEvent }
  /**
   * At each port waits a HelperTicket for one helper. It is read by that helper alone: a thread that has read it keeps
   * the network's memory until it next collects garbage.
   */
  | { type: 'tickets'; ports: MessagePort[] }
  /** A checkpoint is saved: the thread waits for any message. */
  | { type: 'checkpoint' }
  | { type: 'trained'; trained: TrainedModel }
  | { type: 'timed'; seconds: number }
  | { type: 'failed'; error: ErrorRecord }
  | { type: 'helped' }
  | { type: 'ensemble'; result: EnsembleTest }
  | { type: 'tested'; file: string; result: TestRecord }
  | { type: 'untested'; file: string; error: ErrorRecord };

/** A TreadleError as plain data: classes do not survive the way between threads. */
export interface ErrorRecord {
  code: ErrorCode;
  message: string;
  subject: string | undefined;
  found: unknown;
  expected: unknown;
  stack: string | undefined;
}

/** The plain record of an error, for {@link fromErrorRecord} on the other side. */
export function toErrorRecord(error: TreadleError): ErrorRecord {
  const { code, message, subject, found, expected, stack } = error;
  return { code, message, subject, found, expected, stack };
}

/** The error of a record, with the stack it had where it was thrown. */
export function fromErrorRecord(record: ErrorRecord): TreadleError {
  const { code, message, subject, found, expected, stack } = record;
  const error = new TreadleError(code, message, { subject, found, expected });
  if (stack !== undefined) error.stack = stack;
  return error;
}
