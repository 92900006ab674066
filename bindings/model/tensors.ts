import { expectLength } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { type Block, lowerModel } from './blocks.js';
import type { Init, ModelSpec } from './layers.js';

/** What a tensor is to its layer. */
export type Role = 'weight' | 'bias' | 'gamma' | 'beta' | 'runningMean' | 'runningVar' | 'mean' | 'deviation';

/** `<index of the layer>.<role>`, or `input.` and `target.` with the mean and deviation of what is standardised. */
export type TensorKey = `${number | 'input' | 'target'}.${Role}`;

/** A model's tensors by key, row-major; a dense weight has the shape (inputs, units). */
export type Tensors = ReadonlyMap<TensorKey, Float32Array>;

/** One tensor of a model. */
export interface TensorRow {
  readonly key: TensorKey;
  /** Index of the layer in `layers`; -1 for the statistics of inputs and targets. */
  readonly layer: number;
  readonly role: Role;
  readonly shape: readonly number[];
  /** Moved by the optimiser, as opposed to measured. */
  readonly trained: boolean;
  /** Shrunk by weight decay and L2: weights only. */
  readonly decays: boolean;
  /** Never moves though it is trained elsewhere: a bias directly before BatchNorm, which subtracts it again. */
  readonly frozen: boolean;
  readonly init: Init | 'ones';
}

/**
 * THE tensor table: every tensor of a model, layer by layer in PyTorch's order, then the statistics of inputs and targets.
 * Offsets in memory, files, checkpoints, names and counts all derive from it.
 *
 * @example for (const { key, shape } of tensorTable(spec)) console.log(key, shape);
 */
export function tensorTable(model: ModelSpec): readonly TensorRow[] {
  const rows = lowerModel(model).flatMap(rowsOf);
  const { input, output } = model;
  if (input.standardize) rows.push(...statistics('input', input.features));
  if (output?.standardize) rows.push(...statistics('target', lastWidth(model)));
  return rows;
}

function rowsOf({ layer, inputs, outputs, bias, init, norm }: Block): TensorRow[] {
  const row = (at: number, role: Role, shape: readonly number[], rest: Partial<TensorRow>): TensorRow => ({
    key: `${at}.${role}`,
    layer: at,
    role,
    shape,
    trained: true,
    decays: false,
    frozen: false,
    init: 'zeros',
    ...rest,
  });
  return [
    row(layer, 'weight', [inputs, outputs], { decays: true, init }),
    ...(bias ? [row(layer, 'bias', [outputs], { frozen: norm !== null })] : []),
    ...(norm === null
      ? []
      : [
          row(norm.layer, 'gamma', [outputs], { init: 'ones' }),
          row(norm.layer, 'beta', [outputs], {}),
          row(norm.layer, 'runningMean', [outputs], { trained: false }),
          row(norm.layer, 'runningVar', [outputs], { trained: false, init: 'ones' }),
        ]),
  ];
}

function statistics(of: 'input' | 'target', count: number): TensorRow[] {
  const row = (role: 'mean' | 'deviation', init: TensorRow['init']): TensorRow => ({
    key: `${of}.${role}`,
    layer: -1,
    role,
    shape: [count],
    trained: false,
    decays: false,
    frozen: false,
    init,
  });
  return [row('mean', 'zeros'), row('deviation', 'ones')];
}

function lastWidth(model: ModelSpec): number {
  return lowerModel(model).at(-1)!.outputs;
}

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

/**
 * Parameters that training moves: PyTorch's count, frozen biases included.
 *
 * @example parameterCount(mlp({ inputs: 4, hidden: [32], outputs: 3 })); // 259
 */
export function parameterCount(model: ModelSpec): number {
  return tensorTable(model)
    .filter(({ trained }) => trained)
    .reduce((total, { shape }) => total + sizeOf(shape), 0);
}

/** Throws `shape` unless `tensors` has just the tensors of `rows`, each of its size. */
export function expectTensors(
  subject: string,
  tensors: unknown,
  rows: readonly TensorRow[],
): asserts tensors is Tensors {
  if (!(tensors instanceof Map)) {
    throw problem('shape', { subject, found: tensors, expected: 'a Map of tensors by key' });
  }
  for (const { key, shape } of rows) {
    const values: unknown = tensors.get(key);
    if (!(values instanceof Float32Array)) {
      throw problem('shape', { subject: `${subject}['${key}']`, found: values, expected: 'a Float32Array' });
    }
    expectLength(`${subject}['${key}']`, values.length, sizeOf(shape));
  }
  if (tensors.size === rows.length) return;
  const known = new Set<string>(rows.map(({ key }) => key));
  const extra = [...tensors.keys()].find((key) => !known.has(String(key)));
  throw problem('shape', {
    subject,
    found: `with the tensor '${String(extra)}'`,
    expected: "only the model's own tensors",
  });
}
