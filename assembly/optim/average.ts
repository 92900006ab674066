import { madd } from '../simd/simd';

/**
 * average = average + share (w - average): an exponential average with share = 1 - decay, or the mean of n values with
 * share = 1 / n (Izmailov et al., "Averaging weights leads to wider optima", 2018).
 * w, average  (count) f32, count a multiple of 4;  factor  a v128 with the share in each lane
 */
export function average(count: i32, w: usize, average: usize, factor: usize): void {
  assert(count % 4 == 0);
  const share = v128.load(factor);
  for (let p: usize = 0; p < <usize>count << 2; p += 16) {
    const a = v128.load(average + p);
    v128.store(average + p, madd(share, f32x4.sub(v128.load(w + p), a), a));
  }
}
