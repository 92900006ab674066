import { type Element, NUMPY_ELEMENTS, SAFETENSORS_ELEMENTS } from './elements.js';
import { checkLength } from './floats.js';
import { dtypeOf } from './pickle.js';
import type { ArrayState } from './pickle-values.js';
import type { SafetensorsEntry } from './safetensors.js';

/** One tensor of a weight file, in the file's own name and layout. */
export interface TensorDescription {
  name: string;
  /** As the format calls it: `F32` or `BF16` in safetensors, `float32` in a pickle (`float32 >`: big-endian). */
  dtype: string;
  shape: number[];
  /** What its values take in the file. */
  bytes: number;
  /** Null for a tensor without elements, or of a type that has no order or is not read; NaN when a value is NaN. */
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Of the values from their mean, divided by their count. */
  deviation: number | null;
}

type Range = Pick<TensorDescription, 'min' | 'max' | 'mean' | 'deviation'>;

const NO_RANGE: Range = { min: null, max: null, mean: null, deviation: null };

/** Describes the tensors of a safetensors file, in its order. */
export function describeSafetensors(tensors: ReadonlyMap<string, SafetensorsEntry>): TensorDescription[] {
  return [...tensors].map(([name, { dtype, shape, bytes }]) => ({
    name,
    dtype,
    shape,
    bytes: bytes.length,
    ...rangeOf(bytes, SAFETENSORS_ELEMENTS[dtype], true),
  }));
}

/**
 * Describes the arrays of a pickle, in its order; what is no array is left out.
 * Throws `format` for an array whose shape does not fit its bytes.
 */
export function describeArrays(
  arrays: ReadonlyMap<string, ArrayState | null>,
  source: string,
): TensorDescription[] {
  // An array of several names is read once.
  const described = new Map<ArrayState, Omit<TensorDescription, 'name'>>();
  return [...arrays].flatMap(([name, state]) => {
    if (state === null) return [];
    const known = described.get(state) ?? describeArray(state, name, source);
    described.set(state, known);
    return [{ name, ...known }];
  });
}

function describeArray(state: ArrayState, name: string, source: string): Omit<TensorDescription, 'name'> {
  const { shape, bytes, dtype } = state;
  const type = Object.hasOwn(NUMPY_ELEMENTS, dtype.letters) ? NUMPY_ELEMENTS[dtype.letters]! : null;
  if (type === null) return { dtype: dtypeOf(state), shape, bytes: bytes.length, ...NO_RANGE };
  checkLength(shape, bytes, type.bytes, name, source);
  const isLittle = dtype.order !== '>';
  const range = rangeOf(bytes, type.element, isLittle);
  return { dtype: isLittle ? type.name : `${type.name} >`, shape, bytes: bytes.length, ...range };
}

/** Least, greatest and mean value, and the deviation; allocates nothing that grows with the tensor. */
function rangeOf(bytes: Uint8Array, element: Element | null | undefined, littleEndian: boolean): Range {
  if (!element || bytes.length === 0) return NO_RANGE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length / element.bytes;
  // Squares are of differences from the first value, which keeps their digits where all values are far from 0.
  const first = element.read(view, 0, littleEndian);
  let [min, max, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (let at = 0; at < bytes.length; at += element.bytes) {
    const value = element.read(view, at, littleEndian);
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    squares += (value - first) ** 2;
  }
  const mean = sum / count;
  return { min, max, mean, deviation: Math.sqrt(Math.max(0, squares / count - (mean - first) ** 2)) };
}
