import jpeg from 'jpeg-js';
import { type GreyImage, luma } from '../data/resize.js';
import type { CheckSize } from './image.js';
import { exifOrientation, type Orientation } from './orientation.js';

/** An image as it is stored, and how it is to be turned. */
export interface StoredImage extends GreyImage {
  orientation: Orientation;
}

/**
 * Decodes a JPEG to grey, Rec. 601 luma; it is not turned. The library that decodes allocates by what the frame says
 * and reads on past damaged segments; so the segments are checked here first, and only those that make up the pixels
 * are handed on. `checkSize(width, height)` is asked before anything is decoded. A block of 64 samples takes a bit at
 * the least: a frame of more blocks than the file has bits is refused, so that at most 1 MiB and 16 KiB for each byte
 * of the file are allocated, whatever the sizes that it states. Throws a plain Error that says what is wrong with a
 * damaged file.
 */
export function decodeJpeg(bytes: Uint8Array, checkSize: CheckSize): StoredImage {
  const { needed, orientation } = neededSegments(bytes, checkSize);
  const { width, height, data } = jpeg.decode(needed, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: Number.POSITIVE_INFINITY,
    maxMemoryUsageInMB: MAX_MEGABYTES,
  });
  const pixels = new Float32Array(width * height);
  for (let index = 0; index < pixels.length; index++) {
    pixels[index] = luma(data[3 * index]!, data[3 * index + 1]!, data[3 * index + 2]!);
  }
  return { width, height, pixels, orientation };
}

/** Whether the bytes begin as a JPEG. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === START && bytes[2] === 0xff;
}

/** What the decoder may allocate for its blocks and samples: 25 megapixels of three components, and their halves. */
const MAX_MEGABYTES = 1024;

/** The most scans; a progressive image has about ten. Each can cost a pass over all blocks, and takes few bytes. */
const MAX_SCANS = 100;

/** Blocks that any file may have, however small: those of the padding at the image's edges. */
const FREE_BLOCKS = 1024;

/** The markers' second bytes. */
const START = 0xd8;
const END = 0xd9;
const FRAMES = [0xc0, 0xc1, 0xc2];
const HUFFMAN = 0xc4;
const QUANTISATION = 0xdb;
const RESTART_INTERVAL = 0xdd;
const SCAN = 0xda;
const ADOBE = 0xee;
const EXIF = 0xe1;

/** Segments without bearing on the pixels: applications' own, and comments. */
function isSkipped(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef && marker !== ADOBE) || marker === 0xfe;
}

/** What is known of the file so far. */
interface State {
  /** Component numbers of the frame; null before it. */
  components: Set<number> | null;
  blocks: number;
  scans: number;
  scanBytes: number;
}

/** The file with only those segments that make up the pixels, each checked, and the orientation stated before them. */
function neededSegments(
  bytes: Uint8Array,
  checkSize: CheckSize,
): { needed: Uint8Array; orientation: Orientation } {
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  let orientation: Orientation = 1;
  const state: State = { components: null, blocks: 0, scans: 0, scanBytes: 0 };
  for (let at = 2; ; ) {
    // Any marker may be preceded by padding of 0xff.
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === undefined) throw new Error(`no marker at byte ${at}`);
    if (marker === END) break;
    const end = at + 2 + (at + 4 <= bytes.length ? bytes[at + 2]! * 256 + bytes[at + 3]! : Number.NaN);
    if (!(end >= at + 4 && end <= bytes.length)) throw new Error(`the segment at byte ${at} does not end`);
    const next = marker === SCAN ? scanEnd(bytes, end) : end;
    const mayTurn = marker === EXIF && orientation === 1 && state.components === null;
    if (mayTurn) orientation = exifOrientation(bytes.subarray(at + 4, end));
    if (!isSkipped(marker)) {
      checkSegment(marker, bytes.subarray(at + 4, end), state, checkSize);
      kept.push(bytes.subarray(at, next));
    }
    state.scanBytes += next - end;
    at = next;
  }
  if (state.scans === 0) throw new Error('no scan of pixels');
  if (state.blocks > 8 * state.scanBytes + FREE_BLOCKS) {
    throw new Error(`${state.scanBytes} bytes of pixels for ${state.blocks} blocks`);
  }
  kept.push(Uint8Array.of(0xff, END));
  return { needed: Buffer.concat(kept), orientation };
}

