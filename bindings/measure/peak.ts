import { type Core, probeCore } from '../core/core.js';
import { problem } from '../errors/problem.js';
import { type GemmShape, prepareProduct } from './product.js';

export interface GemmFigure extends GemmShape {
  /** Packing included. */
  gflops: number;
  /** Share of the measured peak. */
  peakFraction: number;
}

export interface PeakFigures {
  /** Multiply-adds in registers alone, one thread, in the same build. */
  peakGflops: number;
  gemm: GemmFigure[];
}

/** The three products of large1's second layer at batch 256. */
const LARGE1_SHAPES: GemmShape[] = [
  { form: 'NN', m: 256, n: 512, k: 1024 },
  { form: 'TN', m: 1024, n: 512, k: 256 },
  { form: 'NT', m: 256, n: 1024, k: 512 },
];

const ROUNDS = 7;
const PEAK_ITERATIONS = 1_000_000;
/** Least time of one measured round, so that the engine has optimised the code and the clock is fine enough. */
const ROUND_SECONDS = 0.01;

/** Median seconds of one call of `run` over ROUNDS rounds, after one that is not counted. */
function medianSeconds(run: () => void): number {
  const round = (calls: number) => {
    const begin = performance.now();
    for (let call = 0; call < calls; call++) run();
    return (performance.now() - begin) / 1000;
  };
  let calls = 1;
  while (round(calls) < ROUND_SECONDS) calls *= 2;
  const seconds = Array.from({ length: ROUNDS }, () => round(calls) / calls);
  return seconds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/**
 * Measures one thread's FMA peak and the core's dense products, packing included; each is checked before it is timed.
 * Throws `engine` for a product that is wrong. Takes about a tenth of a second for each shape.
 */
export function measurePeak(core: Core, shapes: GemmShape[] = LARGE1_SHAPES): PeakFigures {
  const probe = probeCore(core);
  const peakFlops = 8 * probe.constants.peakChains * PEAK_ITERATIONS;
  const out = probe.constants.arenaStart;
  const peakGflops = peakFlops / medianSeconds(() => probe.functions.peak(PEAK_ITERATIONS, out)) / 1e9;
  const gemm = shapes.map((shape) => {
    const gflops = (2 * shape.m * shape.n * shape.k) / gemmSeconds(core, shape) / 1e9;
    return { ...shape, gflops, peakFraction: gflops / peakGflops };
  });
  return { peakGflops, gemm };
}

/** Seconds of one product from row-major operands: both packings and the multiplication. */
function gemmSeconds(core: Core, shape: GemmShape): number {
  const product = prepareProduct(core, shape);
  const run = () => {
    product.pack();
    product.multiply();
  };
  run();
  // A running f32 sum of k products, each below 1/4 in size.
  const bound = (shape.k + 1) * 2 ** -24 * (shape.k / 4);
  for (const row of [0, shape.m >> 1, shape.m - 1]) {
    const error = product.rowError(row);
    if (!(error <= bound)) {
      const { form, m, n, k } = shape;
      throw problem('engine', {
        subject: `The error of the product ${form} ${m} x ${n} x ${k}`,
        found: error,
        expected: `at most ${bound}`,
      });
    }
  }
  return medianSeconds(run);
}
