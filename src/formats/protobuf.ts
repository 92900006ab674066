import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Bytes } from '#bindings';

// Messages of protobuf by tables: what a format's fields are called here, their numbers and kinds.

/** How a field is written: a number, a text, bytes, packed numbers, or another message by its name. */
export type FieldKind =
  | 'int'
  | 'float'
  | 'double'
  | 'text'
  | 'bytes'
  | 'ints'
  | 'floats'
  | 'doubles'
  | 'texts'
  | 'byteses'
  | readonly [message: string, repeated: boolean];

/** Fields of messages by their names: number and kind. */
export type Messages = Readonly<Record<string, Readonly<Record<string, readonly [number, FieldKind]>>>>;

/** A message as bytes, its fields in the table's order. Equal messages give equal bytes. */
export function encodeMessage(messages: Messages, message: string, value: object): Bytes {
  const writer = new BinaryWriter();
  writeMessage(writer, messages, message, value);
  return writer.finish();
}

function writeMessage(writer: BinaryWriter, messages: Messages, message: string, value: object): void {
  for (const [field, [number, kind]] of Object.entries(messages[message]!)) {
    const content = (value as Record<string, unknown>)[field];
    if (content !== undefined) writeField(writer, messages, number, kind, content);
  }
}

function writeField(
  writer: BinaryWriter,
  messages: Messages,
  number: number,
  kind: FieldKind,
  content: unknown,
): void {
  const open = () => writer.tag(number, WireType.LengthDelimited);
  if (typeof kind !== 'string') {
    for (const item of kind[1] ? (content as object[]) : [content as object]) {
      open().fork();
      writeMessage(writer, messages, kind[0], item);
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
    case 'double':
      writer.tag(number, WireType.Bit64).double(content as number);
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
