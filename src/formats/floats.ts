import { listed, quote } from '../strict/text.js';
import { type Element, NUMPY_ELEMENTS, SAFETENSORS_ELEMENTS } from './elements.js';
import { transpose } from './names.js';
import type { SafetensorsEntry } from './safetensors.js';
import { elementCount, type FloatTensor, formatError } from './tensor.js';

/** Floating-point types that are read as 32-bit floats; all but F64 are widened to the very same values. */
const FLOATS: ReadonlySet<string> = new Set(['F16', 'BF16', 'F32', 'F64']);

/** Tensors of one type that were turned into 32-bit floats. */
interface Conversion {
  names: string[];
  /** Values in all, and those that 32 bits do not hold exactly. */
  values: number;
  rounded: number;
}

/** What was converted while a file was read, by type; {@link conversionNotes} tells of it. */
export type Conversions = Map<string, Conversion>;

/** A sentence for each type that a file's tensors were converted from. */
export function conversionNotes(conversions: Conversions): string[] {
  return [...conversions].map(([type, { names, values, rounded }]) => {
    const told = rounded === 0 ? 'each value kept exactly' : `${rounded} of ${values} values rounded`;
    return `${listed(names.map(quote))} ${names.length === 1 ? 'is' : 'are'} ${type}: read as 32-bit floats, ${told}.`;
  });
}

/** Numbers of any type in a file's bytes as 32-bit floats, a copy; what had to be converted is noted under `type`. */
export function toFloats(
  bytes: Uint8Array,
  element: Element,
  littleEndian: boolean,
  { name, type, conversions }: { name: string; type: string; conversions: Conversions },
): Float32Array {
  const count = bytes.length / element.bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const floats = new Float32Array(count);
  let rounded = 0;
  for (let index = 0; index < count; index++) {
    const value = element.read(view, index * element.bytes, littleEndian);
    floats[index] = value;
    if (isRounded(value, floats[index]!)) rounded++;
  }
  note(conversions, type, name, count, rounded);
  return floats;
}

/** Notes that the values of a tensor were turned into 32-bit floats. */
export function noteConversion(
  conversions: Conversions,
  type: string,
  name: string,
  values: readonly number[],
  floats: Float32Array,
): void {
  const rounded = values.reduce((sum, value, index) => sum + (isRounded(value, floats[index]!) ? 1 : 0), 0);
  note(conversions, type, name, values.length, rounded);
}

const isRounded = (value: number, float: number) => float !== value && !Number.isNaN(value);

function note(conversions: Conversions, type: string, name: string, count: number, rounded: number): void {
  const noted = conversions.get(type) ?? { names: [], values: 0, rounded: 0 };
  noted.names.push(name);
  noted.values += count;
  noted.rounded += rounded;
  conversions.set(type, noted);
}

/** A tensor of floating-point numbers, copied out of the file as 32-bit floats. Throws `format` for any other type. */
export function floatTensor(
  { dtype, shape, bytes }: SafetensorsEntry,
  name: string,
  source: string,
  conversions: Conversions,
): FloatTensor {
  if (!FLOATS.has(dtype)) {
    throw formatError(source, `tensor ${quote(name)} is ${dtype}`, 'F32, F16, BF16 or F64');
  }
  const data =
    dtype === 'F32'
      ? new Float32Array(new Uint8Array(bytes).buffer)
      : toFloats(bytes, SAFETENSORS_ELEMENTS[dtype]!, true, { name, type: dtype, conversions });
  return { dtype: 'F32', shape, data };
}

/** A numpy array as files have it. */
export interface ArrayBytes {
  shape: number[];
  /** numpy's letters of the element type, and its byte order: `<`, `>` or `=` where it has one. */
  letters: string;
  order: string;
  fortranOrder: boolean;
  bytes: Uint8Array;
}

/** A numpy array of floating-point numbers as 32-bit floats in C order, a copy. Throws `format` for any other. */
export function floatArray(
  array: ArrayBytes,
  name: string,
  source: string,
  conversions: Conversions,
): FloatTensor {
  const { shape, letters, order, fortranOrder, bytes } = array;
  if (!/^f[248]$/.test(letters) || !/^[<>=]$/.test(order)) {
    const found = `array ${quote(name)} is of dtype ${quote(order + letters)}`;
    throw formatError(source, found, 'float32, float16 or float64');
  }
  const { name: type, element, bytes: size } = NUMPY_ELEMENTS[letters]!;
  checkLength(shape, bytes, size, name, source);
  if (fortranOrder && shape.length > 2) {
    const found = `array ${quote(name)} has ${shape.length} dimensions in Fortran order`;
    throw formatError(source, found, 'C order (numpy.ascontiguousarray)');
  }
  const isLittle = order !== '>';
  const data =
    letters === 'f4' && isLittle
      ? new Float32Array(new Uint8Array(bytes).buffer)
      : toFloats(bytes, element!, isLittle, { name, type, conversions });
  const [rows = 0, columns = 0] = shape;
  const isTurned = fortranOrder && shape.length === 2;
  return { dtype: 'F32', shape, data: isTurned ? transpose(data, columns, rows) : data };
}

/** Throws `format` when an array's shape does not fit its bytes. */
export function checkLength(
  shape: readonly number[],
  bytes: Uint8Array,
  elementBytes: number,
  name: string,
  source: string,
): void {
  const count = elementCount(shape);
  if (count !== null && count * elementBytes === bytes.length) return;
  const needed = count === null ? 'a size below 2^53' : `a length of ${count * elementBytes} bytes`;
  throw formatError(source, `array ${quote(name)} of shape [${shape}] has ${bytes.length} bytes`, needed);
}
