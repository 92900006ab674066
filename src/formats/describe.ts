import { checkLength, dtypeOf } from './pickle.js';
import type { ArrayState } from './pickle-values.js';
import type { SafetensorsEntry } from './safetensors.js';
import type { SafetensorsDtype } from './safetensors-header.js';

/** One tensor of a weight file, in the file's own name and layout. */
export interface TensorDescription {
  name: string;
  /** As the format calls it: `F32` or `BF16` in safetensors, `float32` in a pickle (`float32 >`: big-endian). */
  dtype: string;
  shape: number[];
  /** Null for a tensor without elements, or of a type that has no order or is not read; NaN when a value is NaN. */
  min: number | null;
  max: number | null;
  mean: number | null;
}

type Range = Pick<TensorDescription, 'min' | 'max' | 'mean'>;

const NO_RANGE: Range = { min: null, max: null, mean: null };

/** An element's bytes, and its value at a place in a file. */
interface Element {
  bytes: number;
  read(view: DataView, at: number, littleEndian: boolean): number;
}

const I8: Element = { bytes: 1, read: (view, at) => view.getInt8(at) };
const U8: Element = { bytes: 1, read: (view, at) => view.getUint8(at) };
const I16: Element = { bytes: 2, read: (view, at, little) => view.getInt16(at, little) };
const U16: Element = { bytes: 2, read: (view, at, little) => view.getUint16(at, little) };
const I32: Element = { bytes: 4, read: (view, at, little) => view.getInt32(at, little) };
const U32: Element = { bytes: 4, read: (view, at, little) => view.getUint32(at, little) };
const I64: Element = { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) };
const U64: Element = { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) };
const F32: Element = { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) };
const F64: Element = { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) };
const F16 = smallFloat(2, 5, 10);
const BF16 = smallFloat(2, 8, 7);
const F8_E5M2 = smallFloat(1, 5, 2);
const F8_E4M3 = smallFloat(1, 4, 3, true);

/** The dtypes of safetensors whose range is shown; the others are packed, complex or rare. */
const SAFETENSORS: Partial<Record<SafetensorsDtype, Element>> = {
  BOOL: U8,
  U8,
  I8,
  I16,
  U16,
  I32,
  U32,
  I64,
  U64,
  F16,
  BF16,
  F32,
  F64,
  F8_E5M2,
  F8_E4M3,
};

/** numpy's names of its number types, by the letters that a pickle has. */
const NUMPY: Readonly<Record<string, { name: string; bytes: number; element: Element | null }>> = {
  b1: { name: 'bool', bytes: 1, element: U8 },
  i1: { name: 'int8', bytes: 1, element: I8 },
  i2: { name: 'int16', bytes: 2, element: I16 },
  i4: { name: 'int32', bytes: 4, element: I32 },
  i8: { name: 'int64', bytes: 8, element: I64 },
  u1: { name: 'uint8', bytes: 1, element: U8 },
  u2: { name: 'uint16', bytes: 2, element: U16 },
  u4: { name: 'uint32', bytes: 4, element: U32 },
  u8: { name: 'uint64', bytes: 8, element: U64 },
  f2: { name: 'float16', bytes: 2, element: F16 },
  f4: { name: 'float32', bytes: 4, element: F32 },
  f8: { name: 'float64', bytes: 8, element: F64 },
  c8: { name: 'complex64', bytes: 8, element: null },
  c16: { name: 'complex128', bytes: 16, element: null },
};

/** Describes the tensors of a safetensors file, in its order. */
export function describeSafetensors(tensors: ReadonlyMap<string, SafetensorsEntry>): TensorDescription[] {
  return [...tensors].map(([name, { dtype, shape, bytes }]) => ({
    name,
    dtype,
    shape,
    ...rangeOf(bytes, SAFETENSORS[dtype], true),
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
  const type = Object.hasOwn(NUMPY, dtype.letters) ? NUMPY[dtype.letters]! : null;
  if (type === null) return { dtype: dtypeOf(state), shape, ...NO_RANGE };
  checkLength(state, type.bytes, name, source);
  const isLittle = dtype.order !== '>';
  const range = rangeOf(bytes, type.element, isLittle);
  return { dtype: isLittle ? type.name : `${type.name} >`, shape, ...range };
}

/** Least, greatest and mean value; allocates nothing that grows with the tensor. */
function rangeOf(bytes: Uint8Array, element: Element | null | undefined, littleEndian: boolean): Range {
  if (!element || bytes.length === 0) return NO_RANGE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (let at = 0; at < bytes.length; at += element.bytes) {
    const value = element.read(view, at, littleEndian);
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, max, mean: sum / (bytes.length / element.bytes) };
}

/**
 * A floating-point type of at most 16 bits: a sign, an exponent and a mantissa. The highest exponent holds infinity
 * and NaN, as in IEEE 754, or with `finite` ordinary numbers and, as its last one, NaN.
 */
function smallFloat(bytes: 1 | 2, exponentBits: number, mantissaBits: number, finite = false): Element {
  const top = 2 ** exponentBits - 1;
  const last = 2 ** mantissaBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const powers = Float64Array.from({ length: top + 1 }, (_, exponent) => 2 ** (exponent - bias));
  const magnitude = (exponent: number, mantissa: number): number => {
    const fraction = mantissa / (last + 1);
    if (exponent === 0) return 2 * fraction * powers[0]!;
    if (exponent < top || (finite && mantissa !== last)) return (1 + fraction) * powers[exponent]!;
    return mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  };
  return {
    bytes,
    read(view, at, littleEndian) {
      const bits = bytes === 1 ? view.getUint8(at) : view.getUint16(at, littleEndian);
      const value = magnitude((bits >> mantissaBits) & top, bits & last);
      return bits >> (exponentBits + mantissaBits) === 1 ? -value : value;
    },
  };
}
