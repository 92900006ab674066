import { exp4, log4 } from '../simd/math';
import { clearPadding } from './padding';
import { lanesBelow, maxLane, sumLanes, zero } from '../simd/simd';
import { labelOf, weighted } from './targets';

// Softmax and cross-entropy of B rows of C logits, rows ld elements apart (ld a multiple of 4, padding ignored), with
// label smoothing s (Szegedy et al., "Rethinking the Inception architecture", 2016), as PyTorch's CrossEntropyLoss:
//
//   p[c]  = exp(x[c] - max) / sum_c exp(x[c] - max)
//   t[c]  = (1 - s) [c = label] + s / C
//   loss  = ln(sum_c exp(x[c])) - sum_c t[c] x[c]
//         = ln(sum_c exp(x[c] - max)) + (1 - s) (max - x[label]) + s / C sum_c (max - x[c])
//   dx[c] = (p[c] - t[c]) inverse w                            inverse = 1 / B, or 1 / the sum of the batch's weights
//
// The largest logit is subtracted before anything else, so large logits lose no digits. Error: 2 ULP of exp4 and of
// log4, and 2^-24 for each other rounding; the sums have C terms of one sign.

/**
 * p = softmax(x) for one row, p and x apart; padding becomes zero. Returns the sum of the
 * exponentials. */
// @ts-ignore: decorator
@inline
function softmaxRow(x: usize, p: usize, C: i32, ld: i32, largest: f32): f32 {
  const shift = f32x4.splat(largest);
  let total = zero();
  for (let c = 0; c < C; c += 4) {
    const at = <usize>c << 2;
    const e = v128.and(exp4(f32x4.sub(v128.load(x + at), shift)), lanesBelow(c, C));
    v128.store(p + at, e);
    total = f32x4.add(total, e);
  }
  const sum = sumLanes(total);
  const inverse = f32x4.splat(<f32>1 / sum);
  for (let c = 0; c < C; c += 4) {
    const at = p + (<usize>c << 2);
    v128.store(at, f32x4.mul(v128.load(at), inverse));
  }
  clearPadding(p, C, ld);
  return sum;
}

/** The largest of a row's C logits. */
// @ts-ignore: decorator
@inline
function maxRow(x: usize, C: i32): f32 {
  let top = f32x4.splat(-Infinity);
  for (let c = 0; c < C; c += 4) {
    const v = v128.load(x + (<usize>c << 2));
    top = f32x4.max(top, v128.bitselect(v, f32x4.splat(-Infinity), lanesBelow(c, C)));
  }
  return maxLane(top);
}

/** sum_c (largest - x[c]) of a row's C logits. */
function shortfall(x: usize, C: i32, largest: f32): f32 {
  let total = zero();
  for (let c = 0; c < C; c += 4) {
    const below = f32x4.sub(f32x4.splat(largest), v128.load(x + (<usize>c << 2)));
    total = f32x4.add(total, v128.and(below, lanesBelow(c, C)));
  }
  return sumLanes(total);
}

/** Index of the largest of C values, the first of equals (numpy's argmax). */
export function argmaxRow(x: usize, C: i32): i32 {
  let best = 0;
  let top = load<f32>(x);
  for (let c = 1; c < C; c++) {
    const v = load<f32>(x + (<usize>c << 2));
    if (v > top) {
      top = v;
      best = c;
    }
  }
  return best;
}

/**
 * Rows [from, to): predicted class, softmax and, where there are labels, loss of each.
 * x          (B, C) logits, kept; not p
 * p          (B, C); overwritten with probabilities, padding with zeros
 * labels     targets.ts, or 0: then loss is left alone, and order is not read
 * predicted  (B) i32, loss (B) f32, without the sample's weight; overwritten
 */
export function softmaxForward(
  C: i32, ld: i32, x: usize, p: usize, labels: usize, order: usize, smoothing: f32, predicted: usize, loss: usize,
  from: i32, to: i32,
): void {
  assert(x != p && C > 0 && C <= ld && ld % 4 == 0 && smoothing >= 0 && smoothing <= 1);
  for (let b = from; b < to; b++) {
    const at = <usize>b << 2;
    const row = x + at * ld;
    store<i32>(predicted + at, argmaxRow(row, C));
    const largest = maxRow(row, C);
    const sum = softmaxRow(row, p + at * ld, C, ld, largest);
    if (labels == 0) continue;
    let miss = largest - load<f32>(row + (<usize>labelOf(labels, order, b) << 2));
    if (smoothing != 0) {
      miss = (<f32>1 - smoothing) * miss + (smoothing / <f32>C) * shortfall(row, C, largest);
    }
    store<f32>(loss + at, f32x4.extract_lane(log4(f32x4.splat(sum)), 0) + miss);
  }
}

/**
 * Rows [from, to): dx = (p - t) inverse w, in place over the p of softmaxForward. Padding stays zero.
 * labels, weights  targets.ts
 */
export function crossEntropyBackward(
  C: i32, ld: i32, p: usize, labels: usize, order: usize, weights: usize, inverse: f32, smoothing: f32,
  from: i32, to: i32,
): void {
  assert(C > 0 && C <= ld && ld % 4 == 0 && smoothing >= 0 && smoothing <= 1);
  const share = f32x4.splat(smoothing / <f32>C);
  for (let b = from; b < to; b++) {
    const row = p + (<usize>b << 2) * ld;
    const hit = row + (<usize>labelOf(labels, order, b) << 2);
    store<f32>(hit, load<f32>(hit) - (<f32>1 - smoothing));
    const factor = f32x4.splat(weighted(inverse, weights, order, b));
    for (let c = 0; c < C; c += 4) {
      const at = row + (<usize>c << 2);
      const difference = f32x4.sub(v128.load(at), v128.and(share, lanesBelow(c, C)));
      v128.store(at, f32x4.mul(difference, factor));
    }
  }
}
