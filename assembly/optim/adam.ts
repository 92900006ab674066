import { madd } from '../simd/simd';

/**
 * One Adam step over `count` parameters (a multiple of 4), as PyTorch orders it (Kingma and Ba, 2015):
 *   m = beta1 m + (1 - beta1) g
 *   v = beta2 v + (1 - beta2) g^2
 *   w = w - stepSize m / (sqrt(v) / rootCorrection + epsilon)
 * with stepSize = learningRate / (1 - beta1^t) and rootCorrection = sqrt(1 - beta2^t).
 * w, m, v  updated in place;  g  read. Each (count) f32.
 */
export function adam(
  count: i32,
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  stepSize: f32,
  rootCorrection: f32,
): void {
  assert(count % 4 == 0);
  const b1 = f32x4.splat(<f32>beta1);
  const b2 = f32x4.splat(<f32>beta2);
  const a1 = f32x4.splat(<f32>(1 - beta1));
  const a2 = f32x4.splat(<f32>(1 - beta2));
  const eps = f32x4.splat(epsilon);
  const size = f32x4.splat(-stepSize);
  const root = f32x4.splat(<f32>1 / rootCorrection);
  for (let p: usize = 0; p < <usize>count << 2; p += 16) {
    const gradient = v128.load(g + p);
    const m1 = madd(b1, v128.load(m + p), f32x4.mul(a1, gradient));
    const v1 = madd(b2, v128.load(v + p), f32x4.mul(a2, f32x4.mul(gradient, gradient)));
    v128.store(m + p, m1);
    v128.store(v + p, v1);
    const denominator = madd(f32x4.sqrt(v1), root, eps);
    v128.store(w + p, madd(size, f32x4.div(m1, denominator), v128.load(w + p)));
  }
}
