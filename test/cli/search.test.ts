import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchShow } from '../../dist/cli/search-progress.js';
import type { SearchResults } from '../../dist/table/search/results.js';
import { jsonLines, type RunOptions, treadle } from './treadle.js';

/** 150 rows; `ill` follows from the temperature, a patient comes ten times or so. */
const CSV = [
  'patient,temperature,coughs,day,ill',
  ...Array.from({ length: 150 }, (_, row) => {
    const temperature = 36 + ((row * 7) % 40) / 10;
    return `p${row % 14},${row % 13 === 0 ? '' : temperature},${row % 3 ? 'no' : 'yes'},${row},${temperature > 37.7 ? 'ill' : 'well'}`;
  }),
].join('\n');
const FIT = ['fit', 'visits.csv', '--target', 'ill', '--column', 'day=leave', '--epochs', '8'];
const GRID = { hidden: [[8], [16, 8]], learningRate: [0.05, 0.01, 0.001], halving: { factor: 2, first: 3 } };

let folder: string;
const run = (args: string[], options: RunOptions = {}) => treadle(args, { cwd: folder, ...options });
const runFolder = async (runs: string) => join(folder, runs, (await readdir(join(folder, runs)))[0]!);
async function resultsIn(runs: string): Promise<SearchResults> {
  return JSON.parse(await readFile(join(await runFolder(runs), 'results.json'), 'utf8'));
}
const timeless = (found: unknown) =>
  JSON.parse(JSON.stringify(found, (key, value) => (key === 'seconds' ? undefined : value)));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'treadle-test-'));
  await writeFile(join(folder, 'visits.csv'), CSV);
  await writeFile(join(folder, 'other.csv'), CSV.replace('p3', 'p4'));
  await writeFile(join(folder, 'grid.json'), JSON.stringify(GRID));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('fit --cv', () => {
  it('tells the scores of every fold, and trains the model on all rows', async () => {
    const args = [...FIT, '--cv', '3', '--runs', 'folds', '--out', 'folds.safetensors'];
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Trained c1-f3: 8 epochs, accuracy \d\.\d{4}, loss \d\.\d{4}\.$/m);
    expect(stdout).toMatch(/^fold +trained +scored +epoch +accuracy +macroF1 +rocAuc +logLoss +loss *$/m);
    expect(stdout).toMatch(/^2 +85 +50 +\d +\d\.\d{4}/m);
    expect(stdout).toMatch(/^mean +\d\.\d{4}/m);
    expect(stdout).toMatch(/^deviation +\d\.\d{4}/m);
    expect(stdout).toMatch(/^Trained on 127 rows for 8 epochs; epoch \d is kept\.$/m);
    expect(stdout).not.toContain('that were held out');
    const { test, final, candidates, table } = await resultsIn('folds');
    expect([test, final.rows.train + final.rows.validation, table.rows]).toEqual([null, 150, 150]);
    expect(candidates[0]!.trials.map(({ epochs }) => epochs.length)).toEqual([8, 8, 8]);
    const evaluated = await run(['evaluate', '--model', 'folds.safetensors', 'visits.csv', '--json']);
    expect(jsonLines(evaluated.stdout)[0]!.samples).toBe(150);
  });

  it('keeps groups together, goes forward in time, and tests on what is held out where it is asked to', async () => {
    const grouped = await run([
      ...FIT,
      '--cv',
      '2',
      '--group',
      'patient',
      '--runs',
      'grouped',
      '--test-size',
      '0.2',
      '--json',
    ]);
    const [found] = jsonLines(grouped.stdout) as [Record<string, { test: number }>];
    expect(grouped.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(found!.rows!.test).toBeGreaterThan(29);
    expect(found).toMatchObject({
      score: 'accuracy',
      candidates: [{ id: 'c1', folds: [{ task: 'classification' }, {}] }],
    });
    expect((await resultsIn('grouped')).columns.find(({ name }) => name === 'patient')).toMatchObject({
      kind: 'leave',
    });
    const timed = await run([...FIT, '--cv', '2', '--time', 'day', '--runs', 'timed', '--test', 'other.csv']);
    expect(timed.stdout).toContain('On 150 rows that were held out:');
    const { candidates } = await resultsIn('timed');
    expect(candidates[0]!.trials.map(({ rows }) => rows.train + rows.validation)).toEqual([50, 100]);
  });
});

