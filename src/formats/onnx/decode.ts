import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { TreadleError } from '#bindings';
import type { FieldKind } from '../protobuf.js';
import { formatError } from '../tensor.js';
import { MESSAGES, type OnnxModel } from './schema.js';

/** More than the nodes, attributes and tensors of a network of 1,000 layers. It bounds the memory that a hostile file can ask for. */
const MOST_MESSAGES = 100_000;

/** Numbers of tensors that are not raw bytes, and of shapes, as protobuf packs them. */
const WIDTHS = { floats: 4, doubles: 8 } as const;

/** Field numbers of a message to names and kinds, made once. */
const FIELDS = new Map(
  Object.entries(MESSAGES).map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).map(([name, [number, kind]]) => [number, { name, kind }])),
  ]),
);

/**
 * The ONNX model in a file's bytes; what treadle has no use for is left out. Reading allocates at most 400 bytes a message, of
 * which there may be 100,000, and 16 times the file. Throws `format` errors that begin with `source`.
 */
export function decodeOnnx(bytes: Uint8Array, source: string): OnnxModel {
  const state = { messages: 0, source };
  try {
    return readMessage(bytes, 'Model', state);
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    throw formatError(source, 'it is no whole protobuf message', 'an ONNX model');
  }
}

function readMessage(
  bytes: Uint8Array,
  message: string,
  state: { messages: number; readonly source: string },
): Record<string, unknown> {
  if (++state.messages > MOST_MESSAGES) {
    const found = `it has more than ${MOST_MESSAGES} nodes, attributes and tensors`;
    throw formatError(state.source, found, 'a network of dense layers');
  }
  const fields = FIELDS.get(message)!;
  const reader = new BinaryReader(bytes);
  const result: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = fields.get(number);
    if (field === undefined) {
      reader.skip(wire, number);
      continue;
    }
    const { name, kind } = field;
    if (typeof kind !== 'string') {
      if (wire !== WireType.LengthDelimited) throw new RangeError('no message');
      const made = readMessage(reader.bytes(), kind[0], state);
      if (!kind[1]) result[name] = made;
      else listOf(result, name).push(made);
    } else result[name] = readField(reader, wire, kind, result[name]);
  }
  return result;
}

function listOf(result: Record<string, unknown>, name: string): unknown[] {
  const list = (result[name] ?? []) as unknown[];
  result[name] = list;
  return list;
}

function readField(reader: BinaryReader, wire: WireType, kind: FieldKind, before: unknown): unknown {
  switch (kind) {
    case 'ints':
      return readInts(reader, wire, (before as number[] | undefined) ?? []);
    case 'floats':
    case 'doubles':
      return readReals(reader, wire, kind, before);
    case 'int':
      expectWire(wire, WireType.Varint);
      return Number(reader.int64());
    case 'float':
      expectWire(wire, WireType.Bit32);
      return reader.float();
    case 'double':
      expectWire(wire, WireType.Bit64);
      return reader.double();
    default:
  }
  expectWire(wire, WireType.LengthDelimited);
  if (kind === 'text') return reader.string();
  if (kind === 'bytes') return reader.bytes();
  const list = (before as unknown[] | undefined) ?? [];
  list.push(kind === 'texts' ? reader.string() : reader.bytes());
  return list;
}

function expectWire(found: WireType, expected: WireType): void {
  if (found !== expected) throw new RangeError('another type of field');
}

function readInts(reader: BinaryReader, wire: WireType, list: number[]): number[] {
  if (wire === WireType.Varint) {
    list.push(Number(reader.int64()));
    return list;
  }
  expectWire(wire, WireType.LengthDelimited);
  const packed = new BinaryReader(reader.bytes());
  while (packed.pos < packed.len) list.push(Number(packed.int64()));
  return list;
}

function readReals(
  reader: BinaryReader,
  wire: WireType,
  kind: 'floats' | 'doubles',
  before: unknown,
): Float32Array | Float64Array | number[] {
  // Numbers of attributes come one field each, those of tensors packed.
  if (wire === (kind === 'floats' ? WireType.Bit32 : WireType.Bit64) && !ArrayBuffer.isView(before)) {
    const list = (before as number[] | undefined) ?? [];
    list.push(kind === 'floats' ? reader.float() : reader.double());
    return list;
  }
  expectWire(wire, WireType.LengthDelimited);
  if (before !== undefined) throw new RangeError('numbers in two parts');
  const bytes = reader.bytes();
  if (bytes.length % WIDTHS[kind] !== 0) throw new RangeError('a part of a number');
  const { buffer } = new Uint8Array(bytes);
  return kind === 'floats' ? new Float32Array(buffer) : new Float64Array(buffer);
}
