import { MR_4X8, f32_gemm_4x8 } from './f32_gemm_4x8';
import { MR_6X8, f32_gemm_6x8 } from './f32_gemm_6x8';

/** Columns of every tile. */
export const NR: i32 = 8;

/** Row counts are padded to a multiple of this, so every tile height divides them. */
export const ROW_PADDING: i32 = 12;

/** Runs the tile of height mr (4 or 6). All of them give the same bytes: only the order over k matters. */
// @ts-ignore: decorator
@inline
export function tile(
  mr: i32, K: i32, a: usize, b: usize, init: usize, initStride: usize, c: usize, cStride: usize,
): void {
  if (mr == MR_4X8) f32_gemm_4x8(K, a, b, init, initStride, c, cStride);
  else f32_gemm_6x8(K, a, b, init, initStride, c, cStride);
}

/** True for a height that `tile` has. */
export function isTileHeight(mr: i32): bool {
  return mr == MR_4X8 || mr == MR_6X8;
}
