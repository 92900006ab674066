import { madd, zero } from '../simd/simd';

// BatchNorm of B samples by O features (Ioffe and Szegedy, "Batch normalization", 2015):
//
//   mean  = sum_b z / B                    var  = sum_b (z - mean)^2 / B             (biased)
//   xhat  = (z - mean) rstd                rstd = 1 / sqrt(var + eps)
//   y     = gamma xhat + beta
//
// A pass takes STRIP features (one cache line a row) through all its steps while they are in the cache; threads split
// the strips, so every sum runs over b = 0, 1, ..., B-1 in one thread. Rows are ld elements apart.

/** Features of one strip. */
export const STRIP: i32 = 16;
/** Bytes of a strip's row. */
export const STRIP_BYTES: usize = 64;

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

/** Saves mean and rstd, moves the running statistics, and returns gamma rstd, for four features at `column`. */
export function finishNorm(
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
 * Mean and variance of four features at `column`: saved for backward, with the running statistics moved, or taken from
 * those where the norm is frozen. Returns gamma rstd.
 */
function prepare(
  B: i32,
  z: usize,
  stride: usize,
  vectors: BatchNormVectors,
  column: usize,
  epsilon: f32,
  momentum: f32,
  carry: f32,
  frozen: bool,
): v128 {
  if (frozen) {
    const variance = f32x4.add(v128.load(vectors.runningVar + column), f32x4.splat(epsilon));
    const rstd = f32x4.div(f32x4.splat(1), f32x4.sqrt(variance));
    v128.store(vectors.mean + column, v128.load(vectors.runningMean + column));
    v128.store(vectors.rstd + column, rstd);
    return f32x4.mul(v128.load(vectors.gamma + column), rstd);
  }
  const inverse = f32x4.splat(<f32>1 / <f32>B);
  const first = z + column;
  const last = first + <usize>B * stride;
  let sum = zero();
  for (let p = first; p < last; p += stride) sum = f32x4.add(sum, v128.load(p));
  const mean = f32x4.mul(sum, inverse);
  sum = zero();
  for (let p = first; p < last; p += stride) {
    const d = f32x4.sub(v128.load(p), mean);
    sum = madd(d, d, sum);
  }
  const unbiased = f32x4.splat(<f32>B / <f32>(B - 1));
  const variance = f32x4.mul(sum, inverse);
  return finishNorm(
    vectors,
    column,
    mean,
    variance,
    epsilon,
    f32x4.splat(carry),
    f32x4.splat(momentum),
    unbiased,
  );
}

/** y = gamma xhat + beta of one strip, from z to out. The sums are those of block.ts's fused pass. */
export function normalizeStrip(
  B: i32,
  z: usize,
  out: usize,
  stride: usize,
  vectors: BatchNormVectors,
  epsilon: f32,
  momentum: f32,
  carry: f32,
  frozen: bool,
  strip: i32,
): void {
  for (let part = 0; part < STRIP; part += 4) {
    const column = <usize>(strip * STRIP + part) << 2;
    const scale = prepare(B, z, stride, vectors, column, epsilon, momentum, carry, frozen);
    const mean = v128.load(vectors.mean + column);
    const beta = v128.load(vectors.beta + column);
    for (let p = column; p < column + <usize>B * stride; p += stride) {
      v128.store(out + p, madd(f32x4.sub(v128.load(z + p), mean), scale, beta));
    }
  }
}

/**
 * Backward of one strip, in place: d holds dy on entry and dz on return.
 *   dbeta = sum_b dy      dgamma = sum_b dy xhat
 *   dz    = gamma rstd (dy - dbeta / B - xhat dgamma / B), or gamma rstd dy where the norm is frozen
 */
export function normalizeStripBackward(
  B: i32,
  z: usize,
  d: usize,
  stride: usize,
  vectors: BatchNormVectors,
  dgamma: usize,
  dbeta: usize,
  frozen: bool,
  strip: i32,
): void {
  const inverse = f32x4.splat(frozen ? <f32>0 : <f32>1 / <f32>B);
  for (let part = 0; part < STRIP; part += 4) {
    const column = <usize>(strip * STRIP + part) << 2;
    const mean = v128.load(vectors.mean + column);
    const rstd = v128.load(vectors.rstd + column);
    const end = column + <usize>B * stride;
    let sum = zero();
    let dot = zero();
    for (let p = column; p < end; p += stride) {
      const dy = v128.load(d + p);
      sum = f32x4.add(sum, dy);
      dot = madd(dy, f32x4.sub(v128.load(z + p), mean), dot);
    }
    dot = f32x4.mul(dot, rstd);
    v128.store(dbeta + column, sum);
    v128.store(dgamma + column, dot);
    const factor = f32x4.mul(v128.load(vectors.gamma + column), rstd);
    const shift = f32x4.mul(sum, inverse);
    const slope = f32x4.neg(f32x4.mul(f32x4.mul(dot, inverse), rstd));
    for (let p = column; p < end; p += stride) {
      const dy = f32x4.sub(v128.load(d + p), shift);
      v128.store(d + p, f32x4.mul(factor, madd(f32x4.sub(v128.load(z + p), mean), slope, dy)));
    }
  }
}
