import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCore } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { RECIPES } from '../../dist/experiment/recipes.js';
import { runAll } from '../../dist/experiment/run-all.js';
import { loadWeights } from '../../dist/node/model-file.js';
import { reportHtml } from '../../dist/report/html.js';
import { resultsText } from '../../dist/report/text.js';
import type { RunConfig, RunEvent } from '../../dist/results/records.js';
import { parseResults } from '../../dist/results/results.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

const SHAPE = { inputs: 784, classes: 10, imageWidth: 28 };

/** Options of a run on made-up images, with all its folders inside a new one; several seeds and augmentation. */
async function augmented(change: Partial<RunConfig> = {}) {
  const folder = await temporaryFolder();
  const data = join(folder, 'data');
  const images = syntheticDataset({ classes: 4, height: 6, width: 5, train: 240, test: 60, seed: 3 });
  await writeIdxDataset(data, images);
  const settings: Partial<RunConfig> = {
    architectures: [
      { name: 'slim', hidden: [12], dropout: 0.1 },
      { name: 'plain', hidden: [8], dropout: 0, augment: null },
    ],
    learningRates: [0.02],
    schedule: 'cosine',
    mode: 'independent',
    augment: { flip: 0.5, share: 0.7, rotation: 8, shift: 1, until: 0.5 },
    epochs: 4,
    batchSize: 32,
    seeds: 2,
    seed: 7,
    keep: 'last',
    average: 'flip',
    validationSize: 60,
    ...change,
  };
  const places = {
    data,
    verify: false,
    report: false,
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
  };
  return { ...places, settings };
}

/** Every weights file by its name. */
async function weightsOf(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'hex')));
  return new Map(names.map((name, index) => [name, files[index]!]));
}

describe('the recipe best', () => {
  const jobs = planJobs(resolveConfig(RECIPES.best), SHAPE, 'simd');

  it('trains twelve models: four seeds of each architecture', () => {
    expect(jobs.map(({ id, seed }) => [id, seed])).toEqual(
      ['large1', 'large2', 'small'].flatMap((name) =>
        [0, 1, 2, 3].map((seed) => [`${name}_0.003_seed${seed}`, seed]),
      ),
    );
  });

  it('gives each architecture its own dropout and its own moves', () => {
    const of = (name: string) => jobs.find(({ model }) => model === name)!;
    expect(of('large1').augment).toMatchObject({ flip: 0.5, share: 0.7, rotation: 8, until: 0.8 });
    expect(of('small')).toMatchObject({ augment: { share: 0.3, rotation: 4 }, spec: { dropout: 0 } });
    expect(of('large1').spec).toMatchObject({ dropout: 0.2, shape: [28, 28] });
    expect(jobs.every(({ schedule, parent, from }) => schedule === 'cosine' && !parent && !from)).toBe(true);
  });

  it('leaves the published one as the defaults are', () => {
    expect(resolveConfig(RECIPES.published)).toEqual(resolveConfig());
  });
});

