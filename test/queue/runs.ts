import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunAllOptions, type RunOutcome, runAll } from '../../dist/experiment/run-all.js';
import { queueExecutor } from '../../dist/queue/executor.js';
import { type WorkOptions, workQueue } from '../../dist/queue/worker.js';
import type { RunEvent } from '../../dist/results/records.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

/** Settings of a run of two short chains. */
export const SETTINGS = {
  architectures: [
    { name: 'slim', hidden: [8] },
    { name: 'wide', hidden: [12, 6] },
  ],
  learningRates: [0.01, 0.005],
  epochs: 2,
  batchSize: 16,
  validationSize: 40,
  build: 'strict',
};

/** Options of a run of made-up data, with all its folders inside `folder`. */
export async function runOptions(folder: string, settings: object = {}): Promise<RunAllOptions> {
  const data = join(folder, 'data');
  await writeIdxDataset(
    data,
    syntheticDataset({ classes: 4, height: 4, width: 5, train: 400, test: 40, seed: 3 }),
  );
  return {
    data,
    verify: false,
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
    settings: { ...SETTINGS, ...settings },
  };
}

/** Workers in this process, and how to stop them. */
export class Workers {
  readonly lines: string[] = [];
  readonly #stops: AbortController[] = [];
  readonly #ends: Promise<void>[] = [];

  /** Starts one with a cache of its own below the folder. */
  async add(url: string, folder: string, options: Partial<WorkOptions> = {}): Promise<AbortController> {
    const cache = join(folder, `cache-${this.#stops.length}`);
    await mkdir(cache, { recursive: true });
    const stop = new AbortController();
    this.#stops.push(stop);
    const work = workQueue({
      ...{ url, jobs: 1, threads: 1, cache, lockMs: 3000 },
      log: (line) => void this.lines.push(line),
      signal: stop.signal,
      ...options,
    });
    work.catch(() => {});
    this.#ends.push(work);
    return stop;
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    for (const stop of this.#stops) stop.abort();
    await Promise.allSettled(this.#ends);
  }
}

/** SHA-256 of every weights file by its name. */
export async function weightDigests(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => /\.(safetensors|pkl)$/.test(name)).sort();
  const digests: Record<string, string> = {};
  for (const name of names)
    digests[name] = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
  return digests;
}

/** What a run's results say, without times and places. */
export function figuresOf({ results }: RunOutcome) {
  const { models, best } = results;
  return {
    best,
    models: models.map(({ id, epochs, kept, test, error }) => ({
      id,
      epochs: epochs.map((epoch) => ({ ...epoch, seconds: 0 })),
      kept,
      test,
      error,
    })),
  };
}

/** Runs by way of a queue, and what was heard. */
export async function runByQueue(
  url: string,
  options: RunAllOptions,
  more: { store?: string; onEvent?: (event: RunEvent) => void; signal?: AbortSignal } = {},
): Promise<RunOutcome & { events: RunEvent[] }> {
  const events: RunEvent[] = [];
  const outcome = await runAll({
    ...options,
    ...(more.signal && { signal: more.signal }),
    executor: queueExecutor({ url, store: more.store, patienceMs: 20_000 }),
    onEvent(event) {
      events.push(event);
      more.onEvent?.(event);
    },
  });
  return { ...outcome, events };
}
