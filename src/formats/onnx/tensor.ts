import { quote } from '../../strict/text.js';
import { SAFETENSORS_ELEMENTS } from '../elements.js';
import { type Conversions, toFloats } from '../floats.js';
import { elementCount, formatError } from '../tensor.js';
import { ONNX_TYPE, type OnnxTensor } from './schema.js';

/** ONNX's floating-point types by their numbers, under safetensors' names. */
const FLOATS: Readonly<Record<number, 'F32' | 'F16' | 'BF16' | 'F64'>> = {
  [ONNX_TYPE.float]: 'F32',
  [ONNX_TYPE.float16]: 'F16',
  [ONNX_TYPE.bfloat16]: 'BF16',
  [ONNX_TYPE.double]: 'F64',
};

/** Elements of a tensor. Throws `format` for sizes that cannot be. */
export function countOf({ dims = [], name = '' }: OnnxTensor, source: string): number {
  const count = dims.every((size) => Number.isSafeInteger(size) && size >= 0) ? elementCount(dims) : null;
  if (count !== null) return count;
  throw formatError(source, `tensor ${quote(name)} has shape [${dims.slice(0, 8)}]`, 'a size below 2^53');
}

/** A tensor's numbers as 32-bit floats, a copy. Throws `format` for other types, and for numbers that are not in the file. */
export function floatsOf(tensor: OnnxTensor, source: string, conversions: Conversions): Float32Array {
  const { name = '', dataType = 0, rawData, floatData, doubleData, int32Data, dataLocation } = tensor;
  const type = FLOATS[dataType];
  if (type === undefined) {
    const found = `tensor ${quote(name)} is of ONNX's type ${dataType}`;
    throw formatError(source, found, 'floating-point numbers');
  }
  if (dataLocation === 1) {
    const found = `tensor ${quote(name)} is in another file`;
    throw formatError(source, found, 'an ONNX file with its weights inside (save_as_external_data=False)');
  }
  const element = SAFETENSORS_ELEMENTS[type]!;
  const count = countOf(tensor, source);
  const bytes = rawData ?? bytesOf(type, floatData ?? doubleData ?? int32Data ?? []);
  if (bytes.length !== count * element.bytes) {
    const found = `tensor ${quote(name)} of shape [${tensor.dims ?? []}] has ${bytes.length} bytes`;
    throw formatError(source, found, `${count * element.bytes}`);
  }
  if (type === 'F32') return new Float32Array(new Uint8Array(bytes).buffer);
  return toFloats(bytes, element, true, { name, type, conversions });
}

/** Numbers that are no raw bytes: 16-bit floats come as integers. */
function bytesOf(type: 'F32' | 'F16' | 'BF16' | 'F64', values: ArrayLike<number>): Uint8Array {
  const array =
    type === 'F32'
      ? Float32Array.from(values)
      : type === 'F64'
        ? Float64Array.from(values)
        : Uint16Array.from(values);
  return new Uint8Array(array.buffer);
}

/** Whole numbers of a small tensor, such as a shape; null for other types. */
export function integersOf({ dataType, int64Data, rawData }: OnnxTensor): number[] | null {
  if (dataType !== ONNX_TYPE.int64) return null;
  if (rawData === undefined) return int64Data ?? [];
  if (rawData.length % 8 !== 0 || rawData.length > 8 * (1 << 20)) return null;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.length);
  return Array.from({ length: rawData.length / 8 }, (_, index) => Number(view.getBigInt64(8 * index, true)));
}

/** Texts of a tensor, such as the names of classes; null for other types, and for what is no UTF-8. */
export function textsOf({ dataType, stringData = [] }: OnnxTensor): string[] | null {
  return dataType === ONNX_TYPE.string ? texts(stringData) : null;
}

/** Bytes as texts; null for what is no UTF-8. */
export function texts(all: readonly Uint8Array[]): string[] | null {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return all.map((bytes) => decoder.decode(bytes));
  } catch {
    return null;
  }
}
