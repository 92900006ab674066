import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAll } from '../../dist/experiment/run-all.js';
import type { RunConfig, RunEvent } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

const SETTINGS: Partial<RunConfig> = {
  architectures: [{ name: 'slim', hidden: [8] }],
  learningRates: [0.01, 0.005],
  epochs: 3,
  batchSize: 16,
  validationSize: 40,
  jobs: 1,
  threads: 1,
};

/** Options of a run on made-up data, with all its folders inside `project`. */
async function small(project: string, change: Partial<RunConfig> = {}) {
  await writeIdxDataset(
    join(project, 'data'),
    syntheticDataset({ classes: 4, height: 4, width: 5, train: 200, test: 40, seed: 3 }),
  );
  return { ...folders(project), verify: false, report: false, settings: { ...SETTINGS, ...change } };
}

function folders(project: string) {
  return {
    data: join(project, 'data'),
    weights: join(project, 'weights'),
    out: join(project, 'runs'),
  };
}

/** Name and content of every file of a folder. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  const contents = names.map(async (name) => [name, (await readFile(join(folder, name))).toString('hex')]);
  return Object.fromEntries(await Promise.all(contents));
}

/** Runs until the first event of which the condition holds, and returns the run's folder. */
async function stopped(options: Parameters<typeof runAll>[0], when: (event: RunEvent) => boolean) {
  const controller = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (when(event)) controller.abort();
  };
  const { interrupted, folder } = await runAll({ ...options, onEvent, signal: controller.signal });
  expect(interrupted).toBe(true);
  return folder;
}

const isSaved = ({ type }: RunEvent) => type === 'saved';
const isEpoch = ({ type }: RunEvent) => type === 'epoch';

describe('weights of another run', () => {
  it('are not replaced without leave, before anything is trained; a run that writes other names is not asked', async () => {
    const options = await small(await temporaryFolder());
    await runAll(options);
    const before = await filesOf(options.weights);
    const events: RunEvent[] = [];
    const other = { ...options, settings: { ...options.settings, seed: 7 } };
    const error = await failure('usage', () => runAll({ ...other, onEvent: (event) => events.push(event) }));
    expect(error.message).toBe(
      `Folder ${options.weights} has files that this run would replace (slim_weights_0.01.safetensors, slim_weights_0.01.pkl, slim_weights_0.005.safetensors and 1 more); another folder (--weights), or leave to replace them (--force), is expected.`,
    );
    expect(events).toEqual([]);
    expect(await filesOf(options.weights)).toEqual(before);
    expect(await readdir(options.out)).toHaveLength(1);

    await runAll({ ...other, settings: { ...other.settings, learningRates: [0.02] } });
    expect(await filesOf(options.weights)).toMatchObject(before);
  });

  it('are replaced with leave, which a function may give that is told the files', async () => {
    const options = await small(await temporaryFolder());
    await runAll(options);
    const before = await filesOf(options.weights);
    const other = { ...options, settings: { ...options.settings, seed: 7, learningRates: [0.005] } };
    const asked: string[][] = [];
    const answer = (reply: boolean) => async (files: string[]) => {
      asked.push(files);
      return reply;
    };
    await failure('usage', () => runAll({ ...other, replace: answer(false) }));
    expect(await filesOf(options.weights)).toEqual(before);
    const { interrupted } = await runAll({ ...other, replace: answer(true) });
    expect(interrupted).toBe(false);
    const after = await filesOf(options.weights);
    const files = ['slim_weights_0.005.safetensors', 'slim_weights_0.005.pkl'];
    expect(asked).toEqual(Array(2).fill(files.map((name) => join(options.weights, name))));
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed.sort()).toEqual(files.sort());
  });

  it('are also what is no file, or has only one of the two formats', async () => {
    const options = await small(await temporaryFolder());
    await mkdir(join(options.weights, 'slim_weights_0.01.pkl'), { recursive: true });
    expect((await failure('usage', () => runAll(options))).message).toContain('(slim_weights_0.01.pkl)');
  });
});

