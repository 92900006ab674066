/** A stretch of linear memory: a handle, made once by the part that owns it. */
export interface Buffer {
  /** For messages and tests; nothing is found by it. */
  readonly name: string;
  readonly bytes: number;
}

/** A place in a buffer, `offset` bytes from its start. */
export interface Place {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** The place `offset` bytes into a buffer. */
export function at(buffer: Buffer, offset = 0): Place {
  return { buffer, offset };
}

/** An operation's argument: a number, an address, or null for the address 0. */
export type Argument = number | Place | null;

/** Stands for the rows of the batch wherever an operation takes a dimension. */
export const ROWS = 0;

/** The least multiple of unit that is not below value. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
