import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { TreadleError } from '../../dist/bindings/index.js';
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

  it('tells what it is about to do, and leaves neither lock nor checkpoint nor half a file when it is done', async () => {
    const options = await small(await temporaryFolder());
    const events: RunEvent[] = [];
    const { folder, resumable } = await runAll({ ...options, onEvent: (event) => events.push(event) });
    // Dense 20 -> 8 with BatchNorm, Dense 8 -> 4: 168 + 16 + 36 parameters.
    expect(events[0]).toMatchObject({ type: 'run', models: 2, parameters: { slim: 220 }, resumed: false });
    expect(resumable).toBe(false);
    const left = await Promise.all([options.weights, options.out, folder].map((path) => readdir(path)));
    expect(left.flat().filter((name) => /lock|tmp|checkpoint/.test(name))).toEqual([]);
  });

  it('removes what a killed run left of weights it was writing', async () => {
    const options = await small(await temporaryFolder());
    await runAll(options);
    const half = 'slim_weights_0.01.safetensors.4711.0123456789ab.tmp';
    await writeFile(join(options.weights, half), 'half');
    await runAll(options);
    expect(await readdir(options.weights)).not.toContain(half);
  });

  it('is refused while another run has the weights folder, and does not disturb that one', async () => {
    const options = await small(await temporaryFolder());
    const refused: Promise<TreadleError>[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === 'start') refused.push(failure('locked', () => runAll(options)));
    };
    const { results } = await runAll({ ...options, onEvent });
    expect(refused.length).toBeGreaterThan(0);
    for (const { message } of await Promise.all(refused)) {
      expect(message).toContain(`Folder ${options.weights} is in use by process ${process.pid} since`);
    }
    expect(results.models.every(({ test }) => test !== null)).toBe(true);
    expect(await readdir(options.out)).toHaveLength(1);
    await runAll(options);
  });

  it('frees its folders when it is refused or aborted', async () => {
    const options = await small(await temporaryFolder());
    await failure('not-found', () => runAll({ ...options, data: join(options.data, 'none') }));
    const controller = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === 'start') controller.abort();
    };
    const { interrupted, folder } = await runAll({ ...options, onEvent, signal: controller.signal });
    expect(interrupted).toBe(true);
    const left = await Promise.all([options.weights, folder].map((path) => readdir(path)));
    expect(left.flat().filter((name) => /lock|tmp/.test(name))).toEqual([]);
    await runAll(options);
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
