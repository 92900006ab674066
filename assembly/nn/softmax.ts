import { exp4, log4 } from '../simd/math';
import { lanesBelow, maxLane, sumLanes, zero } from '../simd/simd';

// Softmax and cross-entropy of B rows of C logits, rows ld elements apart (ld a multiple of 4, padding ignored):
//
//   p[c]  = exp(x[c] - max) / sum_c exp(x[c] - max)
//   loss  = ln(sum_c exp(x[c] - max)) + (max - x[label])
//   dx[c] = (p[c] - [c = label]) / B

/**
 * p = softmax(x) for one row, p and x apart; padding becomes zero. Returns the row's loss against `label`. The largest
 * logit is subtracted from the label's before the logarithm is added, so large logits lose no digits.
 */
function softmaxRow(x: usize, p: usize, C: i32, ld: i32, label: i32): f32 {
  let top = f32x4.splat(-Infinity);
  for (let c = 0; c < ld; c += 4) {
    const v = v128.load(x + (<usize>c << 2));
    top = f32x4.max(top, v128.bitselect(v, f32x4.splat(-Infinity), lanesBelow(c, C)));
  }
  const largest = maxLane(top);
  const shift = f32x4.splat(largest);
  let total = zero();
  for (let c = 0; c < ld; c += 4) {
    const at = <usize>c << 2;
    const e = v128.and(exp4(f32x4.sub(v128.load(x + at), shift)), lanesBelow(c, C));
    v128.store(p + at, e);
    total = f32x4.add(total, e);
  }
  const sum = sumLanes(total);
  const inverse = f32x4.splat(<f32>1 / sum);
  for (let c = 0; c < ld; c += 4) {
    const at = p + (<usize>c << 2);
    v128.store(at, f32x4.mul(v128.load(at), inverse));
  }
  return f32x4.extract_lane(log4(f32x4.splat(sum)), 0) + (largest - load<f32>(x + (<usize>label << 2)));
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
 * Rows [from, to): predicted class, loss and softmax of each.
 * x          (B, C) logits, kept; not p
 * p          (B, C); overwritten with probabilities
 * labels     (samples) i32 of all resident samples;  order  (B) u32, row b is sample order[b]
 * predicted  (B) i32, loss (B) f32; overwritten
 */
export function softmaxForward(
  C: i32,
  ld: i32,
  x: usize,
  p: usize,
  labels: usize,
  order: usize,
  predicted: usize,
  loss: usize,
  from: i32,
  to: i32,
): void {
  assert(x != p && C <= ld && ld % 4 == 0);
  for (let b = from; b < to; b++) {
    const at = <usize>b << 2;
    const row = x + at * ld;
    store<i32>(predicted + at, argmaxRow(row, C));
    store<f32>(loss + at, softmaxRow(row, p + at * ld, C, ld, labelOf(labels, order, b)));
  }
}

/** Rows [from, to): dx = (p - onehot(label)) / B, in place over p. Padding stays zero. */
export function crossEntropyBackward(
  B: i32,
  ld: i32,
  p: usize,
  labels: usize,
  order: usize,
  from: i32,
  to: i32,
): void {
  const inverse = <f32>1 / <f32>B;
  for (let b = from; b < to; b++) {
    const row = p + (<usize>b << 2) * ld;
    const hit = row + (<usize>labelOf(labels, order, b) << 2);
    store<f32>(hit, load<f32>(hit) - 1);
    for (let at = row; at < row + (<usize>ld << 2); at += 16) {
      v128.store(at, f32x4.mul(v128.load(at), f32x4.splat(inverse)));
    }
  }
}

/** Adds B rows to the running totals, in order: returns the sum of the losses. */
export function tally(
  B: i32,
  C: i32,
  labels: usize,
  order: usize,
  predicted: usize,
  loss: usize,
  confusion: usize,
): f64 {
  let sum: f64 = 0;
  for (let b = 0; b < B; b++) {
    const at = <usize>b << 2;
    sum += <f64>load<f32>(loss + at);
    const cell = confusion + (<usize>(labelOf(labels, order, b) * C + load<i32>(predicted + at)) << 2);
    store<u32>(cell, load<u32>(cell) + 1);
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function labelOf(labels: usize, order: usize, b: i32): i32 {
  return load<i32>(labels + (<usize>load<u32>(order + (<usize>b << 2)) << 2));
}
