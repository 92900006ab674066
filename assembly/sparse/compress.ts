import { PANEL_BYTES } from '../layout/panel';
import { ROWS_F32, ROWS_RELU, ROWS_U8, elementOffset, load4, rowOf } from '../layout/rows';
import { lanesBelow, zero } from '../simd/simd';

// Row-compressed operands: of a sparse A (M, K) only what is not exactly zero, row by row, in the order of k.
//
//   entries  8 bytes each: u32 byte offset of row k in a panel of B, counted from the start of its K-block; f32 a
//   starts   [M][blocks + 1] u32 addresses: block i of row m is entries starts[m][i] to starts[m][i + 1]
//
// Row m's entries begin at entries + m entryStride(K). K-blocks are K_BLOCK long, so that the part of a panel of B
// that a block meets stays in the first-level cache. An element that is not stored would have added an exact zero,
// which at most turns a sum of -0 into 0. A source of rows is given as kind, source, stride and order (layout/rows.ts).

/** K-block of a compressed operand: K_BLOCK rows of the two panels that the widest kernel reads are 32 KB. */
export const K_BLOCK: i32 = 128;

/**
 * Bytes kept for the entries of one row: room for K, in an odd number of cache lines, so that rows spread over the
 * sets.
 */
export function entryStride(K: i32): usize {
  return ((<usize>K * 8 + 127) & ~127) + 64;
}

/** Number of K-blocks. */
// @ts-ignore: decorator
@inline
export function blocksOf(K: i32): i32 {
  return (K + K_BLOCK - 1) / K_BLOCK;
}

/** Address of starts[m][0]. */
// @ts-ignore: decorator
@inline
export function startsOf(starts: usize, m: i32, K: i32): usize {
  return starts + ((<usize>m * (blocksOf(K) + 1)) << 2);
}

/** For each set of lanes the swizzle that moves them to the front, in order; what follows them is lane 0. */
const FRONT: usize = memory.data<u8>([
  0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3,
  8, 9, 10, 11, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 0, 1, 2, 3,
  4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
  12, 13, 14, 15, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 12, 13, 14, 15, 0, 1, 2, 3, 0, 1, 2, 3,
  4, 5, 6, 7, 12, 13, 14, 15, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 0, 1, 2, 3,
  8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3,
  4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
], 16);

/** Byte offsets in a panel of the rows of four lanes that follow each other, from the first of them on. */
// @ts-ignore: decorator
@inline
function firstOffsets(): v128 {
  return i32x4(0, <i32>PANEL_BYTES, 2 * <i32>PANEL_BYTES, 3 * <i32>PANEL_BYTES);
}

// @ts-ignore: decorator
@inline
function nextOffsets(offsets: v128): v128 {
  return i32x4.add(offsets, i32x4.splat(4 * <i32>PANEL_BYTES));
}

/** Writes the lanes of v that are not zero as entries, room for four being there; returns where the next goes. */
// @ts-ignore: decorator
@inline
function append(entry: usize, offsets: v128, v: v128): usize {
  const present = i32x4.bitmask(f32x4.ne(v, zero()));
  const front = v128.load(FRONT + (<usize>present << 4));
  const places = i8x16.swizzle(offsets, front);
  const values = i8x16.swizzle(v, front);
  v128.store(entry, i32x4.shuffle(places, values, 0, 4, 1, 5));
  v128.store(entry, i32x4.shuffle(places, values, 2, 6, 3, 7), 16);
  return entry + (<usize>popcnt(present) << 3);
}

// @ts-ignore: decorator
@inline
function compressRowsOf(
  kind: i32, ordered: bool, K: i32, source: usize, stride: usize, order: usize, entries: usize, starts: usize,
  from: i32, to: i32,
): void {
  for (let m = from; m < to; m++) {
    const row = rowOf(ordered, source, stride, order, m);
    let entry = entries + <usize>m * entryStride(K);
    let start = startsOf(starts, m, K);
    for (let k0 = 0; k0 < K; k0 += K_BLOCK, start += 4) {
      store<u32>(start, <u32>entry);
      const k1 = min(k0 + K_BLOCK, K);
      let offsets = firstOffsets();
      let k = k0;
      for (; k + 4 <= k1; k += 4) {
        entry = append(entry, offsets, load4(kind, row, k));
        offsets = nextOffsets(offsets);
      }
      if (k < k1) entry = append(entry, offsets, v128.and(load4(kind, row, k), lanesBelow(k, k1)));
    }
    store<u32>(start, <u32>entry);
  }
}

