import { inPanels } from '../layout/panel';
import { madd } from '../simd/simd';

// Micro-kernels over a compressed row: c = init + sum over the entries of a B[k], in the order of k. The same sum as a
// dense tile's, less the products with an exact zero, and so the same bytes.
//
//   entry, end  the row's entries in one K-block (compress.ts)
//   b           the K-block of a packed panel of B, from the first column wanted
//   init, c     16, 32 or 64 f32; c is overwritten and may be init

/** The value of an entry read as one word: a load less that goes to the vector units, whose loads are what limits. */
// @ts-ignore: decorator
@inline
function splatValue(word: u64): v128 {
  return f32x4.splat(reinterpret<f32>(<u32>(word >> 32)));
}

/** 16 columns: four accumulators and a splat. */
export function f32_spmm_16(entry: usize, end: usize, b: usize, init: usize, c: usize): void {
  let c0 = v128.load(init);
  let c1 = v128.load(init, 16);
  let c2 = v128.load(init, 32);
  let c3 = v128.load(init, 48);
  while (entry < end) {
    const word = load<u64>(entry);
    const row = b + <usize><u32>word;
    const a = splatValue(word);
    c0 = madd(a, v128.load(row), c0);
    c1 = madd(a, v128.load(row, 16), c1);
    c2 = madd(a, v128.load(row, 32), c2);
    c3 = madd(a, v128.load(row, 48), c3);
    entry += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** 32 columns: eight accumulators, for engines that keep them in registers or join them in pairs. */
export function f32_spmm_32(entry: usize, end: usize, b: usize, init: usize, c: usize): void {
  let c0 = v128.load(init);
  let c1 = v128.load(init, 16);
  let c2 = v128.load(init, 32);
  let c3 = v128.load(init, 48);
  let c4 = v128.load(init, 64);
  let c5 = v128.load(init, 80);
  let c6 = v128.load(init, 96);
  let c7 = v128.load(init, 112);
  while (entry < end) {
    const word = load<u64>(entry);
    const row = b + <usize><u32>word;
    const a = splatValue(word);
    c0 = madd(a, v128.load(row), c0);
    c1 = madd(a, v128.load(row, 16), c1);
    c2 = madd(a, v128.load(row, 32), c2);
    c3 = madd(a, v128.load(row, 48), c3);
    c4 = madd(a, v128.load(row, 64), c4);
    c5 = madd(a, v128.load(row, 80), c5);
    c6 = madd(a, v128.load(row, 96), c6);
    c7 = madd(a, v128.load(row, 112), c7);
    entry += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
  v128.store(c, c6, 96);
  v128.store(c, c7, 112);
}

/**
 * 64 columns of two panels, b0 and b1: sixteen accumulators, which joined in pairs are eight, as many as hide the
 * latency of a multiply-add.
 */
export function f32_spmm_64(entry: usize, end: usize, b0: usize, b1: usize, init: usize, c: usize): void {
  let c0 = v128.load(init);
  let c1 = v128.load(init, 16);
  let c2 = v128.load(init, 32);
  let c3 = v128.load(init, 48);
  let c4 = v128.load(init, 64);
  let c5 = v128.load(init, 80);
  let c6 = v128.load(init, 96);
  let c7 = v128.load(init, 112);
  let c8 = v128.load(init, 128);
  let c9 = v128.load(init, 144);
  let c10 = v128.load(init, 160);
  let c11 = v128.load(init, 176);
  let c12 = v128.load(init, 192);
  let c13 = v128.load(init, 208);
  let c14 = v128.load(init, 224);
  let c15 = v128.load(init, 240);
  while (entry < end) {
    const word = load<u64>(entry);
    const offset = <usize><u32>word;
    const row0 = b0 + offset;
    const row1 = b1 + offset;
    const a = splatValue(word);
    c0 = madd(a, v128.load(row0), c0);
    c1 = madd(a, v128.load(row0, 16), c1);
    c2 = madd(a, v128.load(row0, 32), c2);
    c3 = madd(a, v128.load(row0, 48), c3);
    c4 = madd(a, v128.load(row0, 64), c4);
    c5 = madd(a, v128.load(row0, 80), c5);
    c6 = madd(a, v128.load(row0, 96), c6);
    c7 = madd(a, v128.load(row0, 112), c7);
    c8 = madd(a, v128.load(row1), c8);
    c9 = madd(a, v128.load(row1, 16), c9);
    c10 = madd(a, v128.load(row1, 32), c10);
    c11 = madd(a, v128.load(row1, 48), c11);
    c12 = madd(a, v128.load(row1, 64), c12);
    c13 = madd(a, v128.load(row1, 80), c13);
    c14 = madd(a, v128.load(row1, 96), c14);
    c15 = madd(a, v128.load(row1, 112), c15);
    entry += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
  v128.store(c, c6, 96);
  v128.store(c, c7, 112);
  v128.store(c, c8, 128);
  v128.store(c, c9, 144);
  v128.store(c, c10, 160);
  v128.store(c, c11, 176);
  v128.store(c, c12, 192);
  v128.store(c, c13, 208);
  v128.store(c, c14, 224);
  v128.store(c, c15, 240);
}

/** Whether there is a kernel of `width` columns. */
export function isSparseWidth(width: i32): bool {
  return width == 16 || width == 32 || width == 64;
}

/** Runs the kernel of `width` columns; panelStride: bytes from one panel of B to the next. */
// @ts-ignore: decorator
@inline
export function spmmRow(
  width: i32, entry: usize, end: usize, b: usize, panelStride: usize, init: usize, c: usize,
): void {
  if (width == 16) f32_spmm_16(entry, end, b, init, c);
  else if (width == 32) f32_spmm_32(entry, end, b, init, c);
  else f32_spmm_64(entry, end, b, b + panelStride, init, c);
}

/** Address of row 0 of the columns from `column` on in a B of K rows. */
// @ts-ignore: decorator
@inline
export function columnsOfB(b: usize, K: i32, column: i32): usize {
  return inPanels(b, K, 0, column);
}
