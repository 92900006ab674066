import { TreadleError } from '#bindings';
import { resize } from '../data/resize.js';
import { oneLine } from '../strict/text.js';
import { readFileBounded } from './files.js';
import { decodeJpeg, isJpeg, type StoredImage } from './jpeg.js';
import { isTurned, upright } from './orientation.js';
import { decodePng, isPng } from './png.js';

/** Limits against hostile files: size of the file and of the image. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_MEGAPIXELS = 25;
/** The longest side that a JPEG can have. A PNG with a longer one is a thin line, made to be slow. */
const MAX_SIDE = 65_535;

/** Throws for an image that has no pixels or too many. A decoder asks before it allocates by the sizes. */
export type CheckSize = (width: number, height: number) => void;

/**
 * Reads a PNG or JPEG of at most 64 MiB as `decodeImage` does. Throws `not-found`, `unreadable`, and what that
 * function throws; `format` also for a larger file.
 *
 * @example const pixels = await readImage('shoe.png', 28, 28);
 */
export async function readImage(path: string, width: number, height: number): Promise<Uint8Array> {
  return decodeImage(await readFileBounded(path, MAX_FILE_BYTES), path, width, height);
}

/**
 * The PNG or JPEG in a file's bytes as grey pixels of shape (height, width), 0 to 255: Rec. 601 luma, transparency
 * composited over black, 16-bit samples scaled, and area averaging to the size asked for (the aspect ratio is not
 * kept). A JPEG is turned as its EXIF says. Nothing is inverted: Fashion-MNIST's objects are light on black, and so must
 * the image be. Throws `format` for bytes that are neither or are damaged, and `range` for an image of more than 25
 * megapixels or of a side of more than 65,535 pixels.
 */
export function decodeImage(bytes: Uint8Array, path: string, width: number, height: number): Uint8Array {
  const image = decode(bytes, path);
  const { orientation } = image;
  // Turned after resizing, when it is small: the averages are the same.
  const [across, down] = isTurned(orientation) ? [height, width] : [width, height];
  const { pixels } = upright(resize(image, across, down), orientation);
  return Uint8Array.from(pixels, Math.round);
}

function decode(bytes: Uint8Array, path: string): StoredImage {
  const check: CheckSize = (width, height) => checkSize(path, width, height);
  if (isPng(bytes)) return orDamaged(path, 'PNG', () => ({ ...decodePng(bytes, check), orientation: 1 }));
  if (isJpeg(bytes)) return orDamaged(path, 'JPEG', () => decodeJpeg(bytes, check));
  const found = Buffer.from(bytes.subarray(0, 8)).toString('hex') || 'nothing';
  throw new TreadleError(
    'format',
    `${path} is neither PNG nor JPEG (its first bytes are ${found}); one of the two is expected.`,
    { subject: path, found, expected: 'PNG or JPEG' },
  );
}

function checkSize(path: string, width: number, height: number): void {
  if (width === 0 || height === 0) throw new Error(`${width} x ${height} pixels`);
  const found = `${width} x ${height}`;
  if (width * height > MAX_MEGAPIXELS * 1e6) throw tooLarge(path, found, `${MAX_MEGAPIXELS} million pixels`);
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

/** Turns whatever a decoder throws at a damaged file into a `format` error. */
function orDamaged(path: string, format: string, action: () => StoredImage): StoredImage {
  try {
    return action();
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
