import { lanesBelow, madd, zero } from '../simd/simd';
import { GELU, IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, TANH, activation4, derivative4 } from './activation';
import { Dropout, KEEP_ALL, drawnBits, maskStrip } from './dropout';
import { BatchNormVectors, STRIP, STRIP_BYTES, finishNorm, normalizeStrip, normalizeStripBackward } from './norm';

// What follows a hidden block's product, B samples by O features: BatchNorm where there is one, activation, dropout.
//
//   y    = norm(z), or z                                                              (norm.ts)
//   out  = keep ? f(y) keepScale : 0            keepScale = 1 / (1 - p)               (activation.ts, dropout.ts)
//
// A pass takes STRIP features (one cache line a row) through all its steps while they are in the cache; threads split
// the strips, so every sum runs over b = 0, 1, ..., B-1 in one thread. Rows are ld elements apart, ld a multiple of
// STRIP; the padding columns of out and dz are zero.
//
// BatchNorm, ReLU and dropout are fused into one pass each way, which reads from the zeros of `out` what was dropped or
// negative. Any other block goes through the steps one by one, and draws its mask again on the way back.

export { STRIP } from './norm';

/**
 * out = dropout(f(norm(z))), and the running statistics:
 *   running = carry running + momentum batch, with the unbiased batch variance (B / (B - 1)).
 * z       (B, O), kept for backward
 * out     (B, O); overwritten
 * norm    0 for none; frozen: its running statistics normalise and do not move
 * B >= 2 where a norm is not frozen.
 */
export function blockForward(
  B: i32,
  z: usize,
  out: usize,
  ld: i32,
  O: i32,
  norm: BatchNormVectors,
  epsilon: f32,
  momentum: f32,
  carry: f32,
  frozen: bool,
  kind: i32,
  slope: f32,
  dropout: Dropout,
  fromStrip: i32,
  toStrip: i32,
): void {
  const hasNorm = changetype<usize>(norm) != 0;
  assert((B >= 2 || frozen || !hasNorm) && ld % STRIP == 0);
  assert(dropout.keepBelow >= 1 && dropout.keepBelow <= KEEP_ALL);
  if (hasNorm && kind == RELU && !frozen) {
    normReluForward(B, z, out, ld, norm, epsilon, momentum, carry, dropout, fromStrip, toStrip);
    return;
  }
  const stride = <usize>ld << 2;
  for (let strip = fromStrip; strip < toStrip; strip++) {
    let source = z;
    if (hasNorm) {
      normalizeStrip(B, z, out, stride, norm, epsilon, momentum, carry, frozen, strip);
      source = out;
    }
    activateStrip(kind, slope, B, source, out, stride, strip);
    if (dropout.keepBelow != KEEP_ALL) maskStrip(B, out, stride, dropout, strip);
    clearPadding(B, O, out, stride, strip);
  }
}

/**
 * Backward of the same block, in place: d holds dout on entry and dz on return.
 *   dy = keep ? dout keepScale f'(y) : 0
 * z, out         (B, O) as forward left them
 * dgamma, dbeta  (O); overwritten. Without a norm dbeta is the bias gradient sum_b dz, or 0 where there is no bias
 */
export function blockBackward(
  B: i32,
  z: usize,
  out: usize,
  d: usize,
  ld: i32,
  O: i32,
  norm: BatchNormVectors,
  dgamma: usize,
  dbeta: usize,
  frozen: bool,
  kind: i32,
  slope: f32,
  dropout: Dropout,
  fromStrip: i32,
  toStrip: i32,
): void {
  const hasNorm = changetype<usize>(norm) != 0;
  assert(ld % STRIP == 0);
  if (hasNorm && kind == RELU && !frozen) {
    normReluBackward(B, z, out, d, ld, norm, dgamma, dbeta, dropout.keepScale, fromStrip, toStrip);
    return;
  }
  const stride = <usize>ld << 2;
  for (let strip = fromStrip; strip < toStrip; strip++) {
    if (kind == RELU) {
      maskFromOutput(B, out, d, stride, dropout.keepScale, strip);
    } else {
      if (dropout.keepBelow != KEEP_ALL) maskStrip(B, d, stride, dropout, strip);
      derivativeStrip(kind, slope, B, z, d, stride, norm, strip);
      clearPadding(B, O, d, stride, strip);
    }
    if (hasNorm) normalizeStripBackward(B, z, d, stride, norm, dgamma, dbeta, frozen, strip);
    else if (dbeta) sumStrip(B, d, stride, dbeta, strip);
  }
}

