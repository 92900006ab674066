import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFitBoard, withFitBoard } from '../../dist/cli/fit-board.js';
import { readModel, writeModel } from '../../dist/node.js';
import { readTable, readTableModel } from '../../dist/table/node.js';
import { failure } from '../support/errors.js';
import { eventsIn } from '../tensorboard/read.js';
import { jsonLines, treadle } from './treadle.js';

/** 150 rows with gaps, a name and a patient; `ill` follows from the temperature. */
const CSV = [
  'name;patient;temperature;coughs;ill',
  ...Array.from({ length: 150 }, (_, row) => {
    const temperature = 36 + ((row * 7) % 40) / 10;
    const shown = row % 13 === 0 ? '' : String(temperature).replace('.', ',');
    return `"nr ${row}";${row % 10};${shown};${row % 3 ? 'no' : 'yes'};${temperature > 37.7 ? 'ill' : 'well'}`;
  }),
].join('\n');
const COMMAS = ['--decimal', ','];

let folder: string;
const run = (...args: string[]) => treadle(args, { cwd: folder });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'treadle-test-'));
  await writeFile(join(folder, 'visits.csv'), CSV);
  const { code, stderr } = await run(
    'fit',
    'visits.csv',
    '--target',
    'ill',
    ...COMMAS,
    '--out',
    'made.safetensors',
  );
  expect([code, stderr]).toEqual([0, '']);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('fit', () => {
  it('says what it takes the columns for, tests on rows held out, and saves the model', async () => {
    const args = [
      'fit',
      'visits.csv',
      '--target',
      'ill',
      ...COMMAS,
      '--group',
      'patient',
      '--out',
      'grouped.safetensors',
    ];
    const { code, stdout, stderr } = await run(...args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^name +left out +it is text: 150 different values in 150 rows/m);
    expect(stdout).toMatch(/^patient +left out +its values keep rows together/m);
    expect(stdout).toMatch(/^temperature +number +all of its values are numbers +12 empty$/m);
    expect(stdout).toMatch(/^coughs +yes or no +it is no or yes/m);
    expect(stdout).toMatch(/On 30 rows that were held out:\naccuracy 0\.\d{4}|accuracy 1\.0000/);
    expect(stdout).toMatch(/^temperature +\d\.\d+$/m);
    expect(stdout).toContain('Saved grouped.safetensors.');
    const model = await readTableModel(join(folder, 'grouped.safetensors'));
    expect(model.encoder.target).toEqual({ task: 'classification', name: 'ill', classes: ['ill', 'well'] });
    model.dispose();
  });

  it('prints one object with --json, the same for the same seed', async () => {
    const args = [
      'fit',
      'visits.csv',
      '--target',
      'ill',
      '--seed',
      '3',
      '--hidden',
      '8',
      '--json',
      ...COMMAS,
    ];
    const [one, two] = [await run(...args), await run(...args)];
    const [record] = jsonLines(one.stdout);
    expect(record).toMatchObject({
      rows: { train: 102, validation: 18, test: 30 },
      model: 'model.safetensors',
    });
    expect(two.stdout).toBe(one.stdout);
  });

  it('takes a column for what it is told, and tests on another table', async () => {
    const args = [
      '--column',
      'patient=category',
      '--column',
      'name=leave',
      '--test',
      'visits.csv',
      '--epochs',
      '2',
    ];
    const { code, stdout } = await run(
      'fit',
      'visits.csv',
      '--target',
      'ill',
      ...COMMAS,
      ...args,
      '--task',
      'classification',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^patient +category +it was asked for/m);
    expect(stdout).toContain('On 150 rows that were held out:');
  });

  it('predicts numbers', async () => {
    const args = [
      'fit',
      'visits.csv',
      '--target',
      'patient',
      '--task',
      'regression',
      ...COMMAS,
      '--epochs',
      '2',
    ];
    const { code, stdout } = await run(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/R2 -?\d+\.\d{4} {3}RMSE \d+\.\d{4} {3}MAE/);
  });

  it.each([
    [['none.csv', '--target', 'ill'], 1, 'none.csv does not exist'],
    [['visits.csv'], 2, '--target is missing; a column to predict is expected'],
    [
      ['visits.csv', '--target', 'sick'],
      2,
      '--target is sick; one of name, patient, temperature, coughs, ill is expected.',
    ],
    [['visits.csv', '--target', 'ill', '--column', 'age=number'], 2, '--column is age; one of'],
    [['visits.csv', '--target', 'ill', '--column', 'name=words'], 2, '--column is "name=words"'],
    [['visits.csv', '--target', 'ill', '--column', 'name=number'], 2, '--column name is number'],
    [['visits.csv', '--target', 'ill', '--test-size', '1.5'], 2, '--test-size is "1.5"'],
    [['visits.csv', '--target', 'ill', '--hidden', 'many'], 2, '--hidden is "many"'],
    [['visits.csv', '--target', 'ill', '--hidden', '8,0'], 2, '--hidden is "8,0"'],
    [['visits.csv', '--target', 'ill', '--separator', 'ab'], 2, '--separator is "ab"'],
    [['visits.csv', '--target', 'ill', '--time', 'name'], 1, 'name in row 0 is'],
    [['visits.csv', '--target', 'ill', '--time', 'a', '--group', 'b'], 2, 'cannot be used with option'],
  ])('is refused: %j', async (args, code, words) => {
    const found = await run('fit', ...args, ...COMMAS);
    expect([found.code, found.stdout]).toEqual([code, '']);
    expect(found.stderr).toContain(words);
  });
});

