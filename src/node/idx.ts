/**
 * Strict reader of the IDX format: a big-endian magic number (two zero bytes, the element type, the number of
 * dimensions), one big-endian u32 per dimension, then the elements, row-major. Other types than unsigned bytes are taken
 * where their numbers are bytes. Reading allocates nothing but views, and for other types a byte an element. Inflating allocates what the caller expects or the file's own header states, at
 * most MAX_IDX_BYTES and 1032 times the compressed bytes (deflate's best ratio), and 4 MiB to read the header.
 */
import { constants, gunzipSync, type ZlibOptions } from 'node:zlib';
import { MAX_WIDTH, TreadleError } from '#bindings';
import { byteCount } from '../strict/words.js';
import { asBytes, IDX_TYPES, UNSIGNED_BYTES } from './idx-types.js';

/** The largest decompressed IDX file that is read. */
export const MAX_IDX_BYTES = 2 ** 30;

const IMAGES = { dimensions: 3, words: 'an image file (magic number 0x00000803)', header: 16 };
const LABELS = { dimensions: 1, words: 'a label file (magic number 0x00000801)', header: 8 };

/** Grey images of one size. `images` has shape (count, height, width), one byte per pixel; a view of a file of unsigned bytes. */
export interface IdxImages {
  images: Uint8Array;
  count: number;
  height: number;
  width: number;
}

/** One class index per sample; `labels` has shape (count); a view of a file of unsigned bytes. */
export interface IdxLabels {
  labels: Uint8Array;
  count: number;
}

/**
 * The decompressed bytes of a gzip file, or the bytes themselves when gzip's magic number is absent.
 * No more than `limit` bytes are ever inflated. Throws `range` when the content is larger, and `format` for gzip
 * that is truncated or corrupt, or that is followed by other bytes.
 */
export function gunzip(bytes: Uint8Array, file: string, limit: number): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  const { buffer, engine } = inflate(bytes, file, limit);
  if (engine.bytesWritten !== bytes.length) {
    throw damagedGzip(file, `${byteCount(bytes.length - engine.bytesWritten)} after its end`);
  }
  return buffer;
}

/** So many compressed bytes are read for the first 16 bytes: gzip's header, with a file name, is far shorter. */
const GZIP_START = 4096;

/**
 * The decompressed bytes of an IDX file of the kind that is expected. Gzip is inflated as far as the file's own header
 * says, which is read beforehand. Throws as `gunzip` and the readers do, and `range` for more than MAX_IDX_BYTES.
 */
export function gunzipIdx(bytes: Uint8Array, file: string, kind: 'images' | 'labels'): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  const start = gunzipStart(bytes.subarray(0, GZIP_START), file);
  const { size } = kind === 'images' ? readImageHeader(start, file) : readLabelHeader(start, file);
  if (size > MAX_IDX_BYTES) {
    throw new TreadleError(
      'range',
      `${file} says it inflates to ${byteCount(size)}; at most ${byteCount(MAX_IDX_BYTES)} are expected.`,
      { subject: file, found: size, expected: MAX_IDX_BYTES },
    );
  }
  return gunzip(bytes, file, size);
}

/** What the first bytes of a gzip file inflate to, as far as they go. */
function gunzipStart(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw damagedGzip(file, (error as Error).message, error);
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The least that a gzip file takes: header and trailer; and the least chunk that zlib accepts. */
const MIN_GZIP_BYTES = 18;
const MIN_CHUNK_BYTES = 64;

/** What Node's zlib returns with `info: true`; `bytesWritten` counts the compressed bytes consumed. */
interface InflateInfo {
  buffer: Uint8Array;
  engine: { bytesWritten: number };
}

function inflate(bytes: Uint8Array, file: string, limit: number): InflateInfo {
  const options: ZlibOptions = { maxOutputLength: limit, info: true, chunkSize: chunkSize(bytes, limit) };
  try {
    return gunzipSync(bytes, options) as unknown as InflateInfo;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_BUFFER_TOO_LARGE') throw damagedGzip(file, message, error);
    throw new TreadleError(
      'range',
      `${file} inflates to more than ${byteCount(limit)}; at most that many are expected.`,
      { subject: file, found: `more than ${limit}`, expected: limit, cause: error },
    );
  }
}

/**
 * A chunk that takes the whole content, so that zlib has no chunks to join: the size in the trailer, but at most the
 * limit and what so many bytes of gzip can hold (1032 to 1).
 */
function chunkSize(bytes: Uint8Array, limit: number): number {
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + Math.max(0, bytes.length - 4));
  const stated = bytes.length < MIN_GZIP_BYTES ? 0 : trailer.getUint32(0, true);
  return Math.max(MIN_CHUNK_BYTES, Math.min(stated + 1, bytes.length * 1032, limit));
}

