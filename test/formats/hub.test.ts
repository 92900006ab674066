import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { plain, quoted, toYaml } from '../../dist/formats/hub/text.js';
import { saveWeights } from '../../dist/node/model-file.js';
import { createModel, exportHub, exportModel, loadModel, mlp } from '../../dist/node.js';
import { exportTableHub, fitTable, loadTableModel, tableOf } from '../../dist/table/node.js';
import { treadle } from '../cli/treadle.js';
import { TABLES } from '../interchange/table-cases.mjs';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { metadataOf, network } from './fixtures.js';
import { NAMES } from './models.js';

// The programs in Python are run by hand: test/interchange/cards.py.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['README.md', 'config.json', 'model.safetensors', 'model.onnx'];
const textOf = (files: Map<string, Uint8Array>, name: string) => new TextDecoder().decode(files.get(name));

/** Runs the card's program of treadle in the folder of its files; returns what it printed. */
async function runProgram(files: Map<string, Uint8Array>): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'node_modules'));
  await symlink(ROOT, join(folder, 'node_modules', 'treadle'));
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
  const [, program] = /```js\n([\s\S]*?)\n```/.exec(textOf(files, 'README.md'))!;
  await writeFile(join(folder, 'program.mjs'), `${program}\nconsole.log(said);`);
  return (await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder })).stdout;
}

