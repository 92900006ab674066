import type { Command } from 'commander';
import type { AskOptions, QueueStatus } from '../../queue/status.js';
import { addJsonOption, addQueueOption, addStoreOptions, queueUrl } from '../options.js';
import { plainTable } from '../table.js';

interface QueueOptions {
  queue?: string;
  store?: string;
  json: boolean;
  prometheus?: boolean;
  undo?: boolean;
}

/** Adds `queue status`, `queue drain` and `queue cancel`. */
export function add(program: Command): void {
  const queue = program.command('queue').description('show or steer the runs in a queue');
  const status = queue.command('status [run]').description('show what is in the queue, and who works at it');
  addQueueOption(status, '<url>').option('--prometheus', 'print the figures for Prometheus instead', false);
  addJsonOption(status, 'the figures').action(async (run: string | undefined, options: QueueOptions) => {
    const { queueStatus } = await import('../../queue/status.js');
    const { prometheusText } = await import('../../queue/prometheus.js');
    const found = await queueStatus(ask(options), run);
    if (options.prometheus) process.stdout.write(prometheusText(found));
    else process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : statusText(found));
  });
  const drain = queue
    .command('drain <run>')
    .description('let the workers finish what they train of a run, and begin no more of it');
  addQueueOption(drain, '<url>').option('--undo', 'let them begin again', false);
  addJsonOption(drain, 'what was done').action(async (run: string, options: QueueOptions) => {
    const { drainRun } = await import('../../queue/status.js');
    await drainRun(ask(options), run, !options.undo);
    tell(options, run, options.undo ? 'resumed' : 'drained');
  });
  const cancel = queue
    .command('cancel <run>')
    .description('end a run in the queue: its jobs, checkpoints and results there are removed');
  addStoreOptions(addQueueOption(cancel, '<url>'));
  addJsonOption(cancel, 'what was done').action(async (run: string, options: QueueOptions) => {
    const { cancelRun } = await import('../../queue/status.js');
    await cancelRun(ask(options), run);
    tell(options, run, 'cancelled');
  });
}

function ask({ queue, store }: QueueOptions): AskOptions {
  return { url: queueUrl(queue), store, log: (line) => void process.stderr.write(`${line}\n`) };
}

function tell({ json }: QueueOptions, run: string, done: string): void {
  process.stdout.write(json ? `${JSON.stringify({ run, done })}\n` : `Run ${run} is ${done}.\n`);
}

function statusText({ runs, workers }: QueueStatus): string {
  const runRows = runs.map((run) => [
    run.run + (run.drained ? ' (drained)' : ''),
    run.build,
    ...[run.waiting, run.chained, run.active, run.completed, run.failed].map(String),
  ]);
  const workerRows = workers.map(({ worker, running, jobs, threads, samplesPerSecond }) => [
    worker,
    running.map(({ job }) => job).join(', ') || 'idle',
    `${running.length} of ${jobs}`,
    String(threads),
    samplesPerSecond.toFixed(0),
  ]);
  const refusals = runs.flatMap((run) => run.refusals);
  return [
    runs.length === 0
      ? 'The queue has no run.'
      : plainTable(['run', 'build', 'waiting', 'chained', 'active', 'done', 'failed'], runRows, 2),
    '',
    workers.length === 0
      ? 'No worker is there.'
      : plainTable(['worker', 'trains', 'jobs', 'threads', 'samples/s'], workerRows, 2),
    ...(refusals.length === 0 ? [] : ['', ...refusals]),
    '',
  ].join('\n');
}
