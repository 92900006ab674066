import { TreadleError } from './errors.js';
import type { Argument, Operation } from './plan.js';

/** Every buffer starts on a cache line. */
const ALIGNMENT = 64;

/** Where a plan's buffers stand in linear memory. */
export interface Arena {
  addresses: Map<string, number>;
  /** First byte after the last buffer. */
  end: number;
}

/** Lays buffers out one after another from `start`. Pure. */
export function layOut(buffers: Map<string, number>, start: number): Arena {
  const addresses = new Map<string, number>();
  let end = start;
  for (const [name, bytes] of buffers) {
    end = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    addresses.set(name, end);
    end += bytes;
  }
  return { addresses, end };
}

/** The core's side of a program's encoding. */
export interface RecordFormat {
  recordBytes: number;
  opcode(name: string): number;
}

/** A program's records, ended by OP_END, with every place turned into an address. Pure. */
export function encodeProgram(
  operations: Operation[],
  addresses: Map<string, number>,
  format: RecordFormat,
): Uint8Array {
  const bytes = new Uint8Array((operations.length + 1) * format.recordBytes);
  const view = new DataView(bytes.buffer);
  operations.forEach(({ opcode, barrier, args }, index) => {
    const record = index * format.recordBytes;
    view.setInt32(record, format.opcode(opcode), true);
    view.setInt32(record + 4, barrier ? 1 : 0, true);
    args.forEach((argument, i) => {
      writeArgument(view, record + 8 + 4 * i, argument, addresses);
    });
  });
  view.setInt32(operations.length * format.recordBytes, format.opcode('OP_END'), true);
  return bytes;
}

function writeArgument(view: DataView, at: number, argument: Argument, addresses: Map<string, number>): void {
  if (typeof argument === 'number') {
    view.setInt32(at, argument, true);
  } else if ('float' in argument) {
    view.setFloat32(at, argument.float, true);
  } else {
    const address = addresses.get(argument.buffer);
    if (address === undefined)
      throw new TreadleError('shape', `The plan names no buffer '${argument.buffer}'.`);
    view.setUint32(at, address + (argument.offset ?? 0), true);
  }
}
