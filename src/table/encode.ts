import { problem, TreadleError } from '#bindings';
import { type Cell, type Cells, mappedRows, NumberCells } from './cells.js';
import { dateOf } from './dates.js';
import {
  type ColumnEncoder,
  featuresOf,
  partOf,
  type Scale,
  type TargetEncoder,
  widthOf,
} from './encoder.js';
import { categoryOf, firstNot } from './kinds.js';
import type { SparseRows } from './sparse-rows.js';
import { type Column, columnOf, type Table } from './table.js';

/**
 * A table's features: the rows of a sparse matrix. Throws `data` for a table that lacks columns or has other things in them
 * than the encoder has learnt, all of them named.
 */
export function encodeFeatures(
  table: Table,
  columns: readonly ColumnEncoder[],
  source = 'The table',
): SparseRows {
  const found = columns.map((encoder) => table.columns.find(({ name }) => name === encoder.name));
  expectColumns(columns, found, source);
  const indptr = new Float64Array(table.rows + 1);
  const most = table.rows * columns.reduce((sum, encoder) => sum + mostEntries(encoder), 0);
  const indices = new Uint32Array(most);
  const values = new Float32Array(most);
  let count = 0;
  const add = (index: number, value: number): void => {
    if (value === 0) return;
    indices[count] = index;
    values[count++] = value;
  };
  const writers = columns.map((encoder, at) => {
    return rowWriter(encoder, found[at]!.cells, featuresOf(columns.slice(0, at)), add);
  });
  for (let row = 0; row < table.rows; row++) {
    for (const write of writers) write(row);
    indptr[row + 1] = count;
  }
  return { indptr, indices: indices.subarray(0, count), values: values.subarray(0, count) };
}

/** Entries that one cell of a column becomes at most. */
function mostEntries(encoder: ColumnEncoder): number {
  return encoder.kind === 'date' ? Math.max(1, encoder.parts.length) : 1;
}

/** Adds what a row's cell of a column becomes, from feature `first` on. */
function rowWriter(
  encoder: ColumnEncoder,
  cells: Cells,
  first: number,
  add: (index: number, value: number) => void,
): (row: number) => void {
  if (encoder.kind === 'number' && cells instanceof NumberCells && !encoder.missing) {
    const { values } = cells;
    // A column that was never empty in training is at its mean where it is now.
    return (row) => add(first, Number.isNaN(values[row]!) ? 0 : scaled(values[row]!, encoder.scale));
  }
  const entriesOf = entriesOfCells(encoder, first);
  const entries = mappedRows(cells, entriesOf);
  return (row) => {
    for (const [index, value] of entries(row)) add(index, value);
  };
}

type Entries = readonly (readonly [index: number, value: number])[];

/** What the cells of a column become. */
function entriesOfCells(encoder: ColumnEncoder, first: number): (cell: Cell) => Entries {
  const last = first + widthOf(encoder) - 1;
  // A column that was never empty in training is at its mean here, and a category of it is one of the others.
  const empty: Entries = encoder.missing || encoder.kind === 'category' ? [[last, 1]] : [];
  const present = presentEntries(encoder, first);
  return (cell) => (cell === null ? empty : present(cell));
}

function presentEntries(encoder: ColumnEncoder, first: number): (cell: Exclude<Cell, null>) => Entries {
  switch (encoder.kind) {
    case 'number':
      return (cell) => [[first, scaled(cell as number, encoder.scale)]];
    case 'yesNo':
      return (cell) => [[first, categoryOf(cell) === encoder.yes ? 1 : 0]];
    case 'date':
      return (cell) => {
        const time = dateOf(cell)!;
        return encoder.parts.map(({ part, scale }, at) => [first + at, scaled(partOf(time, part), scale)]);
      };
    default: {
      const places = new Map(encoder.values.map((value, at) => [value, at]));
      return (cell) => [[first + (places.get(categoryOf(cell)) ?? encoder.values.length), 1]];
    }
  }
}

function scaled(value: number, { mean, deviation }: Scale): number {
  return deviation > 0 ? (value - mean) / deviation : 0;
}

/** Throws `data` naming every column that is missing and the first cell of each that is not what was learnt. */
function expectColumns(
  encoders: readonly ColumnEncoder[],
  found: readonly (Column | undefined)[],
  source: string,
): void {
  const missing = encoders.filter((_, at) => found[at] === undefined).map(({ name }) => name);
  const mistyped = encoders.flatMap((encoder, at) => {
    const wrong = found[at] && firstNot(found[at].cells, (cell) => isLike(encoder, cell));
    if (!wrong) return [];
    const [row, cell] = wrong;
    return [
      `${encoder.name} is ${JSON.stringify(cell)} in row ${row} and was learnt as ${KIND_WORDS[encoder.kind]}`,
    ];
  });
  const wrong = [...(missing.length > 0 ? [`it lacks ${missing.join(', ')}`] : []), ...mistyped];
  if (wrong.length === 0) return;
  const expected = 'the columns that the model has learnt';
  throw new TreadleError('data', `${source}: ${wrong.join('; ')}; ${expected} are expected.`, {
    subject: source,
    found: wrong.join('; '),
    expected,
  });
}

const KIND_WORDS = { number: 'numbers', yesNo: 'yes and no', date: 'dates', category: 'categories' } as const;

function isLike(encoder: ColumnEncoder, cell: Exclude<Cell, null>): boolean {
  switch (encoder.kind) {
    case 'number':
      return typeof cell === 'number' && Number.isFinite(cell);
    case 'date':
      return dateOf(cell) !== null;
    case 'yesNo':
      return [encoder.yes, encoder.no].includes(categoryOf(cell)) || encoder.yes === '' || encoder.no === '';
    default:
      return true;
  }
}

/**
 * Targets as training takes them: names of classes, or numbers, row-major. Throws `data` for empty and for other cells, with
 * `source`, where it is given, before the sentence.
 */
export function encodeTargets(table: Table, target: TargetEncoder, source?: string): string[] | Float64Array {
  const badTarget = (name: string, row: number, cell: Cell, expected: string): TreadleError => {
    const subject = `${source === undefined ? '' : `${source}: `}target ${name} in row ${row}`;
    return problem('data', { subject, found: cell === null ? 'empty' : JSON.stringify(cell), expected });
  };
  if (target.task === 'classification') {
    const classes = new Set(target.classes);
    const { cells } = columnOf(table, target.name, 'target');
    const nameOf = mappedRows(cells, (cell) => (cell === null ? null : categoryOf(cell)));
    return Array.from({ length: table.rows }, (_, row) => {
      const name = nameOf(row);
      if (name !== null && classes.has(name)) return name;
      throw badTarget(target.name, row, cells.at(row) ?? null, `one of ${target.classes.join(', ')}`);
    });
  }
  const columns = target.names.map((name) => columnOf(table, name, 'target'));
  const values = new Float64Array(table.rows * columns.length);
  for (const [at, { name, cells }] of columns.entries()) {
    let row = 0;
    for (const cell of cells) {
      if (typeof cell !== 'number' || !Number.isFinite(cell)) throw badTarget(name, row, cell, 'a number');
      values[row * columns.length + at] = cell;
      row++;
    }
  }
  return values;
}
