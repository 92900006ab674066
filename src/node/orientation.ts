import type { GreyImage } from '../data/resize.js';

/**
 * How a stored image must be turned to be seen upright, by EXIF's numbers: the sides where its first row and its first
 * column belong. 1 top, left; 2 top, right; 3 bottom, right; 4 bottom, left; 5 left, top; 6 right, top; 7 right,
 * bottom; 8 left, bottom.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Whether the stored rows are the upright image's columns. */
export function isTurned(orientation: Orientation): boolean {
  return orientation >= 5;
}

/** The upright image of a stored one. */
export function upright({ width, height, pixels }: GreyImage, orientation: Orientation): GreyImage {
  const turned = isTurned(orientation);
  // Whether the stored columns are counted from the right or the bottom, and the rows.
  const backColumns = [2, 3, 7, 8].includes(orientation);
  const backRows = [3, 4, 6, 7].includes(orientation);
  const [columns, rows] = turned ? [height, width] : [width, height];
  const result = new Float32Array(pixels.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [column, row] = turned ? [y, x] : [x, y];
      const from = (backRows ? height - 1 - row : row) * width + (backColumns ? width - 1 - column : column);
      result[y * columns + x] = pixels[from]!;
    }
  }
  return { width: columns, height: rows, pixels: result };
}

const EXIF = 'Exif\0\0';
const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;

/** The orientation that a JPEG's EXIF segment states; 1 for a segment of another kind, or one that is damaged. */
export function exifOrientation(content: Uint8Array): Orientation {
  if (Buffer.from(content.subarray(0, EXIF.length)).toString('latin1') !== EXIF) return 1;
  const tiff = content.subarray(EXIF.length);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.length);
  try {
    // The bytes are in Intel's order or Motorola's.
    const little = view.getUint16(0) === 0x4949;
    if (!little && view.getUint16(0) !== 0x4d4d) return 1;
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    for (let index = 0; index < entries; index++) {
      const at = directory + 2 + index * ENTRY_BYTES;
      const isOrientation =
        view.getUint16(at, little) === ORIENTATION_TAG && view.getUint16(at + 2, little) === SHORT;
      if (!isOrientation) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
    return 1;
  } catch (error) {
    // A read beyond the segment's end.
    if (error instanceof RangeError) return 1;
    throw error;
  }
}
