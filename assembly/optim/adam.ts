import { madd, zero } from '../simd/simd';

// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), in the order of PyTorch's operations:
//
//   g = g + l2 w                            w = keep w, keep = 1 - rate weightDecay      (where it decays)
//   m = beta1 m + (1 - beta1) g
//   v = beta2 v + (1 - beta2) g^2
//   w = w - stepSize m / (sqrt(v) / rootCorrection + epsilon)
//
// with stepSize = rate / (1 - beta1^t) and rootCorrection = sqrt(1 - beta2^t). One step's factors stand in memory as
// splatted vectors, which the host writes, so that the update can follow a gradient that is still in registers or in
// the first-level cache:
//
//   factors  [9] v128: beta1, 1 - beta1, beta2, 1 - beta2, epsilon, -stepSize, 1 / rootCorrection, keep, l2

/**
 * One step of `count` parameters (a multiple of 8). Without `decays`, a constant where it is inlined, keep and l2 are
 * not read.
 * w, m, v  updated in place;  g  read. Each (count) f32.
 */
// @ts-ignore: decorator
@inline
export function adam(decays: bool, count: i32, w: usize, g: usize, m: usize, v: usize, factors: usize): void {
  assert(count % 8 == 0);
  const beta1 = v128.load(factors);
  const rest1 = v128.load(factors, 16);
  const beta2 = v128.load(factors, 32);
  const rest2 = v128.load(factors, 48);
  const epsilon = v128.load(factors, 64);
  const step = v128.load(factors, 80);
  const root = v128.load(factors, 96);
  const keep = decays ? v128.load(factors, 112) : zero();
  const l2 = decays ? v128.load(factors, 128) : zero();
  // Two vectors at once, so that V8 can join them into 256-bit operations.
  for (let p: usize = 0; p < <usize>count << 2; p += 32) {
    const g0 = decays ? madd(l2, v128.load(w + p), v128.load(g + p)) : v128.load(g + p);
    const g1 = decays ? madd(l2, v128.load(w + p, 16), v128.load(g + p, 16)) : v128.load(g + p, 16);
    const m0 = madd(beta1, v128.load(m + p), f32x4.mul(rest1, g0));
    const m1 = madd(beta1, v128.load(m + p, 16), f32x4.mul(rest1, g1));
    const v0 = madd(beta2, v128.load(v + p), f32x4.mul(rest2, f32x4.mul(g0, g0)));
    const v1 = madd(beta2, v128.load(v + p, 16), f32x4.mul(rest2, f32x4.mul(g1, g1)));
    const w0 = decays ? f32x4.mul(keep, v128.load(w + p)) : v128.load(w + p);
    const w1 = decays ? f32x4.mul(keep, v128.load(w + p, 16)) : v128.load(w + p, 16);
    v128.store(m + p, m0);
    v128.store(m + p, m1, 16);
    v128.store(v + p, v0);
    v128.store(v + p, v1, 16);
    v128.store(w + p, madd(step, f32x4.div(m0, madd(f32x4.sqrt(v0), root, epsilon)), w0));
    v128.store(w + p, madd(step, f32x4.div(m1, madd(f32x4.sqrt(v1), root, epsilon)), w1), 16);
  }
}
