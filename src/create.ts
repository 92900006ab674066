import { expectKeys, type HelperTicket, type ModelSpec, problem } from '#bindings';
import { createHere, loadHere, MODEL_KEYS, type ModelOptions } from './model/create.js';
import type { Model } from './model/model.js';
import type { Helper } from './threads/helpers.js';
import { startThread } from './threads/start.js';
import { ModelWorker, type WorkerModel, type WorkerOptions } from './worker/client.js';

/** Options of a model that lives in a worker: one of its own (`true`), which ends with it, or one that serves many. */
export interface InWorker {
  worker: true | ModelWorker;
}

type Options = ModelOptions & { worker?: boolean | ModelWorker };

/**
 * A model with fresh weights: in this thread or, with `worker`, in another, whose answers come as promises. Rejects with
 * `usage` or `range` for a spec that is not a model or cannot be run, `engine` and `not-found` as loadCore.
 *
 * @example const model = await createModel(mlp({ inputs: 4, hidden: [32], outputs: 3 }), { seed: 0 });
 * @example const model = await createModel(spec, { worker: true, threads: 'auto' });
 */
export function createModel(spec: ModelSpec, options: ModelOptions & InWorker): Promise<WorkerModel>;
export function createModel(spec: ModelSpec, options?: ModelOptions & { worker?: false }): Promise<Model>;
export async function createModel(spec: ModelSpec, options: Options = {}): Promise<Model | WorkerModel> {
  return place(
    options,
    (here) => createHere(spec, here, startHelper),
    (worker, there) => worker.createModel(spec, there),
  );
}

/**
 * The model in the bytes of `model.save()`, in this thread or in a worker. Rejects with `format`, `shape` or `range` for
 * bytes that are none, `usage` or `range` for options that cannot be used.
 *
 * @example const model = await loadModel(await (await fetch('flowers.safetensors')).arrayBuffer());
 */
export function loadModel(
  bytes: Uint8Array | ArrayBuffer,
  options: ModelOptions & InWorker,
): Promise<WorkerModel>;
export function loadModel(
  bytes: Uint8Array | ArrayBuffer,
  options?: ModelOptions & { worker?: false },
): Promise<Model>;
export async function loadModel(
  bytes: Uint8Array | ArrayBuffer,
  options: Options = {},
): Promise<Model | WorkerModel> {
  return place(
    options,
    (here) => loadHere(bytes, here, startHelper),
    (worker, there) => worker.loadModel(bytes, there),
  );
}

/**
 * A worker that holds and trains many models, for `worker` of createModel and loadModel. Throws `usage` for options that
 * are none, `worker` where it cannot be started.
 *
 * @example
 * const worker = openWorker();
 * const held = await worker.hold({ x, y });
 * const model = await createModel(spec, { worker });
 * await model.fit(held);
 */
export function openWorker(options: WorkerOptions = {}): ModelWorker {
  expectKeys('options', options, ['start']);
  if (options.start !== undefined && typeof options.start !== 'function') {
    throw problem('usage', { subject: 'start', found: options.start, expected: 'a function' });
  }
  return new ModelWorker(options);
}

async function place(
  options: Options,
  here: (options: ModelOptions) => Promise<Model>,
  there: (worker: ModelWorker, options: ModelOptions) => Promise<WorkerModel>,
): Promise<Model | WorkerModel> {
  expectKeys('options', options, [...MODEL_KEYS, 'worker']);
  const { worker = false, ...rest } = options;
  if (worker === false) return here(rest);
  if (worker instanceof ModelWorker) return there(worker, rest);
  if (worker !== true) {
    throw problem('usage', {
      subject: 'worker',
      found: worker,
      expected: 'true, false or what openWorker gave',
    });
  }
  const own = new ModelWorker();
  try {
    return (await there(own, rest)).own();
  } catch (error) {
    own.dispose();
    throw error;
  }
}

function startHelper(ticket: HelperTicket): Helper {
  const thread = startThread();
  thread.post({ role: 'help', ticket });
  return thread;
}
