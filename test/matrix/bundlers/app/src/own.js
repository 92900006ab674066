/** Trains in a worker of the page's own, which uses the library itself. */
export function trainInOwnWorker(options) {
  const worker = new Worker(new URL('./own-worker.js', import.meta.url), { type: 'module' });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve(message ?? 'the worker could not be loaded');
    worker.postMessage(options);
  });
}