/** Rows [from, to) of A = rows of K elements of a source that is readable SLACK bytes past its end. */
export function compressRows(
  kind: i32, K: i32, source: usize, stride: usize, order: usize, entries: usize, starts: usize, from: i32, to: i32,
): void {
  assert(kind != ROWS_RELU || order == 0);
  if (kind == ROWS_RELU) {
    compressRowsOf(ROWS_RELU, false, K, source, stride, 0, entries, starts, from, to);
  } else if (kind == ROWS_U8 && order) {
    compressRowsOf(ROWS_U8, true, K, source, stride, order, entries, starts, from, to);
  } else if (kind == ROWS_U8) {
    compressRowsOf(ROWS_U8, false, K, source, stride, 0, entries, starts, from, to);
  } else if (order) {
    compressRowsOf(ROWS_F32, true, K, source, stride, order, entries, starts, from, to);
  } else {
    compressRowsOf(ROWS_F32, false, K, source, stride, 0, entries, starts, from, to);
  }
}

// @ts-ignore: decorator
@inline
function compressColumnsOf(
  kind: i32, ordered: bool, K: i32, source: usize, stride: usize, order: usize, entries: usize, starts: usize,
  from: i32, to: i32,
): void {
  const room = entryStride(K);
  for (let group = from; group < to; group++) {
    const m = group << 2;
    let e0 = entries + <usize>m * room;
    let e1 = e0 + room;
    let e2 = e1 + room;
    let e3 = e2 + room;
    const s0 = startsOf(starts, m, K);
    const s1 = startsOf(starts, m + 1, K);
    const s2 = startsOf(starts, m + 2, K);
    const s3 = startsOf(starts, m + 3, K);
    const columns = source + elementOffset(kind, m);
    let block: usize = 0;
    for (let k0 = 0; k0 < K; k0 += K_BLOCK, block += 4) {
      store<u32>(s0 + block, <u32>e0);
      store<u32>(s1 + block, <u32>e1);
      store<u32>(s2 + block, <u32>e2);
      store<u32>(s3 + block, <u32>e3);
      const k1 = min(k0 + K_BLOCK, K);
      let offsets = firstOffsets();
      for (let k = k0; k < k1; k += 4) {
        const a = load4(kind, rowOf(ordered, columns, stride, order, k), 0);
        const b = k + 1 < k1 ? load4(kind, rowOf(ordered, columns, stride, order, k + 1), 0) : zero();
        const c = k + 2 < k1 ? load4(kind, rowOf(ordered, columns, stride, order, k + 2), 0) : zero();
        const d = k + 3 < k1 ? load4(kind, rowOf(ordered, columns, stride, order, k + 3), 0) : zero();
        const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
        const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
        const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
        const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
        e0 = append(e0, offsets, i64x2.shuffle(ab0, cd0, 0, 2));
        e1 = append(e1, offsets, i64x2.shuffle(ab0, cd0, 1, 3));
        e2 = append(e2, offsets, i64x2.shuffle(ab1, cd1, 0, 2));
        e3 = append(e3, offsets, i64x2.shuffle(ab1, cd1, 1, 3));
        offsets = nextOffsets(offsets);
      }
    }
    store<u32>(s0 + block, <u32>e0);
    store<u32>(s1 + block, <u32>e1);
    store<u32>(s2 + block, <u32>e2);
    store<u32>(s3 + block, <u32>e3);
  }
}

/**
 * Rows [4 from, 4 to) of A = the transpose of K rows of a source. Where the rows' length is no multiple of 4, the last
 * group holds what follows them: the source has to be readable SLACK bytes past its end.
 */
export function compressColumns(
  kind: i32, K: i32, source: usize, stride: usize, order: usize, entries: usize, starts: usize, from: i32, to: i32,
): void {
  assert(kind != ROWS_RELU || order == 0);
  if (kind == ROWS_RELU) {
    compressColumnsOf(ROWS_RELU, false, K, source, stride, 0, entries, starts, from, to);
  } else if (kind == ROWS_U8 && order) {
    compressColumnsOf(ROWS_U8, true, K, source, stride, order, entries, starts, from, to);
  } else if (kind == ROWS_U8) {
    compressColumnsOf(ROWS_U8, false, K, source, stride, 0, entries, starts, from, to);
  } else if (order) {
    compressColumnsOf(ROWS_F32, true, K, source, stride, order, entries, starts, from, to);
  } else {
    compressColumnsOf(ROWS_F32, false, K, source, stride, 0, entries, starts, from, to);
  }
}
