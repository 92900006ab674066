import * as v from 'valibot';
import { type Csr, problem, TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { structureProblem } from '../strict/json.js';
import { type Cell, type Cells, hasGaps, mappedRows, NumberCells, valuesOf } from './cells.js';
import { type ColumnDecision, categoryOf, dateOf, factsOf, firstNot, yesOf } from './kinds.js';
import { type Column, columnOf, type Table } from './table.js';

/** Parts of a time that a date column becomes. */
export const DATE_PARTS = ['year', 'month', 'day', 'weekday', 'hour'] as const;
export type DatePart = (typeof DATE_PARTS)[number];

/** Mean and standard deviation of the rows that it was learnt on. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** How one column becomes features. */
export type ColumnEncoder =
  /** (x - mean) / deviation; a missing one is 0. With `missing` a second feature is 1 where the cell is empty. */
  | { readonly kind: 'number'; readonly name: string; readonly scale: Scale; readonly missing: boolean }
  /** 1 for yes, 0 for no. With `missing` a second feature. */
  | {
      readonly kind: 'yesNo';
      readonly name: string;
      readonly yes: string;
      readonly no: string;
      readonly missing: boolean;
    }
  /** A feature for each part, scaled. With `missing` one more. */
  | {
      readonly kind: 'date';
      readonly name: string;
      readonly parts: readonly { readonly part: DatePart; readonly scale: Scale }[];
      readonly missing: boolean;
    }
  /** One of the values (one-hot), or the last feature for any other. An empty cell has a feature of its own where training had some. */
  | {
      readonly kind: 'category';
      readonly name: string;
      readonly values: readonly string[];
      readonly missing: boolean;
    };

/** What is predicted: one of several classes by name, or one or more numbers. */
export type TargetEncoder =
  | { readonly task: 'classification'; readonly name: string; readonly classes: readonly string[] }
  | { readonly task: 'regression'; readonly names: readonly string[] };

/** Everything that a table's features and targets are made by. Plain JSON. */
export interface TableEncoder {
  readonly version: 1;
  readonly columns: readonly ColumnEncoder[];
  readonly target: TargetEncoder;
}

/** The most categories of one column. */
const MOST_VALUES = 100_000;

/** Learns how columns become features, from the rows of training alone. */
export function learnColumns(table: Table, decisions: readonly ColumnDecision[]): ColumnEncoder[] {
  return decisions.flatMap(({ name, kind }): ColumnEncoder[] => {
    if (kind === 'leave') return [];
    const { cells } = columnOf(table, name);
    const { values } = factsOf(cells);
    if (values.size === 0) return [];
    const missing = hasGaps(cells);
    switch (kind) {
      case 'number':
        return [{ kind, name, scale: scaleOf(numbersOf(cells, Number)), missing }];
      case 'yesNo':
        return [{ kind, name, ...pairOf(values), missing }];
      case 'date': {
        const parts = DATE_PARTS.map((part) => ({
          part,
          scale: scaleOf(numbersOf(cells, (cell) => partOf(dateOf(cell)!, part))),
        }));
        return [{ kind, name, parts: parts.filter(({ scale }) => scale.deviation > 0), missing }];
      }
      default:
        return [{ kind, name, values: commonValues(cells), missing }];
    }
  });
}

/** A number for each cell that is not empty. */
function numbersOf(cells: Cells, numberOf: (cell: Exclude<Cell, null>) => number): Float64Array {
  const of = mappedRows(cells, (cell) => (cell === null ? Number.NaN : numberOf(cell)));
  return Float64Array.from({ length: cells.length }, (_, row) => of(row)).filter(
    (value) => !Number.isNaN(value),
  );
}

function pairOf(values: ReadonlySet<string>): { yes: string; no: string } {
  const yes = yesOf(values);
  if (yes !== null) return { yes, no: [...values].find((value) => value !== yes)! };
  // A training part may have one of the two only.
  const [only] = [...values];
  return /^(?:yes|y|true|t|on|1)$/i.test(only!) ? { yes: only!, no: '' } : { yes: '', no: only! };
}

/** Values by how often they occur; those of a single row are for the feature of the others, which is trained by them. */
function commonValues(cells: Cells): string[] {
  const counts = new Map<string, number>();
  for (const [value, count] of valuesOf(cells)) {
    const name = categoryOf(value);
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  const common = [...counts].filter(([, count]) => count > 1);
  const kept = common.length > 0 ? common : [...counts];
  return kept
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MOST_VALUES)
    .map(([value]) => value);
}

/** A deviation so small beside the mean is what rounding leaves of equal numbers. */
const ROUNDING = 1e-12;

function scaleOf(values: Float64Array): Scale {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
  const deviation = Math.sqrt(variance);
  return { mean, deviation: deviation <= ROUNDING * Math.abs(mean) ? 0 : deviation };
}

function partOf(time: Date, part: DatePart): number {
  switch (part) {
    case 'year':
      return time.getUTCFullYear();
    case 'month':
      return time.getUTCMonth() + 1;
    case 'day':
      return time.getUTCDate();
    case 'weekday':
      return time.getUTCDay();
    default:
      return time.getUTCHours() + time.getUTCMinutes() / 60;
  }
}

/** Features that a column becomes. */
export function widthOf(encoder: ColumnEncoder): number {
  const more = encoder.missing ? 1 : 0;
  if (encoder.kind === 'category') return encoder.values.length + 1 + more;
  return (encoder.kind === 'date' ? encoder.parts.length : 1) + more;
}

/** Features that all columns become. */
export function featuresOf(columns: readonly ColumnEncoder[]): number {
  return columns.reduce((sum, column) => sum + widthOf(column), 0);
}

/**
 * Names of the features, such as `age`, `age is missing`, `colour = red`.
 *
 * @example featureNames(prepare(table, { target: 'price' }).encoder.columns);
 */
export function featureNames(columns: readonly ColumnEncoder[]): string[] {
  return columns.flatMap((column) => {
    const { name } = column;
    const missing = column.missing ? [`${name} is missing`] : [];
    if (column.kind === 'category') {
      return [...column.values.map((value) => `${name} = ${value}`), `${name} = any other`, ...missing];
    }
    if (column.kind === 'date') return [...column.parts.map(({ part }) => `${part} of ${name}`), ...missing];
    return [name, ...missing];
  });
}

/**
 * A table's features: the rows of a sparse matrix. Throws `data` for a table that lacks columns or has other things in them
 * than the encoder has learnt, all of them named.
 */
export function encodeFeatures(table: Table, columns: readonly ColumnEncoder[], source = 'The table'): Csr {
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

/**
 * A table's features with the cells of one column in another order of rows, as often as is asked for: each column is encoded once.
 * Throws as {@link encodeFeatures}.
 */
export function encodeReordered(
  table: Table,
  columns: readonly ColumnEncoder[],
  source: string,
): (column: number, order: ArrayLike<number>) => Csr {
  const parts = columns.map((encoder, at) => ({
    first: featuresOf(columns.slice(0, at)),
    csr: encodeFeatures(table, [encoder], source),
  }));
  const total = parts.reduce((sum, { csr }) => sum + csr.indices.length, 0);
  return (column, order) => {
    const indptr = new Float64Array(table.rows + 1);
    const indices = new Uint32Array(total);
    const values = new Float32Array(total);
    let count = 0;
    for (let row = 0; row < table.rows; row++) {
      for (const [at, { first, csr }] of parts.entries()) {
        const from = at === column ? order[row]! : row;
        for (let entry = csr.indptr[from]!; entry < csr.indptr[from + 1]!; entry++) {
          indices[count] = first + csr.indices[entry]!;
          values[count++] = csr.values[entry]!;
        }
      }
      indptr[row + 1] = count;
    }
    return { indptr, indices, values };
  };
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

/** Targets as training takes them: names of classes, or numbers, row-major. Throws `data` for empty and for other cells. */
export function encodeTargets(table: Table, target: TargetEncoder): string[] | Float64Array {
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

function badTarget(name: string, row: number, cell: Cell, expected: string): TreadleError {
  const found = cell === null ? 'empty' : JSON.stringify(cell);
  return problem('data', { subject: `target ${name} in row ${row}`, found, expected });
}

const finite = v.pipe(v.number(), v.finite());
const text = v.string();
const scale = v.strictObject({ mean: finite, deviation: v.pipe(finite, v.minValue(0)) });
const missing = v.boolean();
const columns = v.array(
  v.variant('kind', [
    v.strictObject({ kind: v.literal('number'), name: text, scale, missing }),
    v.strictObject({ kind: v.literal('yesNo'), name: text, yes: text, no: text, missing }),
    v.strictObject({
      kind: v.literal('date'),
      name: text,
      parts: v.array(v.strictObject({ part: v.picklist(DATE_PARTS), scale })),
      missing,
    }),
    v.strictObject({ kind: v.literal('category'), name: text, values: v.array(text), missing }),
  ]),
);
const STORED = v.strictObject({
  version: v.literal(1),
  columns,
  target: v.variant('task', [
    v.strictObject({
      task: v.literal('classification'),
      name: text,
      classes: v.pipe(v.array(text), v.minLength(2)),
    }),
    v.strictObject({ task: v.literal('regression'), names: v.pipe(v.array(text), v.minLength(1)) }),
  ]),
});

/** The encoder in a model file's metadata. Throws `format` for one that is none; `source` is the file's name. */
export function readEncoder(json: string, source: string): TableEncoder {
  const problem = structureProblem(json, { depth: 6, values: 2_000_000 });
  if (problem !== null) throw formatError(source, `its encoder ${problem}`, 'a model of a table');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw formatError(source, 'its encoder is no JSON', 'a model of a table');
  }
  const parsed = v.safeParse(STORED, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw formatError(
    source,
    `its encoder has no ${v.getDotPath(issue) ?? 'form that is known'}`,
    'a model of a table',
  );
}
