import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import {
  assess,
  type Cell,
  exportTable,
  loadTableModel,
  parseCsv,
  splitTable,
  type Table,
  type TableModel,
  toCsv,
} from '../../dist/table/index.js';
import { treadle } from '../cli/treadle.js';
import { onnxInputs } from '../interchange/table-cases.mjs';
import { temporaryFolder } from '../support/folder.js';
import { ROOT } from './built.js';
import { openRoom, overhang, printed, saved, train, violations, withPage } from './open.js';

ort.env.logLevel = 'error';

withPage();

const csv = (text: string, name = 'mine.csv') => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
const FILE = 'Choose a CSV, JSON or Parquet file';

/** Numbers in many columns, and two kinds in turn. */
function wideTable(columns: number, rows: number) {
  const names = Array.from({ length: columns }, (_, column) => `c${column}`);
  const lines = Array.from({ length: rows }, (_, row) =>
    [...names.map((_, column) => (row * (column + 3) * 7919) % 101), row % 2 ? 'a' : 'b'].join(','),
  );
  return csv([[...names, 'kind'].join(','), ...lines].join('\n'));
}

/** Two kinds of leaves that length and colour tell apart. */
const leaves = (rows: number) =>
  [
    'length,colour,day,tree',
    ...Array.from({ length: rows }, (_, row) => {
      const isOak = row % 3 === 0;
      const length = row % 7 === 0 ? '' : (isOak ? 9 : 5) + (row % 5) * 0.3;
      return `${length},${isOak ? 'brown' : 'green'},2026-0${(row % 9) + 1}-11,${isOak ? 'oak' : 'beech'}`;
    }),
  ].join('\n');

const cellsOf = ({ columns }: Table, name: string) => [
  ...columns.find((column) => column.name === name)!.cells,
];
const rowsOf = (table: Table): Record<string, Cell>[] =>
  Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries(table.columns.map(({ name, cells }) => [name, cells.at(row) ?? null])),
  );

/** What onnxruntime says of the rows of a table, by a file that takes its columns. */
async function saidByOnnx(file: Uint8Array, { encoder }: TableModel, table: Table) {
  const session = await ort.InferenceSession.create(file);
  const feeds = onnxInputs(encoder, rowsOf(table)).map(({ name, type, data }) => {
    const values = type === 'string' ? data : Float64Array.from(data);
    return [name, new ort.Tensor(type as 'float64', values as Float64Array, [table.rows, 1])] as const;
  });
  const { probabilities, label } = await session.run(Object.fromEntries(feeds));
  return {
    probabilities: [...(probabilities!.data as Float32Array)],
    labels: [...(label!.data as Iterable<string>)],
  };
}

