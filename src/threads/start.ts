import { ENDED } from './own.js';

/** A thread as the one that started it sees it, whichever engine runs it. */
export interface ThreadPort {
  /** Posts a message; what is in `transfer` moves instead of being copied. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(callback: (message: unknown) => void): void;
  /** Calls back once, when the thread has failed or ended before it was told to. */
  onDeath(callback: (reason: string) => void): void;
  /** Whether Node stays alive for this thread; it does until it is told otherwise. */
  keepAlive(isKept: boolean): void;
  /** Resolves when the thread has ended by itself, its work done. */
  ended(): Promise<void>;
  terminate(): void;
}

/** A worker of a browser, as far as it is used here. */
export interface BrowserWorker {
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  terminate(): void;
}

/**
 * Starts a thread of the package's own entry (`treadle/worker`), which its first message tells what to do. `own` starts a
 * browser's worker of another address.
 */
export function startThread(own?: () => BrowserWorker): ThreadPort {
  if (own !== undefined) return browserPort(own());
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  return node === undefined ? browserPort(startInBrowser()) : nodePort(node);
}

function nodePort({
  Worker,
}: NonNullable<ReturnType<typeof process.getBuiltinModule<'node:worker_threads'>>>): ThreadPort {
  const worker = new Worker(new URL('../worker/entry.js', import.meta.url), { execArgv: [] });
  let dies: (reason: string) => void = () => {};
  worker.on('error', (error) => dies(error.message));
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      if (code !== 0) dies(`it ended with exit code ${code}`);
      resolve();
    });
  });
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    onMessage: (callback) => worker.on('message', callback),
    onDeath: (callback) => {
      dies = callback;
    },
    keepAlive: (isKept) => (isKept ? worker.ref() : worker.unref()),
    ended: () => exit,
    terminate: () => void worker.terminate(),
  };
}

function startInBrowser(): BrowserWorker {
  const { Worker } = globalThis as unknown as {
    Worker: new (url: URL, options: { type: 'module' }) => BrowserWorker;
  };
  // Bundlers look for exactly this form.
  return new Worker(new URL('../worker/entry.js', import.meta.url), { type: 'module' });
}

function browserPort(worker: BrowserWorker): ThreadPort {
  let hears: (message: unknown) => void = () => {};
  let ends: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ends = resolve;
  });
  worker.onmessage = ({ data }) => (data === ENDED ? ends() : hears(data));
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: (callback) => {
      hears = callback;
    },
    onDeath: (callback) => {
      worker.onerror = (event) => {
        event.preventDefault?.();
        callback(event.message ?? 'its script could not be loaded');
      };
    },
    keepAlive: () => {},
    ended: () => end,
    terminate: () => worker.terminate(),
  };
}