describe('a folder for the Hub', () => {
  it('has a card that tells the figures and the data of weights, and loads the model', async () => {
    const metadata = { ...metadataOf([6, 5, 3]), classNames: NAMES, imageWidth: 3, imageHeight: 2 };
    const [path] = await saveWeights(await temporaryFolder(), network([6, 5, 3]), metadata);
    const weights = await readFile(path!);
    const files = exportHub(weights, { name: 'tiny: 1' });
    expect([...files.keys()]).toEqual(FILES);
    const card = textOf(files, 'README.md');
    expect(card).toMatch(/^---\nlibrary_name: "treadle"\npipeline_tag: "image-classification"\n/);
    expect(card).toContain('\n  - name: "tiny: 1"\n');
    expect(card).toContain(`\n            sha256: "${metadata.dataHash}"\n`);
    expect(card).toContain(`\n            value: ${metadata.valAccuracy}\n`);
    expect(card).toContain('\n# tiny: 1\n');
    expect(files.get('model.safetensors')).toEqual(exportModel(weights, 'safetensors'));
    const config = JSON.parse(textOf(files, 'config.json'));
    expect(config.training).toMatchObject({ dataHash: metadata.dataHash, valMacroF1: metadata.valMacroF1 });
    expect(config.id2label).toEqual(Object.fromEntries(NAMES.map((name, id) => [id, name])));
    expect(config.label2id[NAMES[1]!]).toBe(1);
    const model = await loadModel(files.get('model.safetensors')!);
    expect(await runProgram(files)).toContain(
      JSON.stringify(model.predict([new Uint8Array(6)])[0]).slice(1, 3),
    );
  });

  it.each([
    ['image-classification', mlp({ inputs: 4, hidden: [3], outputs: 2, inputType: 'u8', shape: [2, 2] })],
    ['tabular-classification', mlp({ inputs: 4, hidden: [3], outputs: 2, inputType: 'u8' })],
    ['tabular-classification', mlp({ inputs: 4, hidden: [3], outputs: 2, inputType: 'sparse' })],
    ['tabular-regression', mlp({ inputs: 4, hidden: [3], outputs: 1, activation: 'leakyRelu' })],
  ])('names the task, %s', async (task, spec) => {
    const files = exportHub(await createModel(spec));
    expect(textOf(files, 'README.md')).toContain(`\npipeline_tag: "${task}"\n`);
    expect(textOf(files, 'README.md')).not.toContain('model-index');
    expect(await runProgram(files)).toMatch(/^\[/);
  });

  it.each(TABLES.map((table) => [table.name, table] as const))(
    'takes the columns of %s',
    async (_, table) => {
      const { model } = await fitTable(tableOf(table.train), { ...table.options, epochs: 1, hidden: [4] });
      const files = exportTableHub(model, { name: table.name });
      expect([...files.keys()]).toEqual(FILES);
      expect(textOf(files, 'README.md')).toContain(
        `\npipeline_tag: "tabular-${model.encoder.target.task}"\n`,
      );
      expect(JSON.parse(textOf(files, 'config.json')).treadle_table).toEqual(model.encoder);
      expect((await loadTableModel(files.get('model.safetensors')!)).encoder).toEqual(model.encoder);
      expect(await runProgram(files)).toMatch(/^\[/);
    },
  );

  it('has the figures of a test beside those of validation, by name', async () => {
    const metadata = { ...metadataOf([6, 5, 3]), classNames: NAMES };
    const [path] = await saveWeights(await temporaryFolder(), network([6, 5, 3]), metadata);
    const test = {
      data: 'Shirts | new',
      hash: 'beef',
      samples: 1234,
      scores: { accuracy: 0.5, macroF1: 0.25 },
    };
    const card = textOf(exportHub(await readFile(path!), { test }), 'README.md');
    expect(card.split('\n').filter((line) => / (?:split|name|value|sha256): /.test(line))).toEqual([
      '  - name: "model"',
      '          name: "Fashion-MNIST"',
      '          split: "validation"',
      `            sha256: "${metadata.dataHash}"`,
      '            name: "Validation accuracy"',
      `            value: ${metadata.valAccuracy}`,
      '            name: "Validation macro-F1"',
      `            value: ${metadata.valMacroF1}`,
      '            name: "Validation loss"',
      `            value: ${metadata.valLoss}`,
      '          name: "Shirts | new"',
      '          split: "test"',
      '            sha256: "beef"',
      '            name: "Test accuracy"',
      '            value: 0.5',
      '            name: "Test macro-F1"',
      '            value: 0.25',
    ]);
    expect(card).toContain('\nOn 1,234 samples of Shirts \\| new that it was not trained on:\n');
    expect(card).toContain('\n| macro-F1 | 0.25 |\n');
  });

  it('takes the test that a file tells, until the model is saved without', async () => {
    const { name, train, options } = TABLES[1]!;
    const { model } = await fitTable(tableOf(train), { ...options, epochs: 1, hidden: [4] });
    const test = { data: `${name}.csv`, samples: 300, scores: { r2: 0.75 } };
    const bytes = model.save({ test });
    const files = exportTableHub(bytes);
    expect(textOf(files, 'README.md')).toContain('name: "Test R2"\n            value: 0.75\n');
    expect(JSON.parse(textOf(files, 'config.json')).treadle_test).toEqual(test);
    expect(files.get('model.safetensors')).toEqual(bytes);
    const again = await loadTableModel(bytes);
    expect(textOf(exportTableHub(again), 'README.md')).not.toContain('Test');
    const broken = Buffer.from(bytes);
    broken.write('"samples\\":-3', broken.indexOf('"samples\\":300'), 'latin1');
    const { message } = await failure('format', () => exportTableHub(broken, { source: 'a.safetensors' }));
    expect(message).toBe(
      'a.safetensors: its treadle_test has no form that is known; figures of a test is expected.',
    );
  });

  it.each([
    [7, 'test is 7; data, samples and scores is expected.'],
    [{ data: 'a', samples: 0, scores: {} }, 'test.samples is 0; a count from 1 is expected.'],
    [{ data: 'a', samples: 1, scores: { r2: Number.NaN } }, 'test.scores.r2 is NaN; '],
    [{ data: 'a', samples: 1, scores: { auc: 1 } }, 'some of accuracy, macroF1,'],
  ])('refuses a test that is %j', async (test, words) => {
    const model = await createModel(mlp({ inputs: 2, hidden: [], outputs: 2 }));
    expect((await failure('usage', () => exportHub(model, { test: test as never }))).message).toContain(
      words,
    );
    const { model: own } = await fitTable(tableOf(TABLES[1]!.train), { ...TABLES[1]!.options, epochs: 1 });
    expect((await failure('usage', () => own.save({ test: test as never }))).message).toContain(words);
  });

  it('is refused as other exports are', async () => {
    const model = await createModel(mlp({ inputs: 2, hidden: [], outputs: 2 }));
    expect((await failure('usage', () => exportHub(model, { name: 3 as never }))).message).toContain(
      'name is 3',
    );
    expect((await failure('format', () => exportTableHub(model))).message).toContain('has no treadle_table');
  });

  it('is written by the command, over nothing unasked', async () => {
    const folder = await temporaryFolder();
    const model = await createModel(mlp({ inputs: 2, hidden: [], outputs: 2 }));
    await writeFile(join(folder, 'own.1.safetensors'), model.save());
    const run = (...more: string[]) =>
      treadle(['export', 'own.1.safetensors', '--format', 'hub', ...more], { cwd: folder });
    const first = await run();
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(/^own\.1 \([\d,]+ bytes\): for the Hugging Face Hub/);
    const expected = exportHub(model, { name: 'own.1' });
    for (const [name, bytes] of expected) {
      expect(new Uint8Array(await readFile(join(folder, 'own.1', name)))).toEqual(bytes);
    }
    const again = await run();
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('README.md is there already');
    expect((await run('--force')).code).toBe(0);
    expect((await run('--out', 'other')).code).toBe(0);
    expect(await readFile(join(folder, 'other', 'README.md'), 'utf8')).toContain('\n# other\n');
  });
});

describe('texts of a card', () => {
  it('are quoted so that YAML, JavaScript and Python read them', () => {
    expect(quoted('a "b"\n\u0085\u2028\u007f\ud800')).toBe('"a \\"b\\"\\n\\u0085\\u2028\\u007f\\ud800"');
    expect(plain('a|b*c\n`d`')).toBe('a\\|b\\*c\\u000a\\`d\\`'.replace('\\u000a', '\\\\u000a'));
  });

  it('are nested in block style', () => {
    const value = { a: [1, { b: 'no', c: [true] }], d: undefined, e: { f: '- x: #' } };
    expect(toYaml(value)).toBe('\na:\n  - 1\n  - b: "no"\n    c:\n      - true\ne:\n  f: "- x: #"');
  });
});