// Steps of one strip. The addresses of its elements run from that of row 0 by `stride` bytes.

// @ts-ignore: decorator
@inline
function activateStripOf(kind: i32, slope: f32, B: i32, source: usize, out: usize, stride: usize, strip: i32): void {
  const slopes = f32x4.splat(slope);
  const first = <usize>strip * STRIP_BYTES;
  for (let row = first; row < first + <usize>B * stride; row += stride) {
    for (let p = row; p < row + STRIP_BYTES; p += 16) {
      v128.store(out + p, activation4(kind, v128.load(source + p), slopes));
    }
  }
}

/** out = f(source); out may be the source. */
function activateStrip(kind: i32, slope: f32, B: i32, source: usize, out: usize, stride: usize, strip: i32): void {
  if (kind == RELU) activateStripOf(RELU, slope, B, source, out, stride, strip);
  else if (kind == LEAKY_RELU) activateStripOf(LEAKY_RELU, slope, B, source, out, stride, strip);
  else if (kind == TANH) activateStripOf(TANH, slope, B, source, out, stride, strip);
  else if (kind == SIGMOID) activateStripOf(SIGMOID, slope, B, source, out, stride, strip);
  else if (kind == GELU) activateStripOf(GELU, slope, B, source, out, stride, strip);
  else if (kind == SILU) activateStripOf(SILU, slope, B, source, out, stride, strip);
  else if (source != out) activateStripOf(IDENTITY, slope, B, source, out, stride, strip);
}

// @ts-ignore: decorator
@inline
function derivativeStripOf(
  kind: i32,
  slope: f32,
  B: i32,
  z: usize,
  d: usize,
  stride: usize,
  norm: BatchNormVectors,
  strip: i32,
): void {
  const slopes = f32x4.splat(slope);
  const hasNorm = changetype<usize>(norm) != 0;
  for (let part: usize = 0; part < STRIP_BYTES; part += 16) {
    const column = <usize>strip * STRIP_BYTES + part;
    let mean = zero();
    let scale = f32x4.splat(1);
    let beta = zero();
    if (hasNorm) {
      mean = v128.load(norm.mean + column);
      scale = f32x4.mul(v128.load(norm.gamma + column), v128.load(norm.rstd + column));
      beta = v128.load(norm.beta + column);
    }
    for (let p = column; p < column + <usize>B * stride; p += stride) {
      let y = v128.load(z + p);
      if (hasNorm) y = madd(f32x4.sub(y, mean), scale, beta);
      v128.store(d + p, f32x4.mul(v128.load(d + p), derivative4(kind, y, slopes)));
    }
  }
}

/** d times f'(y), y worked out from z again. */
function derivativeStrip(
  kind: i32,
  slope: f32,
  B: i32,
  z: usize,
  d: usize,
  stride: usize,
  norm: BatchNormVectors,
  strip: i32,
): void {
  if (kind == LEAKY_RELU) derivativeStripOf(LEAKY_RELU, slope, B, z, d, stride, norm, strip);
  else if (kind == TANH) derivativeStripOf(TANH, slope, B, z, d, stride, norm, strip);
  else if (kind == SIGMOID) derivativeStripOf(SIGMOID, slope, B, z, d, stride, norm, strip);
  else if (kind == GELU) derivativeStripOf(GELU, slope, B, z, d, stride, norm, strip);
  else if (kind == SILU) derivativeStripOf(SILU, slope, B, z, d, stride, norm, strip);
}

/** d = out != 0 ? d keepScale : 0, for ReLU: the zeros of out are what was dropped or not positive. */
function maskFromOutput(B: i32, out: usize, d: usize, stride: usize, keepScale: f32, strip: i32): void {
  const scale = f32x4.splat(keepScale);
  const first = <usize>strip * STRIP_BYTES;
  for (let row = first; row < first + <usize>B * stride; row += stride) {
    for (let p = row; p < row + STRIP_BYTES; p += 16) v128.store(d + p, maskedGradient(out + p, d + p, scale));
  }
}

