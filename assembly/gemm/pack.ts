import { loadPixels, storeTransposed, zero } from '../simd/simd';
import { PANEL, PANEL_BYTES } from './panel';

// Packed operands of a GEMM C = A B with C (M, N), A (M, K), B (K, N):
//
//   A  panels of mr rows:    [ceil(M / mr)][K][mr]     element (m, k) at ((m / mr) K + k) mr + m % mr
//   B  panels of 32 columns: [ceil(N / 32)][K][32]     element (k, n) at ((n / 32) K + k) 32 + n % 32
//
// Rows beyond M are packed as zeros; columns beyond N are too, or are a copy of the source's zero padding. Every routine
// packs panels [from, to) of its operand, so that threads can share the work. `zeros` points to at least K f32 zeros: the row that stands for a missing one.

/** What packRows does to an element on its way. */
const PLAIN: i32 = 0;
const RELU: i32 = 1;
const PIXELS: i32 = 2;

// @ts-ignore: decorator
@inline
function load4(kind: i32, row: usize, k: i32): v128 {
  if (kind == PIXELS) return loadPixels(row + k);
  const v = v128.load(row + (<usize>k << 2));
  return kind == RELU ? f32x4.max(v, zero()) : v;
}

// @ts-ignore: decorator
@inline
function load1(kind: i32, row: usize, k: i32): f32 {
  if (kind == PIXELS) return <f32>load<u8>(row + k) / 255;
  const v = load<f32>(row + (<usize>k << 2));
  return kind == RELU ? max<f32>(v, 0) : v;
}

/** Interleaves `height` (2 or 4) rows of K elements into out, whose rows are `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function interleave(kind: i32, height: i32, r0: usize, r1: usize, r2: usize, r3: usize, K: i32, out: usize, stride: usize): void {
  let k = 0;
  for (; k + 4 <= K; k += 4) {
    const v0 = load4(kind, r0, k);
    const v1 = load4(kind, r1, k);
    if (height == 4) {
      storeTransposed(v0, v1, load4(kind, r2, k), load4(kind, r3, k), out, stride);
    } else {
      const low = i32x4.shuffle(v0, v1, 0, 4, 1, 5);
      const high = i32x4.shuffle(v0, v1, 2, 6, 3, 7);
      v128.store64_lane(out, low, 0);
      v128.store64_lane(out + stride, low, 1);
      v128.store64_lane(out + 2 * stride, high, 0);
      v128.store64_lane(out + 3 * stride, high, 1);
    }
    out += 4 * stride;
  }
  for (; k < K; k++) {
    store<f32>(out, load1(kind, r0, k));
    store<f32>(out, load1(kind, r1, k), 4);
    if (height == 4) {
      store<f32>(out, load1(kind, r2, k), 8);
      store<f32>(out, load1(kind, r3, k), 12);
    }
    out += stride;
  }
}

/** Address of row m: of a matrix with rows `stride` bytes apart, or where `order` is given of row order[m]. */
// @ts-ignore: decorator
@inline
function rowAddress(source: usize, stride: usize, order: usize, m: i32, M: i32, zeros: usize): usize {
  if (m >= M) return zeros;
  return source + stride * (order ? <usize>load<u32>(order + (<usize>m << 2)) : <usize>m);
}

// @ts-ignore: decorator
@inline
function packRows(kind: i32, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, zeros: usize, out: usize, from: i32, to: i32): void {
  const step = <usize>mr << 2;
  for (let panel = from; panel < to; panel++) {
    const base = out + <usize>panel * K * step;
    for (let r = 0; r < mr; r += 4) {
      const m = panel * mr + r;
      const r0 = rowAddress(source, stride, order, m, M, zeros);
      const r1 = rowAddress(source, stride, order, m + 1, M, zeros);
      if (mr - r >= 4) {
        const r2 = rowAddress(source, stride, order, m + 2, M, zeros);
        const r3 = rowAddress(source, stride, order, m + 3, M, zeros);
        interleave(kind, 4, r0, r1, r2, r3, K, base + (<usize>r << 2), step);
      } else {
        interleave(kind, 2, r0, r1, zeros, zeros, K, base + (<usize>r << 2), step);
      }
    }
  }
}

/** A from a row-major (M, K) f32 matrix with rows `stride` bytes apart. */
export function packA(mr: i32, M: i32, K: i32, source: usize, stride: usize, zeros: usize, out: usize, from: i32, to: i32): void {
  packRows(PLAIN, mr, M, K, source, stride, 0, zeros, out, from, to);
}

