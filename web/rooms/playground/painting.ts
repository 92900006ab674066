import { classesColour, mixed, numberColour, type Palette, type Rgb } from './colours.ts';
import { REACH } from './grid.ts';
import type { Point } from './points.ts';

/** A picture of `side` by `side` places, enlarged smoothly to the whole canvas. */
function paintGrid(canvas: HTMLCanvasElement, side: number, colourOf: (place: number) => Rgb): void {
  const { small, context, image } = smallPicture(side);
  for (let place = 0, at = 0; place < side * side; place++) {
    const colour = colourOf(place);
    image.data[at++] = colour[0];
    image.data[at++] = colour[1];
    image.data[at++] = colour[2];
    image.data[at++] = 255;
  }
  context.putImageData(image, 0, 0);
  const target = canvas.getContext('2d')!;
  target.imageSmoothingEnabled = true;
  target.drawImage(small, 0, 0, canvas.width, canvas.height);
}

/** One picture of each size that is used, painted again and again. */
const pictures = new Map<number, ReturnType<typeof newPicture>>();

function newPicture(side: number) {
  const small = new OffscreenCanvas(side, side);
  const context = small.getContext('2d', { willReadFrequently: true })!;
  return { small, context, image: context.createImageData(side, side) };
}

function smallPicture(side: number): ReturnType<typeof newPicture> {
  const picture = pictures.get(side) ?? newPicture(side);
  pictures.set(side, picture);
  return picture;
}

/** What the model says over the plane. */
export interface Surface {
  side: number;
  /** (places, outputs), row-major; null: nothing yet. */
  values: Float32Array | null;
  outputs: number;
  /** Whether a single output is a hidden unit's, which has no bounds of its own. */
  isUnit: boolean;
}

export function paintSurface(
  canvas: HTMLCanvasElement,
  { side, values, outputs, isUnit }: Surface,
  colours: Palette,
): void {
  if (values === null) {
    const context = canvas.getContext('2d')!;
    context.fillStyle = `rgb(${colours.paper.join(' ')})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  } else if (outputs === 1) {
    let most = 1;
    if (isUnit) {
      most = 1e-6;
      for (const value of values) most = Math.max(most, Math.abs(value));
    }
    paintGrid(canvas, side, (place) => numberColour(values[place]! / most, colours));
  } else {
    paintGrid(canvas, side, (place) => classesColour(values, place * outputs, colours, outputs));
  }
}

/** The points over it: filled ones are learnt from, rings are tests. */
export function paintPoints(
  canvas: HTMLCanvasElement,
  points: readonly Point[],
  { isTest, isNumber }: { isTest: boolean; isNumber: boolean },
  colours: Palette,
): void {
  const context = canvas.getContext('2d')!;
  const scale = canvas.width / (2 * REACH);
  const radius = canvas.width / 120;
  context.lineWidth = canvas.width / 420;
  const paper = `rgb(${colours.paper.join(' ')})`;
  for (const { x, y, target } of points) {
    const own = isNumber
      ? mixed(
          target > 0 ? colours.classes[0]! : colours.classes[1]!,
          colours.paper,
          0.25 + 0.75 * Math.min(1, Math.abs(target)),
        )
      : colours.classes[target]!;
    context.beginPath();
    context.arc((x + REACH) * scale, (REACH - y) * scale, isTest ? radius * 0.85 : radius, 0, 2 * Math.PI);
    context.fillStyle = isTest ? paper : `rgb(${own.join(' ')})`;
    context.strokeStyle = isTest ? `rgb(${own.join(' ')})` : paper;
    context.fill();
    context.stroke();
  }
}
