import {
  type ModelSpec,
  type Role,
  type TensorKey,
  type TensorRow,
  type Tensors,
  tensorTable,
} from '#bindings';
import type { Tensor } from './tensor.js';

// How files name and lay out a model's tensors. Both directions derive from the tensor table.

/** A tensor's place in a file. */
export interface NamedRow {
  readonly row: TensorRow;
  readonly name: string;
  /** Shape in the file. */
  readonly shape: readonly number[];
  /** Whether the file has the transpose of treadle's (inputs, units). */
  readonly transposed: boolean;
}

/** A file's names of all tensors, and of PyTorch's counters of batches where it has them. */
export interface NamedTable {
  readonly rows: readonly NamedRow[];
  readonly counters: readonly string[];
}

const TORCH_NAMES: Readonly<Record<Role, string>> = {
  weight: 'weight',
  bias: 'bias',
  gamma: 'weight',
  beta: 'bias',
  runningMean: 'running_mean',
  runningVar: 'running_var',
  mean: 'mean',
  deviation: 'deviation',
};

/**
 * PyTorch's names: a layer's index in `layers` is its index in torch.nn.Sequential; dense weights are (units, inputs).
 * Statistics of inputs and targets, which Sequential has not, are `input.mean` and so on.
 */
export function torchNames(model: ModelSpec): NamedTable {
  const table = tensorTable(model);
  const rows = table.map((row): NamedRow => {
    const prefix = row.layer < 0 ? row.key.split('.')[0] : row.layer;
    const transposed = row.role === 'weight';
    return {
      row,
      name: `${prefix}.${TORCH_NAMES[row.role]}`,
      shape: transposed ? [...row.shape].reverse() : row.shape,
      transposed,
    };
  });
  const norms = table.filter(({ role }) => role === 'gamma');
  return { rows, counters: norms.map(({ layer }) => `${layer}.num_batches_tracked`) };
}

const NUMPY_NAMES: Readonly<Record<Role, string>> = {
  weight: 'W',
  bias: 'b',
  gamma: 'gamma',
  beta: 'beta',
  runningMean: 'running_mean',
  runningVar: 'running_var',
  mean: '_mean',
  deviation: '_deviation',
};

/** The names of a network written by hand in numpy: `W1`, `b1`, `gamma1`, ..., blocks counted from 1; weights (inputs, units). */
export function numpyNames(model: ModelSpec): NamedTable {
  let block = 0;
  const rows = tensorTable(model).map((row): NamedRow => {
    if (row.role === 'weight') block++;
    const name =
      row.layer < 0 ? `${row.key.split('.')[0]}${NUMPY_NAMES[row.role]}` : `${NUMPY_NAMES[row.role]}${block}`;
    return { row, name, shape: row.shape, transposed: false };
  });
  return { rows, counters: [] };
}

/** The tensors under a file's names, in the order of the table, each block's counter behind its running statistics. */
export function nameTensors(
  { rows, counters }: NamedTable,
  tensors: Tensors,
  batchesTracked: number,
): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  const pending = [...counters];
  for (const { row, name, shape, transposed } of rows) {
    const values = tensors.get(row.key)!;
    const data = transposed ? transpose(values, row.shape[0]!, row.shape[1]!) : values;
    named.set(name, { dtype: 'F32', shape: [...shape], data });
    if (row.role !== 'runningVar' || pending.length === 0) continue;
    named.set(pending.shift()!, { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(batchesTracked)) });
  }
  return named;
}

/** The model's tensors of a file whose names, types and shapes have been checked. */
export function unnameTensors(
  { rows }: NamedTable,
  found: ReadonlyMap<string, Tensor>,
): Map<TensorKey, Float32Array> {
  return new Map(
    rows.map(({ row, name, transposed }) => {
      const data = found.get(name)!.data as Float32Array;
      return [row.key, transposed ? transpose(data, row.shape[1]!, row.shape[0]!) : data];
    }),
  );
}

/** The transpose of a row-major matrix of `rows` by `columns`. */
export function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = matrix[row * columns + column]!;
  }
  return result;
}