/** A = max(source, 0), source as in packA. */
export function packReluA(mr: i32, M: i32, K: i32, source: usize, stride: usize, zeros: usize, out: usize, from: i32, to: i32): void {
  packRows(RELU, mr, M, K, source, stride, 0, zeros, out, from, to);
}

/**
 * A from u8 samples, gathered, divided by 255 and packed in one pass: row m is sample order[m].
 * images  [samples][K] u8, readable 4 bytes past the end;  order  [M] u32
 */
export function gatherA(mr: i32, M: i32, K: i32, images: usize, order: usize, zeros: usize, out: usize, from: i32, to: i32): void {
  packRows(PIXELS, mr, M, K, images, K, order, zeros, out, from, to);
}

/** Packs the transpose: source has K rows of M elements. */
// @ts-ignore: decorator
@inline
function packColumns(kind: i32, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, out: usize, from: i32, to: i32): void {
  for (let panel = from; panel < to; panel++) {
    const m = panel * mr;
    let target = out + ((<usize>panel * K * mr) << 2);
    const whole = m + mr <= M;
    for (let k = 0; k < K; k++) {
      const row = rowAddress(source, stride, order, k, K, 0);
      if (whole) {
        v128.store(target, load4(kind, row, m));
        if (mr == 6) v128.store64_lane(target, load4(kind, row, m + 2), 1, 16);
      } else {
        for (let r = 0; r < mr; r++) store<f32>(target + (<usize>r << 2), m + r < M ? load1(kind, row, m + r) : 0);
      }
      target += <usize>mr << 2;
    }
  }
}

/** A = transpose of a row-major (K, M) f32 matrix with rows `stride` bytes apart. */
export function packTransposedA(mr: i32, M: i32, K: i32, source: usize, stride: usize, out: usize, from: i32, to: i32): void {
  packColumns(PLAIN, mr, M, K, source, stride, 0, out, from, to);
}

/** A = transpose of the gathered samples of gatherA: column k is sample order[k], M features. */
export function gatherTransposedA(mr: i32, M: i32, K: i32, images: usize, order: usize, out: usize, from: i32, to: i32): void {
  packColumns(PIXELS, mr, M, K, images, M, order, out, from, to);
}

/** Rows of B that are packed together, so that reads and writes both run along cache lines. */
const ROW_BLOCK: i32 = 16;

/** B from a row-major (K, N) f32 matrix with rows `stride` bytes apart, readable to a whole panel. */
export function packB(K: i32, source: usize, stride: usize, out: usize, from: i32, to: i32): void {
  for (let k0 = 0; k0 < K; k0 += ROW_BLOCK) {
    const k1 = min(k0 + ROW_BLOCK, K);
    for (let panel = from; panel < to; panel++) {
      let read = source + <usize>k0 * stride + <usize>panel * PANEL_BYTES;
      let write = out + (<usize>panel * K + k0) * PANEL_BYTES;
      for (let k = k0; k < k1; k++, read += stride, write += PANEL_BYTES) {
        for (let at: usize = 0; at < PANEL_BYTES; at += 16) v128.store(write + at, v128.load(read + at));
      }
    }
  }
}

/** Panels [from, to) of B with column n times scale[n]: both in panels; scale (N) f32, padded to a whole panel. */
export function scalePanels(K: i32, source: usize, scale: usize, out: usize, from: i32, to: i32): void {
  for (let panel = from; panel < to; panel++) {
    const first = <usize>panel * K * PANEL_BYTES;
    for (let column: usize = 0; column < PANEL_BYTES; column += 16) {
      const factor = v128.load(scale + <usize>panel * PANEL_BYTES + column);
      const end = first + <usize>K * PANEL_BYTES;
      for (let at = first + column; at < end; at += PANEL_BYTES) {
        v128.store(out + at, f32x4.mul(v128.load(source + at), factor));
      }
    }
  }
}

/** B = transpose of a row-major (N, K) f32 matrix with rows `stride` bytes apart. */
export function packTransposedB(N: i32, K: i32, source: usize, stride: usize, zeros: usize, out: usize, from: i32, to: i32): void {
  for (let panel = from; panel < to; panel++) {
    const base = out + <usize>panel * K * PANEL_BYTES;
    for (let r = 0; r < PANEL; r += 4) {
      const n = panel * PANEL + r;
      interleave(
        PLAIN,
        4,
        rowAddress(source, stride, 0, n, N, zeros),
        rowAddress(source, stride, 0, n + 1, N, zeros),
        rowAddress(source, stride, 0, n + 2, N, zeros),
        rowAddress(source, stride, 0, n + 3, N, zeros),
        K,
        base + (<usize>r << 2),
        PANEL_BYTES,
      );
    }
  }
}
