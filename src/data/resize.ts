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
 * has the size keeps its pixels exactly.
 */
export function resize(image: GreyImage, width: number, height: number): GreyImage {
  const columns = averageRows(image.pixels, image.height, image.width, width);
  return { width, height, pixels: averageRows(columns, width, image.height, height) };
}

/** Averages every row of shape (rows, from) to `to` pixels; the result is transposed, of shape (to, rows). */
function averageRows(pixels: Float32Array, rows: number, from: number, to: number): Float32Array {
  const out = new Float32Array(to * rows);
  for (let position = 0; position < to; position++) {
    const start = (position * from) / to;
    const end = ((position + 1) * from) / to;
    const last = Math.min(Math.ceil(end), from);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let index = Math.floor(start); index < last; index++) {
        const share = Math.min(index + 1, end) - Math.max(index, start);
        sum += share * pixels[row * from + index]!;
      }
      out[position * rows + row] = sum / (end - start);
    }
  }
  return out;
}
