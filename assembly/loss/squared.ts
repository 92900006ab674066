import { clearPadding } from './padding';
import { lanesBelow, sumLanes, zero } from '../simd/simd';
import { targetsOf, weighted } from './targets';

// Squared error and Huber's loss (Huber, 1964) of B rows of C outputs, rows ld elements apart (ld a multiple of 4,
// padding ignored), with d = x - t:
//
//   SQUARED  loss  = 1 / C sum_c d^2                                                      PyTorch's MSELoss
//            dx[c] = 2 d inverse / C w
//   HUBER    loss  = 1 / C sum_c (|d| <= delta ? d^2 / 2 : delta (|d| - delta / 2))       PyTorch's HuberLoss
//            dx[c] = min(max(d, -delta), delta) inverse / C w
//
// inverse = 1 / B, or 1 / the sum of the batch's weights. Error: 2^-24 for each rounding, the one of d included; the
// terms of the loss have one sign.

export const SQUARED: i32 = 0;
export const HUBER: i32 = 1;

/** Huber's loss in each lane, as q (|d| - q / 2) with q = min(|d|, delta). */
// @ts-ignore: decorator
@inline
function huber(d: v128, delta: v128): v128 {
  const size = f32x4.abs(d);
  const q = f32x4.min(size, delta);
  return f32x4.mul(q, f32x4.sub(size, f32x4.mul(q, f32x4.splat(0.5))));
}

/**
 * Rows [from, to): predictions and, where there are targets, loss of each.
 * kind, delta  SQUARED, or HUBER with delta > 0
 * x            (B, C), kept
 * p            (B, C); overwritten with x, padding with zeros
 * targets      targets.ts, or 0: then loss is left alone, and order is not read
 * loss         (B) f32, without the sample's weight; overwritten
 */
export function squaredForward(
  kind: i32, delta: f32, C: i32, ld: i32, x: usize, p: usize, targets: usize, order: usize, loss: usize,
  from: i32, to: i32,
): void {
  assert((kind == SQUARED || delta > 0) && x != p && C > 0 && C <= ld && ld % 4 == 0);
  const bound = f32x4.splat(delta);
  for (let b = from; b < to; b++) {
    const at = <usize>b << 2;
    const row = x + at * ld;
    const t = targets ? targetsOf(targets, C, order, b) : 0;
    let total = zero();
    for (let c = 0; c < C; c += 4) {
      const offset = <usize>c << 2;
      const present = lanesBelow(c, C);
      const v = v128.load(row + offset);
      v128.store(p + at * ld + offset, v128.and(v, present));
      if (t == 0) continue;
      const d = f32x4.sub(v, v128.load(t + offset));
      const term = kind == HUBER ? huber(d, bound) : f32x4.mul(d, d);
      total = f32x4.add(total, v128.and(term, present));
    }
    clearPadding(p + at * ld, C, ld);
    if (t) store<f32>(loss + at, sumLanes(total) / <f32>C);
  }
}

/**
 * Rows [from, to): dx as above, in place over the p of squaredForward. Padding stays zero.
 * targets, weights  targets.ts
 */
export function squaredBackward(
  kind: i32, delta: f32, C: i32, ld: i32, p: usize, targets: usize, order: usize, weights: usize, inverse: f32,
  from: i32, to: i32,
): void {
  assert((kind == SQUARED || delta > 0) && C > 0 && C <= ld && ld % 4 == 0);
  const bound = f32x4.splat(delta);
  const slope: f32 = kind == HUBER ? 1 : 2;
  for (let b = from; b < to; b++) {
    const row = p + (<usize>b << 2) * ld;
    const t = targetsOf(targets, C, order, b);
    const factor = f32x4.splat(weighted((slope * inverse) / <f32>C, weights, order, b));
    for (let c = 0; c < C; c += 4) {
      const offset = <usize>c << 2;
      let d = f32x4.sub(v128.load(row + offset), v128.load(t + offset));
      if (kind == HUBER) d = f32x4.max(f32x4.min(d, bound), f32x4.neg(bound));
      v128.store(row + offset, v128.and(f32x4.mul(d, factor), lanesBelow(c, C)));
    }
  }
}
