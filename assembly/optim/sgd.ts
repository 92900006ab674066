import { madd } from '../simd/simd';

// Stochastic gradient descent, in the order of PyTorch's operations (dampening 0):
//
//   g = g + l2 w
//   m = momentum m + g                      (momentum only)
//   w = w - rate g, or - rate m, or - rate (g + momentum m) of Nesterov's kind
//
//   factors  [3] v128: -rate, momentum, l2

export const PLAIN: i32 = 0;
export const MOMENTUM: i32 = 1;
export const NESTEROV: i32 = 2;

/**
 * One step of `count` parameters (a multiple of 4); `kind` is a constant where it is inlined.
 * w, m  updated in place, m not read without momentum;  g  read. Each (count) f32.
 */
// @ts-ignore: decorator
@inline
export function sgd(kind: i32, count: i32, w: usize, g: usize, m: usize, factors: usize): void {
  assert(count % 4 == 0);
  const rate = v128.load(factors);
  const momentum = v128.load(factors, 16);
  const l2 = v128.load(factors, 32);
  for (let p: usize = 0; p < <usize>count << 2; p += 16) {
    const w0 = v128.load(w + p);
    let d = madd(l2, w0, v128.load(g + p));
    if (kind != PLAIN) {
      const m0 = madd(momentum, v128.load(m + p), d);
      v128.store(m + p, m0);
      d = kind == NESTEROV ? madd(momentum, m0, d) : m0;
    }
    v128.store(w + p, madd(rate, d, w0));
  }
}