describe('fit --grid', () => {
  it('lists candidates the best first, and saves and tests the best', async () => {
    const { code, stdout, stderr } = await run([
      ...FIT.slice(0, -2),
      '--grid',
      'grid.json',
      '--runs',
      'all',
      '--out',
      'all.safetensors',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Candidates by accuracy, highest first:$/m);
    expect(stdout).toMatch(/^c\d +(8|16-8) +0\.\d+ +\d\.\d{4}/m);
    expect(stdout).toMatch(/given up after rung 1$/m);
    expect(stdout).toContain('On 30 rows that were held out:');
    const { candidates, final, test, score } = await resultsIn('all');
    expect([candidates.length, score, test!.samples]).toEqual([6, 'accuracy', 30]);
    expect(final.candidate).toBe(candidates[0]!.id);
    const csv = (await readFile(join(await runFolder('all'), 'candidates.csv'), 'utf8'))
      .trimEnd()
      .split('\n');
    expect(csv[0]).toMatch(/^candidate,hidden,learningRate,mean_accuracy,std_accuracy,/);
    expect(csv.slice(1).map((line) => line.split(',')[0])).toEqual(candidates.map(({ id }) => id));
    const epochs = (await readFile(join(await runFolder('all'), 'epochs.csv'), 'utf8')).trimEnd().split('\n');
    const trained = candidates.reduce(
      (sum, { trials }) => sum + trials[0]!.epochs.length,
      final.epochs.length,
    );
    expect(epochs).toHaveLength(1 + trained);
    expect(await readdir(await runFolder('all'))).toEqual([
      'candidates.csv',
      'config.json',
      'epochs.csv',
      'results.json',
      'run.json',
    ]);
  });

  it('has its report written anew, from the files that it had', async () => {
    const args = [...FIT, '--grid', 'grid.json', '--runs', 'told', '--out', 'told.safetensors'];
    const first = await run(args);
    expect([first.code, first.stderr]).toEqual([0, '']);
    const html = await readFile(join(folder, 'told.html'), 'utf8');
    await rm(join(folder, 'told.html'));
    const own = await runFolder('told');
    const report = (...more: string[]) => run(['report', own, ...more]);
    const again = await report();
    expect([again.code, again.stderr]).toEqual([0, '']);
    expect(await readFile(join(folder, 'told.html'), 'utf8')).toBe(html);
    expect(first.stdout).toContain(again.stdout.slice(0, again.stdout.indexOf('\n\nReport: ')));
    expect(again.stdout).toMatch(/\n\nReport: told\.html\n$/);
    expect(jsonLines((await report('--json')).stdout)).toEqual([await resultsIn('told')]);

    // What others have left in place of its files.
    const bytes = await readFile(join(folder, 'told.safetensors'));
    await writeFile(join(folder, 'told.safetensors'), bytes.subarray(0, -4));
    const other = await report();
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toMatch(
      /^error: told\.safetensors is not the file that run \S+ had; it as it was is expected\.\n$/,
    );
    await rm(join(folder, 'told.safetensors'));
    expect((await report()).stderr).toContain('told.safetensors does not exist');
    const results = await resultsIn('told');
    await writeFile(
      join(own, 'results.json'),
      JSON.stringify({ ...results, final: { ...results.final, epochs: 3 } }),
    );
    const broken = await report();
    expect([broken.code, broken.stderr]).toMatchObject([
      1,
      expect.stringContaining('results.json: final.epochs is 3; a list of epochs is expected.'),
    ]);
  });

  it('of one candidate saves the model that a plain fit saves', async () => {
    await writeFile(join(folder, 'one.json'), '{"hidden": [[64, 32]]}');
    await run([...FIT, '--grid', 'one.json', '--runs', 'one', '--jobs', '1', '--out', 'one.safetensors']);
    await run([...FIT, '--out', 'plain.safetensors']);
    const bytes = (name: string) => readFile(join(folder, name));
    expect(await bytes('one.safetensors')).toEqual(await bytes('plain.safetensors'));
  });

  it.each([['SIGKILL'], ['SIGINT']] as const)(
    'stopped by %s goes on to the same candidates and the same model, with other jobs too',
    async (signal) => {
      const args = [...FIT.slice(0, -2), '--grid', 'grid.json', '--cv', '2', '--seed', '3'];
      const whole = `whole ${signal}`;
      await run([...args, '--runs', whole, '--out', `${whole}.safetensors`]);
      const cut = `cut ${signal}`;
      let isStopped = false;
      const stopped = await run([...args, '--runs', cut, '--jobs', '1', '--out', `${cut}.safetensors`], {
        onOutput: (stdout, child) => {
          if (isStopped || stdout.split('\nTrained ').length <= 5) return;
          isStopped = true;
          child.kill(signal);
        },
      });
      expect(stopped.code).toBe(signal === 'SIGKILL' ? null : 130);
      if (signal === 'SIGINT') {
        expect(stopped.stderr).toContain('error: The search was interrupted before it was finished.');
        expect(stopped.stderr).toContain('To go on: treadle fit --resume ');
      }
      expect((await readdir(join(await runFolder(cut), 'trials'))).length).toBeGreaterThan(3);
      // Whatever was being written is damaged: it is trained anew.
      const trials = join(await runFolder(cut), 'trials');
      const [first] = await readdir(trials);
      await writeFile(join(trials, first!), '{"torn"');
      const resumed = await run(['fit', '--resume', '--runs', cut, '--jobs', '2']);
      expect([resumed.code, resumed.stderr]).toEqual([0, '']);
      expect(resumed.stdout).toContain(' resumed: build ');
      const [one, two] = [await resultsIn(whole), await resultsIn(cut)];
      expect(timeless(two.candidates)).toEqual(timeless(one.candidates));
      expect(two.test).toEqual(one.test);
      const bytes = (name: string) => readFile(join(folder, `${name}.safetensors`));
      expect(await bytes(cut)).toEqual(await bytes(whole));
      const again = await run(['fit', '--resume', await runFolder(cut)]);
      expect([again.code, again.stderr]).toMatchObject([
        2,
        expect.stringContaining('is finished; an unfinished run'),
      ]);
    },
  );

  it('does not go on with other rows, another grid or other options', async () => {
    const args = [...FIT.slice(0, -2), '--grid', 'grid.json', '--runs', 'begun'];
    await run(args, {
      onOutput: (stdout, child) => stdout.includes('\nTrained c1') && child.kill('SIGKILL'),
    });
    await writeFile(join(folder, 'grid2.json'), JSON.stringify({ ...GRID, hidden: [[9]] }));
    const resume = ['fit', '--resume', '--runs', 'begun'];
    for (const [more, words] of [
      [['other.csv'].concat(resume.slice(1)), 'the SHA-256 of the table is'],
      [['--grid', 'grid2.json'], '--grid is {"halving":{"factor":2,"first":3},"hidden":[[9]]'],
      [['--seed', '4'], '--seed is 4; 0 is expected, as the run was begun with.'],
      [['--cv', '3'], '--cv is 3; none is expected'],
      [['--target', 'coughs'], '--target is ["coughs"]; ["ill"] is expected'],
      [['--test', 'other.csv'], 'the SHA-256 of the rows to test on is'],
    ] as const) {
      const found = await run(more[0] === 'other.csv' ? ['fit', ...more] : [...resume, ...more]);
      expect(found.stderr).toContain(words);
      expect(found.code).toBe(2);
    }
    // The rows as they were, under another name, and what may differ.
    await writeFile(join(folder, 'moved.csv'), CSV);
    const moved = await run([
      'fit',
      'moved.csv',
      '--resume',
      '--runs',
      'begun',
      '--grid',
      'grid.json',
      '--out',
      'moved.safetensors',
    ]);
    expect([moved.code, moved.stderr]).toEqual([0, '']);
    expect(moved.stdout).toContain('Saved moved.safetensors.');
  });
});

it.each([
  [[...FIT, '--cv', '1'], 2, '--cv is "1"; a whole number from 2 to 1000 is expected.'],
  [[...FIT, '--cv', '151', '--runs', 'none'], 1, 'The table has 150 rows; at least 151'],
  [
    [...FIT, '--cv', '15', '--group', 'patient', '--runs', 'none'],
    1,
    'The table has 14 values of patient; at least 15',
  ],
  [
    [...FIT, '--grid', 'score.json', '--runs', 'none'],
    2,
    "The grid's score is r2; one of accuracy, macroF1,",
  ],
  [[...FIT, '--grid', 'none.json'], 1, 'none.json does not exist'],
  [[...FIT, '--grid', 'visits.csv'], 2, 'visits.csv is not JSON'],
  [[...FIT, '--grid', 'bad.json'], 2, 'bad.json: learningRate is []; a list of at least one value'],
  [
    [...FIT, '--grid', 'both.json'],
    2,
    '--epochs is "given"; it here or in both.json, not in both, is expected.',
  ],
  [[...FIT, '--jobs', '2'], 2, '--jobs is "given"; it with --cv or --grid only is expected.'],
  [['fit', 'visits.csv', '--cv', '2'], 2, '--target is missing; a column to predict is expected.'],
  [['fit', '--target', 'ill'], 2, 'The table is missing; a CSV, Parquet or JSON file is expected.'],
  [['fit', '--resume', '--runs', 'none'], 1, 'none has no unfinished run'],
  [['fit', '--resume', 'nowhere'], 1, 'nowhere is no run'],
])('refused: %j', async (args, code, words) => {
  await writeFile(join(folder, 'bad.json'), '{"learningRate": []}');
  await writeFile(join(folder, 'both.json'), '{"epochs": [3]}');
  await writeFile(join(folder, 'score.json'), '{"score": "r2"}');
  await mkdir(join(folder, 'none'), { recursive: true });
  const found = await run(args);
  expect(found.stderr).toContain(words);
  expect([found.code, found.stdout]).toEqual([code, '']);
  expect(await readdir(join(folder, 'none'))).toEqual([]);
});

it('live lines tell what runs, and how much of the rung is done', () => {
  let now = 0;
  const show = searchShow(() => now);
  expect(show.lines(80)).toEqual([]);
  show.hear({
    type: 'search',
    candidates: 3,
    trainings: 2,
    rungs: [
      { epochs: 4, candidates: 3 },
      { epochs: 8, candidates: 1 },
    ],
    score: 'r2',
  });
  show.hear({ type: 'rung', rung: 1, candidates: 3, epochs: 4 });
  show.hear({ type: 'start', trial: 'c2-f1', finished: 0, epochs: 4 });
  show.hear({ type: 'epoch', trial: 'c2-f1', figures: { epoch: 1, seconds: 1, valLoss: 0.25 } });
  now = 61_000;
  expect(show.lines(80)).toEqual([
    'c2-f1  epoch 2/4  val loss 0.2500',
    '0 of 6 trainings done  rung 1 of 2  elapsed 1:01',
  ]);
  const blank = {
    candidate: 'c2',
    fold: 1,
    seed: 0,
    rows: { train: 1, validation: 1, scored: 1 },
    epochs: [],
    kept: null,
  };
  const failed = { ...blank, id: 'c2-f1', ended: 'failed' as const, scores: null, error: 'It diverged.' };
  show.hear({ type: 'trial', record: failed });
  expect(show.line({ type: 'trial', record: failed })).toBe('Failed: c2-f1. It diverged.');
  expect(show.lines(30)).toEqual(['1 of 6 trainings done']);
});
