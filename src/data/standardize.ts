import type { TensorKey } from '#bindings';

/** Mean and deviation of each column over some rows of a row-major matrix. */
export interface ColumnStatistics {
  mean: Float32Array;
  /** The population's (divided by the number of rows); 1 for a column that is constant, so that it becomes 0. */
  deviation: Float32Array;
  /** Columns that are constant over the rows. */
  constant: number[];
}

/** Statistics of the columns over the given rows: sums in f64, the deviation from the differences to the mean. */
export function columnStatistics(values: ArrayLike<number>, columns: number, rows: Uint32Array): ColumnStatistics {
  const sums = new Float64Array(columns);
  for (const row of rows) for (let column = 0; column < columns; column++) sums[column]! += values[row * columns + column]!;
  const mean = Float32Array.from(sums, (sum) => sum / rows.length);
  const squares = new Float64Array(columns);
  const varies = new Uint8Array(columns);
  const first = rows[0]!;
  for (const row of rows) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column]!;
      const difference = value - mean[column]!;
      squares[column]! += difference * difference;
      if (value !== values[first * columns + column]!) varies[column] = 1;
    }
  }
  const constant: number[] = [];
  const deviation = Float32Array.from(squares, (square, column) => {
    const value = Math.fround(Math.sqrt(square / rows.length));
    if (varies[column] === 1 && value > 0) return value;
    constant.push(column);
    return 1;
  });
  // A constant column becomes exactly 0: its mean is the value itself.
  for (const column of constant) mean[column] = values[first * columns + column]!;
  return { mean, deviation, constant };
}

/** Statistics as tensors of a model. */
export function statisticsTensors(of: 'input' | 'target', { mean, deviation }: ColumnStatistics): [TensorKey, Float32Array][] {
  return [
    [`${of}.mean`, mean],
    [`${of}.deviation`, deviation],
  ];
}
