import { greysOf } from './board.ts';
import { PIXELS, SIDE } from './images.ts';

/** Pixels along a side of what a photograph is scaled to by the browser; the rest is a mean. */
const MIDDLE = 4 * SIDE;

/** Files larger than this are no photograph that anybody means. */
const MOST_BYTES = 2 ** 26;

/**
 * A photograph as the network sees clothes: the largest square in its middle, scaled to 28 x 28 greys, light on black. Rejects for
 * what is no picture.
 */
export async function readPhotograph(file: File): Promise<Uint8Array> {
  try {
    if (file.size > MOST_BYTES) throw new Error('too large');
    // Decoded and scaled beside the page's own thread.
    const whole = await createImageBitmap(file);
    const side = Math.min(whole.width, whole.height);
    const [left, top] = [Math.floor((whole.width - side) / 2), Math.floor((whole.height - side) / 2)];
    const square = await createImageBitmap(whole, left, top, side, side, {
      resizeWidth: MIDDLE,
      resizeHeight: MIDDLE,
      resizeQuality: 'high',
    });
    whole.close();
    const context = new OffscreenCanvas(MIDDLE, MIDDLE).getContext('2d', { willReadFrequently: true })!;
    // What can be seen through stands on white.
    context.fillStyle = 'white';
    context.fillRect(0, 0, MIDDLE, MIDDLE);
    context.drawImage(square, 0, 0);
    square.close();
    return onBlack(greysOf(context.getImageData(0, 0, MIDDLE, MIDDLE).data, MIDDLE));
  } catch (error) {
    const because =
      error instanceof Error && error.message === 'too large' ? 'larger than 64 MiB' : 'no picture';
    throw new Error(
      `${file.name} is ${because}; a photograph (JPEG, PNG, WebP) or weights (.safetensors, .onnx, .keras) are expected.`,
    );
  }
}

/** The ground, taken to be the median of the border, made black; turned over where it is light; the lightest part made white. */
export function onBlack(greys: Uint8Array): Uint8Array {
  const border = [...greys.keys()].filter((at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    return x === 0 || y === 0 || x === SIDE - 1 || y === SIDE - 1;
  });
  const values = border.map((at) => greys[at]!).sort((a, b) => a - b);
  const ground = values[values.length >> 1]!;
  const isLight = ground > 127;
  const above = Float32Array.from(greys, (grey) => Math.max(0, isLight ? ground - grey : grey - ground));
  const most = above.reduce((a, b) => Math.max(a, b), 0);
  const result = new Uint8Array(PIXELS);
  if (most > 0) for (let at = 0; at < PIXELS; at++) result[at] = Math.round((255 * above[at]!) / most);
  return result;
}
