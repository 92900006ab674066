import { TreadleError } from '#bindings';

/** How an element type is called, and how it is read; `bytes` are those of one element. */
interface IdxType {
  words: string;
  bytes: number;
  read(view: DataView, at: number): number;
}

/** IDX's element types, all big-endian, by the third byte of a file. */
export const IDX_TYPES: Readonly<Record<number, IdxType>> = {
  8: { words: 'unsigned bytes', bytes: 1, read: (view, at) => view.getUint8(at) },
  9: { words: 'signed bytes', bytes: 1, read: (view, at) => view.getInt8(at) },
  11: { words: '16-bit integers', bytes: 2, read: (view, at) => view.getInt16(at) },
  12: { words: '32-bit integers', bytes: 4, read: (view, at) => view.getInt32(at) },
  13: { words: '32-bit floats', bytes: 4, read: (view, at) => view.getFloat32(at) },
  14: { words: '64-bit floats', bytes: 8, read: (view, at) => view.getFloat64(at) },
};

/** The number of the type that needs no conversion. */
export const UNSIGNED_BYTES = 8;

/**
 * The elements of a file as bytes: a view where they are unsigned bytes, else a copy. Throws `format` for a number that
 * is no byte, as which scale it is of cannot be known.
 */
export function asBytes(content: Uint8Array, type: number, file: string): Uint8Array {
  if (type === UNSIGNED_BYTES) return content;
  const { words, bytes, read } = IDX_TYPES[type]!;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const result = new Uint8Array(content.byteLength / bytes);
  for (let index = 0; index < result.length; index++) {
    const value = read(view, index * bytes);
    result[index] = value;
    if (result[index] !== value) throw noByte(file, words, value, index);
  }
  return result;
}

function noByte(file: string, words: string, value: number, index: number): TreadleError {
  const found = `${words}, and ${value} as element ${index}`;
  const expected = 'whole numbers from 0 to 255';
  return new TreadleError(
    'format',
    `${file} has ${found}; ${expected} are expected (in numpy pixels from 0 to 1 are made so by (255 * x).round().astype('uint8')).`,
    { subject: file, found, expected },
  );
}