/** The first byte after a scan's data: that of a marker which is neither a stuffed zero nor a restart. */
function scanEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; ; at++) {
    at = bytes.indexOf(0xff, at);
    const marker = at < 0 ? undefined : bytes[at + 1];
    if (marker === undefined) throw new Error('the pixels do not end');
    if (marker !== 0 && !(marker >= 0xd0 && marker <= 0xd7)) return at;
  }
}

function checkSegment(marker: number, content: Uint8Array, state: State, checkSize: CheckSize): void {
  if (FRAMES.includes(marker)) checkFrame(content, state, checkSize);
  else if (marker === SCAN) checkScan(content, state);
  else if (marker === HUFFMAN) checkHuffman(content);
  else if (marker === QUANTISATION) checkQuantisation(content);
  else if (marker === RESTART_INTERVAL) mustBe(content.length === 2, 'a restart interval of another length');
  else if (marker !== ADOBE)
    throw new Error(`segment 0xff${marker.toString(16).padStart(2, '0')} is not supported`);
}

/** Sample depth, height, width, and each component's number, sampling factors and quantisation table. */
function checkFrame(content: Uint8Array, state: State, checkSize: CheckSize): void {
  mustBe(state.components === null, 'a second frame');
  const count = content[5] ?? 0;
  mustBe(content.length === 6 + 3 * count, 'a frame of another length');
  mustBe(content[0] === 8, `samples of ${content[0]} bits`);
  mustBe([1, 3, 4].includes(count), `${count} components`);
  const height = content[1]! * 256 + content[2]!;
  const width = content[3]! * 256 + content[4]!;
  checkSize(width, height);
  const components = Array.from({ length: count }, (_, index) => {
    const [id, factors] = [content[6 + 3 * index]!, content[7 + 3 * index]!];
    return { id, across: factors >> 4, down: factors & 15 };
  });
  mustBe(
    components.every(({ across, down }) => across >= 1 && across <= 4 && down >= 1 && down <= 4),
    'sampling factors other than 1 to 4',
  );
  state.components = new Set(components.map(({ id }) => id));
  mustBe(state.components.size === count, 'two components of one number');
  const mostAcross = Math.max(...components.map(({ across }) => across));
  const mostDown = Math.max(...components.map(({ down }) => down));
  const units = Math.ceil(width / 8 / mostAcross) * Math.ceil(height / 8 / mostDown);
  state.blocks = units * components.reduce((sum, { across, down }) => sum + across * down, 0);
}

/** Components with their tables, first and last coefficient, and the bits of successive approximation. */
function checkScan(content: Uint8Array, state: State): void {
  const count = content[0] ?? 0;
  mustBe(state.components !== null, 'a scan before the frame');
  mustBe(count >= 1 && count <= 4 && content.length === 4 + 2 * count, 'a scan of another length');
  for (let index = 0; index < count; index++) {
    mustBe(state.components!.has(content[1 + 2 * index]!), 'a scan of an unknown component');
  }
  const [first, last] = [content[1 + 2 * count]!, content[2 + 2 * count]!];
  mustBe(first <= last && last <= 63, `a scan of the coefficients ${first} to ${last}`);
  mustBe(++state.scans <= MAX_SCANS, `more than ${MAX_SCANS} scans`);
}

/** Tables, each of a place, sixteen counts of codes by length, and the codes' symbols. */
function checkHuffman(content: Uint8Array): void {
  let at = 0;
  while (at < content.length) {
    const counts = content.subarray(at + 1, at + 17);
    at += 17 + counts.reduce((sum, codes) => sum + codes, 0);
  }
  mustBe(at === content.length, 'Huffman tables of another length');
}

/** Tables, each of a place and 64 numbers of one or two bytes. */
function checkQuantisation(content: Uint8Array): void {
  let at = 0;
  while (at < content.length) at += content[at]! >> 4 === 0 ? 65 : 129;
  mustBe(at === content.length, 'quantisation tables of another length');
}

function mustBe(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
