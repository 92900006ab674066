/** A worker of a browser, as far as it is used here. */
export interface BrowserWorker {
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  terminate(): void;
}

type Threads = ReturnType<typeof process.getBuiltinModule<'node:worker_threads'>>;

/** Starts a worker of a browser with the package's own entry (`treadle/worker`). */
export function startWebWorker(): BrowserWorker {
  // Bundlers look for exactly this form, `Worker` being the global one.
  return new Worker(new URL('../worker/entry.js', import.meta.url), { type: 'module' }) as BrowserWorker;
}

/** Starts a thread of Node with it. It takes none of the program's own flags, which may not suit a worker. */
export function startNodeWorker({ Worker }: Threads): InstanceType<Threads['Worker']> {
  return new Worker(new URL('../worker/entry.js', import.meta.url), { execArgv: [] });
}
