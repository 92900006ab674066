import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Bytes } from '#bindings';
import { type FieldKind, MESSAGES, type OnnxModel } from './schema.js';

/** An ONNX model as the bytes of its file. Equal models give equal bytes. */
export function encodeOnnx(model: OnnxModel): Bytes {
  const writer = new BinaryWriter();
  writeMessage(writer, 'Model', model);
  return writer.finish();
}

function writeMessage(writer: BinaryWriter, message: string, value: object): void {
  for (const [field, [number, kind]] of Object.entries(MESSAGES[message]!)) {
    const content = (value as Record<string, unknown>)[field];
    if (content !== undefined) writeField(writer, number, kind, content);
  }
}

function writeField(writer: BinaryWriter, number: number, kind: FieldKind, content: unknown): void {
  const open = () => writer.tag(number, WireType.LengthDelimited);
  if (typeof kind !== 'string') {
    for (const item of kind[1] ? (content as object[]) : [content as object]) {
      open().fork();
      writeMessage(writer, kind[0], item);
      writer.join();
    }
    return;
  }
  switch (kind) {
    case 'int':
      writer.tag(number, WireType.Varint).int64(content as number);
      return;
    case 'float':
      writer.tag(number, WireType.Bit32).float(content as number);
      return;
    case 'text':
      open().string(content as string);
      return;
    case 'bytes':
      open().bytes(content as Uint8Array);
      return;
    case 'texts':
      for (const text of content as string[]) open().string(text);
      return;
    case 'byteses':
      for (const bytes of content as Uint8Array[]) open().bytes(bytes);
      return;
    case 'ints':
      open().fork();
      for (const value of content as number[]) writer.int64(value);
      writer.join();
      return;
    default: {
      const { buffer, byteOffset, byteLength } = content as Float32Array;
      open().bytes(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
}
