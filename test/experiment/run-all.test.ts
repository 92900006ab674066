import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { checkNetwork, loadCore, Network, type TreadleError } from '../../dist/bindings/host.js';
import { runAll } from '../../dist/experiment/run-all.js';
import { classifierModel } from '../../dist/model/classifier.js';
import type { RunEvent } from '../../dist/results/records.js';
import { parseResults } from '../../dist/results/results.js';
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
    report: false,
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
    settings: { architectures, learningRates: [0.01, 0.005], epochs: 2, batchSize: 16, validationSize: 40 },
  };
}

/** A network that trains on 200 samples in such batches. */
const trainingOf = (batchSize: number) =>
  ({
    batchSize,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: 200 }],
  }) as const;

describe('a run of several passes', () => {
  const seconds = (epochs: readonly object[]) => epochs.map((epoch) => ({ ...epoch, seconds: 0 }));

  it('begins with the chain of a run of one, and goes on from its last weights', async () => {
    const once = await small(await temporaryFolder());
    const one = await runAll(once);
    const twice = await small(await temporaryFolder());
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent) => void events.push(event);
    const two = await runAll({ ...twice, settings: { ...twice.settings, passes: 2 }, onEvent });
    const { models, earlier, best } = two.results;
    expect(earlier!.map(({ id }) => id)).toEqual(['slim_0.01', 'slim_0.005']);
    expect(models.map(({ id }) => id)).toEqual(['slim_0.01_pass2', 'slim_0.005_pass2']);
    expect(models.map(({ id }) => id)).toContain(best);
    for (const [index, { epochs, kept, weights, test }] of earlier!.entries()) {
      expect(seconds(epochs)).toEqual(seconds(one.results.models[index]!.epochs));
      expect({ kept, weights, test }).toEqual({
        kept: one.results.models[index]!.kept,
        weights: [],
        test: null,
      });
    }
    expect(models.every(({ test, weights }) => test !== null && weights.length === 2)).toBe(true);
    expect(models[0]!.epochs[0]!.trainLoss).toBeLessThan(earlier![0]!.epochs[0]!.trainLoss);
    expect(await readdir(twice.weights)).toEqual(await readdir(once.weights));
    const csv = await readFile(join(two.folder, 'epochs.csv'), 'utf8');
    expect(csv.split('\n')[0]).toMatch(/^model,pass,learning_rate,epoch,/);
    expect(csv.match(/^slim,1,/gm)).toHaveLength(4);
    expect(csv.match(/^slim,2,/gm)).toHaveLength(4);
    expect(parseResults(await readFile(join(two.folder, 'results.json'), 'utf8'), 'it')).toEqual(two.results);
    expect(events.filter(({ type }) => type === 'saved')).toHaveLength(4);
  });

  it('goes on in the second pass to the bytes of one that was never stopped', async () => {
    const whole = await small(await temporaryFolder());
    const settings = { ...whole.settings, passes: 2 };
    await runAll({ ...whole, settings });
    const stopped = await small(await temporaryFolder());
    const controller = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === 'epoch' && event.job === 'slim_0.01_pass2') controller.abort();
    };
    const first = await runAll({ ...stopped, settings, onEvent, signal: controller.signal });
    expect(first).toMatchObject({ interrupted: true, resumable: true });
    const { interrupted } = await runAll({ ...stopped, settings: {}, resume: first.folder });
    expect(interrupted).toBe(false);
    for (const name of await readdir(whole.weights)) {
      const bytes = await Promise.all([whole, stopped].map(({ weights }) => readFile(join(weights, name))));
      expect(bytes[0]!.equals(bytes[1]!), name).toBe(true);
    }
  });

  it('is refused where there is no chain', async () => {
    const options = await small(await temporaryFolder());
    const settings = { ...options.settings, mode: 'independent' as const, passes: 2 };
    const error = await failure('range', () => runAll({ ...options, settings }));
    expect(error.message).toBe('passes is 2 (the mode is independent); 1, or the mode chained is expected.');
  });
});

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
    await runAll({ ...options, replace: true });
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
    await runAll({ ...options, replace: true });
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
    const error = await failure('range', () => runAll({ ...options, settings, replace: true }));
    expect(error.message).toContain('161');
  });

  it('plans memory for the samples there are: a batch size that no memory could hold takes all of them', async () => {
    const options = await small(await temporaryFolder());
    const architectures = [{ name: 'wide', hidden: [2048, 1024] }];
    const settings = { ...options.settings, architectures, learningRates: [0.001], batchSize: 65_536 };
    const spec = { inputs: 20, hidden: [2048, 1024], classes: 4, dropout: 0.5 };
    await failure('range', async () =>
      checkNetwork(await loadCore(), classifierModel(spec), trainingOf(65_536)),
    );
    const { results } = await runAll({ ...options, settings });
    expect(results.models).toMatchObject([{ model: 'wide', kept: { epoch: expect.any(Number) } }]);
  });

  it('refuses a network that no memory can hold before it trains any, with the words of its constructor', async () => {
    const options = await small(await temporaryFolder());
    const architectures = [
      { name: 'slim', hidden: [8] },
      { name: 'wide', hidden: [20_000, 20_000] },
    ];
    const events: RunEvent[] = [];
    const settings = { ...options.settings, architectures };
    const onEvent = (event: RunEvent) => events.push(event);
    const error = await failure('range', () => runAll({ ...options, settings, onEvent }));
    const spec = { inputs: 20, hidden: [20_000, 20_000], classes: 4, dropout: 0.5 };
    const core = await loadCore();
    const own = await failure('range', () => new Network(core, classifierModel(spec), trainingOf(16)));
    expect(error.message).toBe(`Model wide: ${own.message}`);
    expect(own.message).toMatch(
      /^The network needs \d\.\d\d GiB of memory; WebAssembly has at most 4 GiB\.$/,
    );
    expect(events).toEqual([]);
    expect(existsSync(options.out)).toBe(false);
  });

  it.each([1e20, 1e25, 1e30])(
    'is finished when its chain diverges at %s, though the losses stay finite',
    async (rate) => {
      const options = await small(await temporaryFolder());
      const events: RunEvent[] = [];
      const onEvent = (event: RunEvent) => events.push(event);
      const settings = { ...options.settings, learningRates: [rate, 0.005] };
      const { results, resumable, interrupted, folder } = await runAll({ ...options, settings, onEvent });
      const failed = events.flatMap((event) => (event.type === 'failed' ? [event.code] : []));
      expect(failed).toEqual(['diverged', 'worker']);
      expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
      expect(results.models.map(({ kept, weights }) => [kept, weights])).toEqual(Array(2).fill([null, []]));
      expect({ resumable, interrupted }).toEqual({ resumable: false, interrupted: false });
      expect((await failure('usage', () => runAll({ resume: folder }))).message).toContain('is finished');
      await failure('not-found', () => runAll({ out: options.out, resume: true }));
    },
  );

  it('marks the models of an interrupted run that it had no time for', async () => {
    const options = await small(await temporaryFolder());
    const controller = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === 'start') controller.abort();
    };
    const { results } = await runAll({ ...options, onEvent, signal: controller.signal });
    expect(results.models.map(({ interrupted }) => interrupted)).toEqual([true, true]);
  });
});
