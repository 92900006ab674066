import { formatError } from './tensor.js';

/** Throws `format`, with what helps, for a file of a kind that is read by an import alone: a zip, or ONNX. */
export function expectOwn(bytes: Uint8Array, source: string): void {
  if (bytes[8] === 0x7b) return; // safetensors, whatever its length.
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  // The first field of every ONNX file is its version.
  if (!isZip && !(bytes[0] === 0x08 && bytes.length > 16)) return;
  const expected = 'the model that an import (treadle import, importModel) makes of it';
  throw formatError(source, isZip ? 'it is a zip, as npz is' : 'it may be ONNX', expected);
}
