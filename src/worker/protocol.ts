import {
  type Core,
  type ErrorCode,
  type HelperTicket,
  inWords,
  type Kernels,
  type ModelSpec,
  TreadleError,
} from '#bindings';
import type { ModelOptions } from '../model/create.js';

/** The first message to a thread of the package. */
export type Role = { role: 'help'; ticket: HelperTicket } | { role: 'serve' };

/** Options of a model that can be posted. */
export type PostedOptions = Pick<ModelOptions, 'seed' | 'threads'> & { core: Core };

/** Samples that the worker holds under a number, as they stand in calls. */
export interface HeldReference {
  treadleHeld: number;
}

/** What is asked of a worker. Each call with an id is answered once. */
export type Request =
  | { type: 'create'; id: number; spec: ModelSpec; options: PostedOptions }
  | { type: 'load'; id: number; bytes: Uint8Array; options: PostedOptions }
  | { type: 'hold'; id: number; data: unknown }
  | { type: 'release'; data: number }
  | {
      type: 'fit';
      id: number;
      model: number;
      data: unknown;
      options: object;
      listens: Listens;
      kernels: Kernels;
    }
  | { type: 'call'; id: number; model: number; method: Method; args: unknown[] }
  | { type: 'dispose'; model: number }
  /** Of a training: its next epoch is wanted, it is to wait or go on, or to stop; a checkpoint has been dealt with. */
  | { type: 'next' | 'stop' | 'leave'; id: number }
  | { type: 'pause'; id: number; isPaused: boolean }
  | { type: 'kept'; id: number; error: PostedError | null }
  /** A helper that the worker has asked for has died, or ended. */
  | { type: 'helper'; helper: number; death: string | null };

/** Calls of a model that answer at once. */
export type Method = 'evaluate' | 'predict' | 'probabilities' | 'save' | 'tensors' | 'setTensors';

/** What a training is told of besides its epochs. */
export interface Listens {
  steps: boolean;
  checkpoints: boolean;
}

/** What a worker says. */
export type Answer =
  | { type: 'done'; id: number; value: unknown; spec?: ModelSpec | undefined }
  | { type: 'failed'; id: number; error: PostedError }
  | { type: 'epoch' | 'step' | 'checkpoint'; id: number; value: unknown }
  | { type: 'help'; helper: number; ticket: HelperTicket }
  | { type: 'endHelp'; helper: number };

/** An error as data. */
export interface PostedError {
  code: ErrorCode | null;
  message: string;
  subject?: string | undefined;
  found?: unknown;
  expected?: unknown;
  stack?: string | undefined;
}

/** An error as it is posted; what cannot be is told in words. */
export function postedError(error: unknown): PostedError {
  if (!(error instanceof TreadleError)) {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
    return { code: null, message, stack };
  }
  const { code, message, subject, found, expected, stack } = error;
  return { code, message, subject, found: plain(found), expected: plain(expected), stack };
}

function plain(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'number' || value === undefined
    ? value
    : inWords(value);
}

/** The error that was posted. */
export function receivedError({ code, message, subject, found, expected, stack }: PostedError): Error {
  const error =
    code === null
      ? new Error(message)
      : new TreadleError(code, message, {
          ...(subject !== undefined && { subject }),
          ...(found !== undefined && { found }),
          ...(expected !== undefined && { expected }),
        });
  if (stack !== undefined) error.stack = stack;
  return error;
}
