import jpeg from 'jpeg-js';
import { TreadleError } from '#bindings';
import { readFileBounded } from '../files.js';
import { decodePng, isPng } from './png.js';
import { type GreyImage, luma, resize } from './resize.js';

/** Limits that keep a hostile file from taking the machine: file size, pixels, and what the JPEG decoder may use. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
const MAX_MEGAPIXELS = 25;
const MAX_JPEG_MEGABYTES = 1024;

/**
 * Reads a PNG or JPEG as grey pixels of shape (height, width), 0 to 255: Rec. 601 luma, transparency composited over
 * black, 16-bit samples scaled, and area averaging to the size asked for (the aspect ratio is not kept). Nothing is
 * inverted: Fashion-MNIST's objects are light on black, and so must the image be. EXIF rotation is not applied.
 * Throws `not-found`, `unreadable`, `format` for a file that is neither or is damaged, and `range` for a file of
 * more than 64 MiB or an image of more than 25 megapixels.
 */
export async function readImage(path: string, width: number, height: number): Promise<Uint8Array> {
  const bytes = await readFileBounded(path, MAX_FILE_BYTES);
  const { pixels } = resize(decode(bytes, path), width, height);
  return Uint8Array.from(pixels, Math.round);
}

function decode(bytes: Uint8Array, path: string): GreyImage {
  if (isPng(bytes)) {
    return orDamaged(path, 'PNG', () => decodePng(bytes, (width, height) => checkSize(path, width, height)));
  }
  if (isJpeg(bytes)) return orDamaged(path, 'JPEG', () => decodeJpeg(bytes, path));
  const found = Buffer.from(bytes.subarray(0, 8)).toString('hex') || 'nothing';
  throw new TreadleError(
    'format',
    `${path} is neither PNG nor JPEG (its first bytes are ${found}); one of the two is expected.`,
    { subject: path, found, expected: 'PNG or JPEG' },
  );
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

function decodeJpeg(bytes: Uint8Array, path: string): GreyImage {
  const { width, height, data } = decodeJpegColours(bytes, path);
  checkSize(path, width, height);
  const pixels = new Float32Array(width * height);
  for (let index = 0; index < pixels.length; index++) {
    pixels[index] = luma(data[3 * index]!, data[3 * index + 1]!, data[3 * index + 2]!);
  }
  return { width, height, pixels };
}

/** `data` is red, green and blue, one byte each. */
function decodeJpegColours(bytes: Uint8Array, path: string) {
  try {
    return jpeg.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_MEGAPIXELS,
      maxMemoryUsageInMB: MAX_JPEG_MEGABYTES,
    });
  } catch (error) {
    if (!/limit exceeded/.test((error as Error).message)) throw error;
    throw tooLarge(path, 'over the limit');
  }
}

function checkSize(path: string, width: number, height: number): void {
  if (width === 0 || height === 0) throw new Error(`${width} x ${height} pixels`);
  if (width * height > MAX_MEGAPIXELS * 1e6) throw tooLarge(path, `${width} x ${height}`);
}

function tooLarge(path: string, found: string): TreadleError {
  const expected = `at most ${MAX_MEGAPIXELS} million pixels`;
  return new TreadleError('range', `${path} is too large an image (${found}); ${expected} are expected.`, {
    subject: path,
    found,
    expected,
  });
}

/** The decoders throw errors of many kinds for damaged files: all become one. */
function orDamaged(path: string, format: string, action: () => GreyImage): GreyImage {
  try {
    return action();
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    const found = (error as Error).message;
    throw new TreadleError('format', `${path} is damaged ${format} (${found}); a whole image is expected.`, {
      subject: path,
      found,
      expected: `a whole ${format} image`,
      cause: error,
    });
  }
}
