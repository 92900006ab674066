import { PANEL_BYTES } from '../layout/panel';
import { madd } from '../simd/simd';

/** Rows of the tile. */
export const MR_4X8: i32 = 4;

/**
 * C = init + A B for one 4 x 8 tile; every element is one running sum over k = 0, 1, ..., K-1.
 *
 * a       packed panel [K][4]
 * b       eight columns of a packed panel: [K][8] with rows PANEL_BYTES apart, 16-byte aligned
 * init    [4][8] with rows initStride bytes apart (0: one row for all, e.g. a bias)
 * c       [4][8] with rows cStride bytes apart; overwritten; may be init
 *
 * Error: |C - exact| <= (K + 1) eps (|init| + |A| |B|), eps = 2^-24.
 * Eight accumulators, two panels of B and one splat of A fit V8's sixteen registers in every Node from 20 on.
 */
export function f32_gemm_4x8(
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
  const end = a + ((<usize>K * 4) << 2);
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
    a += 16;
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
}