/** Sets the features from O on to zero: what reads whole panels relies on it. */
function clearPadding(B: i32, O: i32, x: usize, stride: usize, strip: i32): void {
  for (let first = max(0, O - strip * STRIP) & ~3; first < STRIP; first += 4) {
    const keep = lanesBelow(strip * STRIP + first, O);
    const column = x + (<usize>(strip * STRIP + first) << 2);
    for (let p = column; p < column + <usize>B * stride; p += stride) v128.store(p, v128.and(v128.load(p), keep));
  }
}

/** db[o] = sum_b d[b][o]. */
function sumStrip(B: i32, d: usize, stride: usize, db: usize, strip: i32): void {
  for (let part: usize = 0; part < STRIP_BYTES; part += 16) {
    const column = <usize>strip * STRIP_BYTES + part;
    let sum = zero();
    for (let p = column; p < column + <usize>B * stride; p += stride) sum = f32x4.add(sum, v128.load(d + p));
    v128.store(db + column, sum);
  }
}

// BatchNorm, ReLU and dropout in one pass.

/** blockForward with a norm that is not frozen and ReLU. */
function normReluForward(
  B: i32,
  z: usize,
  out: usize,
  ld: i32,
  vectors: BatchNormVectors,
  epsilon: f32,
  momentum: f32,
  carry: f32,
  dropout: Dropout,
  fromStrip: i32,
  toStrip: i32,
): void {
  assert(B >= 2 && ld % STRIP == 0);
  const stride = <usize>ld << 2;
  const inverse = f32x4.splat(<f32>1 / <f32>B);
  const unbiased = f32x4.splat(<f32>B / <f32>(B - 1));
  const drops = dropout.keepBelow != KEEP_ALL;
  const scale = f32x4.splat(dropout.keepScale);
  const threshold = i16x8.splat(<i16>(dropout.keepBelow - 1));
  const share = f32x4.splat(momentum);
  const rest = f32x4.splat(carry);
  for (let strip = fromStrip; strip < toStrip; strip++) {
    const column = <usize>strip * STRIP * 4;
    const first = z + column;
    const last = first + <usize>B * stride;

    let s0 = zero();
    let s1 = zero();
    let s2 = zero();
    let s3 = zero();
    for (let p = first; p < last; p += stride) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
    }
    const mean0 = f32x4.mul(s0, inverse);
    const mean1 = f32x4.mul(s1, inverse);
    const mean2 = f32x4.mul(s2, inverse);
    const mean3 = f32x4.mul(s3, inverse);

    s0 = zero();
    s1 = zero();
    s2 = zero();
    s3 = zero();
    for (let p = first; p < last; p += stride) {
      const d0 = f32x4.sub(v128.load(p), mean0);
      const d1 = f32x4.sub(v128.load(p, 16), mean1);
      const d2 = f32x4.sub(v128.load(p, 32), mean2);
      const d3 = f32x4.sub(v128.load(p, 48), mean3);
      s0 = madd(d0, d0, s0);
      s1 = madd(d1, d1, s1);
      s2 = madd(d2, d2, s2);
      s3 = madd(d3, d3, s3);
    }
    const g0 = finishNorm(vectors, column, mean0, f32x4.mul(s0, inverse), epsilon, rest, share, unbiased);
    const g1 = finishNorm(vectors, column + 16, mean1, f32x4.mul(s1, inverse), epsilon, rest, share, unbiased);
    const g2 = finishNorm(vectors, column + 32, mean2, f32x4.mul(s2, inverse), epsilon, rest, share, unbiased);
    const g3 = finishNorm(vectors, column + 48, mean3, f32x4.mul(s3, inverse), epsilon, rest, share, unbiased);
    const beta = vectors.beta + column;
    const b0 = v128.load(beta);
    const b1 = v128.load(beta, 16);
    const b2 = v128.load(beta, 32);
    const b3 = v128.load(beta, 48);

    let write = out + column;
    for (let b = 0; b < B; b++) {
      const read = first + <usize>b * stride;
      let y0 = f32x4.max(madd(f32x4.sub(v128.load(read), mean0), g0, b0), zero());
      let y1 = f32x4.max(madd(f32x4.sub(v128.load(read, 16), mean1), g1, b1), zero());
      let y2 = f32x4.max(madd(f32x4.sub(v128.load(read, 32), mean2), g2, b2), zero());
      let y3 = f32x4.max(madd(f32x4.sub(v128.load(read, 48), mean3), g3, b3), zero());
      if (drops) {
        const draws = drawnBits(dropout, b, strip);
        const keepA = i16x8.le_u(v128.load(draws), threshold);
        const keepB = i16x8.le_u(v128.load(draws, 64), threshold);
        y0 = v128.and(f32x4.mul(y0, scale), i32x4.extend_low_i16x8_s(keepA));
        y1 = v128.and(f32x4.mul(y1, scale), i32x4.extend_high_i16x8_s(keepA));
        y2 = v128.and(f32x4.mul(y2, scale), i32x4.extend_low_i16x8_s(keepB));
        y3 = v128.and(f32x4.mul(y3, scale), i32x4.extend_high_i16x8_s(keepB));
      }
      v128.store(write, y0);
      v128.store(write, y1, 16);
      v128.store(write, y2, 32);
      v128.store(write, y3, 48);
      write += stride;
    }
  }
}