function damagedGzip(file: string, found: string, cause?: unknown): TreadleError {
  return new TreadleError('format', `${file} is damaged gzip (${found}); a whole gzip file is expected.`, {
    subject: file,
    found,
    expected: 'a whole gzip file',
    cause,
  });
}

/** Reads an image file. Throws `format` for anything but one, and `range` for images of absurd size. */
export function readIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const { count, height, width, size, type } = readImageHeader(bytes, file);
  checkLength(bytes, file, size, `${imageWords(count, height, width)} in`);
  return { images: asBytes(bytes.subarray(IMAGES.header), type, file), count, height, width };
}

/** Reads a label file. Throws `format` for anything but one. */
export function readIdxLabels(bytes: Uint8Array, file: string): IdxLabels {
  const { count, size, type } = readLabelHeader(bytes, file);
  checkLength(bytes, file, size, `${count} labels in`);
  return { labels: asBytes(bytes.subarray(LABELS.header), type, file), count };
}

/** What every header says. */
interface Stated {
  count: number;
  /** Bytes of the whole file. */
  size: number;
  /** The number of the element type. */
  type: number;
}

/** What an image file's header says. */
function readImageHeader(bytes: Uint8Array, file: string): Omit<IdxImages, 'images'> & Stated {
  const { view, type } = openHeader(bytes, file, IMAGES);
  const count = view.getUint32(4);
  const height = view.getUint32(8);
  const width = view.getUint32(12);
  const found = imageWords(count, height, width);
  if (count === 0 || height === 0 || width === 0) {
    throw wrong(file, `says it holds ${found}`, 'at least one image of at least one pixel');
  }
  // Sizes are u32: the product of two is checked before it is used in the next, so none is ever rounded.
  if (height > MAX_WIDTH || width > MAX_WIDTH || height * width > MAX_WIDTH) {
    const expected = `at most ${MAX_WIDTH} pixels an image`;
    throw new TreadleError('range', `${file} says it holds ${found}; ${expected} are expected.`, {
      subject: file,
      found: `${height} x ${width}`,
      expected,
    });
  }
  const size = IMAGES.header + count * height * width * IDX_TYPES[type]!.bytes;
  return { count, height, width, size, type };
}

function imageWords(count: number, height: number, width: number): string {
  return `${count} images of ${height} x ${width}`;
}

/** What a label file's header says. */
function readLabelHeader(bytes: Uint8Array, file: string): Stated {
  const { view, type } = openHeader(bytes, file, LABELS);
  const count = view.getUint32(4);
  if (count === 0) throw wrong(file, 'says it holds 0 labels', 'at least one label');
  return { count, size: LABELS.header + count * IDX_TYPES[type]!.bytes, type };
}

function openHeader(bytes: Uint8Array, file: string, kind: typeof IMAGES): { view: DataView; type: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length >= 4 ? view.getUint32(0) : undefined;
  const [type, dimensions] = [(magic ?? 0) >>> 8, (magic ?? 0) & 255];
  if (magic !== undefined && !Object.hasOwn(IDX_TYPES, type)) {
    throw wrong(file, `begins with 0x${magic.toString(16).padStart(8, '0')}`, kind.words);
  }
  if (magic !== undefined && dimensions !== kind.dimensions) {
    const other = [IMAGES, LABELS].find(
      (known) => known.dimensions === dimensions && type === UNSIGNED_BYTES,
    );
    const found = `has ${IDX_TYPES[type]!.words} in ${dimensions} ${dimensions === 1 ? 'dimension' : 'dimensions'}`;
    throw wrong(file, other === undefined ? found : `is ${other.words}`, kind.words);
  }
  if (bytes.length < kind.header) {
    throw wrong(file, `has ${byteCount(bytes.length)}`, `a header of ${kind.header} bytes`);
  }
  return { view, type };
}

function checkLength(bytes: Uint8Array, file: string, expected: number, content: string): void {
  if (bytes.length === expected) return;
  throw wrong(file, `has ${byteCount(bytes.length)}`, `${content} ${byteCount(expected)}`);
}

function wrong(file: string, found: string, expected: string): TreadleError {
  return new TreadleError('format', `${file} ${found}; expected: ${expected}.`, {
    subject: file,
    found,
    expected,
  });
}
