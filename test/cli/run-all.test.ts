import { type ChildProcess, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, realpath, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadWeights } from '../../dist/node/model-file.js';
import { bestModel, parseResults } from '../../dist/results/results.js';
import { temporaryFolder } from '../support/folder.js';
import { freePort } from '../support/redis.js';
import { type Finished, jsonLines, NO_REPORT, onTerminal, smallRun, treadle } from './treadle.js';

const GRID = {
  architectures: { wide: { hidden: [24, 12] }, slim: { hidden: [8] } },
  learningRates: [0.01, 0.005],
  epochs: 3,
  batchSize: 32,
};

/** Whether util-linux's `script` is there, which gives a command a terminal. */
const hasScript =
  process.platform === 'linux' && /util-linux/.test(String(spawnSync('script', ['--version']).stdout));

/** The record of the only run in a folder. */
async function resultsIn(folder: string) {
  const [id, ...others] = await readdir(join(folder, 'runs'));
  expect(others).toEqual([]);
  const file = join(folder, 'runs', id!, 'results.json');
  return { run: join(folder, 'runs', id!), results: parseResults(await readFile(file, 'utf8'), file) };
}

async function weightBytes(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, 'weights'))).sort();
  const files = names.map(async (name) => [
    name,
    (await readFile(join(folder, 'weights', name))).toString('hex'),
  ]);
  return Object.fromEntries(await Promise.all(files));
}

/** A grid whose models train long enough to be stopped within the second. */
const LONG_GRID = { ...GRID, architectures: { wide: [128, 64] }, epochs: 20 };
const ONE_JOB = ['run-all', '--json', '--jobs', '1'];

/** Folders of two runs that several tests only read: one of GRID, and one of LONG_GRID that was never stopped. */
const shared = { grid: '', long: '' };
let gridEnded: Finished;
beforeAll(async () => {
  for (const name of ['grid', 'long'] as const) shared[name] = await mkdtemp(join(tmpdir(), 'treadle-test-'));
  const args = ['run-all', '--mode', 'chained', '--jobs', '2', '--threads', '3'];
  gridEnded = await treadle([...args, ...(await smallRun(shared.grid, GRID, { report: true }))], {
    cwd: shared.grid,
  });
  const options = await smallRun(shared.long, LONG_GRID);
  expect((await treadle([...ONE_JOB, ...options], { cwd: shared.long })).code).toBe(0);
});
afterAll(async () => {
  for (const folder of Object.values(shared)) await rm(folder, { recursive: true, force: true });
});

