import { afterAll, describe, expect, it } from 'vitest';
import { shuffled } from '../../dist/data/random.js';
import { type Cell, fitTable, type Table, type TableModel } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';
import { repeatable } from '../support/results.js';

const models: TableModel[] = [];
afterAll(() => {
  for (const model of models) model.dispose();
});

/** Numbers with gaps, a category, a date and more numbers; what is predicted follows from three of them. */
function tableOfWidth(rows: number, more: number): Table {
  const draw = repeatable(1);
  const columnOf = (make: (row: number) => Cell) => Array.from({ length: rows }, (_, row) => make(row));
  const size = columnOf((row) => (row % 11 === 3 ? null : draw()));
  const colour = columnOf(() => ['red', 'green', 'blue'][Math.floor(3 * draw())]!);
  const seen = columnOf(() => new Date(Date.UTC(2020, Math.floor(12 * draw()), 1 + Math.floor(28 * draw()))));
  const others = Array.from({ length: more }, (_, at) => ({ name: `n${at}`, cells: columnOf(draw) }));
  const price = size.map((cell, row) => 3 * Number(cell) + Number(colour[row] === 'red') + draw() / 5);
  const columns = [
    { name: 'size', cells: size },
    { name: 'colour', cells: colour },
    { name: 'seen', cells: seen },
    ...others,
    { name: 'price', cells: price },
  ];
  return { rows, columns };
}

async function trained(table: Table): Promise<TableModel> {
  const { model } = await fitTable(table, { target: 'price', hidden: [16, 8], epochs: 8, seed: 0 });
  models.push(model);
  return model;
}

/** What the definition says: the loss of tables whose column was shuffled, less that of the table. */
function byDefinition(model: TableModel, table: Table, name: string, repeats: number): number {
  const at = model.encoder.columns.findIndex((column) => column.name === name);
  const losses = Array.from({ length: repeats }, (_, repeat) => {
    const order = shuffled(table.rows, 0, at * repeats + repeat);
    const columns = table.columns.map((column) =>
      column.name === name
        ? { name, cells: Array.from(order, (row) => column.cells.at(row) ?? null) }
        : column,
    );
    return model.evaluate({ ...table, columns }).loss;
  });
  return losses.reduce((sum, loss) => sum + loss - model.evaluate(table).loss, 0) / repeats;
}

const lossesOf = ({ columns }: ReturnType<TableModel['explain']>) =>
  new Map(columns.map(({ column, loss }) => [column, loss]));

describe('the importance of columns', () => {
  it('is what the loss grows by when cells are shuffled, the most important first', async () => {
    const table = tableOfWidth(300, 2);
    const model = await trained(table);
    const found = model.explain(table);
    expect(found).toMatchObject({ rows: 300, repeats: 5 });
    expect(found.columns.map(({ column }) => column).slice(0, 2)).toEqual(['size', 'colour']);
    for (const { column, loss } of found.columns) {
      expect(loss).toBeCloseTo(byDefinition(model, table, column, 5), 12);
    }
    expect(model.explain(table, { repeats: 2 }).repeats).toBe(2);
  });

  it('is the same to six digits where columns are so many that sums are shuffled', async () => {
    const table = tableOfWidth(200, 120);
    const model = await trained(table);
    const losses = lossesOf(model.explain(table, { repeats: 2 }));
    for (const name of ['size', 'colour', 'seen', 'n0', 'n119']) {
      expect(losses.get(name)).toBeCloseTo(byDefinition(model, table, name, 2), 6);
    }
    const same = table.columns.map(({ name, cells }) => ({
      name,
      cells: name === 'n5' ? new Array<Cell>(table.rows).fill(0.5) : cells,
    }));
    expect(lossesOf(model.explain({ ...table, columns: same })).get('n5')).toBe(0);
  });

  it('is measured on some rows, drawn by the seed, where rows and columns are many', async () => {
    const table = tableOfWidth(400, 600);
    const model = await trained(table);
    expect(model.explain(table)).toMatchObject({ rows: 400, repeats: 1 });
    const found = model.explain(table, { repeats: 20 });
    expect(found.rows).toBeGreaterThan(100);
    expect(found.rows).toBeLessThan(300);
    const few = model.explain(table, { rows: 60 });
    expect(few.rows).toBe(60);
    expect(model.explain(table, { rows: 60 })).toEqual(few);
    expect(model.explain(table, { rows: 60, seed: 1 })).not.toEqual(few);
  });

  it.each([
    [{ repeats: 0 }, 'range'],
    [{ rows: 0.5 }, 'range'],
    [{ row: 5 }, 'usage'],
  ])('is refused: %j', async (options, code) => {
    const table = tableOfWidth(60, 0);
    const model = await trained(table);
    await failure(code, () => model.explain(table, options as object));
  });
});
