import { unzipSync, type Zippable, zipSync } from 'fflate/browser';
import { type Bytes, TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { crc32 } from './crc.js';
import { NUMPY_ELEMENTS } from './elements.js';
import { type ArrayBytes, checkLength } from './floats.js';
import { type FloatTensor, formatError } from './tensor.js';
import { statedChecksums } from './zip-sums.js';

/**
 * npz: a zip of npy files, one for each array, as numpy.savez and savez_compressed write them. An npy file is the bytes
 * \x93NUMPY, the version, the header's length, a Python dict of descr, fortran_order and shape, and the array's bytes.
 * Reading one allocates at most 80 times the file, which is more than weights can be compressed, and 2 MiB.
 */

/** How much larger than the file what is in it may be; zeros alone can be packed a thousandfold. */
const MOST_EXPANSION = 40;
const SLACK = 1 << 20;

const MAGIC = '\x93NUMPY';

/** A text among the arrays, as an array of one unicode string. */
export type NpzEntry = FloatTensor | string;

/** The earliest time that zip can tell, so that equal arrays give equal bytes. */
const MTIME = new Date(1980, 0, 1);

/** Arrays as npz. Equal arrays give equal bytes; nothing is compressed, since weights hardly can be. */
export function encodeNpz(entries: ReadonlyMap<string, NpzEntry>): Bytes {
  const files: Zippable = {};
  for (const [name, entry] of entries) files[`${name}.npy`] = npyOf(entry);
  return new Uint8Array(zipSync(files, { level: 0, mtime: MTIME }));
}

function npyOf(entry: NpzEntry): Uint8Array {
  if (typeof entry === 'string') {
    const points = Uint32Array.from(entry, (character) => character.codePointAt(0)!);
    return npyBytes(`<U${points.length}`, [], points);
  }
  return npyBytes('<f4', entry.shape, entry.data);
}

function npyBytes(descr: string, shape: readonly number[], data: Float32Array | Uint32Array): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
  const start = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const file = new Uint8Array(start + data.byteLength).fill(0x20, 0, start);
  file.set(Uint8Array.from(MAGIC, (character) => character.charCodeAt(0)));
  file.set([1, 0, (start - 10) & 255, (start - 10) >> 8], 6);
  file.set(new TextEncoder().encode(dict), 10);
  file[start - 1] = 0x0a;
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return file;
}

/** The arrays of an npz file by name, unread. Throws `format` errors that begin with `source`. */
export function decodeNpz(bytes: Uint8Array, source: string): Map<string, ArrayBytes> {
  const most = MOST_EXPANSION * bytes.length + SLACK;
  let total = 0;
  let files: Record<string, Uint8Array>;
  const sums = new Map<string, number>();
  const stated = statedChecksums(bytes);
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize, size }) => {
        total += Math.max(originalSize, size);
        if (total > most) {
          const found = `its arrays hold more than ${MOST_EXPANSION} times its bytes`;
          throw formatError(source, found, 'arrays that fit the file');
        }
        if (sums.has(name))
          throw formatError(source, `it has ${quote(name)} twice`, 'one array of each name');
        sums.set(name, stated.next().value!);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    throw formatError(source, 'it cannot be unpacked', 'a zip of npy files');
  }
  return new Map(
    Object.entries(files)
      .filter(([name]) => !name.endsWith('/'))
      .map(([name, file]) => {
        const array = name.replace(/\.npy$/, '');
        if (crc32(file) !== sums.get(name)) {
          throw formatError(source, `array ${quote(array)} is damaged`, 'an array of the stated checksum');
        }
        return [array, decodeNpy(file, array, source)];
      }),
  );
}

/** The literal that numpy writes, keys in any order. */
const HEADER =
  /^\{\s*(?:(?:'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'|'fortran_order':\s*(True|False)|'shape':\s*\(([\d, ]*)\)),?\s*){3}\}\s*$/;
const PARTS = {
  descr: /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/,
  order: /'fortran_order':\s*(True|False)/,
  shape: /'shape':\s*\(([\d, ]*)\)/,
};

/** The longest header: 64 sizes and some spaces need a tenth of it. */
const LONGEST_HEADER = 8192;

function decodeNpy(file: Uint8Array, name: string, source: string): ArrayBytes {
  const array = `array ${quote(name)}`;
  const isNpy = file.length >= 12 && [...MAGIC].every((letter, at) => letter.charCodeAt(0) === file[at]);
  if (!isNpy) throw formatError(source, `${array} does not begin as an npy file`, 'what numpy.save writes');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const isFirst = file[6] === 1;
  const start = isFirst ? 10 : 12;
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const found = `${array} has a header of ${length} bytes`;
  if (length > Math.min(LONGEST_HEADER, file.length - start))
    throw formatError(source, found, `at most ${LONGEST_HEADER}, within the file`);
  const header = String.fromCharCode(...file.subarray(start, start + length));
  const [, order = '', letters = ''] = PARTS.descr.exec(header) ?? [];
  const [, fortran] = PARTS.order.exec(header) ?? [];
  const [, sizes] = PARTS.shape.exec(header) ?? [];
  if (!HEADER.test(header) || letters === '' || fortran === undefined || sizes === undefined) {
    throw formatError(source, `${array} has an unknown header`, "numpy's descr, fortran_order and shape");
  }
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const bytes = file.subarray(start + length);
  const known = Object.hasOwn(NUMPY_ELEMENTS, letters) ? NUMPY_ELEMENTS[letters]!.bytes : null;
  if (known !== null) checkLength(shape, bytes, known, name, source);
  return { shape, letters, order, fortranOrder: fortran === 'True', bytes };
}

/** The text of an array of one unicode string; null for any other. */
export function npyText({ shape, letters, order, bytes }: ArrayBytes): string | null {
  if (shape.length > 0 || !/^U\d+$/.test(letters) || order === '>' || bytes.length % 4 !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, true);
    if (point > 0x10ffff) return null;
    if (point !== 0) parts.push(String.fromCodePoint(point));
  }
  return parts.join('');
}
