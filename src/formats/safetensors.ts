import { type Bytes, TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { expectOwn } from './foreign.js';
import { DTYPE_BITS, parseHeader, type SafetensorsDtype } from './safetensors-header.js';
import { elementCount, formatError, type Tensor } from './tensor.js';

/**
 * The safetensors format: 8 bytes with the header's length (little-endian), the header (JSON: name -> dtype, shape
 * and data_offsets, and `__metadata__`, a map of strings), then the tensors' bytes, row-major and little-endian.
 * Reading one allocates at most 64 times the header, and the data twice (copied out, and transposed where need be).
 */

/** The longest header that the format's reference implementation reads. */
const MAX_HEADER_BYTES = 100_000_000;

/** One tensor of a decoded file; `bytes` is a view into the file's. */
export interface SafetensorsEntry {
  dtype: SafetensorsDtype;
  shape: number[];
  bytes: Uint8Array;
}

/** A decoded file: tensors in the header's order; `metadata` is null when the file has none. */
export interface SafetensorsFile {
  tensors: Map<string, SafetensorsEntry>;
  metadata: Record<string, string> | null;
}

/**
 * Decodes a safetensors file; every statement of its header is checked before it is followed.
 * Throws `format` errors that begin with `source`, the file's name.
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): SafetensorsFile {
  if (bytes.length < 8)
    throw formatError(source, `the file has ${bytes.length} bytes`, 'a length of 8 or more');
  expectOwn(bytes, source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, bytes.length - 8);
  if (length > BigInt(most)) {
    throw formatError(source, `the header's length is given as ${length} bytes`, `at most ${most}`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart === 8 || bytes[8] !== 0x7b) {
    throw formatError(source, 'the header does not begin with "{"', 'a JSON object');
  }
  const header = parseHeader(
    decodeUtf8(bytes.subarray(8, dataStart), source),
    bytes.length - dataStart,
    source,
  );
  const tensors = new Map<string, SafetensorsEntry>();
  for (const { name, dtype, shape, begin, end } of header.entries) {
    tensors.set(name, { dtype, shape, bytes: bytes.subarray(dataStart + begin, dataStart + end) });
  }
  return { tensors, metadata: header.metadata };
}

function decodeUtf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw formatError(source, 'the header is not valid UTF-8', 'UTF-8 text');
  }
}

/** A tensor's values, copied out of the file. Throws `format` for any dtype but F32 and I64. */
export function tensorOf(entry: SafetensorsEntry, name: string, source: string): Tensor {
  const { dtype, shape } = entry;
  if (dtype !== 'F32' && dtype !== 'I64') {
    throw formatError(source, `tensor ${quote(name)} is ${dtype}`, 'F32 (or I64 for a counter)');
  }
  const { buffer } = new Uint8Array(entry.bytes);
  return dtype === 'F32'
    ? { dtype, shape, data: new Float32Array(buffer) }
    : { dtype, shape, data: new BigInt64Array(buffer) };
}

/**
 * Encodes tensors and metadata as a safetensors file. The header lists them in the map's order; in the data the
 * wider type comes first, so that every tensor is aligned to its element size. Equal input gives equal bytes.
 * Throws `shape` when a shape and its data disagree.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Bytes {
  return joinParts(safetensorsParts(tensors, metadata));
}

/** Joins the parts of a file. */
export function joinParts(parts: readonly Uint8Array[]): Bytes {
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** The same file as parts that follow one another: the header, then views of the tensors' own data, nothing copied. */
export function safetensorsParts(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const begins = new Map<string, number>();
  const inDataOrder = [...tensors].sort(([, a], [, b]) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype]);
  let dataLength = 0;
  for (const [name, { shape, data }] of inDataOrder) {
    if (elementCount(shape) !== data.length) {
      const message = `Tensor ${quote(name)} has ${data.length} values; shape [${shape}] is expected to hold them.`;
      throw new TreadleError('shape', message, { subject: name, found: data.length, expected: shape });
    }
    begins.set(name, dataLength);
    dataLength += data.byteLength;
  }
  const header = encodeHeader(tensors, begins, metadata);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  const data = inDataOrder.map(
    ([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return [length, header, ...data];
}

/** The header's JSON, padded with spaces to a multiple of 8 bytes. */
function encodeHeader(
  tensors: ReadonlyMap<string, Tensor>,
  begins: ReadonlyMap<string, number>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  // Joined by hand: an object would move names that look like numbers to the front.
  const fields = [`"__metadata__":${JSON.stringify(metadata)}`];
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = begins.get(name)!;
    const info = { dtype, shape, data_offsets: [begin, begin + data.byteLength] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  return padded;
}
