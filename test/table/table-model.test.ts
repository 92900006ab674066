import { describe, expect, it } from 'vitest';
import { createModel, loadModel } from '../../dist/index.js';
import {
  decideKinds,
  featureNames,
  fitTable,
  loadTableModel,
  parseCsv,
  prepare,
  splitTable,
  tableOf,
} from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

/** 240 rows: what follows from a number with gaps, a category and a date; a name that says nothing. */
const ROWS = Array.from({ length: 240 }, (_, row) => {
  const size = (row * 37) % 50;
  const colour = ['red', 'green', 'blue'][(row * 7) % 3]!;
  return {
    id: row,
    size: row % 11 === 3 ? null : size,
    colour: row === 17 ? 'violet' : colour,
    old: row % 4 === 0 ? 'yes' : 'no',
    seen: new Date(Date.UTC(2020, row % 12, 1 + (row % 28))).toISOString().slice(0, 10),
    name: `item ${row}`,
    same: 1,
    price: 3 * size + (colour === 'red' ? 40 : 0) + (row % 12),
    kind: size > 25 !== (colour === 'red') ? 'dear' : 'cheap',
  };
});
const TABLE = tableOf(ROWS);

describe('what columns are taken for', () => {
  it('follows from their cells', () => {
    const found = decideKinds(TABLE).map(({ name, kind, reason, missing }) => [name, kind, reason, missing]);
    expect(found).toEqual([
      ['id', 'leave', 'it counts the rows', 0],
      ['size', 'number', 'all of its values are numbers', 22],
      ['colour', 'category', '4 different values', 0],
      ['old', 'yesNo', 'it is no or yes', 0],
      ['seen', 'date', 'all of its values are dates', 0],
      ['name', 'leave', 'it is text: 240 different values in 240 rows', 0],
      ['same', 'leave', 'it is the same in every row', 0],
      ['price', 'number', 'all of its values are numbers', 0],
      ['kind', 'category', '2 different values', 0],
    ]);
  });

  it('may be overruled, as far as the cells go', async () => {
    const [first] = decideKinds(tableOf([{ a: 1 }, { a: 2 }, { a: 5 }]), { a: 'category' });
    expect(first).toMatchObject({ kind: 'category', reason: 'it was asked for' });
    const wrong = await failure('usage', () => decideKinds(TABLE, { colour: 'number' }));
    expect(wrong.message).toContain(
      "columns.colour is number (row 0 is 'red'); a kind that its cells are of is expected.",
    );
    await failure('usage', () => decideKinds(TABLE, { color: 'number' }));
    await failure('usage', () => decideKinds(TABLE, { colour: 'numbers' as 'number' }));
    await failure('usage', () => decideKinds(TABLE, { size: 'yesNo' }));
  });
});

describe('prepare', () => {
  it('takes no rounding for a deviation: a month that is always the same is no feature', () => {
    const rows = Array.from({ length: 97 }, (_, i) => ({
      when: `20${10 + (i % 80)}-02-0${1 + (i % 7)}`,
      y: i % 5 ? 1.5 : 2.5,
    }));
    const { encoder } = prepare(tableOf(rows), { target: 'y', task: 'regression' });
    const [when] = encoder.columns;
    expect(when?.kind === 'date' && when.parts.map(({ part }) => part)).toEqual(['year', 'day', 'weekday']);
  });

  it('standardises numbers, says where there are gaps, and has a feature for categories that training has not seen', () => {
    const rows = [
      { a: 1, b: 'x', y: 0.5 },
      { a: 3, b: 'y', y: 1.5 },
      { a: null, b: 'x', y: 2.5 },
      { a: 5, b: 'y', y: 3.5 },
    ];
    const { encoder, x, y, spec } = prepare(tableOf(rows), { target: 'y' });
    expect(featureNames(encoder.columns)).toEqual(['a', 'a is missing', 'b = x', 'b = y', 'b = any other']);
    expect(spec.input.features).toBe(5);
    const deviation = Math.sqrt(8 / 3);
    expect(Array.from(x.values)).toEqual([
      Math.fround(-2 / deviation),
      1,
      1,
      1,
      1,
      Math.fround(2 / deviation),
      1,
    ]);
    expect(Array.from(x.indices)).toEqual([0, 2, 3, 1, 2, 0, 3]);
    expect(Array.from(x.indptr)).toEqual([0, 2, 3, 5, 7]);
    expect([...y]).toEqual([0.5, 1.5, 2.5, 3.5]);
  });

  it('gives what createModel and fit take', async () => {
    const { spec, x, y } = prepare(TABLE, { target: 'kind', columns: { price: 'leave' } });
    const model = await createModel(spec, { seed: 1 });
    await model.fit({ x, y }, { epochs: 30 });
    expect(model.evaluate({ x, y })).toMatchObject({ task: 'classification' });
    expect(model.spec.classes).toEqual(['cheap', 'dear']);
    model.dispose();
  });

  it.each([
    [{ target: 'prices' }, 'usage', 'target is prices; one of id, size,'],
    [{ target: [] }, 'usage', 'target is'],
    [{ target: 'size' }, 'data', 'target size in row 3 is empty'],
    [{ target: 'same' }, 'data', 'target same is 1 (in every row)'],
    [{ target: 'name', task: 'regression' }, 'data', 'target name in row 0 is'],
    [{ target: ['price', 'kind'] }, 'data', 'target kind in row 0 is'],
    [{ target: ['price', 'same'], task: 'classification' }, 'usage', 'one column of classes'],
    [{ target: 'kind', classes: ['dear'] }, 'usage', 'two or more names that differ, of one target,'],
    [{ target: 'kind', classes: ['dear', 'free'] }, 'data', 'target kind in row'],
  ])('refuses %j', async (options, code, words) => {
    const error = await failure(code, () => prepare(TABLE, options as { target: string }));
    expect(error.message).toContain(words);
  });

  it('refuses a table that nothing can be learnt from', async () => {
    const table = tableOf([
      { a: 1, y: 0 },
      { a: 1, y: 1 },
      { a: 1, y: 0 },
    ]);
    const error = await failure('data', () => prepare(table, { target: 'y' }));
    expect(error.message).toContain('without a column to learn from (a: it is the same in every row)');
  });
});