describe('the report of fit', () => {
  it('stands beside the model, elsewhere, or nowhere', async () => {
    const args = ['fit', 'visits.csv', '--target', 'ill', '--epochs', '2', '--json', ...COMMAS];
    const beside = await run(...args, '--out', 'page.safetensors');
    expect(jsonLines(beside.stdout)[0]).toMatchObject({ model: 'page.safetensors', report: 'page.html' });
    expect(await readFile(join(folder, 'page.html'), 'utf8')).toContain('<h1>ill by visits.csv</h1>');
    await run(...args, '--out', 'page.safetensors', '--report', 'other.html');
    expect(await readFile(join(folder, 'other.html'), 'utf8')).toContain('How well it does');
    const none = await run(...args, '--out', 'none.safetensors', '--no-report');
    expect(jsonLines(none.stdout)[0]).toMatchObject({ report: null });
    await expect(readFile(join(folder, 'none.html'))).rejects.toThrow();
  });

  it('of a cross-validation has its folds', async () => {
    await run(
      'fit',
      'visits.csv',
      '--target',
      'ill',
      '--cv',
      '2',
      '--epochs',
      '2',
      '--out',
      'cv.safetensors',
      ...COMMAS,
    );
    expect(await readFile(join(folder, 'cv.html'), 'utf8')).toContain('Cross-validation with 2 folds.');
  });

  it('leaves out rows without a target, and says how many', async () => {
    await writeFile(join(folder, 'gaps.csv'), `${CSV.trimEnd()}\nnr 150;3;37,0;yes;\n`);
    const found = await run(
      'fit',
      'gaps.csv',
      '--target',
      'ill',
      '--epochs',
      '1',
      '--out',
      'gaps.safetensors',
      ...COMMAS,
    );
    expect(found.stderr).toContain('1 of 151 rows of gaps.csv have no ill and are left out.');
  });
});

describe('predict --model, evaluate and explain', () => {
  it('say what the model does of another table', async () => {
    const predicted = await run('predict', '--model', 'made.safetensors', 'visits.csv', ...COMMAS);
    expect([predicted.code, predicted.stderr]).toEqual([0, '']);
    const [names, first] = predicted.stdout.split('\n');
    expect(names).toBe(
      'name,patient,temperature,coughs,ill,predicted ill,probability of ill,probability of well',
    );
    expect(first).toMatch(/^nr 0,0,,yes,well,(ill|well),0?\.?\d/);
    expect(predicted.stdout.trimEnd().split('\n')).toHaveLength(151);
    const rows = jsonLines(
      (await run('predict', '--model', 'made.safetensors', 'visits.csv', '--json', ...COMMAS)).stdout,
    );
    expect(rows).toHaveLength(150);
    const scores = await run('evaluate', '--model', 'made.safetensors', 'visits.csv', '--json', ...COMMAS);
    const right = rows.filter(
      (row, at) => row['predicted ill'] === (CSV.split('\n')[at + 1]!.endsWith('ill') ? 'ill' : 'well'),
    );
    expect(jsonLines(scores.stdout)[0]!.accuracy).toBeCloseTo(right.length / 150, 10);
    const shown = await run('evaluate', '--model', 'made.safetensors', 'visits.csv', ...COMMAS);
    expect(shown.stdout).toContain('macro average');
    const explained = await run('explain', '--model', 'made.safetensors', 'visits.csv', '--json', ...COMMAS);
    expect(jsonLines(explained.stdout)[0]).toMatchObject({ column: 'temperature', repeats: 5 });
    expect((await run('explain', '--model', 'made.safetensors', 'visits.csv', ...COMMAS)).stdout).toMatch(
      /^temperature +\d/m,
    );
  });

  it.each([
    [['predict', '--model', 'made.safetensors', 'other.csv'], 1, 'it lacks temperature, coughs'],
    [['predict', '--model', 'made.safetensors', 'visits.csv', 'visits.csv'], 2, 'one table, with --model,'],
    [['predict', '--model', 'visits.csv', 'visits.csv'], 1, 'visits.csv'],
    [['predict', 'visits.csv'], 2, '--weights is missing'],
    [['evaluate', 'visits.csv'], 2, "required option '--model <file>' not specified"],
    [['evaluate', '--model', 'made.safetensors', 'other.csv'], 1, 'it lacks temperature'],
  ])('are refused: %j', async (args, code, words) => {
    await writeFile(join(folder, 'other.csv'), 'name;patient\na;1\nb;2\n');
    const found = await run(...args);
    expect([found.code, found.stdout]).toEqual([code, '']);
    expect(found.stderr).toContain(words);
  });
});