describe('a run of several seeds', () => {
  it('saves a model of each, tests all of them, and the mean of the best by validation', async () => {
    const options = await augmented();
    const events: RunEvent[] = [];
    const { results, folder } = await runAll({
      ...options,
      report: true,
      onEvent: (event) => void events.push(event),
    });
    expect(results.models.map(({ id }) => id)).toEqual([
      'slim_0.02_seed7',
      'slim_0.02_seed8',
      'plain_0.02_seed7',
      'plain_0.02_seed8',
    ]);
    const files = await weightsOf(options.weights);
    expect([...files.keys()].filter((name) => name.endsWith('.safetensors'))).toEqual([
      'plain_weights_0.02_seed7.safetensors',
      'plain_weights_0.02_seed8.safetensors',
      'slim_weights_0.02_seed7.safetensors',
      'slim_weights_0.02_seed8.safetensors',
    ]);
    expect(new Set(files.values()).size).toBe(files.size);
    const { metadata } = await loadWeights(join(options.weights, 'slim_weights_0.02_seed8.safetensors'));
    expect(metadata).toMatchObject({ seed: 8, schedule: 'cosine', dropout: 0.1, keptEpoch: 4 });
    expect(JSON.parse(metadata!.augment!)).toEqual(options.settings.augment);
    const plain = await loadWeights(join(options.weights, 'plain_weights_0.02_seed8.safetensors'));
    expect(plain.metadata).not.toHaveProperty('augment');

    const { ensemble, models, best } = results;
    // Of equal ones the smaller model is the better.
    const ranked = [...models.slice(2), ...models.slice(0, 2)].sort(
      (a, b) => b.kept!.valMacroF1 - a.kept!.valMacroF1,
    );
    expect(ensemble!.members).toEqual(ranked.slice(0, ensemble!.members.length).map(({ id }) => id));
    expect(ensemble!.members[0]).toBe(best);
    expect(events.find(({ type }) => type === 'ensemble')).toEqual({ type: 'ensemble', ...ensemble });
    const stored = await readFile(join(folder, 'results.json'), 'utf8');
    expect(parseResults(stored, 'it')).toEqual(JSON.parse(JSON.stringify(results)));
    expect(await readdir(join(folder, 'figures'))).toContain('confusion-ensemble.png');
    const page = reportHtml(results);
    expect(page).toContain('slim at 0.02, seed 8');
    expect(page).toContain('The ensemble');
    expect(resultsText(results, { color: false })).toContain('Ensemble: ');
  });

  it('goes on to the bytes of one that was never stopped, whatever the threads', async () => {
    const whole = await augmented({ jobs: 2, threads: 3 });
    await runAll(whole);
    const stopped = await augmented({ jobs: 1, threads: 1 });
    const controller = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === 'epoch' && event.job === 'slim_0.02_seed8' && event.epoch === 2) controller.abort();
    };
    const first = await runAll({ ...stopped, onEvent, signal: controller.signal });
    expect(first).toMatchObject({ interrupted: true, resumable: true });
    await runAll({ ...stopped, settings: {}, resume: first.folder });
    expect(await weightsOf(stopped.weights)).toEqual(await weightsOf(whole.weights));
  });

  it('is refused where its seeds would end beyond the largest', async () => {
    const error = await failure('range', () => resolveConfig({ seed: 2 ** 32 - 2, seeds: 3 }));
    expect(error.message).toBe(
      'seed is 4294967294 (the run has 3 seeds from there on); a whole number up to 4294967293 is expected.',
    );
  });

  it.each([
    [{ augment: { flip: 2 } }, 'augment.flip is 2; a number from 0 to 1 is expected.'],
    [{ augment: { turn: 1 } }, '"augment.turn" is an unknown key'],
    [{ augment: 3 }, 'augment is 3; an object of ranges, or null is expected.'],
    [{ schedule: 'linear' }, 'schedule is "linear"; one of constant, cosine is expected.'],
    [{ average: 'all' }, 'average is "all"; one of none, flip is expected.'],
    [{ seeds: 0 }, 'seeds is 0; a whole number from 1 to 1000 is expected.'],
    [
      { architectures: [{ name: 'a', hidden: [4], dropout: 1 }] },
      'architectures.0.dropout is 1; a number from 0 to below 1 is expected.',
    ],
  ])('refuses %j', async (settings, words) => {
    const error = await failure('range', () => resolveConfig(settings as Partial<RunConfig>));
    expect(error.message).toContain(words);
  });
});

