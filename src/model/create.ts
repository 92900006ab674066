import {
  type Core,
  checkModel,
  expectKeys,
  expectWhole,
  loadCore,
  lowerModel,
  type ModelSpec,
} from '#bindings';
import { decodeModel } from '../formats/model-bytes.js';
import { checkThreads } from '../threads/helpers.js';
import { Model } from './model.js';

/** Where a model runs. */
export interface ModelOptions {
  /** Draws the initial weights, the masks and the order of samples; a whole number from 0 up. Default: 0. */
  seed?: number;
  /**
   * Threads that train it, this one included: 1 (the default) to 64. More pay for wide networks, in Node, and in workers of
   * pages that are cross-origin isolated. They change no byte.
   */
  threads?: number;
  /** A loaded core. Default: one that all models share, loaded when it is first needed. */
  core?: Core;
}

let shared: Promise<Core> | undefined;

/** The core that models share, loaded once. */
function sharedCore(): Promise<Core> {
  shared ??= loadCore().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/**
 * A model with fresh weights. Rejects with `usage` or `range` for a spec that is not a model or cannot be run, `engine` and
 * `not-found` as loadCore.
 *
 * @example const model = await createModel(mlp({ inputs: 4, hidden: [32], outputs: 3 }), { seed: 0 });
 */
export async function createModel(spec: ModelSpec, options: ModelOptions = {}): Promise<Model> {
  expectKeys('options', options, ['seed', 'core', 'threads']);
  const { seed = 0, threads = 1 } = options;
  expectWhole('threads', threads, 1, 64);
  expectWhole('seed', seed, 0);
  lowerModel(checkModel(spec));
  const core = options.core ?? (await sharedCore());
  checkThreads(core, threads);
  // A copy, which structuredClone would not make of the proxies that user-interface libraries hand over.
  const copy: ModelSpec = JSON.parse(JSON.stringify(spec));
  return new Model({ core, spec: copy, seed, threads, tensors: null, loss: null });
}

/**
 * The model in the bytes of `model.save()`. Rejects with `format`, `shape` or `range` for bytes that are none, `usage` or
 * `range` for options that cannot be used.
 */
export async function loadModel(bytes: Uint8Array | ArrayBuffer, options: ModelOptions = {}): Promise<Model> {
  expectKeys('options', options, ['seed', 'core', 'threads']);
  const { seed = 0, threads = 1 } = options;
  expectWhole('threads', threads, 1, 64);
  expectWhole('seed', seed, 0);
  const { spec, tensors, loss } = decodeModel(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
  const core = options.core ?? (await sharedCore());
  checkThreads(core, threads);
  return new Model({ core, spec, seed, threads, tensors, loss });
}