describe('run-all', () => {
  it('trains, saves, tests and reports every model', async () => {
    const folder = shared.grid;
    const { code, stdout, stderr } = gridEnded;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.match(/^(wide|slim) 0\.0\d+ {2}epoch \d\/3 /gm)).toHaveLength(12);
    expect(stdout).toContain('Data: data from ');
    expect(stdout).toContain('Best model: ');

    const { run, results } = await resultsIn(folder);
    expect((await readdir(run)).sort()).toEqual([
      'config.json',
      'epochs.csv',
      'figures',
      'report.html',
      'results.json',
      'run.json',
    ]);
    expect(JSON.parse(await readFile(join(run, 'config.json'), 'utf8'))).toEqual(results.config);
    expect((await readFile(join(run, 'epochs.csv'), 'utf8')).trim().split('\n')).toHaveLength(1 + 12);
    expect(results.dataset).toMatchObject({ trainSamples: 240, validationSamples: 60, testSamples: 60 });
    expect(results.models.map(({ model, learningRate }) => `${model} ${learningRate}`)).toEqual([
      'wide 0.01',
      'wide 0.005',
      'slim 0.01',
      'slim 0.005',
    ]);
    for (const { model, learningRate, epochs, kept, weights, test } of results.models) {
      expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
      expect(kept!.valMacroF1).toBe(Math.max(...epochs.map(({ valMacroF1 }) => valMacroF1)));
      expect(weights).toEqual([
        join('weights', `${model}_weights_${learningRate}.safetensors`),
        join('weights', `${model}_weights_${learningRate}.pkl`),
      ]);
      const right = test!.confusion.reduce((sum, row, label) => sum + row[label]!, 0);
      expect(test!.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(60);
      expect(test!.accuracy).toBe(right / 60);
      const { metadata } = await loadWeights(join(folder, weights[0]!));
      expect(metadata).toMatchObject({
        model,
        learningRate,
        keptEpoch: kept!.epoch,
        dataHash: results.dataset.hash,
      });
    }
    // The classes are prototypes with little noise: a network that learns at all tells them apart.
    expect(Math.max(...results.models.map(({ test }) => test!.accuracy))).toBeGreaterThan(0.9);

    const tested = await treadle(['test', '--json', '--data', 'data', '--no-verify'], { cwd: folder });
    expect(tested.code).toBe(0);
    const byModel = new Map(
      jsonLines(tested.stdout).map((line) => [`${line.model} ${line.learningRate}`, line]),
    );
    for (const { model, learningRate, test } of results.models) {
      expect(byModel.get(`${model} ${learningRate}`)).toMatchObject({ ...test });
    }
    const best = await treadle(['test', '--best', '--json', '--data', 'data', '--no-verify'], {
      cwd: folder,
    });
    const { model, learningRate } = bestModel(results)!;
    expect(jsonLines(best.stdout)).toMatchObject([{ model, learningRate }]);
  });

  it('gives the same bytes with one job and thread as with two, and alone as in a grid', async () => {
    const folders = [await temporaryFolder(), await temporaryFolder()] as const;
    const runs = [
      ['run-all', '--jobs', '1', '--threads', '1'],
      ['train', '--model', 'slim', '--lr', '0.01'],
    ];
    for (const [index, folder] of folders.entries()) {
      const options = await smallRun(folder, GRID);
      const { code, stderr } = await treadle([...runs[index]!, ...options], { cwd: folder });
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
    const two = await weightBytes(shared.grid);
    const [one, alone] = [await weightBytes(folders[0]), await weightBytes(folders[1])];
    expect(Object.keys(one)).toHaveLength(8);
    expect(two).toEqual(one);
    expect(Object.keys(alone)).toEqual(['slim_weights_0.01.pkl', 'slim_weights_0.01.safetensors']);
    expect(one).toMatchObject(alone);
  });

  it('goes on from the weights before in chained mode only', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID);
    const { code } = await treadle(['run-all', '--mode', 'independent', ...options], { cwd: folder });
    expect(code).toBe(0);
    const [withChain, without] = [
      (await resultsIn(shared.grid)).results.models,
      (await resultsIn(folder)).results.models,
    ];
    // The first rate is the same model in both; the second starts where the first ended, and so lower.
    expect(withChain[0]!.epochs.map(({ trainLoss }) => trainLoss)).toEqual(
      without[0]!.epochs.map(({ trainLoss }) => trainLoss),
    );
    expect(withChain[1]!.epochs[0]!.trainLoss).toBeLessThan(without[1]!.epochs[0]!.trainLoss / 2);
  });

  it('prints one JSON object for each event with --json, and nothing else', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, architectures: { slim: [8] } });
    const { code, stdout } = await treadle(['run-all', '--json', ...options], { cwd: folder });
    expect(code).toBe(0);
    const events = jsonLines(stdout).filter(({ type }) => type !== 'step');
    // A model's files are saved while the next one trains, so the order is each model's own.
    for (const job of ['slim_0.01', 'slim_0.005']) {
      const types = events.filter((event) => event.job === job).map(({ type }) => type);
      expect(types.filter((type) => type !== 'best')).toEqual([
        'start',
        'epoch',
        'epoch',
        'epoch',
        'saved',
        'test',
      ]);
    }
    const ofTheRun = events.filter(({ job }) => job === undefined).map(({ type }) => type);
    expect(ofTheRun).toEqual(['run', 'done']);
    const { results, run } = await resultsIn(folder);
    expect(events.filter(({ type }) => type === 'best')).toMatchObject([{ job: results.best }]);
    // Without a report, which can be made of the results.
    expect(events.at(-1)).toMatchObject({ type: 'done', report: null });
    expect(await readdir(run)).not.toContain('report.html');
    expect((await treadle(['report', run], { cwd: folder })).code).toBe(0);
    expect(await readdir(run)).toContain('report.html');
  });

  it('finishes the other models when one diverges, and ends with 1', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, learningRates: [0.01, 1e30, 0.005] });
    const { code, stdout, stderr } = await treadle(['run-all', '--json', ...options], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('4 of 6 models failed');
    const failed = jsonLines(stdout).filter(({ type }) => type === 'failed');
    const [diverged] = failed.filter(({ job }) => job === 'wide_1e+30');
    expect(diverged).toMatchObject({ code: 'diverged' });
    expect(diverged!.message).toMatch(
      /Model wide at learning rate 1e\+30: .+ at epoch \d, step \d \(.+(block|layer).+\)/,
    );
    const [orphan] = failed.filter(({ job }) => job === 'wide_0.005');
    expect(orphan).toMatchObject({ code: 'worker' });
    expect(orphan!.message).toContain(
      `starts from the weights of the model at learning rate 1e+30, which failed. ${diverged!.message}`,
    );

    const { results } = await resultsIn(folder);
    expect(results.models.map(({ test, error }) => [test !== null, error !== undefined])).toEqual([
      [true, false],
      [false, true],
      [false, true],
      [true, false],
      [false, true],
      [false, true],
    ]);
    expect(results.best).toMatch(/_0\.01$/);
  });

  it.each([
    ['SIGINT', 'run-all'],
    ['SIGTERM', 'train'],
    ['SIGHUP', null],
  ] as const)(
    'ends with 130 when %s stops it, keeps what is finished, and goes on by %s --resume',
    async (signal, command) => {
      const folder = await temporaryFolder();
      const options = await smallRun(folder, LONG_GRID);
      const stopped = await treadle([...ONE_JOB, ...options], {
        cwd: folder,
        onOutput: (text, child) => {
          if (text.includes('"type":"saved"') && !child.killed) child.kill(signal);
        },
      });
      expect(stopped.code).toBe(130);
      expect(stopped.stderr).toContain('Stopping after this step');
      expect(stopped.stderr).toContain('interrupted');
      expect(jsonLines(stopped.stdout).some(({ type }) => type === 'done')).toBe(false);
      const { run, results } = await resultsIn(folder);
      expect(stopped.stderr).toContain(`To go on: treadle run-all --resume ${basename(run)}\n`);
      const [first, second] = results.models;
      expect(first).toMatchObject({ kept: { valMacroF1: expect.any(Number) } });
      expect(first!.error).toBeUndefined();
      expect(second!.kept).toBeNull();
      expect(second!.error).toContain('interrupted');
      expect(results.best).toBe('wide_0.01');
      const names = await readdir(join(folder, 'weights'));
      expect(names.sort()).toEqual(['wide_weights_0.01.pkl', 'wide_weights_0.01.safetensors']);
      for (const name of names) await loadWeights(join(folder, 'weights', name));
      // How it goes on does not depend on the signal.
      if (command === null) return;

      const resumed = await treadle([command, '--resume', basename(run), NO_REPORT], { cwd: folder });
      expect(resumed.stderr).toBe('');
      expect(resumed.code).toBe(0);
      expect(resumed.stdout).toContain(`Run ${basename(run)} resumed: `);
      expect(await weightBytes(folder)).toEqual(await weightBytes(shared.long));
      const again = await treadle(['run-all', '--resume'], { cwd: folder });
      expect(again.code).toBe(1);
      expect(again.stderr).toBe('error: runs has no unfinished run; a run that was stopped is expected.\n');
    },
  );

  it('says how to go on with a run that was named by its folder', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 100_000 });
    const stopAfterAnEpoch = (text: string, child: ChildProcess) => {
      if (text.includes('"type":"epoch"') && !child.killed) child.kill('SIGINT');
    };
    const stop = (...args: string[]) =>
      treadle(['run-all', '--json', ...args], { cwd: folder, onOutput: stopAfterAnEpoch });
    await stop('--out', 'elsewhere', ...options);
    const run = join('elsewhere', (await readdir(join(folder, 'elsewhere')))[0]!);
    expect((await stop('--resume', run)).stderr).toContain(`To go on: treadle run-all --resume ${run}\n`);
  });

  it('goes on with a run from within its folder, by its name, and leaves no other folder there', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 40, architectures: { wide: [128, 64] } });
    await treadle(['run-all', '--json', ...options], {
      cwd: folder,
      onOutput: (text, child) => {
        if (text.includes('"type":"epoch"') && !child.killed) child.kill('SIGINT');
      },
    });
    const { run } = await resultsIn(folder);
    const { code, stdout } = await treadle(['run-all', '--resume', '.', NO_REPORT], { cwd: run });
    expect(code).toBe(0);
    expect(stdout).toContain(`Run ${basename(run)} resumed: `);
    // Outside the folder it runs in a path is absolute; inside it is not.
    const { results } = await resultsIn(folder);
    const saved = join(await realpath(folder), 'weights', 'wide_weights_0.01.safetensors');
    expect(results.models[0]!.weights[0]).toBe(saved);
    expect(stdout).toContain(`Saved ${saved} and `);
    expect(stdout).toMatch(/^Done in \d+:\d\d: results\.json\.$/m);
    expect(await readdir(run)).not.toContain('runs');
  });

  it('goes on elsewhere with a run that was named by its folder, and leaves no folder of runs there', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 20, architectures: { wide: [128, 64] } });
    await treadle(['run-all', '--json', ...options], {
      cwd: folder,
      onOutput: (text, child) => {
        if (text.includes('"type":"epoch"') && !child.killed) child.kill('SIGINT');
      },
    });
    const { run } = await resultsIn(folder);
    const elsewhere = await temporaryFolder();
    expect((await treadle(['run-all', '--resume', run, NO_REPORT], { cwd: elsewhere })).code).toBe(0);
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await readdir(join(folder, 'weights'))).toHaveLength(4);
  });

  it('refuses to replace the weights of an earlier run where nobody can be asked, unless it is told to', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, architectures: { slim: [8] }, learningRates: [0.01] });
    expect((await treadle(['run-all', ...options], { cwd: folder })).code).toBe(0);
    const before = await weightBytes(folder);
    const train = ['train', '--model', 'slim', '--lr', '0.01', '--seed', '3', ...options];
    for (const args of [train, [...train, '--json']]) {
      const { code, stdout, stderr } = await treadle(args, { cwd: folder });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(
        'error: Folder weights has files that this run would replace (slim_weights_0.01.safetensors, slim_weights_0.01.pkl); another folder (--weights), or leave to replace them (--force), is expected.\n',
      );
    }
    expect(await weightBytes(folder)).toEqual(before);
    expect((await treadle([...train, '--weights', 'others'], { cwd: folder })).code).toBe(0);
    expect(await weightBytes(folder)).toEqual(before);
    expect((await treadle([...train, '--force'], { cwd: folder })).code).toBe(0);
    expect(await weightBytes(folder)).not.toEqual(before);
  });

  it.skipIf(!hasScript)(
    'asks on a terminal before it replaces the weights of an earlier run',
    async () => {
      const folder = await temporaryFolder();
      const options = await smallRun(folder, {
        ...GRID,
        architectures: { slim: [8] },
        learningRates: [0.01],
      });
      expect((await treadle(['run-all', ...options], { cwd: folder })).code).toBe(0);
      const before = await weightBytes(folder);
      const args = ['run-all', '--seed', '3', ...options];
      for (const [answer, code] of [
        ['n\r', 2],
        ['\u0004', 2],
        ['\u0003', 130],
        ['y\r', 0],
      ] as const) {
        let answered = false;
        const ended = await onTerminal(args, folder, (text, child) => {
          if (answered || !text.includes('Replace them? [y/N] ')) return;
          answered = true;
          child.stdin!.write(answer);
        });
        expect(ended.stdout).toContain(
          'This run would replace 2 files of an earlier one: weights/slim_weights_0.01.safetensors, weights/slim_weights_0.01.pkl.',
        );
        expect({ answer, code: ended.code }).toEqual({ answer, code });
        if (code === 0) expect(await weightBytes(folder)).not.toEqual(before);
        else expect(await weightBytes(folder)).toEqual(before);
      }
    },
    120_000,
  );

  it('ends at once on a second signal, and says how to go on', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 100_000 });
    const { code, stderr } = await treadle(['run-all', '--json', ...options], {
      cwd: folder,
      onOutput: (text, child) => {
        if (!text.includes('"type":"epoch"')) return;
        child.kill('SIGINT');
        child.kill('SIGTERM');
      },
    });
    expect(code).toBe(130);
    expect(stderr).not.toContain('interrupted');
    expect(stderr).toMatch(/^To go on: treadle run-all --resume \S+$/m);
    expect(await readdir(join(folder, 'runs', (await readdir(join(folder, 'runs')))[0]!))).not.toContain(
      'results.json',
    );
  });

  it('refuses a folder of weights that another run is using', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { ...GRID, epochs: 100_000 });
    let second: Promise<Finished> | undefined;
    const { code } = await treadle(['run-all', '--json', ...options], {
      cwd: folder,
      onOutput: (text, child) => {
        if (!text.includes('"type":"epoch"')) return;
        second ??= treadle(['run-all', ...options], { cwd: folder }).finally(() => child.kill('SIGINT'));
      },
    });
    const refused = await second!;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^error: Folder weights is in use by process \d+ since \S+; .+ is expected .+\n$/,
    );
    expect(refused.stdout).not.toContain('Run ');
    expect(code).toBe(130);
    expect((await readdir(join(folder, 'weights'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('test', () => {
  it('names a damaged file, tests the others and ends with 1', async () => {
    const folder = await temporaryFolder();
    await cp(join(shared.grid, 'data'), join(folder, 'data'), { recursive: true });
    const filter = (path: string) => !basename(path).startsWith('wide');
    await cp(join(shared.grid, 'weights'), join(folder, 'weights'), { recursive: true, filter });
    const damaged = join('weights', 'slim_weights_0.01.safetensors');
    await truncate(join(folder, damaged), 200);
    const { code, stdout, stderr } = await treadle(['test', '--json', '--data', 'data', '--no-verify'], {
      cwd: folder,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: weights.slim_weights_0\.01\.safetensors: .+\n$/);
    expect(jsonLines(stdout)).toMatchObject([
      { type: 'test', learningRate: 0.005 },
      { type: 'failed', file: damaged, code: 'format' },
    ]);
  });

  it('refuses weights for other images', async () => {
    const other = await temporaryFolder();
    const { syntheticDataset, writeIdxDataset } = await import('../support/idx.js');
    const data = syntheticDataset({ classes: 3, height: 4, width: 4, train: 30, test: 9, seed: 2 });
    await writeIdxDataset(join(other, 'data'), data);
    const args = ['test', '--weights', join(shared.grid, 'weights'), '--data', 'data', '--no-verify'];
    const { code, stderr } = await treadle(args, { cwd: other });
    expect(code).toBe(1);
    expect(stderr).toContain('has 30 inputs and 3 classes; 16 inputs and 3 classes are expected');
  });
});

it('leaves nothing behind where it is refused', async () => {
  const folder = await temporaryFolder();
  const options = await smallRun(folder, GRID);
  const there = (await readdir(folder, { recursive: true })).sort();
  const own = ['--weights', 'made/by/this', '--out', 'records/of/it', '--tensorboard', 'boards/of/it'];
  const data = ['--data', 'data', '--no-verify'];
  const vast = { architectures: { vast: [40_000, 40_000] }, learningRates: [0.01] };
  await writeFile(join(folder, 'vast.json'), JSON.stringify(vast));
  there.push('vast.json');
  const refused: [args: string[], code: number, says: RegExp][] = [
    [['--data', 'none', '--no-verify'], 1, /none does not exist/],
    [[...data, '--validation-size', '300'], 2, /--validation-size/],
    [[...data, '--config', 'vast.json'], 2, /Model vast: /],
    [[...options, '--from', 'nothing'], 1, /nothing does not exist/],
    [[...options, '--queue', `redis://127.0.0.1:${await freePort()}`], 1, /ECONNREFUSED/],
    [[...options, '--queue', 'redis://127.0.0.1:1', '--store', 'http://x'], 2, /--store is/],
    [['--resume', 'none'], 1, /none/],
  ];
  for (const [args, code, says] of refused) {
    const found = await treadle(['run-all', ...args, ...own], { cwd: folder });
    expect([args, found.code]).toEqual([args, code]);
    expect(found.stderr).toMatch(says);
    expect(found.stderr).not.toContain('To go on');
    expect([args, (await readdir(folder, { recursive: true })).sort()]).toEqual([args, there.sort()]);
  }
});
