import { madd } from '../simd/simd';
import { BatchNormVectors } from './norm';

/**
 * Folds inference's BatchNorm into the Dense layer before it: with s = gamma / sqrt(runningVar + eps),
 *   W' = W s (gemm/repack.ts)       b' = (b - runningMean) s + beta
 * scale, folded  (O); overwritten; folded may be the bias
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
