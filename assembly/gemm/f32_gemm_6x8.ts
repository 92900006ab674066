import { PANEL_BYTES } from '../layout/panel';
import { madd } from '../simd/simd';

/** Rows of the tile. */
export const MR_6X8: i32 = 6;

/**
 * C = init + A B for one 6 x 8 tile; every element is one running sum over k = 0, 1, ..., K-1.
 *
 * a       packed panel [K][6]
 * b       eight columns of a packed panel: [K][8] with rows PANEL_BYTES apart, 16-byte aligned
 * init    [6][8] with rows initStride bytes apart (0: one row for all, e.g. a bias)
 * c       [6][8] with rows cStride bytes apart; overwritten; may be init
 *
 * Error: |C - exact| <= (K + 1) eps (|init| + |A| |B|), eps = 2^-24.
 * Twelve accumulators: fewer loads per product than 4x8, for engines that keep them all in registers (Node 24 and
 * later).
 */
export function f32_gemm_6x8(
  K: i32, a: usize, b: usize, init: usize, initStride: usize, c: usize, cStride: usize,
): void {
  let c00 = v128.load(init);
  let c01 = v128.load(init, 16);
  let c10 = v128.load(init + initStride);
  let c11 = v128.load(init + initStride, 16);
  let c20 = v128.load(init + 2 * initStride);
  let c21 = v128.load(init + 2 * initStride, 16);
  let c30 = v128.load(init + 3 * initStride);
  let c31 = v128.load(init + 3 * initStride, 16);
  let c40 = v128.load(init + 4 * initStride);
  let c41 = v128.load(init + 4 * initStride, 16);
  let c50 = v128.load(init + 5 * initStride);
  let c51 = v128.load(init + 5 * initStride, 16);
  const end = a + ((<usize>K * 6) << 2);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let s = v128.load_splat<f32>(a);
    c00 = madd(s, b0, c00);
    c01 = madd(s, b1, c01);
    s = v128.load_splat<f32>(a, 4);
    c10 = madd(s, b0, c10);
    c11 = madd(s, b1, c11);
    s = v128.load_splat<f32>(a, 8);
    c20 = madd(s, b0, c20);
    c21 = madd(s, b1, c21);
    s = v128.load_splat<f32>(a, 12);
    c30 = madd(s, b0, c30);
    c31 = madd(s, b1, c31);
    s = v128.load_splat<f32>(a, 16);
    c40 = madd(s, b0, c40);
    c41 = madd(s, b1, c41);
    s = v128.load_splat<f32>(a, 20);
    c50 = madd(s, b0, c50);
    c51 = madd(s, b1, c51);
    a += 24;
    b += PANEL_BYTES;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c + cStride, c10);
  v128.store(c + cStride, c11, 16);
  v128.store(c + 2 * cStride, c20);
  v128.store(c + 2 * cStride, c21, 16);
  v128.store(c + 3 * cStride, c30);
  v128.store(c + 3 * cStride, c31, 16);
  v128.store(c + 4 * cStride, c40);
  v128.store(c + 4 * cStride, c41, 16);
  v128.store(c + 5 * cStride, c50);
  v128.store(c + 5 * cStride, c51, 16);
}
