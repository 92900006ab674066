import { shareStart } from '../par/range';
import { zero } from '../simd/simd';

// Clipping of all gradients together by their norm (Pascanu, Mikolov and Bengio, 2013), as torch's clip_grad_norm_:
//
//   norm = sqrt(sum g^2)      g = g min(1, limit / (norm + 1e-6))

/** Elements of one partial sum: all threads work out whole chunks, so the sum is the same for any number of them. */
export const NORM_CHUNK: i32 = 4096;

/** partials[c] = the sum of the squares of chunk c of g, f64 each. count: a multiple of 4. */
export function squaredNorm(count: i32, g: usize, partials: usize, thread: i32, threads: i32): void {
  assert(count % 4 == 0);
  const chunks = (count + NORM_CHUNK - 1) / NORM_CHUNK;
  const last = shareStart(chunks, thread + 1, threads);
  for (let chunk = shareStart(chunks, thread, threads); chunk < last; chunk++) {
    const end = g + (<usize>min(count, (chunk + 1) * NORM_CHUNK) << 2);
    let low = zero();
    let high = zero();
    for (let p = g + (<usize>chunk * NORM_CHUNK * 4); p < end; p += 16) {
      const v = v128.load(p);
      const first = f64x2.promote_low_f32x4(v);
      const second = f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0));
      low = f64x2.add(low, f64x2.mul(first, first));
      high = f64x2.add(high, f64x2.mul(second, second));
    }
    const sum = f64x2.add(low, high);
    store<f64>(partials + (<usize>chunk << 3), f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
  }
}

/**
 * g times min(1, limit / (norm + 1e-6)); every thread sums up the partial sums in their order, and scales its
 * share.
 */
export function clip(count: i32, g: usize, partials: usize, limit: f32, thread: i32, threads: i32): void {
  const chunks = (count + NORM_CHUNK - 1) / NORM_CHUNK;
  let sum: f64 = 0;
  for (let chunk = 0; chunk < chunks; chunk++) sum += load<f64>(partials + (<usize>chunk << 3));
  const factor = <f64>limit / (Math.sqrt(sum) + 1e-6);
  if (factor >= 1) return;
  const scale = f32x4.splat(<f32>factor);
  const end = g + (<usize>(shareStart(count / 4, thread + 1, threads)) << 4);
  for (let p = g + (<usize>shareStart(count / 4, thread, threads) << 4); p < end; p += 16) {
    v128.store(p, f32x4.mul(v128.load(p), scale));
  }
}
