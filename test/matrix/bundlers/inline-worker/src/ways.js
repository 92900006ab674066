import { openWorker } from './treadle.js';

const worker = openWorker({ start: () => new Worker('worker.js', { type: 'module' }) });

/** Options of createModel for each way to train in a page, with the worker's script given. */
export const WAYS = {
  page: () => ({}),
  worker: () => ({ worker }),
};
