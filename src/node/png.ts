import { crc32, inflateSync } from 'node:zlib';
import type { GreyImage } from '../data/resize.js';
import { oneLine } from '../strict/text.js';
import type { CheckSize } from './image.js';
import { COLOUR_TYPES, greyPixels, type PngHeader, scanlineBytes } from './png-pixels.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether the bytes begin with PNG's signature. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/** The most chunks: 64 MiB in chunks of a kilobyte. */
const MAX_CHUNKS = 65_536;

/** The chunks that make up the pixels; all but IDAT at most once. */
const KEPT = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/** Deflate's best ratio, and the least chunk that zlib accepts. */
const MOST_INFLATED = 1032;
const MIN_CHUNK_BYTES = 64;

/**
 * Decodes a PNG to grey: Rec. 601 luma, composited over the grey `background` where it is transparent, 16-bit samples
 * scaled. `checkSize(width, height)` is asked before anything is inflated, and no more is inflated than the header's
 * sizes need. Allocates at most 64 times the file (all of it empty chunks), three times the scanlines that the header
 * states and 24 bytes a pixel, short-lived numbers included; of these the scanlines and four bytes a pixel last. Throws
 * a plain Error that says what is wrong with a damaged file.
 */
export function decodePng(bytes: Uint8Array, checkSize: CheckSize, background: number): GreyImage {
  const { header, palette, transparency, data } = readChunks(bytes, checkSize);
  const scanlines = inflate(Buffer.concat(data), scanlineBytes(header));
  const { width, height } = header;
  return { width, height, pixels: greyPixels(header, scanlines, { palette, transparency, background }) };
}

/** Inflates what must be `size` bytes. */
function inflate(compressed: Uint8Array, size: number): Uint8Array {
  // A chunk that takes all, so that zlib has none to join.
  const chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(size, MOST_INFLATED * compressed.length));
  const inflated = inflateSync(compressed, { maxOutputLength: size, chunkSize });
  if (inflated.length !== size) throw new Error(`${inflated.length} bytes of pixels, ${size} expected`);
  return inflated;
}

/**
 * Walks the chunks, checks the CRC of those that make up the pixels and keeps them: the rest (colour profiles, texts)
 * is not decoded, as it may be compressed without a bound. `data` are the parts of the compressed pixels.
 */
function readChunks(bytes: Uint8Array, checkSize: CheckSize) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  const seen = new Map<string, Uint8Array>();
  let header: PngHeader | undefined;
  let count = 0;
  for (let start = SIGNATURE.length, type = ''; type !== 'IEND'; ) {
    const end = start + 12 + (start + 8 <= bytes.length ? view.getUint32(start) : 0);
    if (end > bytes.length) {
      throw new Error(`it ends inside the chunk after ${oneLine(type) || 'the signature'}`);
    }
    if (++count > MAX_CHUNKS) throw new Error(`more than ${MAX_CHUNKS} chunks`);
    type = String.fromCharCode(bytes[start + 4]!, bytes[start + 5]!, bytes[start + 6]!, bytes[start + 7]!);
    if (header === undefined && type !== 'IHDR')
      throw new Error(`chunk ${oneLine(type)} comes before the header`);
    if (KEPT.includes(type)) {
      if (type !== 'IDAT' && seen.has(type)) throw new Error(`chunk ${type} comes twice`);
      const content = bytes.subarray(start + 8, end - 4);
      seen.set(type, content);
      if (crc32(bytes.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) {
        throw new Error(`chunk ${type} has a wrong CRC`);
      }
      if (type === 'IDAT') data.push(content);
    }
    if (type === 'PLTE') checkPalette(end - start - 12);
    header ??= readHeader(view, start, end, checkSize);
    start = end;
  }
  return { header: header!, palette: seen.get('PLTE'), transparency: seen.get('tRNS'), data };
}

/** A palette has up to 256 colours of three bytes. */
function checkPalette(length: number): void {
  if (length > 768 || length % 3 !== 0) throw new Error(`a palette of ${length} bytes`);
}

function readHeader(view: DataView, start: number, end: number, checkSize: CheckSize): PngHeader {
  if (end - start !== 25) throw new Error(`a header of ${end - start - 12} bytes, 13 expected`);
  const width = view.getUint32(start + 8);
  const height = view.getUint32(start + 12);
  const depth = view.getUint8(start + 16);
  const colorType = view.getUint8(start + 17);
  const methods = [18, 19, 20].map((at) => view.getUint8(start + at));
  if (!COLOUR_TYPES[colorType]?.depths.includes(depth)) {
    throw new Error(`colour type ${colorType} with ${depth} bits`);
  }
  // Of compression, filters and interlacing; two are known of the last.
  if (methods.some((method, index) => method > (index === 2 ? 1 : 0))) {
    throw new Error(`the unknown methods ${methods.join(', ')}`);
  }
  checkSize(width, height);
  return { width, height, depth, colorType, interlaced: methods[2] === 1 };
}
