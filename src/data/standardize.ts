import type { TensorKey } from '#bindings';

/** Mean and deviation of each column over some rows of a row-major matrix. */
export interface ColumnStatistics {
  mean: Float32Array;
  /** The population's (divided by the number of rows); 1 for a column that is constant, so that it becomes 0. */
  deviation: Float32Array;
  /** Columns that are constant over the rows. */
  constant: number[];
  /**
   * Columns so far from 0 for their deviation that the f32 nearest to their mean may be four deviations away: they would
   * not be centred.
   */
  coarse: number[];
}

/** The least share of a mean that a deviation may be: a number becomes f32 with an error of up to 2^-24 of it. */
const COARSE = 2 ** -26;

/**
 * Statistics of columns whose rows come a part at a time (Chan, Golub and LeVeque, 1979): each part's mean and sum of
 * squared differences are joined to those before it, in f64.
 */
export class ColumnSums {
  readonly #columns: number;
  #rows = 0;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  readonly #first: Float64Array;
  readonly #varies: Uint8Array;

  constructor(columns: number) {
    this.#columns = columns;
    this.#mean = new Float64Array(columns);
    this.#squares = new Float64Array(columns);
    this.#first = new Float64Array(columns);
    this.#varies = new Uint8Array(columns);
  }

  /** Takes in rows of a row-major matrix: the given ones, or the first `rows`. */
  add(values: ArrayLike<number>, rows: Uint32Array | number): void {
    const count = typeof rows === 'number' ? rows : rows.length;
    if (count === 0) return;
    const columns = this.#columns;
    const start = (index: number) => (typeof rows === 'number' ? index : rows[index]!) * columns;
    const mean = new Float64Array(columns);
    for (let index = 0; index < count; index++) {
      const at = start(index);
      for (let column = 0; column < columns; column++) mean[column]! += values[at + column]!;
    }
    for (let column = 0; column < columns; column++) mean[column]! /= count;
    if (this.#rows === 0)
      for (let column = 0; column < columns; column++) this.#first[column] = values[start(0) + column]!;
    const squares = new Float64Array(columns);
    for (let index = 0; index < count; index++) {
      const at = start(index);
      for (let column = 0; column < columns; column++) {
        const value = values[at + column]!;
        const difference = value - mean[column]!;
        squares[column]! += difference * difference;
        if (value !== this.#first[column]) this.#varies[column] = 1;
      }
    }
    const all = this.#rows + count;
    for (let column = 0; column < columns; column++) {
      const shift = mean[column]! - this.#mean[column]!;
      this.#squares[column]! += squares[column]! + (shift * shift * this.#rows * count) / all;
      this.#mean[column]! += (shift * count) / all;
    }
    this.#rows = all;
  }

  /** The statistics of all rows so far. */
  statistics(): ColumnStatistics {
    const constant: number[] = [];
    const coarse: number[] = [];
    const deviation = Float32Array.from(this.#squares, (square, column) => {
      const value = Math.fround(Math.sqrt(square / this.#rows));
      if (this.#varies[column] === 1 && value < COARSE * Math.abs(this.#mean[column]!)) coarse.push(column);
      if (this.#varies[column] === 1 && value > 0) return value;
      constant.push(column);
      return 1;
    });
    const mean = Float32Array.from(this.#mean);
    // A constant column becomes exactly 0: its mean is the value itself.
    for (const column of constant) mean[column] = this.#first[column]!;
    return { mean, deviation, constant, coarse };
  }
}

/** Statistics of the columns over the given rows. */
export function columnStatistics(
  values: ArrayLike<number>,
  columns: number,
  rows: Uint32Array,
): ColumnStatistics {
  const sums = new ColumnSums(columns);
  sums.add(values, rows);
  return sums.statistics();
}

/** Statistics as tensors of a model. */
export function statisticsTensors(
  of: 'input' | 'target',
  { mean, deviation }: ColumnStatistics,
): [TensorKey, Float32Array][] {
  return [
    [`${of}.mean`, mean],
    [`${of}.deviation`, deviation],
  ];
}
