import type { Core } from '../core/core.js';
import type { Kernels } from '../core/kernels.js';
import { prepareProduct } from '../measure/product.js';

const TILE_HEIGHTS: readonly Kernels['tileHeight'][] = [4, 6];
const SPARSE_WIDTHS: readonly Kernels['sparseWidth'][] = [16, 32, 64];

/** Divides into tiles of either height. Operands fit in the first two cache levels. */
const SHAPE = { form: 'NN', m: 48, n: 64, k: 256 } as const;
/** Of activations after ReLU and Dropout(0.5). */
const DENSITY = 0.25;

/** Long enough for V8 to ask for optimised code, and then to have it. */
const WARM_UP_MS = 4;
const COMPILE_MS = 6;
const ROUNDS = 9;

/** The core with the kernels that were asked for or, where none were, the fastest. The debug build keeps its own. */
export async function suitKernels(core: Core): Promise<Core> {
  return core.kernelsForced || core.build === 'debug' ? core : calibrate(core);
}

/**
 * The same core with the micro-kernels that are fastest on it, found in about 40 ms. A choice of speed: all kernels
 * give the same bytes.
 */
export async function calibrate(core: Core): Promise<Core> {
  const tiles = TILE_HEIGHTS.map((tileHeight) => ({ ...core.kernels, tileHeight }));
  const widths = SPARSE_WIDTHS.map((sparseWidth) => ({ ...core.kernels, sparseWidth }));
  const { tileHeight } = await fastest(core, tiles, { density: 1 });
  const { sparseWidth } = await fastest(core, widths, { density: DENSITY, compressed: true });
  return { ...core, kernels: { tileHeight, sparseWidth } };
}

async function fastest(
  core: Core,
  candidates: Kernels[],
  options: { density: number; compressed?: boolean },
): Promise<Kernels> {
  const runs = candidates.map((kernels) => {
    const product = prepareProduct(core, SHAPE, { ...options, kernels });
    product.pack();
    return { kernels, multiply: product.multiply, least: Number.POSITIVE_INFINITY };
  });
  for (const { multiply } of runs) {
    for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) multiply();
  }
  await new Promise((resolve) => setTimeout(resolve, COMPILE_MS));
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      const begin = performance.now();
      run.multiply();
      run.multiply();
      run.least = Math.min(run.least, performance.now() - begin);
    }
  }
  return runs.reduce((best, run) => (run.least < best.least ? run : best)).kernels;
}
