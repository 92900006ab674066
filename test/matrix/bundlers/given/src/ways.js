import { loadCore, openWorker } from './treadle.js';

const core = await loadCore({ wasm: globalThis.crossOriginIsolated ? 'simd-mt.wasm' : 'simd.wasm' });
const worker = openWorker({ start: () => new Worker('worker.js', { type: 'module' }) });

/** Options of createModel for each way to train in a page, with the core and the worker's script given. */
export const WAYS = {
  page: () => ({ core }),
  worker: () => ({ core, worker }),
  threads: () => ({ core, worker, threads: 2 }),
};
