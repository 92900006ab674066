/** What a worker of a browser posts when it ends by itself, which nothing else tells. */
export const ENDED = 'treadle: ended';

/**
 * What a worker of a browser posts first: the name of a lock that it holds for as long as it lives. The one that started it
 * waits for that lock, and so learns when the worker is gone, which nothing else tells: a browser that ends a worker (for
 * want of memory, say) posts no event.
 */
export interface Alive {
  treadleAlive: string;
}

/** What a thread has of the one that started it, in Node and in browsers. */
export interface OwnPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(callback: (message: unknown) => void): void;
  /** Ends this thread. */
  close(): void;
}

/** What a worker of a browser has. */
interface WorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  close(): void;
}

/** The port of this thread, which is a worker. */
export function ownPort(): OwnPort {
  const parent = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
  if (parent) {
    return {
      post: (message, transfer = []) => parent.postMessage(message, transfer),
      onMessage: (callback) => void parent.on('message', callback),
      // Nothing is left to wait for, and so the thread ends. Deno's port has no close().
      close: () => parent.unref(),
    };
  }
  const scope = globalThis as unknown as WorkerScope;
  holdLock((alive) => scope.postMessage(alive, []));
  return {
    post: (message, transfer = []) => scope.postMessage(message, [...transfer]),
    onMessage: (callback) => {
      scope.onmessage = ({ data }) => callback(data);
    },
    close: () => {
      scope.postMessage(ENDED, []);
      scope.close();
    },
  };
}

/** Holds a lock until this worker is gone, and tells of it; not where the engine has no locks. */
function holdLock(tell: (alive: Alive) => void): void {
  const { locks } = globalThis.navigator ?? {};
  // Pages without a secure context have neither locks nor randomUUID, and those without an origin may not use them.
  if (locks === undefined) return;
  const name = `treadle ${crypto.randomUUID()}`;
  const hold = () => {
    tell({ treadleAlive: name });
    return new Promise<never>(() => {});
  };
  locks.request(name, hold).catch(() => {});
}
