import { problem, TreadleError } from '#bindings';
import type { BrowserWorker } from './browser-worker.js';
import { type Alive, ENDED } from './own.js';
import { startNodeWorker, startWebWorker } from './workers.js';

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

const NOT_LOADED =
  'its script could not be loaded (a bundler that copies no workers has to be given openWorker({ start }); on an isolated page it needs the same headers)';

/**
 * Starts a thread of the package's own entry (`treadle/worker`), which its first message tells what to do. `own` starts a
 * browser's worker of another address. Throws `worker` where the entry has no address that can be started.
 */
export function startThread(own?: () => BrowserWorker): ThreadPort {
  try {
    if (own !== undefined) return browserPort(own());
    const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
    return node === undefined ? browserPort(startWebWorker()) : nodePort(startNodeWorker(node));
  } catch (cause) {
    if (cause instanceof TreadleError) throw cause;
    // A bundle without an address of its own, or a page of another origin than the library's.
    throw problem('worker', {
      subject: 'The worker',
      found: 'not started',
      because: (cause as Error).message,
      expected: "its script beside the library's own, or openWorker({ start }),",
      cause,
    });
  }
}

function nodePort(worker: ReturnType<typeof startNodeWorker>): ThreadPort {
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

function browserPort(worker: BrowserWorker): ThreadPort {
  let hears: (message: unknown) => void = () => {};
  let ends: () => void = () => {};
  let dies: (reason: string) => void = () => {};
  const watch = new AbortController();
  const end = new Promise<void>((resolve) => {
    ends = resolve;
  });
  worker.onmessage = ({ data }) => {
    if (data === ENDED) {
      watch.abort();
      ends();
    } else if (isAlive(data)) {
      onReleased(data.treadleAlive, watch.signal, () => dies('the browser has ended it'));
    } else {
      hears(data);
    }
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: (callback) => {
      hears = callback;
    },
    onDeath: (callback) => {
      dies = callback;
      worker.onerror = (event) => {
        event.preventDefault?.();
        callback(event.message ?? NOT_LOADED);
      };
    },
    keepAlive: () => {},
    ended: () => end,
    terminate: () => {
      watch.abort();
      worker.terminate();
    },
  };
}

const isAlive = (data: unknown): data is Alive =>
  typeof data === 'object' && data !== null && 'treadleAlive' in data;

/** Calls back when a lock that a worker holds is free. */
function onReleased(name: string, signal: AbortSignal, callback: () => void): void {
  globalThis.navigator?.locks?.request(name, { signal }, callback).catch(() => {});
}
