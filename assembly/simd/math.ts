import { madd, nmadd } from './simd';

// Both functions split the argument into a power of two and a remainder and evaluate a polynomial on it
// (Cody and Waite, "Software Manual for the Elementary Functions", 1980; minimax coefficients in the form
// that the Cephes library published for single precision).

/**
 * exp(x) in each lane. Arguments are clamped to [-87.3, 88.3], so the result is always finite and positive;
 * NaN stays NaN. Error: at most 1.02 ULP on [-87.3, 88.3] in every build.
 */
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87.3)), f32x4.splat(88.3));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  // ln 2 in two parts: the first has trailing zero bits, so n times it is exact.
  let r = nmadd(n, f32x4.splat(0.693359375), x);
  r = nmadd(n, f32x4.splat(-2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(f32x4.mul(r, r), p, r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/**
 * ln(x) in each lane, for normal x > 0 (others give no meaningful value).
 * Error: at most 1 ULP in every build.
 */
export function log4(x: v128): v128 {
  // x = m 2^e with m in [sqrt(1/2), sqrt(2))
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23));
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(m, f32x4.splat(1));
  const square = f32x4.mul(f, f);
  let p = f32x4.splat(7.0376836292e-2);
  p = madd(p, f, f32x4.splat(-1.1514610310e-1));
  p = madd(p, f, f32x4.splat(1.1676998740e-1));
  p = madd(p, f, f32x4.splat(-1.2420140846e-1));
  p = madd(p, f, f32x4.splat(1.4249322787e-1));
  p = madd(p, f, f32x4.splat(-1.6668057665e-1));
  p = madd(p, f, f32x4.splat(2.0000714765e-1));
  p = madd(p, f, f32x4.splat(-2.4999993993e-1));
  p = madd(p, f, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, f), square);
  y = madd(e, f32x4.splat(-2.12194440e-4), y);
  y = nmadd(f32x4.splat(0.5), square, y);
  return madd(e, f32x4.splat(0.693359375), f32x4.add(f, y));
}

/** 1 / (1 + exp(-x)) in each lane, without overflow. Error: at most 3 ULP; below -87.3 the result stays at 1.2e-38. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  const e = exp4(f32x4.neg(f32x4.abs(x)));
  const q = f32x4.div(one, f32x4.add(one, e));
  return v128.bitselect(q, f32x4.mul(e, q), f32x4.ge(x, f32x4.splat(0)));
}

/**
 * tanh(x) in each lane: below 0.625 by an odd polynomial (Cephes' for single precision), so that nothing cancels near
 * 0; above as 1 - 2 / (exp(2 |x|) + 1). Error: at most 2 ULP.
 */
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = madd(p, square, f32x4.splat(2.06390887954e-2));
  p = madd(p, square, f32x4.splat(-5.37397155531e-2));
  p = madd(p, square, f32x4.splat(1.33314422036e-1));
  p = madd(p, square, f32x4.splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, square), x, x);
  const e = exp4(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(0.625)));
}

/**
 * Phi(x), the distribution function of the normal distribution, in each lane: half of erfc(|x| / sqrt(2)) by a
 * Chebyshev fit whose relative error is 1.2e-7 (Press et al., "Numerical Recipes", 6.2), from 1 for positive x.
 * Absolute error: at most 2.5e-7; relative error: at most 2e-5 down to x = -13, below which it is 0.
 */
export function normal4(x: v128): v128 {
  const t = f32x4.mul(f32x4.abs(x), f32x4.splat(0.70710678118654752));
  const one = f32x4.splat(1);
  const k = f32x4.div(one, madd(f32x4.splat(0.5), t, one));
  let p = f32x4.splat(0.17087277);
  p = madd(p, k, f32x4.splat(-0.82215223));
  p = madd(p, k, f32x4.splat(1.48851587));
  p = madd(p, k, f32x4.splat(-1.13520398));
  p = madd(p, k, f32x4.splat(0.27886807));
  p = madd(p, k, f32x4.splat(-0.18628806));
  p = madd(p, k, f32x4.splat(0.09678418));
  p = madd(p, k, f32x4.splat(0.37409196));
  p = madd(p, k, f32x4.splat(1.00002368));
  p = madd(p, k, f32x4.splat(-1.26551223));
  const tail = f32x4.mul(f32x4.mul(f32x4.splat(0.5), k), exp4(nmadd(t, t, p)));
  const left = v128.and(tail, f32x4.ge(x, f32x4.splat(-13)));
  return v128.bitselect(f32x4.sub(one, tail), left, f32x4.ge(x, f32x4.splat(0)));
}