it('export takes the encoders along, or says which features its file takes in place of columns', async () => {
  const bare = await run('export', 'made.safetensors', '--format', 'c', '--out', 'made.h');
  expect([bare.code, bare.stderr]).toEqual([
    0,
    'made.h takes the features of a table, not its columns (onnx and js take those): patient, temperature, temperature is missing, coughs.\n',
  ]);
  for (const format of ['onnx', 'js', 'safetensors']) {
    const found = await run('export', 'made.safetensors', '--format', format, '--out', `copy.${format}`);
    expect([found.code, found.stderr]).toEqual([0, '']);
  }
  expect(await readFile(join(folder, 'copy.js'), 'utf8')).toContain('"name":"temperature"');
  expect(await readFile(join(folder, 'copy.safetensors'))).toEqual(
    await readFile(join(folder, 'made.safetensors')),
  );
});

it('import gives the model of a table back, with its encoders and the figures of its test', async () => {
  const predict = async (model: string) => {
    const found = await run('predict', '--model', model, 'visits.csv', ...COMMAS, '--json');
    expect(found.code).toBe(0);
    return jsonLines(found.stdout).map((row) => row['predicted ill']);
  };
  const said = await predict('made.safetensors');
  expect(new Set(said)).toEqual(new Set(['ill', 'well']));
  for (const format of ['npz', 'onnx', 'safetensors']) {
    await run('export', 'made.safetensors', '--format', format, '--out', `again.${format}`, '--force');
    if (format !== 'safetensors') {
      const early = await run('predict', '--model', `again.${format}`, 'visits.csv', ...COMMAS);
      const is = format === 'npz' ? 'it is a zip, as npz and models of Keras are' : 'it is ONNX';
      const expected = 'the model that an import (treadle import, importModel) makes of it is expected.';
      expect([early.code, early.stderr]).toEqual([1, `error: again.${format}: ${is}; ${expected}\n`]);
    }
    const made = await run('import', `again.${format}`, '--out', `${format}.safetensors`);
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(made.stdout).toMatch(
      new RegExp(`^${format}\\.safetensors: a model of a table, of [\\d,]+ parameters`),
    );
    expect(await predict(`${format}.safetensors`)).toEqual(said);
    const card = await run('export', `${format}.safetensors`, '--format', 'hub', '--out', `card-${format}`);
    expect(card.code).toBe(0);
    expect(await readFile(join(folder, `card-${format}`, 'README.md'), 'utf8')).toContain('accuracy');
  }
  const text = await readFile(join(folder, 'again.onnx'), 'latin1');
  await writeFile(
    join(folder, 'damaged.onnx'),
    text.replace('"version":1,"columns"', '"version":2,"columns"'),
    'latin1',
  );
  const damaged = await run('import', 'damaged.onnx', '--out', 'damaged.safetensors');
  expect([damaged.code, damaged.stderr]).toEqual([
    1,
    'error: damaged.onnx: its encoder has no version; a model of a table is expected.\n',
  ]);
});

