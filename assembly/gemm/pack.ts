import { PANEL, PANEL_BYTES } from '../layout/panel';
import { ROWS_F32, ROWS_RELU, ROWS_U8, load1, load4, rowOf } from '../layout/rows';
import { storeTransposed } from '../simd/simd';

// Packed operands of a GEMM C = A B with C (M, N), A (M, K), B (K, N):
//
//   A  panels of mr rows:    [ceil(M / mr)][K][mr]     element (m, k) at ((m / mr) K + k) mr + m % mr
//   B  panels of 32 columns  (layout/panel.ts)
//
// Rows beyond M are packed as zeros; columns beyond N are too, or are a copy of the source's zero padding. Every
// routine packs panels [from, to) of its operand, so that threads can share the work. A source of rows is given as
// kind, source, stride and order (layout/rows.ts). `zeros` points to at least K f32 zeros, which stand for a missing
// row.

/** Interleaves `height` (2 or 4) rows of K elements into out, whose rows are `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function interleave(
  kind: i32, height: i32, r0: usize, r1: usize, r2: usize, r3: usize, K: i32, out: usize, stride: usize,
): void {
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

/** Row m of a source, or the zeros that stand for a row beyond the last. */
// @ts-ignore: decorator
@inline
function rowOrZeros(
  ordered: bool, source: usize, stride: usize, order: usize, m: i32, M: i32, zeros: usize,
): usize {
  return m < M ? rowOf(ordered, source, stride, order, m) : zeros;
}

// @ts-ignore: decorator
@inline
function packRowsOf(
  kind: i32, ordered: bool, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, zeros: usize,
  out: usize, from: i32, to: i32,
): void {
  const step = <usize>mr << 2;
  for (let panel = from; panel < to; panel++) {
    const base = out + <usize>panel * K * step;
    for (let r = 0; r < mr; r += 4) {
      const m = panel * mr + r;
      const r0 = rowOrZeros(ordered, source, stride, order, m, M, zeros);
      const r1 = rowOrZeros(ordered, source, stride, order, m + 1, M, zeros);
      if (mr - r >= 4) {
        const r2 = rowOrZeros(ordered, source, stride, order, m + 2, M, zeros);
        const r3 = rowOrZeros(ordered, source, stride, order, m + 3, M, zeros);
        interleave(kind, 4, r0, r1, r2, r3, K, base + (<usize>r << 2), step);
      } else {
        interleave(kind, 2, r0, r1, zeros, zeros, K, base + (<usize>r << 2), step);
      }
    }
  }
}

/** A = M rows of K elements of a source. Nothing beyond the elements is read. */
export function packRows(
  kind: i32, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, zeros: usize, out: usize,
  from: i32, to: i32,
): void {
  assert(kind != ROWS_RELU || order == 0);
  if (kind == ROWS_RELU) {
    packRowsOf(ROWS_RELU, false, mr, M, K, source, stride, 0, zeros, out, from, to);
  } else if (kind == ROWS_U8 && order) {
    packRowsOf(ROWS_U8, true, mr, M, K, source, stride, order, zeros, out, from, to);
  } else if (kind == ROWS_U8) {
    packRowsOf(ROWS_U8, false, mr, M, K, source, stride, 0, zeros, out, from, to);
  } else if (order) {
    packRowsOf(ROWS_F32, true, mr, M, K, source, stride, order, zeros, out, from, to);
  } else {
    packRowsOf(ROWS_F32, false, mr, M, K, source, stride, 0, zeros, out, from, to);
  }
}

// @ts-ignore: decorator
@inline
function packColumnsOf(
  kind: i32, ordered: bool, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, out: usize,
  from: i32, to: i32,
): void {
  for (let panel = from; panel < to; panel++) {
    const m = panel * mr;
    let target = out + ((<usize>panel * K * mr) << 2);
    const whole = m + mr <= M;
    for (let k = 0; k < K; k++) {
      const row = rowOf(ordered, source, stride, order, k);
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

/** A = the transpose of K rows of M elements of a source. Nothing beyond the elements is read. */
export function packColumns(
  kind: i32, mr: i32, M: i32, K: i32, source: usize, stride: usize, order: usize, out: usize, from: i32, to: i32,
): void {
  assert(kind != ROWS_RELU || order == 0);
  if (kind == ROWS_RELU) {
    packColumnsOf(ROWS_RELU, false, mr, M, K, source, stride, 0, out, from, to);
  } else if (kind == ROWS_U8 && order) {
    packColumnsOf(ROWS_U8, true, mr, M, K, source, stride, order, out, from, to);
  } else if (kind == ROWS_U8) {
    packColumnsOf(ROWS_U8, false, mr, M, K, source, stride, 0, out, from, to);
  } else if (order) {
    packColumnsOf(ROWS_F32, true, mr, M, K, source, stride, order, out, from, to);
  } else {
    packColumnsOf(ROWS_F32, false, mr, M, K, source, stride, 0, out, from, to);
  }
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

/** B = transpose of a row-major (N, K) f32 matrix with rows `stride` bytes apart. */
export function packTransposedB(
  N: i32, K: i32, source: usize, stride: usize, zeros: usize, out: usize, from: i32, to: i32,
): void {
  for (let panel = from; panel < to; panel++) {
    const base = out + <usize>panel * K * PANEL_BYTES;
    for (let r = 0; r < PANEL; r += 4) {
      const n = panel * PANEL + r;
      const r0 = rowOrZeros(false, source, stride, 0, n, N, zeros);
      const r1 = rowOrZeros(false, source, stride, 0, n + 1, N, zeros);
      const r2 = rowOrZeros(false, source, stride, 0, n + 2, N, zeros);
      const r3 = rowOrZeros(false, source, stride, 0, n + 3, N, zeros);
      interleave(ROWS_F32, 4, r0, r1, r2, r3, K, base + (<usize>r << 2), PANEL_BYTES);
    }
  }
}
