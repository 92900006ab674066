import { afterAll, describe, expect, it } from 'vitest';
import { tableReportHtml } from '../../dist/report/table-report.js';
import {
  assess,
  fitTable,
  parseJson,
  splitTable,
  type TableModel,
  tableOf,
  withValues,
} from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

const ROWS = Array.from({ length: 400 }, (_, i) => {
  const [size, colour] = [(i * 37) % 100, ['red', 'green', 'blue'][i % 3]!];
  const noise = ((i * 7919) % 31) / 31 - 0.5;
  return {
    size: i % 40 === 0 ? null : size,
    colour,
    ripe: size + 20 * noise > 55 ? 'yes' : 'no',
    price: 3 * size + (colour === 'red' ? 40 : 0) + 30 * noise,
    'sort <b>': size > 60 ? 'large' : colour === 'red' ? 'red one' : 'other',
  };
});
const table = tableOf(ROWS);
const models: TableModel[] = [];
afterAll(() => {
  for (const model of models) model.dispose();
});

async function assessed(target: string) {
  const others = ['ripe', 'price', 'sort <b>'].filter((name) => name !== target);
  const { rest, held } = splitTable(table, { share: 0.3 });
  const fit = await fitTable(rest, {
    ...{ target, seed: 1, epochs: 30 },
    columns: Object.fromEntries(others.map((name) => [name, 'leave' as const])),
  });
  models.push(fit.model);
  return { ...fit, held, found: assess(fit.model, held) };
}

function reportOf({ columns, history, found, model, held }: Awaited<ReturnType<typeof assessed>>): string {
  const { target } = model.encoder;
  return tableReportHtml({
    ...{
      source: 'fruit & more.csv',
      targets: target.task === 'classification' ? [target.name] : target.names,
    },
    ...{ task: found.task, columns, rows: { train: 238, validation: 42, test: held.rows } },
    ...{ epochs: history.epochs, kept: history.best, assessment: found, search: null },
    ...{ importance: model.explain(held), settings: [['Seed', '1']], seconds: 2 },
  });
}

describe('what can be said of a model', () => {
  it('of two classes: scores within their intervals, curves, calibration', async () => {
    const all = await assessed('ripe');
    const { found, model, held } = all;
    if (found.task !== 'classification') throw new Error('no classes');
    expect(found.scores).toEqual(model.evaluate(held));
    for (const [name, value] of [
      ['accuracy', found.scores.accuracy],
      ['macroF1', found.scores.macro.f1],
      ['rocAuc', found.scores.rocAuc],
      ['logLoss', found.scores.logLoss],
    ] as const) {
      const { low, high } = found.intervals[name]!;
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
    expect(found.calibration.reduce((sum, { samples }) => sum + samples, 0)).toBe(held.rows);
    expect(found.binary!.roc.at(-1)).toEqual([1, 1]);
    expect(found.binary!.averagePrecision).toBeGreaterThan(0.8);
    expect(assess(model, held)).toEqual(found);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    const html = reportOf(all);
    for (const part of [
      'ROC of yes',
      'Precision and recall',
      'Calibration',
      'Confusion matrix',
      'Which columns matter',
    ])
      expect(html).toContain(part);
    expect(html).toContain('fruit &amp; more.csv');
    expect(reportOf(all)).toBe(html);
  });

  it('of more classes: no curves of two', async () => {
    const all = await assessed('sort <b>');
    if (all.found.task !== 'classification') throw new Error('no classes');
    expect(all.found.binary).toBeNull();
    expect(all.found.intervals.rocAuc).toBeUndefined();
    expect(reportOf(all)).toContain('sort &lt;b&gt;');
    expect(reportOf(all)).not.toContain('<b>');
  });

  it('of numbers: predicted against true, residuals', async () => {
    const all = await assessed('price');
    const { found, model, held } = all;
    if (found.task !== 'regression') throw new Error('no numbers');
    const [price] = found.outputs;
    expect(price!.name).toBe('price');
    expect(price!.sample).toHaveLength(held.rows);
    const said = model.predict(held) as number[];
    expect(price!.sample.map(([, value]) => value)).toEqual(said);
    expect(price!.residuals.counts.reduce((sum, count) => sum + count, 0)).toBe(held.rows);
    expect(found.intervals.r2!.low).toBeLessThan(found.scores.r2);
    expect(found.intervals.r2!.high).toBeGreaterThan(found.scores.r2);
    expect(reportOf(all)).toContain('predicted against true');
  });
});

describe('JSON', () => {
  it('is a table: an array of objects, or an object a line', () => {
    const cells = ({ columns }: ReturnType<typeof parseJson>) =>
      columns.map(({ name, cells }) => [name, [...cells]]);
    const expected = [
      ['a', [1, 2, null]],
      ['b', ['x', null, true]],
    ];
    expect(cells(parseJson('[{"a":1,"b":"x"},{"a":2},{"b":true}]'))).toEqual(expected);
    expect(cells(parseJson('{"a":1,"b":"x"}\n{"a":2}\n\n{"b":true}\n'))).toEqual(expected);
  });

  it.each([
    ['[{"a":1},', 'x.json: it is no JSON ('],
    ['{"a":1}\n{"a"', 'x.json: it is no JSON in line 2 ('],
    ['[1,2]', 'x.json: rows[0] is 1'],
    ['[{"a":{"b":1}}]', 'x.json: rows[0].a is'],
  ])('is refused: %j', async (text, words) => {
    expect((await failure('format', () => parseJson(text, 'x.json'))).message).toContain(words);
  });
});

it('rows whose target is empty can be left out', async () => {
  const found = withValues(
    tableOf([
      { a: 1, b: 'x' },
      { a: null, b: 'y' },
      { a: 3, b: null },
    ]),
    ['a', 'b'],
  );
  expect(found.rows).toBe(1);
  expect([...found.columns[0]!.cells]).toEqual([1]);
  expect(withValues(table, ['price'])).toBe(table);
  await failure('usage', () => withValues(table, ['cost']));
});
