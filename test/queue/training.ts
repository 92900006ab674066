import { createHash } from 'node:crypto';
import { loadCore, type TreadleError } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import type { Executor, ExecutorContext, JobListener } from '../../dist/experiment/executor.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { threadExecutor } from '../../dist/experiment/pool.js';
import { prepareData } from '../../dist/experiment/prepare.js';
import { coreDigest } from '../../dist/node/run-folders.js';
import { queueExecutor } from '../../dist/queue/executor.js';
import type { Job, RunConfig, RunEvent, TrainedModel } from '../../dist/results/records.js';
import { runOptions } from './runs.js';

/** A run's jobs without its folders and report. */
export interface Training {
  context: ExecutorContext;
  jobs: Job[];
}

let count = 0;

/** The jobs of a run of made-up data in a folder. */
export async function training(folder: string, settings: object = {}): Promise<Training> {
  const options = await runOptions(folder, settings);
  const config = resolveConfig(options.settings as Partial<RunConfig>);
  const core = await loadCore({ build: 'strict' });
  const data = await prepareData({ data: options.data, verify: false }, config);
  const { hash, name } = data.record;
  const record = {
    ...{ schema: 2 as const, build: core.build, core: await coreDigest(core.build), dataset: { name, hash } },
    ...{ data: null, verify: false, weights: 'weights', from: null, replaceable: [], finished: false },
  };
  const id = `20260101T000000Z-${process.pid}-${count++}`;
  const context = { id, config, record, core, data, starts: new Map() };
  return { context, jobs: planJobs(config, data.shape, core.build) };
}

/** How jobs ended, and what was heard of them. */
export interface Heard {
  events: RunEvent[];
  trained: Map<string, TrainedModel>;
  failed: Map<string, TreadleError>;
  order: string[];
}

/** Trains by an executor and collects what it tells. */
export async function trained(
  executor: Executor,
  jobs: readonly Job[],
  { signal, onEvent }: { signal?: AbortSignal; onEvent?: (event: RunEvent) => void } = {},
): Promise<Heard> {
  const heard: Heard = { events: [], trained: new Map(), failed: new Map(), order: [] };
  const listener: JobListener = {
    onEvent(event) {
      heard.events.push(event);
      onEvent?.(event);
    },
    onTrained(job, model) {
      heard.trained.set(job.id, model);
      heard.order.push(job.id);
    },
    onFailed(job, error) {
      heard.failed.set(job.id, error);
      heard.order.push(job.id);
    },
  };
  await executor.train(jobs, listener, signal);
  return heard;
}

/** Trains in threads of this process. */
export function locally({ context, jobs }: Training): Promise<Heard> {
  const { core, data } = context;
  const limits = { jobs: 2, threads: 2, helpers: core.build.endsWith('-mt') };
  return trained(threadExecutor({ core, data: data.train, split: data.split, limits }), jobs);
}

/** The executor of a training by way of a queue. */
export function byQueue(
  url: string,
  { context }: Training,
  options: { store?: string; patienceMs?: number; log?: (line: string) => void } = {},
): Executor {
  return queueExecutor({ url, patienceMs: 20_000, ...options })(context);
}

/** Weights and figures of each job in one digest, without times. */
export function digests({ trained }: Heard): Record<string, string> {
  return Object.fromEntries(
    [...trained].sort().map(([id, { epochs, kept, weights, last }]) => {
      const hash = createHash('sha256');
      hash.update(JSON.stringify([epochs.map((epoch) => ({ ...epoch, seconds: 0 })), kept]));
      for (const { tensors, batchesTracked } of [weights, last]) {
        hash.update(String(batchesTracked));
        for (const [key, values] of tensors) hash.update(key).update(new Uint8Array(values.buffer));
      }
      return [id, hash.digest('hex')];
    }),
  );
}

/** Resolves when a condition holds, which is asked again and again. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
