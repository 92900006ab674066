import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWasm } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import {
  type BegunRun,
  beginRun,
  checkpointsOf,
  expectSame,
  finishRun,
  openRun,
  type RunRecord,
  resumedConfig,
  weightsFolderOf,
} from '../../dist/experiment/run-folder.js';
import { coreDigest, idOf } from '../../dist/node/run-folders.js';
import type { RunConfig } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

const config = resolveConfig({
  architectures: [{ name: 'slim', hidden: [8, 4] }],
  learningRates: [0.01, 0.005],
  epochs: 3,
  jobs: 2,
  threads: 3,
});

const record: RunRecord = {
  schema: 2,
  build: 'simd-mt',
  core: 'c0ffee',
  dataset: { name: 'made-up', hash: 'beef' },
  data: '/data/made up',
  verify: false,
  weights: '../../weights',
  from: null,
  replaceable: ['5eed'],
  finished: false,
};

/** Begins a run of the given name in `out`. */
async function begin(out: string, name: string, change: Partial<RunRecord> = {}): Promise<BegunRun> {
  const run = { folder: join(out, name), config, record: { ...record, ...change } };
  await beginRun(run);
  return run;
}

describe('a run that was begun', () => {
  it('is opened as it was, by its folder and by its id', async () => {
    const out = await temporaryFolder();
    const run = await begin(out, '20260102T030405Z-a1b2');
    await begin(out, '20270102T030405Z-ffff');
    expect(await openRun(run.folder, '/nowhere')).toEqual(run);
    expect(await openRun('20260102T030405Z-a1b2', out)).toEqual(run);
  });

  it('has its folder of checkpoints, and keeps what lies in it', async () => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    expect(checkpointsOf(folder)).toBe(join(folder, 'checkpoints'));
    await writeFile(join(checkpointsOf(folder), 'x'), '');
    await openRun(folder, out);
    expect(await readdir(checkpointsOf(folder))).toEqual(['x']);
    expect((await readdir(folder)).sort()).toEqual(['checkpoints', 'config.json', 'run.json']);
  });

  it('is told from one that is finished, whose checkpoints are gone', async () => {
    const out = await temporaryFolder();
    const run = await begin(out, 'a');
    await writeFile(join(checkpointsOf(run.folder), 'x'), '');
    await finishRun(run);
    expect((await readdir(run.folder)).sort()).toEqual(['config.json', 'run.json']);
    for (const name of ['a', run.folder]) {
      const error = await failure('usage', () => openRun(name, out));
      expect(error.message).toBe('Run a is finished; an unfinished run is expected.');
    }
  });

  it('can be finished though its checkpoints are gone', async () => {
    const out = await temporaryFolder();
    const run = await begin(out, 'a');
    await rm(checkpointsOf(run.folder), { recursive: true });
    await finishRun(run);
    await failure('usage', () => openRun('a', out));
  });

  it('is refused where it cannot be written', async () => {
    const out = await temporaryFolder();
    await writeFile(join(out, 'a'), '');
    await failure('unwritable', () => begin(out, 'a'));
  });
});

describe('the weights folder of a run to resume', () => {
  const run = (folder: string, change: Partial<RunRecord>): BegunRun => ({
    folder,
    config,
    record: { ...record, ...change },
  });

  it('is found from the folder of the run, wherever that is now', () => {
    expect(weightsFolderOf(run('/old/runs/a', {}))).toBe('/old/weights');
    expect(weightsFolderOf(run('/new/place/runs/a', {}))).toBe('/new/place/weights');
    expect(weightsFolderOf(run('/new/runs/a', { weights: '/mnt/weights' }))).toBe('/mnt/weights');
  });

  it('of treadle 0.1.0 is used within its project, and asked for where that was copied or moved', async () => {
    const old = { schema: 1, weights: '/old/weights' } as const;
    expect(weightsFolderOf(run('/old/runs/a', old))).toBe('/old/weights');
    const error = await failure('usage', () => weightsFolderOf(run('/new/runs/a', old)));
    expect(error.message).toBe(
      'Run a was begun with the weights folder /old/weights, which may belong to another copy of it; the folder where its weights go now is expected.',
    );
  });

  it('is read from a record of treadle 0.1.0, which knows no files of its own', async () => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    const { replaceable, ...others } = record;
    await writeFile(join(folder, 'run.json'), JSON.stringify({ ...others, schema: 1, weights: '/weights' }));
    expect((await openRun('a', out)).record).toMatchObject({
      schema: 1,
      weights: '/weights',
      replaceable: [],
    });
  });
});