describe('a model of a table', () => {
  it('learns numbers, tells which columns matter, and is the same after saving', async () => {
    const { rest, held } = splitTable(TABLE, { share: 0.2, seed: 1 });
    const { model, columns } = await fitTable(rest, { target: 'price', columns: { kind: 'leave' }, seed: 2 });
    expect(columns.find(({ name }) => name === 'kind')).toMatchObject({ kind: 'leave' });
    const scores = model.evaluate(held);
    expect(scores.task === 'regression' && scores.r2).toBeGreaterThan(0.7);
    const { columns: importance } = model.explain(held);
    expect(importance.slice(0, 2).map(({ column }) => column)).toEqual(['size', 'colour']);
    expect(importance[0]!.loss).toBeGreaterThan(0.1);
    const bytes = model.save();
    const again = await loadTableModel(bytes);
    expect(again.predict(held)).toEqual(model.predict(held));
    expect(again.encoder).toEqual(model.encoder);
    expect((await loadModel(bytes)).spec).toEqual(model.network.spec);
    await failure('usage', () => model.probabilities(held));
    model.dispose();
  });

  it('learns classes, and says the probability of each', async () => {
    const { model, validation } = await fitTable(TABLE, { target: 'kind', columns: { price: 'leave' } });
    expect(validation.task === 'classification' && validation.accuracy).toBeGreaterThan(0.8);
    const [first] = model.probabilities(TABLE);
    expect(Object.keys(first!)).toEqual(['cheap', 'dear']);
    expect(first!.cheap! + first!.dear!).toBeCloseTo(1, 5);
    expect(['cheap', 'dear']).toContain(model.predict([ROWS[0]!])[0]);
    // A category that it has never seen, more columns than it knows, and gaps.
    const other = { ...ROWS[0], colour: 'black', size: null, more: 'x' };
    expect(['cheap', 'dear']).toContain(model.predict([other])[0]);
    model.dispose();
  });

  it('predicts several numbers by name', async () => {
    const table = tableOf(
      ROWS.map(({ size, price, colour }) => ({ size: size ?? 0, twice: 2 * price, price, colour })),
    );
    const { model } = await fitTable(table, { target: ['price', 'twice'], epochs: 60 });
    const [said] = model.predict(table) as Record<string, number>[];
    expect(Object.keys(said!)).toEqual(['price', 'twice']);
    expect(said!.twice! / said!.price!).toBeCloseTo(2, 0);
    model.dispose();
  });

  it('takes classes and answers that its training rows lack', async () => {
    const rows = ROWS.slice(0, 60).map((row) => ({
      size: row.size,
      old: 'yes',
      grade: row.id % 2 ? 'a' : 'b',
    }));
    const held = tableOf([
      { size: 3, old: 'no', grade: 'c' },
      { size: 4, old: 'yes', grade: 'a' },
    ]);
    const asked = { target: 'grade', classes: ['a', 'b', 'c'], columns: { old: 'yesNo' as const } };
    const { model } = await fitTable(tableOf(rows), { ...asked, validation: held, epochs: 2 });
    expect(model.evaluate(held)).toMatchObject({ samples: 2 });
    expect(Object.keys(model.probabilities(held)[0]!)).toEqual(['a', 'b', 'c']);
    model.dispose();
  });

  it('learns nothing of the rows that are held out', async () => {
    const odd = tableOf([
      ...ROWS.slice(0, 40),
      ...ROWS.slice(40, 50).map((row) => ({ ...row, size: 1e6, colour: 'white' })),
    ]);
    const { rest, held } = { rest: tableOf(ROWS.slice(0, 40)), held: odd };
    const { model } = await fitTable(rest, {
      target: 'kind',
      validation: held,
      epochs: 2,
      columns: { price: 'leave' },
    });
    const size = model.encoder.columns.find(({ name }) => name === 'size');
    expect(size).toMatchObject({ kind: 'number' });
    expect(size!.kind === 'number' && size!.scale.mean).toBeLessThan(50);
    expect(featureNames(model.encoder.columns)).not.toContain('colour = white');
    model.dispose();
  });

  it('names every column that is missing or mistyped', async () => {
    const { model } = await fitTable(TABLE, { target: 'kind', epochs: 1, columns: { price: 'leave' } });
    const rows = ROWS.slice(0, 3).map(({ colour: _, ...row }) => ({
      ...row,
      size: 'big',
      seen: 'yesterday',
    }));
    const error = await failure('data', () => model.predict(rows));
    expect(error.message).toBe(
      'The table: it lacks colour; size is "big" in row 0 and was learnt as numbers; seen is "yesterday" in row 0 and was learnt as dates; the columns that the model has learnt are expected.',
    );
    const strange = await failure('data', () =>
      model.evaluate(ROWS.map((row) => ({ ...row, kind: 'free' }))),
    );
    expect(strange.message).toContain('target kind in row 0 is "free"; one of cheap, dear is expected');
    model.dispose();
  });

  it('is refused where its file has no encoders, or others than its network', async () => {
    const plain = await createModel(prepare(TABLE, { target: 'price' }).spec);
    const none = await failure('format', () => loadTableModel(plain.save()));
    expect(none.message).toContain('has no treadle_table');
    await failure('format', () => loadTableModel(new Uint8Array(9)));
    plain.dispose();
  });

  it('has the same bytes for the same seed', async () => {
    const options = { target: 'kind', epochs: 3, seed: 5 };
    const [one, two] = [await fitTable(TABLE, options), await fitTable(TABLE, options)];
    expect(one.model.save()).toEqual(two.model.save());
  });
});

