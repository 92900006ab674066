import { expectKeys, expectWhole, MAX_WIDTH, type TensorKey } from '#bindings';
import { shuffled } from '../data/random.js';
import type { Model } from '../model/model.js';
import { dataOf } from './data.js';
import { type ColumnEncoder, featuresOf, type TableEncoder, widthOf } from './encoder.js';
import {
  cutRows,
  differences,
  RowJoiner,
  reordered,
  type Slice,
  type SparseRows,
  wholeRows,
} from './sparse-rows.js';
import { type Table, takeTableRows } from './table.js';

/** How much one column matters. */
export interface ColumnImportance {
  readonly column: string;
  /** Loss with the column's cells shuffled over the rows, less the loss with them in place: a mean over the shuffles. */
  readonly loss: number;
}

/** How much each column matters. */
export interface Importance {
  /** Rows that it was measured on. */
  readonly rows: number;
  /** Shuffles of each column. */
  readonly repeats: number;
  /** The most important first. */
  readonly columns: readonly ColumnImportance[];
}

/** How importance is measured. */
export interface ImportanceOptions {
  /** Rows at most, drawn at random. Default: as many as a few seconds are enough for, and 50 at least. */
  rows?: number;
  /** Shuffles of each column. Default: five, and fewer where rows or columns are many: a mean over many rows needs no more. */
  repeats?: number;
  /** Draws the rows and the shuffles. Default: 0. */
  seed?: number;
}

/** Shuffles by default: so many that the network is given so many numbers in all, and no more than the second. */
const USUAL_NUMBERS = 5_000_000;
const MOST_REPEATS = 5;

/**
 * Numbers that the network is given and its layers work out in all, at most, some seconds' worth: rows are left out for it by
 * default, down to the second.
 */
const MOST_NUMBERS = 100_000_000;
const LEAST_ROWS = 50;

/** Random stream that draws the rows. */
const ROWS_STREAM = 2 ** 46;

/** Rows in which a column is shuffled. */
interface Shuffling {
  /** The network that takes them. */
  readonly network: Model;
  /** The rows as they are. */
  readonly inPlace: readonly Slice[];
  /** A column's part of the rows, as a function that puts it into another order. */
  shuffler(first: number, behind: number): (order: Uint32Array) => readonly Slice[];
}

/**
 * How much each column matters to a network: by how much its loss grows when the column's cells are shuffled over the rows. Throws
 * `usage` or `range` for options that are none, and `data` as a model's `evaluate`.
 */
export function importanceOf(
  network: Model,
  encoder: TableEncoder,
  table: Table,
  options: ImportanceOptions,
): Importance {
  expectKeys('options', options, ['rows', 'repeats', 'seed']);
  for (const name of ['rows', 'repeats'] as const) {
    if (options[name] !== undefined) expectWhole(name, options[name], 1);
  }
  const { seed = 0 } = options;
  const { columns } = encoder;
  const all = dataOf(table, encoder, 'The table');
  const { isSummed, entries } = chooseForm(network, columns, all.x.values.length / table.rows);
  const shuffles = columns.length * (options.repeats ?? 1);
  const most = Math.max(LEAST_ROWS, Math.floor(MOST_NUMBERS / (shuffles * (entries + unitsOf(network)))));
  const rows = Math.min(table.rows, options.rows ?? most);
  const usual = Math.round(USUAL_NUMBERS / (columns.length * entries * rows));
  const { repeats = Math.min(MOST_REPEATS, Math.max(1, usual)) } = options;
  const { x, y } = rows < table.rows ? dataOf(drawn(table, rows, seed), encoder, 'The table') : all;

  const form = isSummed ? summedRows(network, columns, x) : encodedRows(network, x);
  const joiner = new RowJoiner();
  const lossOf = (slices: readonly Slice[]) => form.network.loss({ x: joiner.join(slices), y });
  const loss = lossOf(form.inPlace);
  let first = 0;
  const found = columns.map((column, at) => {
    const behind = first + widthOf(column);
    const shuffle = form.shuffler(first, behind);
    first = behind;
    let sum = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      sum += lossOf(shuffle(shuffled(rows, seed, at * repeats + repeat))) - loss;
    }
    return { column: column.name, loss: sum / repeats };
  });
  if (form.network !== network) form.network.dispose();
  return { rows, repeats, columns: found.sort((a, b) => b.loss - a.loss) };
}

