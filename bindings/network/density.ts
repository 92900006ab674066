import { ACTIVATIONS, type Block } from '../model/blocks.js';
import { isNarrow } from '../program/product.js';

// Which blocks' inputs are compressed. The compressed kernels leave out products with exact zeros and cost more for each
// of the others, so they pay below a density. They give the same bytes as the dense ones: the choice is of speed.

/** Shares of inputs that are not zero: below the first an input is compressed, above the second it is no longer. */
export const COMPRESS_BELOW = 0.6;
const DENSE_ABOVE = 0.65;

/** Samples whose values are counted. */
const COUNTED_SAMPLES = 2048;

/** Follows the densities of a network's blocks. */
export class DensityWatch {
  readonly #compressed: boolean[];
  readonly #narrow: readonly boolean[];

  /**
   * Until it is measured, a block's output is expected to be kept with 1 - dropout and, after ReLU, to be positive half
   * of the time.
   */
  constructor(blocks: readonly Block[], inputs: number) {
    const expected = blocks.slice(0, -1).map(({ activation, dropout }) => {
      return (1 - dropout) * (ACTIVATIONS[activation].zeroMeansNoGradient ? 0.5 : 1);
    });
    this.#narrow = blocks.map(isNarrow);
    this.#compressed = [inputs, ...expected].map(
      (density, l) => !this.#narrow[l] && density < COMPRESS_BELOW,
    );
  }

  /** For each block, whether its input is compressed. */
  get compressed(): readonly boolean[] {
    return this.#compressed;
  }

  /** Takes in the density that block l's input was found to have. */
  measure(l: number, density: number): void {
    this.#compressed[l] = !this.#narrow[l] && density < (this.#compressed[l] ? DENSE_ABOVE : COMPRESS_BELOW);
  }
}

/** Share of the values that are not zero, over samples spread evenly. */
export function sampleDensity(
  values: Uint8Array | Uint8ClampedArray | Float32Array | Float64Array,
  features: number,
  rows: number,
): number {
  const stride = Math.max(1, Math.floor(rows / COUNTED_SAMPLES));
  let nonZero = 0;
  let seen = 0;
  for (let row = 0; row < rows; row += stride) {
    for (const value of values.subarray(row * features, (row + 1) * features)) if (value !== 0) nonZero++;
    seen += features;
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
