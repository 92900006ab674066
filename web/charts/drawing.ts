import type { ChartsOf, ChartsRequest, DrawnChart } from './messages.ts';

let worker: Worker | null = null;
let next = 1;
const waiting = new Map<number, (charts: readonly DrawnChart[]) => void>();

/** Draws charts in a worker, which is started, and its library fetched, when the first are asked for. */
export function drawCharts(prefix: string, of: ChartsOf): Promise<readonly DrawnChart[]> {
  if (worker === null) {
    worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'charts' });
    worker.onmessage = ({ data }: MessageEvent<{ id: number; charts: readonly DrawnChart[] }>) => {
      waiting.get(data.id)?.(data.charts);
      waiting.delete(data.id);
    };
  }
  const id = next++;
  const request: ChartsRequest = { id, prefix, of };
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker!.postMessage(request);
  });
}
