import { availableParallelism, homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type Command, Option } from 'commander';
import { LIMITS } from '../../experiment/limits.js';
import { openCore } from '../core.js';
import { EXIT } from '../errors.js';
import { addQueueOption, addStoreOptions, path, queueUrl, usageError, wholeNumber } from '../options.js';
import { goOnUnread } from '../output.js';
import { withSignals } from '../signals.js';

interface WorkerOptions {
  queue?: string;
  jobs: number;
  threads: number;
  cache: string;
  store?: string;
  storeLimit?: number;
  lock: number;
  metrics?: { host: string; port: number };
}

/** Adds `worker`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const cores = availableParallelism();
  const command = program
    .command('worker')
    .description('train models of the runs in a queue, until it is stopped');
  addQueueOption(command, '<url>')
    .addOption(
      new Option('--jobs <n>', 'models trained at once')
        .argParser(wholeNumber('--jobs', LIMITS.jobs))
        .default(1),
    )
    .addOption(
      new Option('--threads <n>', 'threads of all of them together')
        .argParser(wholeNumber('--threads', LIMITS.threads))
        .default(cores, `${cores}, this machine's cores`),
    )
    .addOption(
      new Option('--cache <dir>', 'folder for data and for checkpoints under way')
        .argParser(path('--cache', 'folder'))
        .default(defaultCache(), "the user's cache"),
    );
  addStoreOptions(command)
    .addOption(
      new Option('--lock <seconds>', 'time without a sign of life after which its models go to other workers')
        .argParser(wholeNumber('--lock', [1, 3600]))
        .default(30),
    )
    .addOption(
      new Option(
        '--metrics <port>',
        'serve figures for Prometheus at [HOST:]PORT, by default to this machine alone',
      ).argParser(hostAndPort),
    )
    .addHelpText('after', '\nExample:\n  treadle worker --queue redis://queue.example:6379 --jobs 2')
    .action(async (options: WorkerOptions) => {
      await work(options);
      end(EXIT.done);
    });
}

async function work({
  queue,
  jobs,
  threads,
  cache,
  store,
  storeLimit,
  lock,
  metrics,
}: WorkerOptions): Promise<void> {
  const url = queueUrl(queue);
  const { workQueue } = await import('../../queue/worker.js');
  const { serveMetrics, workerText } = await import('../../queue/prometheus.js');
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  goOnUnread();
  let figures = '';
  const server = metrics === undefined ? null : await serveMetrics(metrics.host, metrics.port, () => figures);
  try {
    await withSignals(
      (signal) =>
        workQueue({
          url,
          jobs,
          threads,
          cache,
          store,
          storeLimit: storeLimit === undefined ? undefined : storeLimit * 2 ** 20,
          lockMs: lock * 1000,
          log,
          signal,
          openCore,
          onState: (state) => {
            figures = workerText(state);
          },
        }),
      { stopping: () => log('Stopping after this step; the models go back to the queue.') },
    );
  } finally {
    server?.close();
  }
}

function defaultCache(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'treadle', 'queue');
}

/** `9100`, or `0.0.0.0:9100`. Throws `usage` for anything else. */
function hostAndPort(text: string): { host: string; port: number } {
  const [, host = '127.0.0.1', port] = /^(?:([\w.-]+|\[[\da-f:]+\]):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535 || Number(port) === 0)
    throw usageError('--metrics', text, 'a port, or HOST:PORT,');
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
