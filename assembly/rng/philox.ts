import { storeTransposed } from '../simd/simd';

// Philox4x32-10, a counter-based generator: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011. The same (counter, key) always gives the same four words, so no order of threads or of
// layers can change what is drawn.

const M0: u32 = 0xd2511f53;
const M1: u32 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;

/** The third counter word's upper half: which use draws. */
export const STREAM_DROPOUT: i32 = 1;
export const STREAM_INIT: i32 = 2;
export const STREAM_AUGMENT: i32 = 3;

/** Upper 32 bits of m times each u32 lane of x. */
// @ts-ignore: decorator
@inline
function mulHigh(x: v128, m: v128): v128 {
  return i32x4.shuffle(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 1, 3, 5, 7);
}

/**
 * Four Philox blocks at once: the counters (c0 + lane, c1, c2, c3).
 * out  [4][4] u32, row = lane, the block's four words in order; 64 bytes
 */
export function philox4(c0: u32, c1: u32, c2: u32, c3: u32, key0: u32, key1: u32, out: usize): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(x0, m0);
    const high1 = mulHigh(x2, m1);
    const low0 = i32x4.mul(x0, m0);
    const low1 = i32x4.mul(x2, m1);
    x0 = v128.xor(v128.xor(high1, x1), i32x4.splat(key0));
    x1 = low1;
    x2 = v128.xor(v128.xor(high0, x3), i32x4.splat(key1));
    x3 = low0;
    key0 += W0;
    key1 += W1;
  }
  storeTransposed(x0, x1, x2, x3, out, 16);
}

/**
 * Eight Philox blocks at once: those of philox4 for c1, and behind them those for c1 + 1. Each of the two waits for its
 * own multiplications only, so together they take little longer than one.
 * out  [2][4][4] u32; 128 bytes
 */
export function philoxPair(c0: u32, c1: u32, c2: u32, c3: u32, key0: u32, key1: u32, out: usize): void {
  const m0 = i32x4.splat(M0);
  const m1 = i32x4.splat(M1);
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2);
  let x3 = i32x4.splat(c3);
  let y0 = x0;
  let y1 = i32x4.splat(c1 + 1);
  let y2 = x2;
  let y3 = x3;
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  for (let round = 0; round < 10; round++) {
    let high0 = mulHigh(x0, m0);
    let high1 = mulHigh(x2, m1);
    let low0 = i32x4.mul(x0, m0);
    let low1 = i32x4.mul(x2, m1);
    x0 = v128.xor(v128.xor(high1, x1), k0);
    x1 = low1;
    x2 = v128.xor(v128.xor(high0, x3), k1);
    x3 = low0;
    high0 = mulHigh(y0, m0);
    high1 = mulHigh(y2, m1);
    low0 = i32x4.mul(y0, m0);
    low1 = i32x4.mul(y2, m1);
    y0 = v128.xor(v128.xor(high1, y1), k0);
    y1 = low1;
    y2 = v128.xor(v128.xor(high0, y3), k1);
    y3 = low0;
    k0 = i32x4.add(k0, i32x4.splat(W0));
    k1 = i32x4.add(k1, i32x4.splat(W1));
  }
  storeTransposed(x0, x1, x2, x3, out, 16);
  storeTransposed(y0, y1, y2, y3, out + 64, 16);
}