describe('a run that is resumed', () => {
  it('replaces its own files and those it was given leave for, and asks for no other leave', async () => {
    const options = await small(await temporaryFolder());
    await runAll({ ...options, settings: { ...options.settings, seed: 7 } });
    const folder = await stopped({ ...options, replace: true }, isSaved);
    const own = await filesOf(options.weights);
    const ask = () => {
      throw new Error('nobody is to be asked');
    };
    expect((await runAll({ resume: folder, replace: ask, report: false })).interrupted).toBe(false);
    const whole = await small(await temporaryFolder());
    await runAll(whole);
    const expected = await filesOf(whole.weights);
    expect(await filesOf(options.weights)).toEqual(expected);
    // It had saved its first model, and the second was still the other run's.
    const same = Object.keys(own).filter((name) => own[name] === expected[name]);
    expect(same).toEqual(['slim_weights_0.01.pkl', 'slim_weights_0.01.safetensors']);
  });

  it('does not replace what a later run has saved in between', async () => {
    const options = await small(await temporaryFolder());
    const folder = await stopped(options, isEpoch);
    // Settings that no weights file tells.
    await runAll({ ...options, settings: { ...options.settings, trainSamples: 100 } });
    const later = await filesOf(options.weights);
    const error = await failure('usage', () => runAll({ resume: folder, report: false }));
    expect(error.message).toContain('files that this run would replace');
    expect(await filesOf(options.weights)).toEqual(later);
    expect((await runAll({ resume: folder, replace: true, report: false })).interrupted).toBe(false);
    expect(await filesOf(options.weights)).not.toEqual(later);
  });

  it('in a copy of its project leaves the original alone', async () => {
    const parent = await temporaryFolder();
    const [project, copy] = [join(parent, 'project'), join(parent, 'deeper', 'copy')];
    const options = await small(project);
    const folder = await stopped(options, isSaved);
    await cp(project, copy, { recursive: true });
    // The copy does not need the original's data either.
    await rm(options.data, { recursive: true });
    const original = await filesOf(options.weights);
    expect((await runAll({ resume: join(copy, 'runs', basename(folder)), report: false })).interrupted).toBe(
      false,
    );
    expect(await filesOf(options.weights)).toEqual(original);
    expect(Object.keys(await filesOf(join(copy, 'weights')))).toHaveLength(4);
  });

  it('in a moved project does not make the old place again', async () => {
    const parent = await temporaryFolder();
    const options = await small(join(parent, 'project'));
    const folder = await stopped(options, isEpoch);
    await rename(join(parent, 'project'), join(parent, 'moved'));
    await runAll({ resume: join(parent, 'moved', 'runs', basename(folder)), report: false });
    expect(await readdir(parent)).toEqual(['moved']);
    expect(Object.keys(await filesOf(join(parent, 'moved', 'weights')))).toHaveLength(4);
  });

  it('may save its weights elsewhere, and then goes on there, to the same bytes', async () => {
    const project = await temporaryFolder();
    const options = await small(project);
    const folder = await stopped(options, isEpoch);
    const elsewhere = join(project, 'elsewhere');
    const saved = await stopped({ resume: folder, weights: elsewhere }, isSaved);
    expect(saved).toBe(folder);
    await runAll({ resume: folder, report: false });
    expect(await readdir(options.weights)).toEqual([]);
    const whole = await small(await temporaryFolder());
    await runAll(whole);
    expect(await filesOf(elsewhere)).toEqual(await filesOf(whole.weights));
  });

  it('of data by another name gives the same bytes: the name stands in the weights', async () => {
    const project = await temporaryFolder();
    const options = await small(project);
    const folder = await stopped(options, isEpoch);
    await rename(options.data, join(project, 'renamed'));
    await runAll({ resume: folder, data: join(project, 'renamed'), report: false });
    const whole = await small(await temporaryFolder());
    await runAll(whole);
    expect(await filesOf(options.weights)).toEqual(await filesOf(whole.weights));
  });

  it('of treadle 0.1.0 that was copied asks where its weights go, and writes nothing outside', async () => {
    const parent = await temporaryFolder();
    const [project, copy] = [join(parent, 'project'), join(parent, 'copy')];
    const options = await small(project);
    const folder = await stopped(options, isEpoch);
    await cp(project, copy, { recursive: true });
    await rm(options.weights, { recursive: true });
    const run = join(copy, 'runs', basename(folder));
    const { replaceable, ...record } = JSON.parse(await readFile(join(run, 'run.json'), 'utf8'));
    const old = { ...record, schema: 1, weights: options.weights, data: options.data };
    await writeFile(join(run, 'run.json'), JSON.stringify(old));
    const error = await failure('usage', () => runAll({ resume: run, report: false }));
    expect(error.message).toContain(`was begun with the weights folder ${options.weights}`);
    await runAll({ resume: run, weights: join(copy, 'weights'), report: false });
    expect(await readdir(project)).toEqual(['data', 'runs']);
    expect(Object.keys(await filesOf(join(copy, 'weights')))).toHaveLength(4);
  });
});
