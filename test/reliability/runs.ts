import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseResults } from '../../dist/results/results.js';

/** The only run's folder below `folder/runs`. */
export async function onlyRun(folder: string): Promise<string> {
  const [id, ...others] = await readdir(join(folder, 'runs'));
  expect(others).toEqual([]);
  return join(folder, 'runs', id!);
}

/**
 * All that a finished run below `folder` left that must not depend on how often it was stopped: SHA-256 of every
 * weights file and chart, and the results without times, jobs and threads.
 */
export async function outcomeOf(folder: string): Promise<Record<string, unknown>> {
  const run = await onlyRun(folder);
  expect((await readdir(run)).sort()).toEqual([
    'config.json',
    'epochs.csv',
    'figures',
    'report.html',
    'results.json',
    'run.json',
  ]);
  const digests: Record<string, unknown> = {};
  for (const place of [join(folder, 'weights'), join(run, 'figures')]) {
    for (const name of (await readdir(place)).sort()) {
      digests[name] = createHash('sha256')
        .update(await readFile(join(place, name)))
        .digest('hex');
    }
  }
  const file = join(run, 'results.json');
  const results = parseResults(await readFile(file, 'utf8'), file);
  const { jobs, threads, ...config } = results.config;
  const models = results.models.map((model) => ({
    ...model,
    epochs: model.epochs.map(({ seconds, ...figures }) => figures),
  }));
  return { ...digests, config, models, best: results.best };
}