/** blockBackward of the same. */
function normReluBackward(
  B: i32,
  z: usize,
  out: usize,
  d: usize,
  ld: i32,
  vectors: BatchNormVectors,
  dgamma: usize,
  dbeta: usize,
  keepScale: f32,
  fromStrip: i32,
  toStrip: i32,
): void {
  assert(B >= 2 && ld % STRIP == 0);
  const stride = <usize>ld << 2;
  const size = <usize>B * stride;
  const scale = f32x4.splat(keepScale);
  const inverse = f32x4.splat(<f32>1 / <f32>B);
  // Two vectors of a strip at a time: six sums and constants each stay in registers.
  for (let half = 2 * fromStrip; half < 2 * toStrip; half++) {
    const column = <usize>half * STRIP * 2;
    const mean0 = v128.load(vectors.mean + column);
    const mean1 = v128.load(vectors.mean + column, 16);
    const rstd0 = v128.load(vectors.rstd + column);
    const rstd1 = v128.load(vectors.rstd + column, 16);
    let sum0 = zero();
    let sum1 = zero();
    let dot0 = zero();
    let dot1 = zero();
    for (let p = column; p < column + size; p += stride) {
      const dy0 = maskedGradient(out + p, d + p, scale);
      const dy1 = maskedGradient(out + p + 16, d + p + 16, scale);
      sum0 = f32x4.add(sum0, dy0);
      sum1 = f32x4.add(sum1, dy1);
      dot0 = madd(dy0, f32x4.sub(v128.load(z + p), mean0), dot0);
      dot1 = madd(dy1, f32x4.sub(v128.load(z + p, 16), mean1), dot1);
    }
    dot0 = f32x4.mul(dot0, rstd0);
    dot1 = f32x4.mul(dot1, rstd1);
    v128.store(dbeta + column, sum0);
    v128.store(dbeta + column, sum1, 16);
    v128.store(dgamma + column, dot0);
    v128.store(dgamma + column, dot1, 16);

    const factor0 = f32x4.mul(v128.load(vectors.gamma + column), rstd0);
    const factor1 = f32x4.mul(v128.load(vectors.gamma + column, 16), rstd1);
    const shift0 = f32x4.mul(sum0, inverse);
    const shift1 = f32x4.mul(sum1, inverse);
    const slope0 = f32x4.neg(f32x4.mul(f32x4.mul(dot0, inverse), rstd0));
    const slope1 = f32x4.neg(f32x4.mul(f32x4.mul(dot1, inverse), rstd1));
    for (let p = column; p < column + size; p += stride) {
      const dy0 = f32x4.sub(maskedGradient(out + p, d + p, scale), shift0);
      const dy1 = f32x4.sub(maskedGradient(out + p + 16, d + p + 16, scale), shift1);
      v128.store(d + p, f32x4.mul(factor0, madd(f32x4.sub(v128.load(z + p), mean0), slope0, dy0)));
      v128.store(d + p, f32x4.mul(factor1, madd(f32x4.sub(v128.load(z + p, 16), mean1), slope1, dy1)), 16);
    }
  }
}

/** dout keepScale where out is not zero, else 0. */
// @ts-ignore: decorator
@inline
function maskedGradient(out: usize, dout: usize, scale: v128): v128 {
  return v128.and(f32x4.mul(v128.load(dout), scale), f32x4.ne(v128.load(out), zero()));
}

