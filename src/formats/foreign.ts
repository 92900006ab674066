import { beginsWith, expectUnpacked, HDF5 } from './signatures.js';
import { formatError } from './tensor.js';

// Files that are given in place of a model's own, and read by an import alone.

const KNOWN: readonly [bytes: readonly number[], what: string][] = [
  [HDF5, 'HDF5, as Keras writes'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip, as npz and models of Keras are'],
];

/** Throws `format`, with what helps, for a file of another program. */
export function expectOwn(bytes: Uint8Array, source: string): void {
  if (bytes[8] === 0x7b) return; // safetensors, whatever its length.
  expectUnpacked(bytes, source);
  const [, known] = KNOWN.find(([first]) => beginsWith(bytes, first)) ?? [];
  // The first field of an ONNX file is its version, and the second who has written it.
  const isOnnx = bytes[0] === 0x08 && bytes[1]! < 0x40 && bytes[2] === 0x12;
  const what = known ?? (isOnnx ? 'ONNX' : undefined);
  if (what === undefined) return;
  throw formatError(
    source,
    `it is ${what}`,
    'the model that an import (treadle import, importModel) makes of it',
  );
}
