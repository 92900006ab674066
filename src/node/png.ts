import { crc32, inflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { type GreyImage, luma } from '../data/resize.js';
import { oneLine } from '../strict/text.js';
import type { CheckSize } from './image.js';

/** What a PNG's header says. */
interface PngHeader {
  width: number;
  height: number;
  /** Bits per sample. */
  depth: number;
  colorType: number;
  interlaced: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** PNG's colour types, with the bit depths that the specification allows for each. */
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const CHANNELS: Readonly<Record<number, number>> = {
  [GREY]: 1,
  [RGB]: 3,
  [PALETTE]: 1,
  [GREY_ALPHA]: 2,
  6: 4,
};
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [GREY]: [1, 2, 4, 8, 16],
  [RGB]: [8, 16],
  [PALETTE]: [1, 2, 4, 8],
  [GREY_ALPHA]: [8, 16],
  6: [8, 16],
};

/** First column and row, and column and row steps, of Adam7's seven passes. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Whether the bytes begin with PNG's signature. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/** The most chunks: 64 MiB in chunks of a kilobyte. */
const MAX_CHUNKS = 65_536;

/** The chunks that make up the pixels; all but IDAT at most once. */
const KEPT = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/**
 * Decodes a PNG to grey: Rec. 601 luma, composited over black where it is transparent, 16-bit samples scaled.
 * `checkSize(width, height)` is asked before anything is inflated, and no more is inflated than the header's sizes
 * need. Allocates, short-lived numbers and views included, at most 64 times the file (all of it empty chunks), eight
 * times the scanlines that the header states, 256 bytes a line and 68 a pixel; of these about twice the scanlines and
 * four bytes a pixel last. Throws a plain Error that says what is wrong with a damaged file.
 */
export function decodePng(bytes: Uint8Array, checkSize: CheckSize): GreyImage {
  const { header, before, data } = readChunks(bytes, checkSize);
  const compressed = Buffer.concat(data);
  const expected = inflatedSize(header);
  const inflated = inflateSync(compressed, { maxOutputLength: expected });
  if (inflated.length !== expected)
    throw new Error(`${inflated.length} bytes of pixels, ${expected} expected`);
  // The data in one chunk: the decoder copies its whole window for each.
  const end = Buffer.from('\0\0\0\0IEND\0\0\0\0', 'latin1');
  return toGrey(
    header,
    decode(Buffer.concat([...before, lengthOf(compressed), compressed, Buffer.alloc(4), end])),
  );
}

/** The head of a data chunk. */
function lengthOf(data: Uint8Array): Buffer {
  const head = Buffer.from('\0\0\0\0IDAT', 'latin1');
  head.writeUInt32BE(data.length);
  return head;
}

/**
 * Walks the chunks, checks the CRC of those that make up the pixels and keeps them: the rest (colour profiles, texts)
 * is not decoded, as it may be compressed without a bound. `before` is the file up to the data, `data` their parts.
 */
function readChunks(bytes: Uint8Array, checkSize: CheckSize) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const before: Uint8Array[] = [bytes.subarray(0, SIGNATURE.length)];
  const data: Uint8Array[] = [];
  const seen = new Set<string>();
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
      seen.add(type);
      if (crc32(bytes.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) {
        throw new Error(`chunk ${type} has a wrong CRC`);
      }
      if (type === 'IDAT') data.push(bytes.subarray(start + 8, end - 4));
      else if (type !== 'IEND') before.push(bytes.subarray(start, end));
    }
    if (type === 'PLTE') checkPalette(end - start - 12);
    header ??= readHeader(view, start, end, checkSize);
    start = end;
  }
  return { header: header!, before, data };
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
  const interlaced = view.getUint8(start + 20) !== 0;
  if (!DEPTHS[colorType]?.includes(depth)) throw new Error(`colour type ${colorType} with ${depth} bits`);
  // The decoder misreads these.
  if (interlaced && depth < 8) throw new Error(`interlaced samples of ${depth} bits are not supported`);
  checkSize(width, height);
  return { width, height, depth, colorType, interlaced };
}

/** Bytes of the filtered scanlines: one filter byte and the packed samples for each line of each pass. */
function inflatedSize({ width, height, depth, colorType, interlaced }: PngHeader): number {
  const bits = CHANNELS[colorType]! * depth;
  const passes = interlaced ? ADAM7 : [[0, 0, 1, 1] as const];
  let size = 0;
  for (const [x, y, xStep, yStep] of passes) {
    const columns = Math.max(0, Math.ceil((width - x) / xStep));
    const rows = Math.max(0, Math.ceil((height - y) / yStep));
    if (columns > 0) size += rows * (1 + Math.ceil((columns * bits) / 8));
  }
  return size;
}

function toGrey(header: PngHeader, image: ReturnType<typeof decode>): GreyImage {
  const { width, height } = header;
  const greyAt = greyReader(header, image);
  const pixels = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels[y * width + x] = greyAt(x, y);
  }
  return { width, height, pixels };
}

/** The grey value (0 to 255) of the pixel at a column and row. */
function greyReader(
  { width, depth, colorType }: PngHeader,
  { data, palette, transparency }: ReturnType<typeof decode>,
): (x: number, y: number) => number {
  const channels = CHANNELS[colorType]!;
  const most = 2 ** depth - 1;
  const scale = 255 / most;
  if (colorType === PALETTE) {
    const packed = packedReader(data, width, depth);
    return (x, y) => {
      const entry = palette?.[packed(x, y)];
      if (!entry) throw new Error('a pixel outside the palette');
      const [red = 0, green = 0, blue = 0, alpha = 255] = entry;
      return luma(red, green, blue) * (alpha / 255);
    };
  }
  if (depth < 8) {
    const packed = packedReader(data, width, depth);
    return (x, y) => (packed(x, y) === transparency?.[0] ? 0 : packed(x, y) * scale);
  }
  const hasColour = channels >= 3;
  const hasAlpha = channels % 2 === 0;
  return (x, y) => {
    const first = (y * width + x) * channels;
    const red = data[first]!;
    const green = hasColour ? data[first + 1]! : red;
    const blue = hasColour ? data[first + 2]! : red;
    const key = transparency;
    if (key && red === key[0] && (!hasColour || (green === key[1] && blue === key[2]))) return 0;
    const alpha = hasAlpha ? data[first + channels - 1]! / most : 1;
    return (hasColour ? luma(red, green, blue) : red) * alpha * scale;
  };
}

/** Reads one-channel samples of up to 8 bits, packed from the highest bit of each byte, lines byte-aligned. */
function packedReader(
  data: ArrayLike<number>,
  width: number,
  depth: number,
): (x: number, y: number) => number {
  const stride = Math.ceil((width * depth) / 8);
  return (x, y) => {
    const bit = x * depth;
    const byte = data[y * stride + (bit >> 3)]!;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  };
}