it('names a run by its folder, however that is given', async () => {
  expect(idOf('runs/a')).toBe('a');
  expect(idOf('.')).toBe(basename(process.cwd()));
  const error = await failure('usage', () => resumedConfig({ folder: '.', config, record }, { epochs: 4 }));
  expect(error.message).toContain(`Run ${basename(process.cwd())} cannot be resumed`);
});

describe('the newest unfinished run', () => {
  it('is the last by name, whatever is newer on the disk or finished or no run', async () => {
    const out = await temporaryFolder();
    const newest = await begin(out, '20260103T000000Z-0000');
    await begin(out, '20260102T235959Z-ffff');
    await begin(out, '20251231T000000Z-aaaa');
    await finishRun(await begin(out, '20260104T000000Z-0000'));
    await mkdir(join(out, '20260105T000000Z-0000', 'checkpoints'), { recursive: true });
    await writeFile(join(out, 'notes.txt'), '');
    expect(await openRun(null, out)).toEqual(newest);
  });

  it('is not one whose record was cut off', async () => {
    const out = await temporaryFolder();
    const older = await begin(out, 'a');
    await begin(out, 'b');
    await writeFile(join(out, 'b', 'run.json'), '{"schema":1,');
    expect(await openRun(null, out)).toEqual(older);
  });

  it('is missed in a folder without, in an empty one and in one that is not there', async () => {
    const out = await temporaryFolder();
    const words = `${out} has no unfinished run; a run that was stopped is expected.`;
    expect((await failure('not-found', () => openRun(null, out))).message).toBe(words);
    await finishRun(await begin(out, 'a'));
    expect((await failure('not-found', () => openRun(null, out))).message).toBe(words);
    const error = await failure('not-found', () => openRun(null, join(out, 'none')));
    expect(error.message).toBe(`${join(out, 'none')} does not exist; a folder of runs is expected.`);
  });
});

describe('openRun refuses', () => {
  it('a name that is no run', async () => {
    const out = await temporaryFolder();
    await mkdir(join(out, 'empty'));
    for (const name of ['other', 'empty', join(out, 'empty')]) {
      const error = await failure('not-found', () => openRun(name, out));
      expect(error.message).toBe(
        `${name} is no run, nor is one of that name in ${out}; a run's folder or id is expected.`,
      );
    }
  });

  it.each(['run.json', 'config.json'])('a run whose %s is not JSON, or no object', async (file) => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    const path = join(folder, file);
    for (const text of ['', '{"epochs":', 'null', '3', '"x"', '\0\0']) {
      await writeFile(path, text);
      const error = await failure('format', () => openRun('a', out));
      expect(error.message.startsWith(path)).toBe(true);
      expect(error.message).toMatch(/^[^\n]* is expected\.$/);
      expect(error.subject).toBe(path);
    }
  });

  it('a run without settings', async () => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    await rm(join(folder, 'config.json'));
    const error = await failure('not-found', () => openRun('a', out));
    expect(error.message).toContain(join(folder, 'config.json'));
  });

  it.each<[string, unknown, string]>([
    ['schema', 3, 'schema is 3; version 1 or 2 is expected'],
    ['build', 3, 'build is 3; a text is expected'],
    ['core', null, 'core is null; a text is expected'],
    ['dataset', 'x', 'dataset is "x"; an object is expected'],
    ['dataset', { name: 'x', hash: 3 }, 'dataset.hash is 3; a text is expected'],
    ['data', 3, 'data is 3; a text is expected'],
    ['verify', 'no', 'verify is "no"; true or false is expected'],
    ['weights', [], 'weights is Array; a text is expected'],
    ['replaceable', 'x', 'replaceable is "x"; a list of SHA-256 digests is expected'],
    ['replaceable', [3], 'replaceable.0 is 3; a text is expected'],
    ['finished', 0, 'finished is 0; true or false is expected'],
  ])('a record whose %s is %j', async (key, value, words) => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    const file = join(folder, 'run.json');
    await writeFile(file, JSON.stringify({ ...record, [key]: value }));
    const error = await failure('format', () => openRun('a', out));
    expect(error.message).toBe(`${file}: ${words}.`);
  });

  it.each(Object.keys(record).filter((key) => key !== 'replaceable' && key !== 'from'))(
    'a record without %s, in plain words',
    async (key) => {
      const out = await temporaryFolder();
      const { folder } = await begin(out, 'a');
      const file = join(folder, 'run.json');
      await writeFile(file, JSON.stringify({ ...record, [key]: undefined }));
      const error = await failure('format', () => openRun('a', out));
      expect(error.message.startsWith(`${file}: ${key} is `)).toBe(true);
      expect(error.message).not.toContain('Invalid');
    },
  );

  it('settings that are wrong', async () => {
    const out = await temporaryFolder();
    const { folder } = await begin(out, 'a');
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, epochs: -3 }));
    expect((await failure('range', () => openRun('a', out))).message).toContain('epochs is -3');
  });

  it.each(['{}', '[]', JSON.stringify({ ...config, seed: undefined })])(
    'settings that lack some: a default is not what the run was begun with (%s)',
    async (text) => {
      const out = await temporaryFolder();
      const { folder } = await begin(out, 'a');
      await writeFile(join(folder, 'config.json'), text);
      await expect(openRun('a', out)).rejects.toMatchObject({ name: 'TreadleError' });
    },
  );
});