describe('a run that starts from saved weights', () => {
  const chain: Partial<RunConfig> = {
    ...{ mode: 'chained', learningRates: [0.02, 0.01], seeds: 1, schedule: 'constant' },
    ...{ augment: null, average: 'none' },
  };

  it('goes on from the best of each architecture in a folder, and keeps them for a resumed run', async () => {
    const before = await augmented(chain);
    await runAll(before);
    const options = await augmented(chain);
    const whole = await runAll({ ...options, from: before.weights });
    const [slim] = whole.results.models;
    const fresh = await runAll(await augmented(chain));
    expect(slim!.epochs[0]!.trainLoss).toBeLessThan(fresh.results.models[0]!.epochs[0]!.trainLoss);
    const { metadata } = await loadWeights(join(options.weights, 'slim_weights_0.02.safetensors'));
    expect(metadata!.from).toMatch(/^[0-9a-f]{64}$/);
    const second = await loadWeights(join(options.weights, 'slim_weights_0.01.safetensors'));
    expect(second.metadata).not.toHaveProperty('from');

    const stopped = await augmented(chain);
    const controller = new AbortController();
    const first = await runAll({
      ...stopped,
      from: before.weights,
      signal: controller.signal,
      onEvent: ({ type }) => type === 'start' && controller.abort(),
    });
    await rm(before.weights, { recursive: true });
    await runAll({ ...stopped, settings: {}, resume: first.folder });
    expect(await weightsOf(stopped.weights)).toEqual(await weightsOf(options.weights));
  });

  it('goes on from one file, whose values are those of the first network', async () => {
    const before = await augmented({ augment: null });
    await runAll(before);
    const file = join(before.weights, 'slim_weights_0.02_seed7.safetensors');
    const only = { architectures: [{ name: 'other', hidden: [12] }], learningRates: [1e-30], epochs: 1 };
    const options = await augmented({ ...only, augment: null, seeds: 1, schedule: 'constant' });
    await runAll({ ...options, from: file });
    const [start, end] = [
      await loadWeights(file),
      await loadWeights(join(options.weights, 'other_weights_1e-30.pkl')),
    ];
    // A rate that small moves nothing; the running statistics go on.
    expect(end.tensors.dense).toEqual(start.tensors.dense);
  });

  it('says what is wrong with what it should start from', async () => {
    const before = await augmented({ architectures: [{ name: 'slim', hidden: [12] }], augment: null });
    await runAll(before);
    const options = await augmented({ augment: null });
    const none = await failure('not-found', () => runAll({ ...options, from: before.weights }));
    expect(none.message).toMatch(/has no weights of plain to start from; a \.safetensors file/);
    const file = join(before.weights, 'slim_weights_0.02_seed7.safetensors');
    const wide = await failure('shape', () => runAll({ ...options, from: file }));
    expect(wide.message).toMatch(/is 30 -> 12 -> 4 wide; 30 -> 8 -> 4, as plain is, is expected\.$/);
    await failure('not-found', () => runAll({ ...options, from: join(options.data, 'missing') }));
    const resumed = await failure('usage', () => runAll({ ...options, resume: true, from: file }));
    expect(resumed.message).toContain('a resumed run has the weights that it was begun with');
  });

  it('refuses to go on with starting weights that have changed', async () => {
    const before = await augmented({ augment: null });
    await runAll(before);
    const options = await augmented({ augment: null });
    const controller = new AbortController();
    const { folder } = await runAll({
      ...options,
      from: before.weights,
      signal: controller.signal,
      onEvent: ({ type }) => type === 'start' && controller.abort(),
    });
    await writeFile(join(folder, 'checkpoints', 'start-of-slim'), 'other bytes');
    const error = await failure('format', () => runAll({ ...options, settings: {}, resume: folder }));
    expect(error.message).toMatch(/start-of-slim: its SHA-256 is [0-9a-f]{64}; [0-9a-f]{64} is expected\.$/);
  });
});

describe('jobs that start from a file', () => {
  it('are refused without its weights', async () => {
    const { trainJobs } = await import('../../dist/experiment/pool.js');
    const config = resolveConfig({
      architectures: [{ name: 'a', hidden: [4] }],
      learningRates: [0.1],
      epochs: 1,
    });
    const jobs = planJobs(config, { inputs: 6, classes: 2 }, 'simd', { a: 'beef' });
    expect(jobs[0]!.from).toBe('beef');
    const nothing = () => {};
    const error = await failure('usage', async () =>
      trainJobs(jobs, {
        core: await loadCore({ build: 'simd' }),
        data: { images: new Uint8Array(60), labels: new Uint8Array(10) },
        split: { train: Uint32Array.of(0, 1, 2), validation: Uint32Array.of(3) },
        limits: { jobs: 1, threads: 1, helpers: false },
        ...{ onEvent: nothing, onTrained: nothing, onFailed: nothing },
      }),
    );
    expect(error.message).toContain('job a_0.1 starts from those of SHA-256 beef');
  });
});
