import { HDF5_SIGNATURE } from './hdf5-signature.js';

// Files of other programs that are given in place of a safetensors file or a pickle.

const KNOWN: readonly [bytes: readonly number[], what: string, imported: boolean][] = [
  [HDF5_SIGNATURE, 'HDF5, as Keras writes', true],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip, as numpy and Keras write', true],
  [[0x1f, 0x8b], 'compressed by gzip', false],
];

/** What the bytes of another program are, and what is expected in their place; null where that is not known. */
export function foreignFormat(bytes: Uint8Array): { found: string; expected: string } | null {
  // A safetensors file may begin with any bytes, since its length does.
  if (bytes[8] === 0x7b) return null;
  const known = KNOWN.find(([first]) => first.every((byte, at) => bytes[at] === byte));
  // The first field of an ONNX file is its version, and the second who has written it.
  const isOnnx = bytes[0] === 0x08 && bytes[1]! < 0x40 && bytes[2] === 0x12;
  const [, what, imported] = known ?? (isOnnx ? [null, 'ONNX', true] : []);
  if (what === undefined) return null;
  return {
    found: `it is ${what}`,
    expected: `a safetensors file${imported ? ', which treadle import makes of it,' : ''}`,
  };
}
