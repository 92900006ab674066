/** A grey image: `pixels` has shape (height, width), from 0 (black) to 255 (white), not yet rounded. */
export interface GreyImage {
  width: number;
  height: number;
  pixels: Float32Array;
}

/** Rec. 601 luma of red, green and blue on one common scale. */
export function luma(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/**
 * Resizes by area averaging: each new pixel is the mean of the rectangle it covers in the old image, pixels on the
 * rectangle's edge counting by the share inside. Width and height are scaled independently; an image that already
 * has the size keeps its pixels exactly. Allocates the new image and a few rows of its width, whatever the old one's shape.
 */
export function resize(image: GreyImage, width: number, height: number): GreyImage {
  const pixels = new Float32Array(width * height);
  const row = new Float32Array(width);
  const sums = new Float64Array(width);
  const columns = Array.from(row, (_, x) => span(x, image.width, width));
  for (let y = 0; y < height; y++) {
    const { start, end, first, last } = span(y, image.height, height);
    sums.fill(0);
    for (let index = first; index < last; index++) {
      averageRow(image, index, columns, row);
      const share = Math.min(index + 1, end) - Math.max(index, start);
      for (let x = 0; x < width; x++) sums[x]! += share * row[x]!;
    }
    for (let x = 0; x < width; x++) pixels[y * width + x] = sums[x]! / (end - start);
  }
  return { width, height, pixels };
}

/** Averages what each of `columns` covers of one row. */
function averageRow(
  { pixels, width }: GreyImage,
  y: number,
  columns: readonly Span[],
  out: Float32Array,
): void {
  for (let x = 0; x < out.length; x++) {
    const { start, end, first, last } = columns[x]!;
    let sum = 0;
    for (let index = first; index < last; index++) {
      const share = Math.min(index + 1, end) - Math.max(index, start);
      sum += share * pixels[y * width + index]!;
    }
    out[x] = sum / (end - start);
  }
}

/** A part of a row or column, from `start` to `end`, and the pixels it touches: `first` to below `last`. */
interface Span {
  start: number;
  end: number;
  first: number;
  last: number;
}

/** What one position of `to` covers of `from`. */
function span(position: number, from: number, to: number): Span {
  const start = (position * from) / to;
  const end = ((position + 1) * from) / to;
  return { start, end, first: Math.floor(start), last: Math.min(Math.ceil(end), from) };
}