describe('the room of tables', () => {
  it('goes from a file to a saved model, scores and predictions', async () => {
    const page = await openRoom('table?epochs=8&seed=3');
    const text = leaves(120);
    await page.getByLabel(FILE).setInputFiles(csv(text));
    await page.getByRole('heading', { name: 'mine.csv: 120 rows, 4 columns' }).waitFor();
    await page.getByText('It is one of 2 classes.').waitFor();
    expect(await page.getByRole('row', { name: /^length/ }).textContent()).toContain('18 (15.0 %)');
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    const model = await loadTableModel(bytes);
    expect(model.encoder.columns.map(({ kind }) => kind)).toEqual(['number', 'category', 'date']);

    // The page's figures are the library's of the same rows.
    const { held } = splitTable(parseCsv(text), { share: 0.2, seed: 3, stratify: 'tree' });
    const assessment = assess(model, held);
    if (assessment.task !== 'classification') throw new Error('not of classes');
    const headline = await page.locator('.headline div').first().textContent();
    expect(headline).toContain(assessment.scores.accuracy.toFixed(4));
    const cells = await page.locator('.matrix td').allTextContents();
    expect(cells.map(Number)).toEqual(assessment.scores.confusion.flat());

    const predictions = await saved(page, () =>
      page.getByRole('button', { name: 'Save those of the test rows' }).click(),
    );
    const table = parseCsv(predictions.bytes.toString());
    expect(predictions.name).toBe('mine-predicted.csv');
    expect(cellsOf(table, 'predicted tree')).toEqual(model.predict(held));

    // The command line and onnxruntime say the same of the same rows.
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tree.safetensors'), bytes);
    await writeFile(join(folder, 'held.csv'), toCsv(held));
    const line = await treadle(['predict', '--model', 'tree.safetensors', 'held.csv'], { cwd: folder });
    expect([line.code, line.stderr]).toEqual([0, '']);
    const there = parseCsv(line.stdout);
    expect(there.columns.map(({ name }) => name)).toEqual(table.columns.map(({ name }) => name));
    expect(cellsOf(there, 'predicted tree')).toEqual(cellsOf(table, 'predicted tree'));
    await page.getByLabel('Format').selectOption('onnx');
    const onnx = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    expect(onnx.name).toBe('tree-by-mine.onnx');
    expect(onnx.bytes.equals(exportTable(bytes, 'onnx'))).toBe(true);
    await page.getByLabel('Format').selectOption('safetensors');
    const said = await saidByOnnx(onnx.bytes, model, held);
    expect(said.labels).toEqual(cellsOf(table, 'predicted tree'));
    for (const [at, name] of ['beech', 'oak'].entries()) {
      for (const [row, share] of cellsOf(table, `probability of ${name}`).entries()) {
        expect(said.probabilities[2 * row + at]).toBeCloseTo(share as number, 5);
        expect(cellsOf(there, `probability of ${name}`)[row]).toBeCloseTo(share as number, 5);
      }
    }

    const says = page.locator('.says');
    await page.getByLabel('colour', { exact: true }).selectOption('green');
    await page.getByLabel('length', { exact: true }).fill('5');
    const row = { length: 5, colour: 'green', day: '2026-01-11' };
    await expect.poll(() => says.locator('dt').first().textContent()).toBe(model.predict([row])[0]);

    // A model that was kept comes back without its table, and still says the same.
    await page.getByRole('button', { name: 'Keep in this browser' }).click();
    await page.getByText('is kept in this browser').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('link', { name: 'Open tree by mine' }).click();
    await page.getByLabel('colour', { exact: true }).selectOption('green');
    await page.getByLabel('length', { exact: true }).fill('5');
    await page.getByLabel('day', { exact: true }).fill('2026-01-11T00:00');
    await expect.poll(() => says.locator('dt').first().textContent()).toBe(model.predict([row])[0]);
    const again = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    expect(again.name).toBe('tree-by-mine.safetensors');
    expect(again.bytes.equals(bytes)).toBe(true);

    // Its code reads the file that was saved.
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules/treadle'));
    await writeFile(join(folder, again.name), again.bytes);
    await writeFile(join(folder, 'table.csv'), toCsv(held));
    await writeFile(join(folder, 'use.mjs'), (await page.locator('pre').textContent())!);
    const { stdout } = await promisify(execFile)(process.execPath, ['use.mjs'], { cwd: folder });
    expect([...stdout.matchAll(/'(\w+)'/g)].map(([, name]) => name)).toEqual(model.predict(held));
  });

  it('opens a kept model with its table again, where that ships', async () => {
    const page = await openRoom('table?sample=bicycles&target=rides&epochs=1');
    await page.getByText('It is a number.').waitFor();
    await train(page);
    await page.getByRole('button', { name: 'Keep in this browser' }).click();
    await page.getByText('is kept in this browser').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('link', { name: 'Open rides' }).click();
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    await expect.poll(() => page.url()).toMatch(/sample=bicycles&target=rides.*kept=\d+/);
    const says = await page.locator('.says .number').textContent();
    await page.reload();
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    await expect.poll(() => page.locator('.says .number').textContent()).toBe(says);
    await page.getByText('It is a number.').waitFor();
    await train(page);
    await page.getByRole('heading', { name: 'How good it is' }).waitFor();
    expect(page.url()).not.toContain('kept=');
  });

  it('predicts a number, of a table that ships and is named in the address', async () => {
    const page = await openRoom('table?sample=bicycles&target=rides&epochs=3');
    await page.getByText('It is a number.').waitFor();
    await train(page);
    await page.getByRole('heading', { name: 'How good it is' }).waitFor();
    await page.getByText('rides: predicted against true').waitFor();
    expect(await page.locator('.headline dt').allTextContents()).toEqual([
      expect.stringContaining('R2'),
      expect.stringContaining('RMSE'),
      expect.stringContaining('MAE'),
    ]);
    await page.getByRole('heading', { name: 'Which columns matter' }).waitFor();
    await expect.poll(() => page.locator('.bars tbody tr').count()).toBe(5);
  });

  it('leaves a model the encoder and the test rows that it was trained with, whatever seed is chosen then', async () => {
    const page = await openRoom('table?epochs=4');
    await page.getByLabel(FILE).setInputFiles(csv(leaves(120)));
    await train(page);
    const save = (name: string) => saved(page, () => page.getByRole('button', { name }).click());
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const model = await save('Save as a file');
    const predictions = await save('Save those of the test rows');
    const seed = page.getByLabel('Seed', { exact: true });
    const anew = page.getByRole('button', { name: 'Train anew' });
    for (const other of ['7', '8']) {
      await seed.fill(other);
      await seed.blur();
      await expect.poll(() => anew.isEnabled()).toBe(true);
      expect((await save('Save as a file')).bytes.equals(model.bytes)).toBe(true);
      const again = await save('Save those of the test rows');
      expect(again.bytes.equals(predictions.bytes)).toBe(true);
    }
    await anew.click();
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const { held } = splitTable(parseCsv(leaves(120)), { share: 0.2, seed: 8, stratify: 'tree' });
    const { bytes } = await save('Save those of the test rows');
    expect(cellsOf(parseCsv(bytes.toString()), 'length')).toEqual(cellsOf(held, 'length'));
  });

  it.each([
    ['classes', 'kind', '&patience=0&layers=6-norm-tanh-20_4-leakyRelu'],
    ['numbers', 'price', '&batch=16&schedule=step&layers=5-none'],
  ])('shows code that trains the same model of %s in Node', async (_, target, settings) => {
    const page = await openRoom(`table?epochs=6&seed=3${settings}`);
    const lines = Array.from({ length: 90 }, (_, row) => {
      const [length, width] = [(row * row) % 13, row % 7];
      return `${length},${width},${length + width / 3},${length > 6 ? 'long' : 'short'}`;
    });
    const text = ['1stFlrSF,"the ""other"" one\'s",price,kind', ...lines].join('\n');
    await page.getByLabel(FILE).setInputFiles(csv(text, "mine, it's.csv"));
    await page.getByLabel('What to predict').selectOption(target);
    await page.getByLabel('What 1stFlrSF is taken for').selectOption('category');
    await page.getByLabel(`What the "other" one's is taken for`).selectOption('category');
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());

    const folder = await temporaryFolder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules/treadle'));
    await writeFile(join(folder, "mine, it's.csv"), text);
    await writeFile(join(folder, 'train.mjs'), (await page.locator('pre').textContent())!);
    await promisify(execFile)(process.execPath, ['train.mjs'], { cwd: folder });
    const here = await loadTableModel(bytes);
    const there = await loadTableModel(await readFile(join(folder, 'model.safetensors')));
    expect(there.encoder).toEqual(here.encoder);
    expect(there.network.spec).toEqual(here.network.spec);
    // But for what relaxed operations leave open.
    const other = there.network.tensors();
    for (const [key, values] of here.network.tensors()) {
      for (const [at, value] of values.entries()) {
        expect(Math.abs(value - other.get(key)![at]!)).toBeLessThan(1e-4);
      }
    }
  });

  it('is no wider for a long name of a column, and words one row as one', async () => {
    const page = await openRoom('table?epochs=2');
    const name = 'unbroken'.repeat(27);
    const lines = leaves(60).split('\n').slice(1);
    await page.getByLabel(FILE).setInputFiles(csv([`${name},colour,day,tree`, ...lines].join('\n')));
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    expect(await overhang(page)).toBe(0);
    await page.getByLabel('What to predict').selectOption(name);
    await page.getByRole('alert').waitFor();
    expect(await overhang(page)).toBe(0);
    await page.getByLabel(FILE).setInputFiles(csv('name\nred\n', 'small.csv'));
    await page.getByRole('heading', { name: 'small.csv: 1 row, 1 column', exact: true }).waitFor();
  });

  it('keeps the answer in view beside many columns, the most important of which can be changed first', async () => {
    const page = await openRoom('table?epochs=2');
    await page.getByLabel(FILE).setInputFiles(wideTable(80, 300));
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const sliders = page.locator('.what-if input[type="range"]');
    expect(await sliders.count()).toBe(30);
    const most = await page.locator('.bars tbody th').allTextContents();
    await page.getByLabel(most[0]!, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show all 80' }).click();
    expect(await sliders.count()).toBe(80);
    await sliders.last().evaluate((element) => element.scrollIntoView({ block: 'end' }));
    const says = (await page.locator('.says').boundingBox())!;
    expect(says.y).toBeGreaterThanOrEqual(0);
    expect(says.y + says.height).toBeLessThan(900);
  });

  it('keeps the answer in view on a phone while the row is changed', async () => {
    const page = await openRoom('table?sample=customers&target=left&epochs=2', {
      viewport: { width: 360, height: 740 },
    });
    await page.getByText('It is one of').waitFor();
    await train(page);
    await page.locator('.says dd').first().waitFor();
    const fields = page.locator('.what-if .field');
    for (const at of [0, (await fields.count()) - 1]) {
      const field = fields.nth(at).locator('input, select');
      // As a keyboard comes to it, and as a finger brings it to the top.
      for (const block of ['nearest', 'start'] as const) {
        await field.evaluate((element, block) => element.scrollIntoView({ block }), block);
        const [box, says] = [(await field.boundingBox())!, (await page.locator('.says').boundingBox())!];
        expect(says.y + says.height).toBeLessThanOrEqual(740);
        expect(says.height).toBeLessThan(0.4 * 740);
        expect(box.y + box.height).toBeLessThanOrEqual(says.y);
      }
    }
    expect(await violations(page)).toEqual([]);
  });

  it('writes negative numbers with a true minus', async () => {
    const page = await openRoom('table?epochs=2');
    const lines = Array.from({ length: 200 }, (_, row) => `${-5 - (row % 40)},${-100 - 3 * (row % 40)}`);
    await page.getByLabel(FILE).setInputFiles(csv(['cold,deep', ...lines].join('\n')));
    await page.getByText('It is a number.').waitFor();
    await train(page);
    await page.locator('.says .number').waitFor();
    await page.getByText('deep: predicted against true').waitFor();
    const texts = await page
      .locator('td, dd, output, .says .number, svg text')
      .evaluateAll((elements) => elements.map(({ textContent }) => textContent ?? ''));
    expect(texts.filter((text) => /-[\d.]/.test(text))).toEqual([]);
    expect(texts.filter((text) => /−\d/.test(text)).length).toBeGreaterThan(5);
  });

  it('tells which of very many columns matter, and on how many rows that was found', async () => {
    const page = await openRoom('table?epochs=1&layers=4-relu');
    await page.getByLabel(FILE).setInputFiles(wideTable(1200, 200));
    await train(page);
    await page.getByText(/Measured on 40 rows, its cells shuffled 5 times\./).waitFor();
    expect(await page.locator('.bars tbody tr').count()).toBe(1189); // The others are the same in every row.
    await page.getByText('The 30 columns that matter most are shown.').waitFor();
  });

  it('trains nothing while another choice is made ready', async () => {
    const page = await openRoom('table?epochs=1');
    await page.getByLabel(FILE).setInputFiles(csv(leaves(20_000)));
    const button = page.getByRole('button', { name: 'Train' });
    await expect.poll(() => button.isEnabled()).toBe(true);
    const canTrain = await page.evaluate(async () => {
      const target = [...document.querySelectorAll('select')].find(({ value }) => value === 'tree')!;
      target.value = 'colour';
      target.dispatchEvent(new Event('change', { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve));
      return !document.querySelector<HTMLButtonElement>('.controls button.main')!.disabled;
    });
    expect(canTrain).toBe(false);
    await expect.poll(() => button.isEnabled()).toBe(true);
    await train(page);
    await page.getByRole('heading', { name: 'colour', exact: true }).waitFor();
  });

  it('shows nothing of an earlier model while another is trained', async () => {
    const page = await openRoom('table?epochs=4&patience=0');
    await page.getByLabel(FILE).setInputFiles(csv(leaves(120)));
    await train(page);
    const results = page.getByRole('heading', { name: 'How good it is' });
    await results.waitFor();
    await page.getByLabel('Epochs', { exact: true }).fill('100000');
    await page.getByRole('button', { name: 'Train anew' }).click();
    await page.getByText('Training', { exact: true }).waitFor();
    await page.getByText(/^epoch [1-9]/).waitFor();
    expect(await results.count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'What if?' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Stop' }).click();
    await results.waitFor();
  });

  it('opens the sample that was pressed last, and says where one cannot be fetched', async () => {
    const page = await openRoom('table', {
      script: `const real = fetch;
        let calls = 0;
        window.fetch = async (address) => {
          if (!/iris/.test(address)) return real(address);
          if (calls++ > 0) return new Response('<p>Nothing</p>', { status: 404 });
          await new Promise((resolve) => setTimeout(resolve, 500));
          return real(address);
        };`,
    });
    const iris = page.getByRole('button', { name: 'Iris flowers' });
    await iris.click();
    await page.getByRole('button', { name: 'Customers' }).click();
    await page.waitForTimeout(1000);
    const heading = page.getByRole('heading', { name: /^customers\.csv: 2,000 rows/ });
    await heading.waitFor();
    expect(page.url()).toContain('sample=customers&target=left');
    await iris.click();
    await page.getByText(/^iris\.csv could not be fetched/).waitFor();
    await heading.waitFor();
    expect(page.url()).toContain('sample=customers&target=left');
    await train(page);
  });

  it.each([
    ['a line that is too long', 'a,b\n1,2\n1,2,3\n', /mine\.csv: row 2 below the names has 3 cells/],
    ['no line at all', '', /mine\.csv/],
    [
      'an object that does not end',
      '[{"a": 1},',
      /mine\.csv: it is no JSON \(.*; an array of objects is expected\./,
    ],
    ['bytes that are no Parquet', 'PAR1 and nothing more', /mine\.csv/],
  ])('says beside the file what is wrong with it: %s', async (_, text, problem) => {
    const page = await openRoom('table');
    await page.getByLabel(FILE).setInputFiles(csv(text));
    const alert = page.locator('section', { has: page.getByText('or drop it here') }).getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(problem);
    expect(await page.getByRole('button', { name: 'Train' }).isDisabled()).toBe(true);
  });

  it.each([
    ['JSON', 'mine.json', (rows: object[]) => JSON.stringify(rows)],
    ['JSON Lines', 'mine.jsonl', (rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n')],
  ])('reads %s, with gaps where a row lacks a key', async (_, name, textOf) => {
    const page = await openRoom('table?epochs=2');
    const rows = rowsOf(parseCsv(leaves(60))).map(({ length, ...row }) =>
      length === null ? row : { length, ...row },
    );
    await page.getByLabel(FILE).setInputFiles(csv(textOf([rows[1]!, ...rows.slice(2)]), name));
    await page.getByRole('heading', { name: `${name}: 59 rows, 4 columns` }).waitFor();
    await page.getByText('It is one of 2 classes.').waitFor();
    expect(await page.getByRole('row', { name: /^length/ }).textContent()).toContain('8 (13.6 %)');
    await train(page);
  });

  it('reads a file again with the separator and the decimal mark that are chosen', async () => {
    const page = await openRoom('table?epochs=2');
    const lines = Array.from(
      { length: 60 },
      (_, row) => `${(row * row) % 13},5;${row % 7},25;${row % 2 ? 'a' : 'b'}`,
    );
    await page.getByLabel(FILE).setInputFiles(csv(['size;weight;kind', ...lines].join('\n')));
    const heading = (columns: number) =>
      page.getByRole('heading', {
        name: `mine.csv: 60 rows, ${columns === 1 ? '1 column' : `${columns} columns`}`,
      });
    await heading(3).waitFor();
    const taken = page.getByLabel('What size is taken for');
    expect(await taken.inputValue()).not.toBe('number');
    await page.getByLabel('Decimal mark').selectOption(',');
    await expect.poll(() => taken.inputValue()).toBe('number');

    const separator = page.getByLabel('Separator of CSV');
    await separator.selectOption('comma');
    const alert = page.locator('section', { has: page.getByText('or drop it here') }).getByRole('alert');
    await expect
      .poll(() => alert.textContent())
      .toBe('separator is ,; another character than the decimal mark is expected.');
    await separator.selectOption('tab');
    await heading(1).waitFor();
    expect(await alert.count()).toBe(0);
    await separator.selectOption('semicolon');
    await heading(3).waitFor();
    await page.getByText('It is one of 2 classes.').waitFor();
    expect(await page.locator('pre').textContent()).toContain(
      "readTable('mine.csv', { separator: ';', decimal: ',' })",
    );
    // Another file is predicted with the same marks.
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    const { bytes } = await saved(page, () =>
      page.getByLabel('Predict another file').setInputFiles(csv('size;weight\n3,5;2,25\n', 'more.csv')),
    );
    expect(rowsOf(parseCsv(bytes.toString()))[0]).toMatchObject({ size: 3.5, weight: 2.25 });
  });

  it('says beside the columns what cannot be learnt, until it can', async () => {
    const page = await openRoom('table');
    await page.getByLabel(FILE).setInputFiles(csv(leaves(60)));
    await page.getByText('It is one of 2 classes.').waitFor();
    await page.getByLabel('What to predict').selectOption('length');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /target length in row 0 is empty; a value in every row is expected\./,
    );
    await page.getByLabel('What to predict').selectOption('tree');
    await page.getByText('It is one of 2 classes.').waitFor();
    await expect.poll(() => alert.count()).toBe(0);
    await page.getByLabel('What colour is taken for').selectOption('number');
    await alert.waitFor();
    expect(await alert.textContent()).toBe(
      "colour cannot be taken for number (row 0 is 'brown'); a kind that its cells are of is expected.",
    );
  });

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)('is accessible and no wider than its window: %s, %d pixels', async (colorScheme, width) => {
    const page = await openRoom('table', { colorScheme, viewport: { width, height: 800 } });
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Iris flowers' }).click();
    await page.getByText('It is one of 3 classes.').waitFor();
    await page.getByLabel('Epochs', { exact: true }).fill('4');
    await train(page);
    await page.getByRole('heading', { name: 'What if?' }).waitFor();
    await page.locator('.panels svg').nth(3).waitFor();
    expect(await overhang(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    const shown = await page.locator('.latest dd').allTextContents();
    const { lost, ground, figures } = await printed(page);
    expect(figures).toEqual(shown);
    expect(lost).toEqual([]);
    expect(ground).toBeGreaterThan(200);
  });
});
