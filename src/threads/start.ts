import type { HelperTicket } from '#bindings';

/** A started thread, whichever engine runs it. */
export interface ThreadPort {
  /** Calls back once, when the thread has failed or ended before it was told to. */
  onDeath(callback: (reason: string) => void): void;
  /** Resolves when the thread has ended by itself; browsers do not tell, and there it resolves at once. */
  ended(): Promise<void>;
  terminate(): void;
}

/** Starts a thread that helps the network of a ticket, until that is disposed of. */
export function startHelper(ticket: HelperTicket): ThreadPort {
  const node = nodeThreads();
  return node === undefined ? startInBrowser(ticket) : startInNode(node, ticket);
}

/** Node's threads; undefined elsewhere. Not imported, so that bundlers for browsers find nothing of Node here. */
function nodeThreads() {
  return globalThis.process?.getBuiltinModule?.('node:worker_threads');
}

function startInNode(
  { Worker }: NonNullable<ReturnType<typeof nodeThreads>>,
  ticket: HelperTicket,
): ThreadPort {
  const worker = new Worker(new URL('./help.js', import.meta.url), { workerData: ticket, execArgv: [] });
  let dies: (reason: string) => void = () => {};
  worker.on('error', (error) => dies(error.message));
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      if (code !== 0) dies(`it ended with exit code ${code}`);
      resolve();
    });
  });
  return {
    onDeath: (callback) => {
      dies = callback;
    },
    ended: () => exit,
    terminate: () => void worker.terminate(),
  };
}

/** A worker of a page, as far as it is needed here. */
interface BrowserWorker {
  onerror: ((event: { message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

function startInBrowser(ticket: HelperTicket): ThreadPort {
  const { Worker } = globalThis as unknown as {
    Worker: new (url: URL, options: { type: 'module' }) => BrowserWorker;
  };
  // Bundlers look for exactly this form.
  const worker = new Worker(new URL('./help.js', import.meta.url), { type: 'module' });
  worker.postMessage(ticket);
  return {
    onDeath: (callback) => {
      worker.onerror = ({ message }) => callback(message ?? 'it could not be started');
    },
    ended: () => Promise.resolve(),
    terminate: () => worker.terminate(),
  };
}