describe('a file', () => {
  it('is a table by its content: CSV, packed by gzip, or Parquet', async () => {
    const plain = await readTable(join(folder, 'visits.csv'), { decimal: ',' });
    await writeFile(join(folder, 'packed.csv'), gzipSync(await readFile(join(folder, 'visits.csv'))));
    expect(await readTable(join(folder, 'packed.csv'), { decimal: ',' })).toEqual(plain);
    await copyFile(new URL('../table/parquet/zstd.parquet', import.meta.url), join(folder, 'parquet.csv'));
    expect((await readTable(join(folder, 'parquet.csv'))).columns.map(({ name }) => name)).toEqual([
      ...['name', 'n', 'i', 'yes', 'when'],
    ]);
  });

  it.each([
    [Buffer.from([0xff, 0xfe, 0x41]), 'it is not UTF-8'],
    [Buffer.from('a\0b'), 'it holds zero bytes'],
    [Buffer.from([0x1f, 0x8b, 1, 2]), 'it cannot be unpacked'],
    [Buffer.from('PAR1'), 'it cannot be read'],
  ])('that is none is refused', async (bytes, words) => {
    const path = join(folder, 'none.bin');
    await writeFile(path, bytes);
    expect((await failure('format', () => readTable(path))).message).toContain(words);
  });
});

it('export does not replace the model that it reads', async () => {
  const before = await readFile(join(folder, 'made.safetensors'));
  const args = ['--format', 'js', '--out', './made.safetensors', '--force'];
  const { code, stderr } = await run('export', 'made.safetensors', ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining('another file than the one that is read')]);
  expect(await readFile(join(folder, 'made.safetensors'))).toEqual(before);
});

it('export tells in a card how fit has tested the model', async () => {
  const found = await run('export', 'made.safetensors', '--format', 'hub', '--out', 'card');
  expect([found.code, found.stderr]).toEqual([0, '']);
  const card = await readFile(join(folder, 'card', 'README.md'), 'utf8');
  expect(card).toMatch(/name: "Test accuracy"\n +value: [01]\.?\d*\n/);
  expect(card).toContain('\nOn 30 samples of visits.csv that it was not trained on:\n');
});

it('fit writes its training for TensorBoard', async () => {
  const args = ['--epochs', '3', '--out', 'boarded.safetensors', '--tensorboard', 'logs', ...COMMAS];
  const found = await run('fit', 'visits.csv', '--target', 'ill', '--json', ...args);
  expect([found.code, found.stderr]).toEqual([0, '']);
  const [name] = await readdir(join(folder, 'logs'));
  expect(name).toMatch(/^boarded-\d{8}T\d{6}\.\d{3}Z$/);
  const { scalars, others, ended } = eventsIn(join(folder, 'logs', name!));
  const { epochs, kept, scores } = jsonLines(found.stdout)[0]!;
  expect(scalars['loss/val_loss']!.length).toBe(epochs);
  expect(scalars['test/accuracy']).toEqual([[kept, Math.fround((scores as { accuracy: number }).accuracy)]]);
  expect(others).toContain('confusion');
  expect(ended).toBe(1);
});

it('fit ends what it writes for TensorBoard where it fails', async () => {
  const board = await openFitBoard(join(folder, 'failed'), 'f.safetensors', { seed: 0 });
  const training = withFitBoard(board, async () => {
    board.scalars(1, { loss: 2 });
    throw new Error('out of luck');
  });
  await expect(training).rejects.toThrow('out of luck');
  const [name] = await readdir(join(folder, 'failed'));
  const { scalars, ended } = eventsIn(join(folder, 'failed', name!));
  expect([scalars.loss, ended]).toEqual([[[1, 2]], 2]);
});

it.each([
  [
    ['fit', 'names.csv', '--target', 'name'],
    1,
    'The number of samples of every class of name is 1; at least 2',
  ],
  [
    ['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--group', 'house'],
    2,
    '--group is house; one of name,',
  ],
  [['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--group', 'ill'], 2, '--group is ill; one of name,'],
  [['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--time', 'day'], 2, '--time is day; one of name,'],
  [
    ['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--column', 'ill=number'],
    2,
    '--column is ill; one of name, patient, temperature, coughs is expected.',
  ],
  [
    ['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--column', 'coughs=number'],
    2,
    "--column coughs is number (row 0 is 'yes'); a kind that its cells are of is expected.",
  ],
  [
    ['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--target', 'name', '--task', 'classification'],
    2,
    '--target is ill, name; one column of classes is expected.',
  ],
  [
    ['fit', 'visits.csv', '--target', 'ill', '--separator', ',', '--decimal', ','],
    2,
    '--separator is ,; another character than the decimal mark is expected.',
  ],
  [
    ['fit', 'visits.csv', ...COMMAS, '--target', 'ill', '--grid', 'r2.json'],
    2,
    "The grid's score is r2; one of accuracy, macroF1, rocAuc, logLoss, loss is expected.",
  ],
])('advice is of options, not of parameters: %j', async (args, code, words) => {
  await writeFile(join(folder, 'names.csv'), 'name,size\nann,1\nbob,2\ncy,4\ndee,3\n');
  await writeFile(join(folder, 'r2.json'), '{"score": "r2"}');
  const found = await run(...args, '--out', 'made/for/it.safetensors');
  expect([found.code, found.stdout]).toEqual([code, '']);
  expect(found.stderr).toContain(`error: ${words}`);
  expect(await readdir(folder)).not.toContain('made');
});

