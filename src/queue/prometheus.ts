import { createServer, type Server } from 'node:http';
import { TreadleError } from '#bindings';
import { reasonOf } from '../node/files.js';
import type { WorkerRecord } from './records.js';
import type { QueueStatus } from './status.js';

/** A figure for Prometheus: name, help, and its values by their labels. */
interface Metric {
  name: string;
  help: string;
  values: { labels: Record<string, string>; value: number }[];
}

/** Workers and the depth of the queue in Prometheus' text format. */
export function prometheusText({ runs, workers }: QueueStatus): string {
  const states = ['waiting', 'chained', 'active', 'completed', 'failed'] as const;
  const depth: Metric = {
    name: 'treadle_queue_jobs',
    help: 'Jobs of a run by their state.',
    values: runs.flatMap((run) =>
      states.map((state) => ({ labels: { run: run.run, state }, value: run[state] })),
    ),
  };
  return [depth, ...workerMetrics(workers)].map(textOf).join('');
}

/** One worker's own figures. */
export function workerText(worker: WorkerRecord): string {
  return workerMetrics([worker]).map(textOf).join('');
}

function workerMetrics(workers: readonly WorkerRecord[]): Metric[] {
  const of = (name: string, help: string, value: (worker: WorkerRecord) => number): Metric => ({
    name,
    help,
    values: workers.map((worker) => ({ labels: { worker: worker.worker }, value: value(worker) })),
  });
  return [
    of(
      'treadle_worker_samples_per_second',
      'Samples that a worker trains in a second.',
      (w) => w.samplesPerSecond,
    ),
    of('treadle_worker_jobs', 'Jobs that a worker trains.', ({ running }) => running.length),
    of('treadle_worker_slots', 'Jobs that a worker trains at most.', ({ jobs }) => jobs),
  ];
}

function textOf({ name, help, values }: Metric): string {
  if (values.length === 0) return '';
  const lines = values.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines, ''].join('\n');
}

/** A label's value as Prometheus reads it. */
function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Serves a worker's figures at `/metrics`. Throws `usage` where the port is taken. */
export async function serveMetrics(host: string, port: number, text: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new TreadleError(
          'usage',
          `--metrics is ${port}, which cannot be listened at: ${reasonOf(cause)}; a free port is expected.`,
          {
            subject: '--metrics',
            found: port,
            expected: 'a free port',
            cause,
          },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
  server.unref();
  return server;
}
