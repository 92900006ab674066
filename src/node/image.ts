import {
  expectBoolean,
  expectKeys,
  expectNumber,
  expectWhole,
  MAX_WIDTH,
  rangeError,
  TreadleError,
} from '#bindings';
import { resize } from '../data/resize.js';
import { oneLine } from '../strict/text.js';
import { readFileBounded } from './files.js';
import { decodeJpeg, type StoredImage } from './jpeg.js';
import { isJpeg } from './jpeg-segments.js';
import { isTurned, upright } from './orientation.js';
import { decodePng, isPng } from './png.js';

/** How an image is taken. */
export interface ImageOptions {
  /** Dark and light exchanged: for dark objects on a light ground. Default: false. */
  invert?: boolean;
  /** The grey behind what is transparent, 0 (black, the default) to 255 (white); it is inverted with the rest. */
  background?: number;
}

/** Width and height in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Limits against hostile files: size of the file, and millions of pixels of the image. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_MEGAPIXELS = { PNG: 64, JPEG: 120 };
/** The longest side that a JPEG can have. A PNG with a longer one is a thin line, made to be slow. */
const MAX_SIDE = 65_535;

/** Throws for an image that has no pixels or too many. A decoder asks before it allocates by the sizes. */
export type CheckSize = (width: number, height: number) => void;

/**
 * Reads a PNG or JPEG of at most 64 MiB as `decodeImage` does. Throws `not-found`, `unreadable`, and what that
 * function throws; `format` also for a larger file.
 *
 * @example const pixels = await readImage('shoe.png', 28, 28);
 * @example const pixels = await readImage('ink.jpg', 28, 28, { invert: true });
 */
export async function readImage(
  path: string,
  width: number,
  height: number,
  options: ImageOptions = {},
): Promise<Uint8Array> {
  checkAsked(width, height, options);
  return decodeImage(await readFileBounded(path, MAX_FILE_BYTES), path, width, height, options);
}

/**
 * The PNG or JPEG in a file's bytes as grey pixels of shape (height, width), 0 to 255: Rec. 601 luma, transparency
 * composited over the background, 16-bit samples scaled, inks taken as what they leave of white, and area averaging to
 * the size asked for (the aspect ratio is not kept). A JPEG is turned as its EXIF says; one of more than eight
 * megapixels is decoded smaller, but not below the size asked for. Nothing is inverted unless `invert` says so:
 * Fashion-MNIST's objects are light on black, and so must the image be. Throws `format` for bytes that are neither or
 * are damaged, `range` for a PNG of more than 64 megapixels, a JPEG of more than 120, a side of more than 65,535 pixels,
 * a size that is no whole number from 1 up or is of more than 2^20 pixels, and a background that is no number from 0 to
 * 255; `usage` for options that are none.
 */
export function decodeImage(
  bytes: Uint8Array,
  path: string,
  width: number,
  height: number,
  options: ImageOptions = {},
): Uint8Array {
  checkAsked(width, height, options);
  const { invert = false, background = 0 } = options;
  const image = decode(bytes, path, { width, height }, background);
  const { orientation } = image;
  // Turned after resizing, when it is small: the averages are the same.
  const [across, down] = isTurned(orientation) ? [height, width] : [width, height];
  const { pixels } = upright(resize(image, across, down), orientation);
  return Uint8Array.from(pixels, (pixel) => Math.round(invert ? WHITE - pixel : pixel));
}

const WHITE = 255;

/** Checks what a caller asks for. */
function checkAsked(width: unknown, height: unknown, options: unknown): void {
  expectWhole('width', width, 1, MAX_WIDTH);
  expectWhole('height', height, 1, MAX_WIDTH);
  if (width * height > MAX_WIDTH) {
    throw rangeError('width x height', `${width} x ${height}`, `at most ${MAX_WIDTH} pixels`);
  }
  expectKeys('options', options, ['invert', 'background']);
  const { invert, background = 0 } = options as Record<string, unknown>;
  expectBoolean('options.invert', invert);
  expectNumber(
    'options.background',
    background,
    'a number from 0 to 255',
    (grey) => grey >= 0 && grey <= WHITE,
  );
}

function decode(bytes: Uint8Array, path: string, asked: Size, background: number): StoredImage {
  if (isPng(bytes)) {
    return orDamaged(path, 'PNG', (check) => ({ ...decodePng(bytes, check, background), orientation: 1 }));
  }
  if (isJpeg(bytes)) return orDamaged(path, 'JPEG', (check) => decodeJpeg(bytes, check, asked));
  const found = Buffer.from(bytes.subarray(0, 8)).toString('hex') || 'nothing';
  throw new TreadleError(
    'format',
    `${path} is neither PNG nor JPEG (its first bytes are ${found}); one of the two is expected.`,
    { subject: path, found, expected: 'PNG or JPEG' },
  );
}

function checkSize(path: string, megapixels: number, width: number, height: number): void {
  if (width === 0 || height === 0) throw new Error(`${width} x ${height} pixels`);
  const found = `${width} x ${height}`;
  if (width * height > megapixels * 1e6) throw tooLarge(path, found, `${megapixels} million pixels`);
  if (Math.max(width, height) > MAX_SIDE) throw tooLarge(path, found, `${MAX_SIDE} pixels a side`);
}

function tooLarge(path: string, found: string, most: string): TreadleError {
  const expected = `at most ${most}`;
  return new TreadleError('range', `${path} is too large an image (${found}); ${expected} are expected.`, {
    subject: path,
    found,
    expected,
  });
}

/** Decodes; turns whatever a decoder throws at a damaged file into a `format` error. */
function orDamaged(
  path: string,
  format: keyof typeof MAX_MEGAPIXELS,
  decoded: (check: CheckSize) => StoredImage,
): StoredImage {
  try {
    return decoded((width, height) => checkSize(path, MAX_MEGAPIXELS[format], width, height));
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    const { message } = error as Error;
    const found = error instanceof TypeError ? 'its pixels cannot be decoded' : oneLine(message);
    throw new TreadleError('format', `${path} is damaged ${format} (${found}); a whole image is expected.`, {
      subject: path,
      found,
      expected: `a whole ${format} image`,
      cause: error,
    });
  }
}