describe('a split', () => {
  it('holds classes out in proportion', () => {
    const { rest, held } = splitTable(TABLE, { share: 0.25, stratify: 'old' });
    const count = ({ columns }: typeof rest) =>
      [...columns.find(({ name }) => name === 'old')!.cells].filter((cell) => cell === 'yes').length;
    expect([rest.rows, held.rows, count(rest), count(held)]).toEqual([180, 60, 45, 15]);
  });

  it('keeps the rows of a group together', () => {
    const { rest, held } = splitTable(TABLE, { share: 0.3, group: 'colour', seed: 3 });
    const of = ({ columns }: typeof rest) => new Set(columns.find(({ name }) => name === 'colour')!.cells);
    expect([...of(held)].filter((value) => of(rest).has(value))).toEqual([]);
    expect(rest.rows + held.rows).toBe(240);
  });

  it('holds the last ones out by time', () => {
    const { rest, held } = splitTable(TABLE, { share: 0.1, time: 'seen' });
    const of = ({ columns }: typeof rest) =>
      [...columns.find(({ name }) => name === 'seen')!.cells] as string[];
    expect(held.rows).toBe(24);
    expect([...of(rest)].sort().at(-1)! <= [...of(held)].sort()[0]!).toBe(true);
  });

  it.each([
    [{ share: 0 }, 'range'],
    [{ share: 0.5, group: 'colour', time: 'seen' }, 'usage'],
    [{ share: 0.5, group: 'nothing' }, 'usage'],
    [{ share: 0.5, time: 'colour' }, 'data'],
    [{ share: 0.5, group: 'same' }, 'data'],
  ])('is refused: %j', async (options, code) => {
    await failure(code, () => splitTable(TABLE, options));
  });
});

describe('rows that are objects', () => {
  it.each([
    ['x', 'rows is'],
    [[1], 'rows[0] is 1'],
    [[{ a: {} }], 'rows[0].a is'],
  ])('are refused where they are none: %j', async (rows, words) => {
    expect(
      (await failure('usage', () => tableOf(rows as object[] as Record<string, unknown>[]))).message,
    ).toContain(words);
  });

  it('make a table of a CSV text', () => {
    expect(tableOf([{ a: 1, b: 'x' }, { b: 'y' }])).toEqual(parseCsv('a,b\n1,x\n,y\n'));
  });
});