describe('resumedConfig', () => {
  const run: BegunRun = { folder: 'runs/a', config, record };

  it('is what the run was begun with, when nothing else is given', () => {
    expect(resumedConfig(run, {})).toEqual(config);
    expect(resumedConfig(run, { epochs: undefined } as unknown as Partial<RunConfig>)).toEqual(config);
    expect(resumedConfig(run, structuredClone(config))).toEqual(config);
  });

  it('takes other jobs and threads, each alone and both', () => {
    expect(resumedConfig(run, { jobs: 5 })).toEqual({ ...config, jobs: 5 });
    expect(resumedConfig(run, { threads: 7 })).toEqual({ ...config, threads: 7 });
    expect(resumedConfig(run, { jobs: 1, threads: 1 })).toEqual({ ...config, jobs: 1, threads: 1 });
  });

  it('takes the build that was chosen, by its name or as it was asked for', () => {
    expect(resumedConfig(run, { build: 'simd-mt' }).build).toBe('auto');
    expect(resumedConfig(run, { build: 'auto' }).build).toBe('auto');
  });

  it.each<[Partial<RunConfig>, string]>([
    [{ epochs: 4 }, 'epochs is 4; 3'],
    [{ seed: 1 }, 'seed is 1; 0'],
    [{ batchSize: 128 }, 'batchSize is 128; 256'],
    [{ dropout: 0.4 }, 'dropout is 0.4; 0.5'],
    [{ mode: 'independent' }, 'mode is independent; chained'],
    [{ keep: 'last' }, 'keep is last; best'],
    [{ validationSize: 7 }, 'validationSize is 7; null'],
    [{ trainSamples: 100 }, 'trainSamples is 100; null'],
    [{ build: 'relaxed-mt' }, 'build is relaxed-mt; auto'],
    [{ learningRates: [0.005, 0.01] }, 'learningRates is [0.005,0.01]; [0.01,0.005]'],
    [
      { architectures: [{ name: 'slim', hidden: [8, 5] }] },
      'architectures is [{"name":"slim","hidden":[8,5]}]; [{"name":"slim","hidden":[8,4]}]',
    ],
  ])('refuses %j', async (given, words) => {
    const error = await failure('usage', () => resumedConfig(run, given));
    expect(error.message).toBe(`Run a cannot be resumed: ${words} is expected, as the run was begun with.`);
    expect(error.subject).toBe(Object.keys(given)[0]);
  });

  it('refuses jobs and threads that nobody could use', async () => {
    await failure('range', () => resumedConfig(run, { jobs: 0 }));
    await failure('range', () => resumedConfig(run, { threads: 1.5 }));
  });
});

describe('expectSame', () => {
  const run: BegunRun = { folder: 'runs/a', config, record };

  it('accepts the same build, core and data, by whatever name and wherever the weights go', () => {
    expectSame(run, { ...record });
    expectSame(run, { ...record, weights: '/other' } as RunRecord);
    expectSame(run, { ...record, dataset: { name: 'renamed', hash: 'beef' } });
  });

  it.each<[Partial<RunRecord>, string, string]>([
    [{ build: 'simd' }, 'the build is simd; simd-mt', 'the build'],
    [{ core: 'dead' }, "the core's SHA-256 is dead; c0ffee", "the core's SHA-256"],
    [
      { dataset: { name: 'made-up', hash: 'f00d' } },
      'the data is made-up (SHA-256 f00d); made-up (SHA-256 beef)',
      'the data',
    ],
  ])('refuses %j', async (change, words, subject) => {
    const error = await failure('usage', () => expectSame(run, { ...record, ...change }));
    expect(error.message).toBe(`Run a cannot be resumed: ${words} is expected, as the run was begun with.`);
    expect(error.subject).toBe(subject);
  });
});

describe('coreDigest', () => {
  it("is the SHA-256 of a build's binary", async () => {
    const bytes = await readWasm('simd');
    expect(await coreDigest('simd')).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(await coreDigest('relaxed')).not.toBe(await coreDigest('simd'));
  });
});

it('writes its files so that people can read them', async () => {
  const out = await temporaryFolder();
  const { folder } = await begin(out, 'a');
  expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))).toEqual(config);
  expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(`${JSON.stringify(record, null, 2)}\n`);
});
