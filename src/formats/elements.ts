import type { SafetensorsDtype } from './safetensors-header.js';

// Number types as files have them.

/** An element's bytes, and its value at a place in a file. */
export interface Element {
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

/** The dtypes of safetensors whose values are read; the others are packed, complex or rare. */
export const SAFETENSORS_ELEMENTS: Partial<Record<SafetensorsDtype, Element>> = {
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

/** numpy's names of its number types, by the letters that pickles and npy files have. */
export const NUMPY_ELEMENTS: Readonly<
  Record<string, { name: string; bytes: number; element: Element | null }>
> = {
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
