import { PIXELS, SIDE } from './images.ts';

/** Pixels along a side of the drawing board: ten for each that the network sees. */
export const BOARD = 10 * SIDE;

/** How a stroke is made. */
export interface Brush {
  /** In pixels of the board. */
  width: number;
  /** Grey from 0, the ground, to 255. */
  shade: number;
}

export type Place = readonly [x: number, y: number];

/** Draws a stroke from one place to another; a dot where they are the same. */
export function stroke(canvas: HTMLCanvasElement, from: Place, to: Place, { width, shade }: Brush): void {
  const context = contextOf(canvas);
  context.strokeStyle = `rgb(${shade} ${shade} ${shade})`;
  context.lineWidth = width;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(...from);
  // A line without length is not drawn.
  context.lineTo(to[0] + 0.01, to[1]);
  context.stroke();
}

/** Makes the board black, as the ground of all images is. */
export function wipe(canvas: HTMLCanvasElement): void {
  const context = contextOf(canvas);
  context.fillStyle = 'black';
  context.fillRect(0, 0, BOARD, BOARD);
}

/** Puts an image of 28 x 28 greys onto the board. */
export function put(canvas: HTMLCanvasElement, pixels: Uint8Array): void {
  const small = new OffscreenCanvas(SIDE, SIDE);
  const image = new ImageData(SIDE, SIDE);
  for (let at = 0; at < PIXELS; at++) {
    const grey = pixels[at]!;
    image.data.set([grey, grey, grey, 255], 4 * at);
  }
  small.getContext('2d')!.putImageData(image, 0, 0);
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, BOARD, BOARD);
}

/** What is on the board, each pixel the mean of the hundred below it; null for an empty one. */
export function seen(canvas: HTMLCanvasElement): Uint8Array | null {
  const { data } = contextOf(canvas).getImageData(0, 0, BOARD, BOARD);
  const pixels = greysOf(data, BOARD);
  return pixels.some((grey) => grey > 0) ? pixels : null;
}

/** An RGBA picture of `side` by `side` (a multiple of 28) as 28 x 28 greys: each the mean of those that it covers. */
export function greysOf(rgba: Uint8ClampedArray, side: number): Uint8Array {
  const cell = side / SIDE;
  const sums = new Float64Array(PIXELS);
  for (let y = 0, at = 0; y < side; y++) {
    const row = Math.floor(y / cell) * SIDE;
    for (let column = 0; column < SIDE; column++) {
      let sum = 0;
      // Luma of Rec. 601, as photographs have it.
      for (const end = at + 4 * cell; at < end; at += 4) {
        sum += 0.299 * rgba[at]! + 0.587 * rgba[at + 1]! + 0.114 * rgba[at + 2]!;
      }
      sums[row + column]! += sum;
    }
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / cell ** 2));
}

/** The board is read with each stroke: it is kept where reading it is quick. */
function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext('2d', { willReadFrequently: true })!;
}
