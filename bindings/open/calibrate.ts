import type { Core } from '../core/core.js';
import { DEFAULT_KERNELS, type Kernels } from '../core/kernels.js';
import { prepareProduct } from '../measure/product.js';
import { advances, type Clock, fastest, type Pause } from './fastest.js';
import { keepKernels, keptKernels } from './kept.js';

const TILE_HEIGHTS: readonly Kernels['tileHeight'][] = [4, 6];
const SPARSE_WIDTHS: readonly Kernels['sparseWidth'][] = [16, 32, 64];

/** Divides into tiles of either height. Operands fit in the first two cache levels. */
const SHAPE = { form: 'NN', m: 48, n: 64, k: 256 } as const;
/** Of activations after ReLU and Dropout(0.5). */
const DENSITY = 0.25;

/** Long enough for V8 to ask for optimised code, and then to have it. */
const WARM_UP_MS = 4;
const COMPILE_MS = 6;

/**
 * The core with the kernels that were asked for or, where none were, the fastest. The debug build keeps its own. In a page
 * they are those found before, or the usual ones until the page has been idle for long enough to find better ones, which
 * networks made from then on have.
 */
export async function suitKernels(core: Core): Promise<Core> {
  if (core.kernelsForced || core.build === 'debug') return core;
  if (!('document' in globalThis)) return calibrate(core);
  const kept = keptKernels(core.build);
  if (kept !== null) return { ...core, kernels: kept };
  const later: { -readonly [Key in keyof Core]: Core[Key] } = { ...core };
  calibrate(core, undefined, idle).then(
    ({ kernels }) => {
      later.kernels = kernels;
      keepKernels(core.build, kernels);
    },
    () => {}, // The usual kernels give the same bytes.
  );
  return later;
}

/** Resolves when the page has nothing else to do. */
function idle(): Promise<void> {
  const { requestIdleCallback: ask = setTimeout } = globalThis as {
    requestIdleCallback?: (then: () => void) => void;
  };
  return new Promise((resolve) => ask(() => resolve()));
}

/**
 * The same core with the micro-kernels that are fastest on it, found in about 50 ms, or 250 ms where the clock has a grain
 * of a millisecond, and the usual ones where it stands still. A choice of speed: all kernels give the same bytes.
 */
export async function calibrate(
  core: Core,
  clock: Clock = () => performance.now(),
  pause: Pause = () => {},
): Promise<Core> {
  if (!advances(clock)) return core;
  const tiles = TILE_HEIGHTS.map((tileHeight) => ({ ...core.kernels, tileHeight }));
  const widths = SPARSE_WIDTHS.map((sparseWidth) => ({ ...core.kernels, sparseWidth }));
  const height = await choose(
    core,
    tiles,
    { density: 1 },
    TILE_HEIGHTS.indexOf(DEFAULT_KERNELS.tileHeight),
    clock,
    pause,
  );
  const width = await choose(
    core,
    widths,
    { density: DENSITY, compressed: true },
    SPARSE_WIDTHS.indexOf(DEFAULT_KERNELS.sparseWidth),
    clock,
    pause,
  );
  return { ...core, kernels: { tileHeight: TILE_HEIGHTS[height]!, sparseWidth: SPARSE_WIDTHS[width]! } };
}

/** Index of the fastest of some kernels, or of the usual ones where none is clearly faster. */
async function choose(
  core: Core,
  candidates: readonly Kernels[],
  options: { density: number; compressed?: boolean },
  usual: number,
  clock: Clock,
  pause: Pause,
): Promise<number> {
  const runs = candidates.map((kernels) => {
    const product = prepareProduct(core, SHAPE, { ...options, kernels });
    product.pack();
    return product.multiply;
  });
  for (const run of runs) {
    await pause();
    for (const end = clock() + WARM_UP_MS; clock() < end; ) run();
  }
  await new Promise((resolve) => setTimeout(resolve, COMPILE_MS));
  return fastest(runs, usual, clock, pause);
}
