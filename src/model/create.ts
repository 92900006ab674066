import {
  type Core,
  checkModel,
  expectWhole,
  inWords,
  isCore,
  loadCore,
  lowerModel,
  type ModelSpec,
  problem,
} from '#bindings';
import { decodeModel } from '../formats/model-bytes.js';
import { checkThreads, processors, type StartHelper, threadsProblem } from '../threads/helpers.js';
import { Model } from './model.js';
import type { Threads } from './set-up.js';

/** Where a model runs. */
export interface ModelOptions {
  /** Draws the initial weights, the masks and the order of samples; a whole number from 0 up. Default: 0. */
  seed?: number;
  /**
   * Threads that train it: 1 (the default) to 64, or `auto`: as many as there are processors where the model is wide
   * enough for them, and one where there can be no more. They need Node or a page that is cross-origin isolated, and there
   * `worker`. They change no byte.
   */
  threads?: number | 'auto';
  /** A loaded core. Default: one that all models share, loaded when it is first needed. */
  core?: Core;
  /** Called once with a sentence where `auto` can have no more than one thread. */
  onWarning?: (sentence: string) => void;
}

export const MODEL_KEYS: readonly (keyof ModelOptions)[] = ['seed', 'threads', 'core', 'onWarning'];

const MOST_THREADS = 64;
/** More take longer to wait for each other than they save, in networks that fit in memory. */
const MOST_BY_THEMSELVES = 8;

/** Throws `usage` or `range` for options that are none, before anything is loaded. */
export function checkModelOptions(options: ModelOptions): void {
  const { seed = 0, threads = 1, core, onWarning } = options;
  if (threads !== 'auto') {
    if (typeof threads === 'string') {
      const expected = `'auto' or a whole number from 1 to ${MOST_THREADS}`;
      throw problem('usage', { subject: 'threads', found: `'${threads}'`, expected });
    }
    expectWhole('threads', threads, 1, MOST_THREADS);
  }
  expectWhole('seed', seed, 0);
  if (core !== undefined && !isCore(core)) {
    throw problem('usage', { subject: 'core', found: core, expected: 'what loadCore gave' });
  }
  if (onWarning !== undefined && typeof onWarning !== 'function') {
    throw problem('usage', { subject: 'onWarning', found: inWords(onWarning), expected: 'a function' });
  }
}

/** The threads of a model, where `auto` is decided. Throws `usage` for more than the core can have here. */
export function threadsOf(
  { threads = 1, onWarning }: ModelOptions,
  core: Core,
  reason = threadsProblem(core),
): Threads {
  if (threads !== 'auto') return threads;
  if (reason === null) return { most: Math.min(processors(), MOST_BY_THEMSELVES) };
  onWarning?.(`The model trains with one thread: ${reason.because}; ${reason.expected} is expected.`);
  return 1;
}

/** A model with fresh weights, in this thread. Rejects as `createModel`. */
export async function createHere(
  spec: ModelSpec,
  options: ModelOptions,
  startHelper: StartHelper,
): Promise<Model> {
  checkModelOptions(options);
  lowerModel(checkModel(spec));
  const core = options.core ?? (await loadCore());
  const threads = threadsOf(options, core);
  if (typeof threads === 'number') checkThreads(core, threads);
  const { seed = 0 } = options;
  return new Model({ core, spec: plainSpec(spec), seed, threads, startHelper, tensors: null, loss: null });
}

/** The model in a file's bytes, in this thread. Rejects as `loadModel`. */
export async function loadHere(
  bytes: Uint8Array | ArrayBuffer,
  options: ModelOptions,
  startHelper: StartHelper,
): Promise<Model> {
  checkModelOptions(options);
  const { spec, tensors, loss } = decodeModel(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
  const core = options.core ?? (await loadCore());
  const threads = threadsOf(options, core);
  if (typeof threads === 'number') checkThreads(core, threads);
  const { seed = 0 } = options;
  return new Model({ core, spec, seed, threads, startHelper, tensors, loss });
}

/** A copy, which structuredClone would not make of the proxies that user-interface libraries hand over. */
export function plainSpec(spec: ModelSpec): ModelSpec {
  return JSON.parse(JSON.stringify(spec));
}
