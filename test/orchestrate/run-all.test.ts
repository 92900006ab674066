import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runAll } from '../../dist/orchestrate/run-all.js';
import type { RunEvent } from '../../dist/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

/** Options of a run on made-up data, with all its folders inside `folder`. */
async function small(folder: string) {
  const data = join(folder, 'data');
  await writeIdxDataset(
    data,
    syntheticDataset({ classes: 4, height: 4, width: 5, train: 200, test: 40, seed: 3 }),
  );
  const architectures = [{ name: 'slim', hidden: [8] }];
  return {
    data,
    verify: false,
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
    settings: { architectures, learningRates: [0.01, 0.005], epochs: 2, batchSize: 16, validationSize: 40 },
  };
}

describe('runAll', () => {
  it('prints nothing and installs no signal handlers', async () => {
    const options = await small(await temporaryFolder());
    const prints = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    const listeners = () => ['SIGINT', 'SIGTERM'].map((name) => process.listenerCount(name));
    const before = listeners();
    let during: number[] = [];
    const onEvent = () => {
      during = listeners();
    };
    const { results, interrupted } = await runAll({ ...options, onEvent });
    const printed = prints.map((print) => print.mock.calls.length);
    for (const print of prints) print.mockRestore();
    expect(printed).toEqual([0, 0]);
    expect(during).toEqual(before);
    expect(interrupted).toBe(false);
    expect(results.models.every(({ test }) => test !== null)).toBe(true);
  });

  it('keeps the models of an aborted run that were finished', async () => {
    const options = await small(await temporaryFolder());
    const controller = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === 'test') controller.abort();
    };
    const { results, interrupted } = await runAll({ ...options, onEvent, signal: controller.signal });
    expect(interrupted).toBe(true);
    expect(results.models[0]!.test).not.toBeNull();
    expect(results.models.every(({ kept, error }) => kept !== null && error === undefined)).toBe(true);
  });

  it('rejects before it writes anything when it is aborted from the start', async () => {
    const folder = await temporaryFolder();
    const options = await small(folder);
    await failure('interrupted', () => runAll({ ...options, signal: AbortSignal.abort() }));
    expect(await readdir(folder)).toEqual(['data']);
  });

  it('uses the training samples asked for, and refuses more than there are', async () => {
    const options = await small(await temporaryFolder());
    const { results } = await runAll({ ...options, settings: { ...options.settings, trainSamples: 50 } });
    expect(results.dataset).toMatchObject({ trainSamples: 50, validationSamples: 40, testSamples: 40 });
    const settings = { ...options.settings, trainSamples: 161 };
    const error = await failure('range', () => runAll({ ...options, settings }));
    expect(error.message).toContain('161');
  });
});