describe('before it trains, fit tells', () => {
  const fit = (...args: string[]) =>
    run('fit', 'visits.csv', '--target', 'ill', '--epochs', '100000', ...COMMAS, ...args);

  it.each([
    ['another kind of cells', CSV.replace(/;36[^;]*;/, ';hot;'), 'temperature is "hot" in row'],
    ['a column less', CSV.replace(/coughs/, 'sneezes'), 'it lacks coughs'],
    ['another target', CSV.replace(/;well$/m, ';unwell'), '"unwell"'],
  ])('that rows to test on have %s', async (_, csv, sentence) => {
    await writeFile(join(folder, 'strange.csv'), csv);
    const { code, stderr } = await fit('--test', 'strange.csv', '--out', 'strange.safetensors');
    expect(code).toBe(1);
    expect(stderr).toContain('strange.csv');
    expect(stderr).toContain(sentence);
    expect(await readdir(folder)).not.toContain('strange.safetensors');
  });

  it.each([
    [['--out', '.'], 'is a folder; the path of a file is expected.'],
    [['--out', 'visits.csv/m.safetensors'], 'visits.csv cannot be written to: '],
    [['--out', 'm.safetensors', '--report', '.'], 'is a folder; the path of a file is expected.'],
    [['--cv', '3', '--out', '.'], 'is a folder; the path of a file is expected.'],
  ])('that %j cannot be written', async (args, sentence) => {
    const { code, stderr } = await fit(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(sentence)]);
  });

  it.each([
    [['--out', 'visits.csv'], '--out is visits.csv (a file is there that is no model of fit)'],
    [
      ['--out', './m.html', '--report', 'm.html'],
      '--report is "m.html"; another file than --out is expected.',
    ],
    [['--report', 'visits.csv'], '--report is visits.csv (a file is there that is no report)'],
    [['--report', 'made.safetensors'], '--report is made.safetensors (a file is there that is no report)'],
    [['--cv', '3', '--out', 'visits.csv'], '--out is visits.csv (a file is there that is no model of fit)'],
  ])('that %j would replace a file that is not its own', async (args, sentence) => {
    const { code, stderr } = await fit(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(await readFile(join(folder, 'visits.csv'), 'utf8')).toBe(CSV);
  });

  it('what it will replace of its own, and replaces nothing that another program wrote', async () => {
    const args = ['--out', 'twice.safetensors', '--epochs', '1', '--json'];
    expect((await fit(...args)).stderr).toBe('');
    const both = 'twice.safetensors and twice.html are there already and will be replaced.\n';
    expect((await fit(...args)).stderr).toBe(both);
    expect((await fit(...args, '--cv', '2', '--runs', 'twice')).stderr).toContain(both);
    const one = 'twice.safetensors is there already and will be replaced.\n';
    expect((await fit(...args, '--no-report')).stderr).toBe(one);
    // A network without encoders, and a page of somebody else.
    const network = await readModel(join(folder, 'twice.safetensors'));
    await writeModel(join(folder, 'network.safetensors'), network);
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>mine</title>');
    const before = await readFile(join(folder, 'network.safetensors'));
    for (const own of [
      ['--out', 'network.safetensors'],
      ['--out', 'new.safetensors', '--report', 'index.html'],
    ]) {
      const { code, stderr } = await fit(...own);
      expect([code, stderr]).toEqual([2, expect.stringContaining('(a file is there that is no ')]);
    }
    expect(await readFile(join(folder, 'network.safetensors'))).toEqual(before);
    expect(await readdir(folder)).not.toContain('new.safetensors');
  });
});
