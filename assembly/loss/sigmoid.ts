import { exp4, log4 } from '../simd/math';
import { clearPadding } from './padding';
import { lanesBelow, sumLanes, zero } from '../simd/simd';
import { targetsOf, weighted } from './targets';

// Sigmoid and binary cross-entropy of B rows of C logits, rows ld elements apart (ld a multiple of 4, padding ignored),
// in the form that cannot overflow. With targets t in [0, 1] and e = exp(-|x|):
//
//   p[c]  = 1 / (1 + exp(-x[c]))                  = 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0
//   loss  = 1 / C sum_c -(t ln p + (1 - t) ln(1 - p))
//         = 1 / C sum_c ln(1 + e) + |x| (x > 0 ? 1 - t : t)
//   dx[c] = (p[c] - t[c]) inverse / C w           inverse = 1 / B, or 1 / the sum of the batch's weights
//
// So the mean over the rows is PyTorch's BCEWithLogitsLoss. Every term of the loss is positive: its error is 5 ULP a
// term, and 2^-24 for each addition.

/** ln(1 + e) in each lane for e in [0, 1]: ln of the rounded sum, and what rounding left off over it. At most 4 ULP. */
// @ts-ignore: decorator
@inline
export function log1p4(e: v128): v128 {
  const one = f32x4.splat(1);
  const sum = f32x4.add(one, e);
  return f32x4.add(log4(sum), f32x4.div(f32x4.sub(e, f32x4.sub(sum, one)), sum));
}

/**
 * Rows [from, to): sigmoid and, where there are targets, loss of each.
 * x        (B, C) logits, kept
 * p        (B, C); overwritten with probabilities, padding with zeros
 * targets  targets.ts, or 0: then loss is left alone, and order is not read
 * loss     (B) f32, without the sample's weight; overwritten
 */
export function sigmoidForward(
  C: i32, ld: i32, x: usize, p: usize, targets: usize, order: usize, loss: usize, from: i32, to: i32,
): void {
  assert(x != p && C > 0 && C <= ld && ld % 4 == 0);
  const one = f32x4.splat(1);
  for (let b = from; b < to; b++) {
    const at = <usize>b << 2;
    const row = x + at * ld;
    const t = targets ? targetsOf(targets, C, order, b) : 0;
    let total = zero();
    for (let c = 0; c < C; c += 4) {
      const offset = <usize>c << 2;
      const present = lanesBelow(c, C);
      const v = v128.load(row + offset);
      const size = f32x4.abs(v);
      const e = exp4(f32x4.neg(size));
      const positive = f32x4.ge(v, zero());
      const y = f32x4.div(v128.bitselect(one, e, positive), f32x4.add(one, e));
      v128.store(p + at * ld + offset, v128.and(y, present));
      if (t == 0) continue;
      const target = v128.load(t + offset);
      const miss = v128.bitselect(f32x4.sub(one, target), target, positive);
      total = f32x4.add(total, v128.and(f32x4.add(log1p4(e), f32x4.mul(size, miss)), present));
    }
    clearPadding(p + at * ld, C, ld);
    if (t) store<f32>(loss + at, sumLanes(total) / <f32>C);
  }
}

/**
 * Rows [from, to): dx = (p - t) inverse / C w, in place over the p of sigmoidForward. Padding stays zero.
 * targets, weights  targets.ts
 */
export function binaryCrossEntropyBackward(
  C: i32, ld: i32, p: usize, targets: usize, order: usize, weights: usize, inverse: f32, from: i32, to: i32,
): void {
  assert(C > 0 && C <= ld && ld % 4 == 0);
  for (let b = from; b < to; b++) {
    const row = p + (<usize>b << 2) * ld;
    const t = targetsOf(targets, C, order, b);
    const factor = f32x4.splat(weighted(inverse / <f32>C, weights, order, b));
    for (let c = 0; c < C; c += 4) {
      const offset = <usize>c << 2;
      const difference = f32x4.sub(v128.load(row + offset), v128.load(t + offset));
      v128.store(row + offset, v128.and(f32x4.mul(difference, factor), lanesBelow(c, C)));
    }
  }
}
