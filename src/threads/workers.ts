import type { BrowserWorker } from './browser-worker.js';

type Threads = ReturnType<typeof process.getBuiltinModule<'node:worker_threads'>>;

/** Starts a worker of a browser with the package's own entry (`treadle/worker`). */
export function startWebWorker(): BrowserWorker {
  // Bundlers look for exactly this form, `Worker` being the global one.
  return new Worker(new URL('../worker/entry.js', import.meta.url), { type: 'module' });
}

/** Starts a thread of Node with it. It takes none of the program's own flags, which may not suit a worker. */
export function startNodeWorker({ Worker }: Threads): InstanceType<Threads['Worker']> {
  return new Worker(new URL('../worker/entry.js', import.meta.url), { execArgv: [] });
}