function drawn(table: Table, rows: number, seed: number): Table {
  return takeTableRows(table, shuffled(table.rows, seed, ROWS_STREAM).subarray(0, rows).sort());
}

/** Whether a network is given rows as sums, and how many numbers a row is then, where the table's have so many each. */
function chooseForm(
  network: Model,
  columns: readonly ColumnEncoder[],
  encoded: number,
): { isSummed: boolean; entries: number } {
  const units = firstUnits(network);
  const summed = units + (2 * encoded) / columns.length;
  // Sums are rounded otherwise, and are a network more: for less than half they are not worth it.
  const isSummed = summed < encoded / 2 && units + 2 * featuresOf(columns) <= MAX_WIDTH;
  return { isSummed, entries: isSummed ? summed : encoded };
}

/** Units of all layers. */
function unitsOf({ spec }: Model): number {
  return spec.layers.reduce((sum, layer) => sum + (layer.type === 'dense' ? layer.units : 0), 0);
}

function firstUnits({ spec }: Model): number {
  const [layer] = spec.layers;
  return layer!.type === 'dense' ? layer!.units : 0;
}

/** Rows as they are encoded. */
function encodedRows(network: Model, x: SparseRows): Shuffling {
  return {
    network,
    inPlace: [wholeRows(x)],
    shuffler(first, behind) {
      const [before, part, after] = cutRows(x, first, behind);
      return (order) => [before, reordered(part, order), after];
    },
  };
}

/**
 * Rows as the sums that their entries are in the first layer: a shuffled column adds what it is to them and takes away what it was.
 * The network is the same but for what its first layer has in front: one feature for each sum, each entry, and each entry to
 * take away. So the time that a column takes does not grow with the number of columns.
 */
function summedRows(network: Model, columns: readonly ColumnEncoder[], x: SparseRows): Shuffling {
  const units = firstUnits(network);
  const features = featuresOf(columns);
  const tensors = network.tensors();
  const key: TensorKey = '0.weight';
  const weight = tensors.get(key)!;
  const wide = new Float32Array((units + 2 * features) * units);
  for (let unit = 0; unit < units; unit++) wide[unit * units + unit] = 1;
  wide.set(weight, units * units);
  wide.set(
    weight.map((value) => -value),
    (units + features) * units,
  );
  const input = { type: 'sparse', features: units + 2 * features } as const;
  const sums = wholeRows(sumsOf(x, weight, units));
  return {
    network: network.withTensors({ ...network.spec, input }, new Map([...tensors, [key, wide]])),
    inPlace: [sums],
    shuffler(first, behind) {
      const [, part] = cutRows(x, first, behind);
      return (order) => {
        const [added, taken] = differences(reordered(part, order), part);
        return [sums, { ...added, shift: units }, { ...taken, shift: units + features }];
      };
    },
  };
}

/** What rows come to in a layer of these weights. */
function sumsOf({ indptr, indices, values }: SparseRows, weight: Float32Array, units: number): SparseRows {
  const rows = indptr.length - 1;
  const sums = new Float32Array(rows * units);
  const sum = new Float64Array(units);
  for (let row = 0; row < rows; row++) {
    sum.fill(0);
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
      const [value, from] = [values[at]!, indices[at]! * units];
      for (let unit = 0; unit < units; unit++) sum[unit]! += value * weight[from + unit]!;
    }
    sums.set(sum, row * units);
  }
  return {
    indptr: Float64Array.from({ length: rows + 1 }, (_, row) => row * units),
    indices: Uint32Array.from(sums, (_, at) => at % units),
    values: sums,
  };
}
