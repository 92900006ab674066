import { formatError } from './tensor.js';

// How files begin that are told by their content.

export const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] as const;
const GZIP = [0x1f, 0x8b] as const;

/** Whether bytes begin with these. */
export function beginsWith(bytes: Uint8Array, first: readonly number[]): boolean {
  return first.every((byte, at) => bytes[at] === byte);
}

/** Throws `format` for bytes that gzip has packed. */
export function expectUnpacked(bytes: Uint8Array, source: string): void {
  if (beginsWith(bytes, GZIP)) throw formatError(source, 'it is compressed by gzip', 'the file unpacked');
}
