import type { NetworkSpec } from './spec.js';

// Which layers' inputs are compressed. The compressed kernels leave out products with exact zeros and cost more for
// each of the others, so they pay below a density. They give the same bytes as the dense ones: the choice is of speed.

/** Shares of inputs that are not zero: below the first a layer is compressed, above the second it is no longer. */
const COMPRESS_BELOW = 0.6;
const DENSE_ABOVE = 0.65;

/** Samples whose pixels are counted. */
const COUNTED_SAMPLES = 2048;

/** Follows the densities of a network's layers. */
export class DensityWatch {
  readonly #compressed: boolean[];

  /** A block's output is expected to be positive half of the time, and kept with 1 - dropout, until it is measured. */
  constructor(spec: NetworkSpec, pixels: number) {
    const expected = [pixels, ...spec.hidden.map(() => (1 - spec.dropout) / 2)];
    this.#compressed = expected.map((density) => density < COMPRESS_BELOW);
  }

  /** For each layer, whether its input is compressed. */
  get compressed(): readonly boolean[] {
    return this.#compressed;
  }

  /** Takes in the density that layer l's input was found to have. */
  measure(l: number, density: number): void {
    this.#compressed[l] = density < (this.#compressed[l] ? DENSE_ABOVE : COMPRESS_BELOW);
  }
}

/** Share of the pixels that are not zero, over samples spread evenly. */
export function pixelDensity(images: Uint8Array, inputs: number): number {
  const count = images.length / inputs;
  const stride = Math.max(1, Math.floor(count / COUNTED_SAMPLES));
  let nonZero = 0;
  let seen = 0;
  for (let sample = 0; sample < count; sample += stride) {
    for (const pixel of images.subarray(sample * inputs, (sample + 1) * inputs)) if (pixel !== 0) nonZero++;
    seen += inputs;
  }
  return seen === 0 ? 1 : nonZero / seen;
}

/** Share of a matrix's elements that are not zero; its rows are ld elements apart. */
export function nonZeroShare(matrix: Float32Array, rows: number, columns: number, ld: number): number {
  let nonZero = 0;
  for (let row = 0; row < rows; row++) {
    for (const value of matrix.subarray(row * ld, row * ld + columns)) if (value !== 0) nonZero++;
  }
  return nonZero / (rows * columns);
}
