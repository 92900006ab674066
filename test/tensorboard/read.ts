import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { expect } from 'vitest';
import { maskedCrc32c } from '../../dist/tensorboard/record.js';

/** The contents of a record file; every checksum is looked at. */
export function recordsIn(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const contents: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(file.subarray(at, at + 8)));
    const content = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(content));
    contents.push(content);
    at += 16 + length;
  }
  return contents;
}

type Fields = Map<number, (number | Uint8Array)[]>;

/** A message's fields by their numbers: numbers, or bytes. */
export function fieldsOf(message: Uint8Array): Fields {
  const fields: Fields = new Map();
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const value =
      wire === 0
        ? Number(reader.int64())
        : wire === 1
          ? reader.double()
          : wire === 5
            ? reader.float()
            : reader.bytes();
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

export const textOf = (value: number | Uint8Array | undefined) =>
  new TextDecoder().decode(value as Uint8Array);

/** What a folder's one event file has. */
interface Events {
  /** By tag, as [step, value]. */
  scalars: Record<string, [number, number][]>;
  /** Every other tag. */
  others: string[];
  /** How the training has ended: 1 for done, 2 for failed, null where nothing says so. */
  ended: number | null;
}

/** The events of the one event file in a folder. */
export function eventsIn(folder: string): Events {
  const [name, ...more] = readdirSync(folder).filter((file) => file.includes('tfevents'));
  expect(more).toEqual([]);
  const scalars: Record<string, [number, number][]> = {};
  const others: string[] = [];
  let ended: number | null = null;
  const [first, ...events] = recordsIn(readFileSync(join(folder, name!))).map(fieldsOf);
  expect(textOf(first!.get(3)![0])).toBe('brain.Event:2');
  for (const event of events) {
    const step = (event.get(2)?.[0] ?? 0) as number;
    for (const bytes of fieldsOf(event.get(5)![0] as Uint8Array).get(1) ?? []) {
      const value = fieldsOf(bytes as Uint8Array);
      const tag = textOf(value.get(1)![0]);
      if (value.has(2)) scalars[tag] = [...(scalars[tag] ?? []), [step, value.get(2)![0] as number]];
      else others.push(tag);
      // Metadata, its data of the plugin, their content, the session's end, its status.
      if (tag === '_hparams_/session_end_info') {
        const end = [9, 1, 2, 4].reduce(
          (own, field) => fieldsOf(own).get(field)![0] as Uint8Array,
          bytes as Uint8Array,
        );
        ended = fieldsOf(end).get(1)![0] as number;
      }
    }
  }
  return { scalars, others, ended };
}
