import type { CheckSize } from './image.js';
import { exifOrientation, type Orientation } from './orientation.js';
import type { Channels } from './turbojpeg.js';

/** What a JPEG's frame says. */
export interface JpegFrame {
  width: number;
  height: number;
  channels: Channels;
  /** Blocks of 64 samples, of all components. */
  blocks: number;
}

/** A file with only those segments that make up the pixels. */
export interface JpegSegments {
  needed: Uint8Array;
  frame: JpegFrame;
  /** What is stated before the frame. */
  orientation: Orientation;
}

/** Whether the bytes begin as a JPEG. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === START && bytes[2] === 0xff;
}

/** The most scans; a progressive image has about ten. Each can cost a pass over all blocks, and takes few bytes. */
const MAX_SCANS = 100;

/** Blocks that any file may have, however small: those of the padding at the image's edges. */
const FREE_BLOCKS = 1024;

/** The markers' second bytes. */
const START = 0xd8;
const END = 0xd9;
const FRAMES = [0xc0, 0xc1, 0xc2];
const SCAN = 0xda;
const EXIF = 0xe1;

/** Huffman and quantisation tables, the restart interval, and the segments of JFIF and Adobe, which tell the colours. */
const PLAIN = [0xc4, 0xdb, 0xdd, 0xe0, 0xee];

/** Segments without bearing on the pixels: applications' own, and comments. */
function isSkipped(marker: number): boolean {
  return !PLAIN.includes(marker) && ((marker >= 0xe0 && marker <= 0xef) || marker === 0xfe);
}

/**
 * Leaves out of a JPEG what has no bearing on its pixels, and checks what bounds the cost of decoding it: the frame, of
 * which there is one, the number of scans, and that the scans have a bit for each block. What segments say inside is
 * the decoder's to check. `checkSize(width, height)` is asked for the frame. Throws a plain Error for a damaged file.
 */
export function neededSegments(bytes: Uint8Array, checkSize: CheckSize): JpegSegments {
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  let orientation: Orientation = 1;
  let frame: JpegFrame | undefined;
  let scans = 0;
  let scanBytes = 0;
  for (let at = 2; ; ) {
    // Any marker may be preceded by padding of 0xff.
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === undefined) throw new Error(`no marker at byte ${at}`);
    if (marker === END) break;
    const end = at + 2 + (at + 4 <= bytes.length ? bytes[at + 2]! * 256 + bytes[at + 3]! : Number.NaN);
    if (!(end >= at + 4 && end <= bytes.length)) throw new Error(`the segment at byte ${at} does not end`);
    const content = bytes.subarray(at + 4, end);
    let next = end;
    if (marker === SCAN) {
      mustBe(++scans <= MAX_SCANS, `more than ${MAX_SCANS} scans`);
      next = scanEnd(bytes, end);
      scanBytes += next - end;
    } else if (FRAMES.includes(marker)) {
      mustBe(frame === undefined, 'a second frame');
      frame = readFrame(content, checkSize);
    } else if (marker === EXIF && orientation === 1 && frame === undefined) {
      orientation = exifOrientation(content);
    } else if (!PLAIN.includes(marker) && !isSkipped(marker)) {
      throw new Error(`segment 0xff${marker.toString(16).padStart(2, '0')} is not supported`);
    }
    if (!isSkipped(marker)) kept.push(bytes.subarray(at, next));
    at = next;
  }
  if (frame === undefined || scans === 0) throw new Error('no scan of pixels');
  if (frame.blocks > 8 * scanBytes + FREE_BLOCKS) {
    throw new Error(`${scanBytes} bytes of pixels for ${frame.blocks} blocks`);
  }
  kept.push(Uint8Array.of(0xff, END));
  return { needed: Buffer.concat(kept), frame, orientation };
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

/** Sample depth, height, width, and each component's number, sampling factors and quantisation table. */
function readFrame(content: Uint8Array, checkSize: CheckSize): JpegFrame {
  const count = content[5] ?? 0;
  mustBe(content.length === 6 + 3 * count, 'a frame of another length');
  mustBe(content[0] === 8, `samples of ${content[0]} bits`);
  if (count !== 1 && count !== 3 && count !== 4) throw new Error(`${count} components`);
  const height = content[1]! * 256 + content[2]!;
  const width = content[3]! * 256 + content[4]!;
  checkSize(width, height);
  const components = Array.from({ length: count }, (_, index) => {
    const factors = content[7 + 3 * index]!;
    return { across: factors >> 4, down: factors & 15 };
  });
  mustBe(
    components.every(({ across, down }) => across >= 1 && across <= 4 && down >= 1 && down <= 4),
    'sampling factors other than 1 to 4',
  );
  const mostAcross = Math.max(...components.map(({ across }) => across));
  const mostDown = Math.max(...components.map(({ down }) => down));
  const units = Math.ceil(width / 8 / mostAcross) * Math.ceil(height / 8 / mostDown);
  const blocks = units * components.reduce((sum, { across, down }) => sum + across * down, 0);
  return { width, height, channels: count, blocks };
}

function mustBe(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
