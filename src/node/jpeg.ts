import { type GreyImage, luma } from '../data/resize.js';
import type { CheckSize, Size } from './image.js';
import { type JpegFrame, neededSegments } from './jpeg-segments.js';
import { isTurned, type Orientation } from './orientation.js';
import { decompress } from './turbojpeg.js';

/** An image as it is stored, and how it is to be turned. */
export interface StoredImage extends GreyImage {
  orientation: Orientation;
}

/** The most pixels that are decoded, unless more are asked for. */
const MAX_DECODED = 8e6;

/** The decoder scales by so many parts of a block's side. */
const WHOLE = 8;

/**
 * Decodes a JPEG to grey, Rec. 601 luma; it is not turned. One of more than eight megapixels is decoded smaller, by
 * eighths, but not smaller than `asked`, the upright size that it is for. `checkSize(width, height)` is asked before
 * anything is decoded. A block of 64 samples takes a bit at the least: a frame of more blocks than the file has bits
 * is refused, so that at most 2 MiB and 6 KiB for each byte of the file are allocated, whatever the sizes that it
 * states. Throws a plain Error that says what is wrong with a damaged file.
 */
export function decodeJpeg(bytes: Uint8Array, checkSize: CheckSize, asked: Size): StoredImage {
  const { needed, frame, orientation } = neededSegments(bytes, checkSize);
  const least = isTurned(orientation) ? { width: asked.height, height: asked.width } : asked;
  const { width, height } = decodedSize(frame, least);
  const samples = decompress(needed, width, height, frame.channels);
  const pixels = new Float32Array(width * height);
  const greyAt = GREY[frame.channels];
  for (let index = 0; index < pixels.length; index++) pixels[index] = greyAt(samples, index);
  return { width, height, pixels, orientation };
}

/** The largest size within MAX_DECODED, or the smallest that is not below `least`. */
function decodedSize(frame: JpegFrame, least: Size): Size {
  const at = (eighths: number): Size => ({
    width: Math.ceil((frame.width * eighths) / WHOLE),
    height: Math.ceil((frame.height * eighths) / WHOLE),
  });
  const mayBe = ({ width, height }: Size) => width >= least.width && height >= least.height;
  let eighths = WHOLE;
  for (; eighths > 1 && mayBe(at(eighths - 1)); eighths--) {
    const { width, height } = at(eighths);
    if (width * height <= MAX_DECODED) break;
  }
  return at(eighths);
}

/** The grey value of a pixel, by the samples that it has. Inks are stored as what they leave of the light. */
const GREY = {
  1: (samples: Uint8Array, index: number) => samples[index]!,
  3: (samples: Uint8Array, index: number) =>
    luma(samples[3 * index]!, samples[3 * index + 1]!, samples[3 * index + 2]!),
  4: (samples: Uint8Array, index: number) =>
    luma(samples[4 * index]!, samples[4 * index + 1]!, samples[4 * index + 2]!) *
    (samples[4 * index + 3]! / 255),
};
