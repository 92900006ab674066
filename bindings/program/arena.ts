import { OPERATIONS, type Operation } from './operations.js';
import type { Argument, Buffer } from './types.js';

/** Every buffer starts on a cache line. */
const ALIGNMENT = 64;

/** Where a plan's buffers stand in linear memory. */
export interface Arena {
  readonly addresses: ReadonlyMap<Buffer, number>;
  /** First byte after the last buffer. */
  readonly end: number;
}

/** Lays buffers out one after another from `start`, with at least `gap` unused bytes between them. Pure. */
export function layOut(buffers: Iterable<Buffer>, start: number, gap = 0): Arena {
  const addresses = new Map<Buffer, number>();
  let end = start;
  for (const buffer of buffers) {
    const address = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    addresses.set(buffer, address);
    end = address + buffer.bytes + gap;
  }
  return { addresses, end };
}

/** A program's records, ended by an opcode of 0, with every place turned into an address. Pure. */
export function encodeProgram(
  operations: readonly Operation[],
  addresses: ReadonlyMap<Buffer, number>,
  recordBytes: number,
): Uint8Array {
  const bytes = new Uint8Array((operations.length + 1) * recordBytes);
  const view = new DataView(bytes.buffer);
  operations.forEach(({ name, barrier, args }, index) => {
    const { opcode, fields } = OPERATIONS[name];
    let at = index * recordBytes;
    view.setInt32(at, opcode, true);
    view.setInt32(at + 4, barrier ? 1 : 0, true);
    at += 8;
    for (const [field, type] of Object.entries(fields)) {
      const argument = args[field]!;
      if (type === 'f32') view.setFloat32(at, argument as number, true);
      else view.setUint32(at, addressOf(argument, addresses), true);
      at += 4;
    }
  });
  return bytes;
}

function addressOf(argument: Argument, addresses: ReadonlyMap<Buffer, number>): number {
  if (typeof argument === 'number') return argument;
  if (argument === null) return 0;
  const address = addresses.get(argument.buffer);
  // A plan that names a buffer it does not have is treadle's own mistake.
  if (address === undefined) throw new Error(`The plan has no buffer '${argument.buffer.name}'.`);
  return address + argument.offset;
}
