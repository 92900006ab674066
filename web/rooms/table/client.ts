import type { Answer, Call, TableService } from './messages.ts';

/** The room's worker as it is called from the page; errors are the library's sentences. */
export type TableClient = TableService & { dispose(): void };

/** Starts it. */
export function startTables(): TableClient {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tables' });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let next = 1;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const caller = waiting.get(data.id);
    waiting.delete(data.id);
    if ('problem' in data) caller?.reject(new Error(data.problem));
    else caller?.resolve(data.value);
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(`The table's worker has died: ${message}.`));
    waiting.clear();
  };
  const call =
    (method: Call['method']) =>
    (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, method, args } satisfies Call);
      });
  return {
    read: call('read') as TableService['read'],
    ready: call('ready') as TableService['ready'],
    complete: call('complete') as TableService['complete'],
    exported: call('exported') as TableService['exported'],
    judge: call('judge') as TableService['judge'],
    say: call('say') as TableService['say'],
    predictions: call('predictions') as TableService['predictions'],
    dispose: () => worker.terminate(),
  };
}
