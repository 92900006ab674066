/** The one file that knows relaxed from plain SIMD. Everything here is inlined and acts on four f32 lanes. */

/** True in the builds whose madd rounds once (fused); false where it rounds twice. */
export const FUSED: bool = ASC_FEATURE_RELAXED_SIMD;

/**
 * a * b + c. Fused in the relaxed builds, two roundings in the plain ones. At least one operand must be a run-time
 * value: asc 0.27's optimiser folds three constants in the wrong order.
 */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a * b, with the rounding of madd. */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return madd(f32x4.neg(a), b, c);
}

/** Four lanes of zero. */
// @ts-ignore: decorator
@inline
export function zero(): v128 {
  return f32x4.splat(0);
}

/** (l0 + l2) + (l1 + l3): the order of a horizontal sum, the same in every build. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pair = f32x4.add(v, i64x2.shuffle(v, v, 1, 0));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

/** The largest lane. */
// @ts-ignore: decorator
@inline
export function maxLane(v: v128): f32 {
  const pair = f32x4.max(v, i64x2.shuffle(v, v, 1, 0));
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1));
}

/** All ones in the lanes whose index, counted from `first`, is below `count`; zero in the others. */
// @ts-ignore: decorator
@inline
export function lanesBelow(first: i32, count: i32): v128 {
  return i32x4.lt_s(i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3)), i32x4.splat(count));
}

/** Four u8 at `pointer` as f32, each divided by 255. */
// @ts-ignore: decorator
@inline
export function loadPixels(pointer: usize): v128 {
  const bytes = v128.load32_zero(pointer);
  const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
  return f32x4.div(f32x4.convert_i32x4_u(words), f32x4.splat(255));
}

/** Rows a, b, c, d of a 4x4 block, transposed and stored at out, out+stride, out+2 stride, out+3 stride (bytes). */
// @ts-ignore: decorator
@inline
export function storeTransposed(a: v128, b: v128, c: v128, d: v128, out: usize, stride: usize): void {
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(ab0, cd0, 0, 2));
  v128.store(out + stride, i64x2.shuffle(ab0, cd0, 1, 3));
  v128.store(out + 2 * stride, i64x2.shuffle(ab1, cd1, 0, 2));
  v128.store(out + 3 * stride, i64x2.shuffle(ab1, cd1, 1, 3));
}
