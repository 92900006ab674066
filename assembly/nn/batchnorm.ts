import { STREAM_DROPOUT, philoxPair } from '../rng/philox';
import { madd, zero } from '../simd/simd';

// One hidden block's BatchNorm -> ReLU -> Dropout, forward and backward, B samples by O features.
//
//   mean  = sum_b z / B                    var  = sum_b (z - mean)^2 / B             (biased)
//   xhat  = (z - mean) rstd                rstd = 1 / sqrt(var + eps)
//   y     = gamma xhat + beta
//   out   = keep ? max(y, 0) keepScale : 0                                           keepScale = 1 / (1 - p)
//
// A pass takes STRIP features (one cache line a row) through all its steps while they are in the cache; threads
// split the strips, so every sum runs over b = 0, 1, ..., B-1 in one thread. Rows are ld elements apart, ld a
// multiple of STRIP; the padding columns are zero and stay so.
//
// Ioffe and Szegedy, "Batch normalization", 2015; Srivastava et al., "Dropout", 2014.

/** Features of one strip. */
export const STRIP: i32 = 16;

/** Dropout's probabilities are multiples of 2^-16: an element is kept if its 16 random bits are below this. */
export const KEEP_ALL: i32 = 65536;

/** What one BatchNorm layer reads and writes besides its activations: addresses of f32 vectors, padded to strips. */
@unmanaged
export class BatchNormVectors {
  gamma: usize;
  beta: usize;
  runningMean: usize;
  runningVar: usize;
  /** Saved by forward for backward. */
  mean: usize;
  /** Saved by forward for backward. */
  rstd: usize;
}

/**
 * out = dropout(relu(batchNorm(z))), and the running statistics:
 *   running = (1 - momentum) running + momentum batch, with the unbiased batch variance (B / (B - 1)).
 * z       (B, O), kept for backward
 * out     (B, O); overwritten; backward reads from its zeros what was dropped or negative
 * scratch 128 bytes of the calling thread's own
 * The keep mask is a function of (key, step, layer, b, o) alone. B >= 2.
 */
export function batchNormReluDropoutForward(
  B: i32,
  z: usize,
  out: usize,
  ld: i32,
  vectors: BatchNormVectors,
  epsilon: f32,
  momentum: f64,
  keepBelow: i32,
  keepScale: f32,
  step: i32,
  layer: i32,
  key0: u32,
  key1: u32,
  scratch: usize,
  fromStrip: i32,
  toStrip: i32,
): void {
  assert(B >= 2 && ld % STRIP == 0 && keepBelow >= 1 && keepBelow <= KEEP_ALL);
  const stride = <usize>ld << 2;
  const inverse = f32x4.splat(<f32>1 / <f32>B);
  const unbiased = f32x4.splat(<f32>B / <f32>(B - 1));
  const scale = f32x4.splat(keepScale);
  const threshold = i16x8.splat(<i16>(keepBelow - 1));
  const m = f32x4.splat(<f32>momentum);
  const carry = f32x4.splat(<f32>(1 - momentum));
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
    const g0 = finish(vectors, column, mean0, f32x4.mul(s0, inverse), epsilon, carry, m, unbiased);
    const g1 = finish(vectors, column + 16, mean1, f32x4.mul(s1, inverse), epsilon, carry, m, unbiased);
    const g2 = finish(vectors, column + 32, mean2, f32x4.mul(s2, inverse), epsilon, carry, m, unbiased);
    const g3 = finish(vectors, column + 48, mean3, f32x4.mul(s3, inverse), epsilon, carry, m, unbiased);
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
      if (keepBelow != KEEP_ALL) {
        // Block (b, 8 features, step, layer): four words, two bytes a feature. Four rows are drawn at once.
        if ((b & 3) == 0) philoxPair(b, 2 * strip, step, (STREAM_DROPOUT << 16) | layer, key0, key1, scratch);
        const draws = scratch + (<usize>(b & 3) << 4);
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

/** Saves mean and rstd, moves the running statistics, and returns gamma rstd, for four features at `column`. */
function finish(
  vectors: BatchNormVectors,
  column: usize,
  mean: v128,
  variance: v128,
  epsilon: f32,
  carry: v128,
  momentum: v128,
  unbiased: v128,
): v128 {
  const rstd = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(epsilon))));
  v128.store(vectors.mean + column, mean);
  v128.store(vectors.rstd + column, rstd);
  const runningMean = vectors.runningMean + column;
  const runningVar = vectors.runningVar + column;
  v128.store(runningMean, madd(carry, v128.load(runningMean), f32x4.mul(momentum, mean)));
  v128.store(
    runningVar,
    madd(carry, v128.load(runningVar), f32x4.mul(momentum, f32x4.mul(unbiased, variance))),
  );
  return f32x4.mul(v128.load(vectors.gamma + column), rstd);
}

/**
 * Backward of the same block, in place:
 *   dy     = out != 0 ? dout keepScale : 0
 *   dbeta  = sum_b dy                      dgamma = sum_b dy xhat
 *   dz     = gamma rstd (dy - dbeta / B - xhat dgamma / B)
 * z, out         (B, O) as forward left them
 * d              (B, O): dout on entry, dz on return
 * dgamma, dbeta  (O); overwritten
 */
export function batchNormReluDropoutBackward(
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

/**
 * Folds inference's BatchNorm into the Dense layer before it: with s = gamma / sqrt(runningVar + eps),
 *   W' = W s (done by packB's scale)       b' = (b - runningMean) s + beta
 * scale, folded  (O); overwritten
 */
export function foldBatchNorm(
  bias: usize,
  ld: i32,
  vectors: BatchNormVectors,
  epsilon: f32,
  scale: usize,
  folded: usize,
): void {
  for (let p: usize = 0; p < <usize>ld << 2; p += 16) {
    const rstd = f32x4.div(
      f32x4.splat(1),
      f32x4.sqrt(f32x4.add(v128.load(vectors.runningVar + p), f32x4.splat(epsilon))),
    );
    const s = f32x4.mul(v128.load(vectors.gamma + p), rstd);
    const centred = f32x4.sub(v128.load(bias + p), v128.load(vectors.runningMean + p));
    v128.store(scale + p, s);
    v128.store(folded + p, madd(centred, s, v128.load(vectors.beta + p)));
  }
}
