import { NORM_CHUNK, clip, squaredNorm } from '../../assembly/optim/clip';
import {
  EPS,
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSame,
  expectSameBytes,
  expectThat,
  fillUniform,
  floats,
  moveShare,
  put,
} from './support';

/** Around the chunk of a partial sum. */
const COUNTS: i32[] = [4, 8, 44, 4092, 4096, 4100, 8192, 12300, 20480];
const THREADS: i32[] = [1, 2, 3, 5];
/** Largest relative error of one rounding in f64. */
const F64_EPS: f64 = 1.0 / 9007199254740992.0;

let count: i32 = 0;
let g: usize = 0;
/** The norm of g in f64. */
let norm: f64 = 0;

function makeGradients(elements: i32): void {
  count = elements;
  begin(`${count.toString()} gradients`, count);
  g = floats(count);
  fillUniform(g, count, -1, 1);
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += <f64>at(g, i) * <f64>at(g, i);
  norm = Math.sqrt(sum);
}

function chunks(): i32 {
  return (count + NORM_CHUNK - 1) / NORM_CHUNK;
}

/** The partial sums of `threads` threads, the last thread first; no two may write the same one. */
function partialsOf(threads: i32): usize {
  const whole = floats(2 * chunks());
  const part = floats(2 * chunks());
  for (let thread = threads - 1; thread >= 0; thread--) {
    squaredNorm(count, g, part, thread, threads);
    moveShare(part, whole, 2 * chunks());
  }
  return whole;
}

/** g clipped to `limit` by `threads` threads. */
function clipped(limit: f32, threads: i32): usize {
  const partials = partialsOf(threads);
  const result = copied(g, count);
  for (let thread = threads - 1; thread >= 0; thread--) clip(count, result, partials, limit, thread, threads);
  return result;
}

describe('squaredNorm', () => {
  it('is the sum of the squares of each chunk in f64: within 4096 2^-53 of it; the same bytes for any threads', () => {
    for (let c = 0; c < COUNTS.length; c++) {
      makeGradients(COUNTS[c]);
      const alone = partialsOf(1);
      for (let chunk = 0; chunk < chunks(); chunk++) {
        let sum: f64 = 0;
        const end = min(count, (chunk + 1) * NORM_CHUNK);
        for (let i = chunk * NORM_CHUNK; i < end; i++) sum += <f64>at(g, i) * <f64>at(g, i);
        expectNear(load<f64>(alone + (<usize>chunk << 3)), sum, 4096 * F64_EPS * sum, 'partial sum', chunk, 0);
      }
      for (let t = 1; t < THREADS.length; t++) {
        expectSameBytes(partialsOf(THREADS[t]), alone, 1, 2 * chunks(), 2 * chunks(), 'partial sums');
      }
      expectGuards();
    }
  });

  it('of gradients whose squares are beyond f32, or below it, is as good', () => {
    const sizes: f32[] = [1e30, 1e-30];
    for (let s = 0; s < sizes.length; s++) {
      makeGradients(64);
      for (let i = 0; i < count; i++) put(g, i, sizes[s]);
      const exact = 64 * <f64>sizes[s] * <f64>sizes[s];
      expectNear(load<f64>(partialsOf(1)), exact, 1e-14 * exact, 'partial sum', s, 0);
    }
  });
});

describe('clip', () => {
  it('by hand: (3, 4) has the norm 5; a limit of 2.5 halves it, less the 1e-6 in the divisor', () => {
    begin('3, 4', 0);
    count = 4;
    g = floats(4);
    put(g, 0, 3);
    put(g, 1, -4);
    put(g, 2, 0);
    put(g, 3, 0);
    const result = clipped(2.5, 1);
    expectNear(at(result, 0), (3 * 2.5) / (5 + 1e-6), 3 * EPS, 'g', 0, 0);
    expectNear(at(result, 1), (-4 * 2.5) / (5 + 1e-6), 4 * EPS, 'g', 1, 0);
    expectSame(at(result, 2), 0, 'g', 2, 0);
    expectGuards();
  });

  it('scales all by limit / (norm + 1e-6), within 2 2^-24; the same bytes for any number of threads', () => {
    for (let c = 0; c < COUNTS.length; c++) {
      makeGradients(COUNTS[c]);
      const limit = <f32>(0.3 * norm);
      const alone = clipped(limit, 1);
      const factor = <f64>limit / (norm + 1e-6);
      for (let i = 0; i < count; i++) {
        const exact = <f64>at(g, i) * factor;
        expectNear(at(alone, i), exact, 2.01 * EPS * Math.abs(exact), 'g', i, 0);
      }
      for (let t = 1; t < THREADS.length; t++) {
        expectSameBytes(clipped(limit, THREADS[t]), alone, 1, count, count, `g by ${THREADS[t].toString()} threads`);
      }
      expectGuards();
    }
  });

  it('leaves the bytes alone where the limit is above the norm, and gradients of zero whatever the limit', () => {
    for (let c = 0; c < COUNTS.length; c++) {
      makeGradients(COUNTS[c]);
      for (let t = 0; t < THREADS.length; t++) {
        expectSameBytes(clipped(<f32>(1.001 * norm), THREADS[t]), g, 1, count, count, 'g');
      }
      memory.fill(g, 0, <usize>count << 2);
      expectSameBytes(clipped(1e-3, 1), g, 1, count, count, 'zeros');
      expectGuards();
    }
  });

  it('gradients of 1e30 come down to the limit; a NaN makes all of them NaN', () => {
    makeGradients(64);
    for (let i = 0; i < count; i++) put(g, i, 1e30);
    const result = clipped(1, 2);
    for (let i = 0; i < count; i++) expectNear(at(result, i), 0.125, 4 * EPS * 0.125, 'g', i, 0);
    put(g, 5, NaN);
    const lost = clipped(1, 2);
    for (let i = 0; i < count; i++) expectThat(isNaN(at(lost, i)), `g ${i.toString()} is ${at(lost, i).toString()}`);
    expectGuards();
  });
});
