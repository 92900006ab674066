import { expectLength, rangeError } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { type ModelSpec, outputsOf } from '../model/layers.js';
import { LOSSES, type Loss } from '../model/losses.js';

/** The rows of a sparse matrix (compressed sparse rows, as scipy's csr_matrix). Columns ascend within a row. */
export interface Csr {
  /** Row r holds the values from indptr[r] up to indptr[r + 1]; rows + 1 of them. */
  readonly indptr: ArrayLike<number>;
  /** Column of each value. */
  readonly indices: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Samples as a model's input type has them: u8 or floats, row-major, or the rows of a sparse matrix. */
export type Inputs = Uint8Array | Uint8ClampedArray | Float32Array | Float64Array | Csr;

/** Class indices for cross-entropy, else numbers, (rows, outputs), row-major. */
export type Targets = ArrayLike<number>;

/** Samples with what is known of them. */
export interface Samples {
  readonly inputs: Inputs;
  readonly targets?: Targets;
  /** How much each sample counts; left out: all the same. */
  readonly weights?: ArrayLike<number>;
}

/** The number of rows of `inputs`; throws `usage`, `shape` or `range` unless they are what the model takes. */
export function checkInputs(subject: string, inputs: unknown, { input }: ModelSpec): number {
  const { features, type } = input;
  if (type === 'sparse') return checkCsr(subject, inputs, features);
  const isRight =
    type === 'u8'
      ? inputs instanceof Uint8Array || inputs instanceof Uint8ClampedArray
      : inputs instanceof Float32Array || inputs instanceof Float64Array;
  if (!isRight) {
    const expected =
      type === 'u8' ? 'a Uint8Array, as of u8 input,' : 'a Float32Array or Float64Array, as of f32 input,';
    throw problem('usage', { subject, found: inputs, expected });
  }
  const values = inputs as Exclude<Inputs, Csr>;
  const rows = Math.ceil(values.length / features);
  expectLength(subject, values.length, rows * features);
  if (type === 'f32') expectFinite(subject, values, features);
  return rows;
}

function checkCsr(subject: string, inputs: unknown, features: number): number {
  const { indptr, indices, values } = (inputs ?? {}) as Partial<Csr>;
  for (const [name, list] of Object.entries({ indptr, indices, values })) {
    if (isList(list)) continue;
    throw problem('usage', {
      subject: `${subject}.${name}`,
      found: list,
      expected: 'an array, as of sparse input,',
    });
  }
  const rows = indptr!.length - 1;
  if (rows < 0 || indptr![0] !== 0) throw rangeError(`${subject}.indptr[0]`, indptr![0], '0');
  for (let row = 0; row < rows; row++) {
    const [start, end] = [indptr![row]!, indptr![row + 1]!];
    if (!Number.isSafeInteger(end) || end < start || end > indices!.length) {
      const expected = `a whole number from ${start} to ${indices!.length}`;
      throw rangeError(`${subject}.indptr[${row + 1}]`, end, expected);
    }
    let before = -1;
    for (let at = start; at < end; at++) {
      const column = indices![at]!;
      if (!Number.isSafeInteger(column) || column <= before || column >= features) {
        const expected = `a column above ${before} and below ${features}`;
        throw rangeError(`${subject}.indices[${at}] (row ${row})`, column, expected);
      }
      before = column;
      const value: unknown = values![at];
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
        throw rangeError(`${subject} at row ${row}, column ${column}`, value, 'a finite number');
      }
    }
  }
  expectLength(`${subject}.indices`, indices!.length, indptr![rows]!);
  expectLength(`${subject}.values`, values!.length, indptr![rows]!);
  return rows;
}

/** Whether a value is an array or a typed array. */
export function isList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** Where a value of a row-major matrix stands, in words; of a single column by its row alone. */
export function placeOf(at: number, columns: number): string {
  return columns === 1 ? `row ${at}` : `row ${Math.floor(at / columns)}, column ${at % columns}`;
}

/** Throws `range` for a value that is no finite f32, by row and column. */
export function expectFinite(subject: string, values: ArrayLike<number>, columns: number): void {
  for (let at = 0; at < values.length; at++) {
    if (Number.isFinite(Math.fround(values[at]!))) continue;
    throw rangeError(`${subject} at ${placeOf(at, columns)}`, values[at], 'a finite number');
  }
}

/** Throws `usage`, `shape` or `range` unless `targets` are those of `rows` samples for the loss. */
export function checkTargets(
  subject: string,
  targets: unknown,
  rows: number,
  model: ModelSpec,
  loss: Loss,
): void {
  const outputs = outputsOf(model);
  const { targets: kind } = LOSSES[loss.type];
  if (!isList(targets)) {
    const expected =
      kind === 'classes' ? 'an array of class indices' : `an array of numbers, ${outputs} a row,`;
    throw problem('usage', { subject, found: targets, expected });
  }
  expectLength(subject, targets.length, kind === 'classes' ? rows : rows * outputs);
  if (kind === 'classes') {
    for (let row = 0; row < rows; row++) {
      const label = targets[row];
      if (Number.isSafeInteger(label) && label! >= 0 && label! < outputs) continue;
      throw rangeError(`${subject}[${row}]`, label, `a class from 0 to ${outputs - 1}`);
    }
    return;
  }
  expectFinite(subject, targets, outputs);
  if (loss.type !== 'binaryCrossEntropy') return;
  for (let at = 0; at < targets.length; at++) {
    if (targets[at]! >= 0 && targets[at]! <= 1) continue;
    const place = `row ${Math.floor(at / outputs)}, column ${at % outputs}`;
    throw rangeError(`${subject} at ${place}`, targets[at], 'a number from 0 to 1');
  }
}

/** Throws `usage`, `shape` or `range` unless `weights` are those of `rows` samples. */
export function checkWeights(subject: string, weights: unknown, rows: number): void {
  if (!isList(weights)) throw problem('usage', { subject, found: weights, expected: 'an array of numbers' });
  expectLength(subject, weights.length, rows);
  for (let row = 0; row < rows; row++) {
    const weight = weights[row]!;
    if (typeof weight === 'number' && Number.isFinite(Math.fround(weight)) && weight >= 0) continue;
    throw rangeError(`${subject}[${row}]`, weight, 'a finite number from 0 up');
  }
}

/** Throws `usage` or `range` unless `order` is a list of rows below `rows`. */
export function expectOrder(subject: string, order: unknown, rows: number): asserts order is Uint32Array {
  if (!(order instanceof Uint32Array)) {
    throw problem('usage', { subject, found: order, expected: 'a Uint32Array of rows' });
  }
  const wrong = order.findIndex((row) => row >= rows);
  if (wrong >= 0) throw rangeError(`${subject}[${wrong}]`, order[wrong], `a row below ${rows}`);
}
