import { exp4, normal4, sigmoid4, tanh4 } from '../simd/math';
import { madd, zero } from '../simd/simd';

// Activations y = f(z), four elements at a time, each beside its derivative.
//
//   kind        y                                   dy/dz
//   IDENTITY    z                                   1
//   RELU        max(z, 0)                           z > 0
//   LEAKY_RELU  max(z, 0) + slope min(z, 0)         z > 0 ? 1 : slope
//   TANH        tanh(z)                             1 - y^2
//   SIGMOID     1 / (1 + exp(-z))                   y (1 - y)
//   GELU        z Phi(z)                            Phi(z) + z phi(z)
//   SILU        z sigmoid(z)                        s + y (1 - s), s = sigmoid(z)
//
// Phi and phi are the normal distribution's function and density (Hendrycks and Gimpel, "Gaussian error linear units",
// 2016). All are finite wherever z is, whatever its size. Error of y and of dy/dz, at most and in every build, measured
// over z of all sizes:
//
//   LEAKY_RELU  0.5 ULP                             0
//   TANH        2 ULP                               1.4e-7
//   SIGMOID     3 ULP, and 1.25e-38 below -87.3     1e-7
//   GELU        1.2e-7 max(1, |z|)                  2.5e-7
//   SILU        4 ULP; 0 below -87                  1.1e-6
//
// `kind` is a constant wherever these are inlined into a loop.

export const IDENTITY: i32 = 0;
export const RELU: i32 = 1;
export const LEAKY_RELU: i32 = 2;
export const TANH: i32 = 3;
export const SIGMOID: i32 = 4;
export const GELU: i32 = 5;
export const SILU: i32 = 6;

/** Beyond this the normal distribution's tail is below what f32 tells from 0 and 1. */
const FAR: f32 = 13;

/** sigmoid(z), exactly 0 where its product with any z would be. */
// @ts-ignore: decorator
@inline
function gate(z: v128): v128 {
  return v128.and(sigmoid4(z), f32x4.ge(z, f32x4.splat(-87)));
}

/** y = f(z). */
// @ts-ignore: decorator
@inline
export function activation4(kind: i32, z: v128, slope: v128): v128 {
  if (kind == RELU) return f32x4.max(z, zero());
  if (kind == LEAKY_RELU) return madd(slope, f32x4.min(z, zero()), f32x4.max(z, zero()));
  if (kind == TANH) return tanh4(z);
  if (kind == SIGMOID) return sigmoid4(z);
  if (kind == GELU) return f32x4.mul(z, normal4(z));
  if (kind == SILU) return f32x4.mul(z, gate(z));
  return z;
}

/** dy/dz. */
// @ts-ignore: decorator
@inline
export function derivative4(kind: i32, z: v128, slope: v128): v128 {
  const one = f32x4.splat(1);
  if (kind == RELU) return v128.and(one, f32x4.gt(z, zero()));
  if (kind == LEAKY_RELU) return v128.bitselect(one, slope, f32x4.gt(z, zero()));
  if (kind == TANH) {
    const y = tanh4(z);
    return f32x4.sub(one, f32x4.mul(y, y));
  }
  if (kind == SIGMOID) {
    const y = sigmoid4(z);
    return f32x4.mul(y, f32x4.sub(one, y));
  }
  if (kind == GELU) {
    const near = f32x4.max(f32x4.min(z, f32x4.splat(FAR)), f32x4.splat(-FAR));
    const density = f32x4.mul(
      f32x4.splat(0.39894228040143268),
      exp4(f32x4.mul(f32x4.splat(-0.5), f32x4.mul(near, near))),
    );
    return madd(near, density, normal4(z));
  }
  if (kind == SILU) {
    const s = gate(z);
    const near = f32x4.max(f32x4.min(z, f32x4.splat(87)), f32x4.splat(-87));
    return madd(f32x4.mul(near, s), f32x4.sub(one, s), s);
  }
  return one;
}

// @ts-ignore: decorator
@inline
function activateOf(kind: i32, slope: f32, count: i32, source: usize, out: usize): void {
  const slopes = f32x4.splat(slope);
  for (let at: usize = 0; at < <usize>count << 2; at += 16) {
    v128.store(out + at, activation4(kind, v128.load(source + at), slopes));
  }
}

/**
 * out = f(source), `count` elements, a multiple of 4; out may be the source. For inference.
 */
export function activate(kind: i32, slope: f32, count: i32, source: usize, out: usize): void {
  assert(count % 4 == 0 && kind >= IDENTITY && kind <= SILU);
  if (kind == RELU) activateOf(RELU, slope, count, source, out);
  else if (kind == LEAKY_RELU) activateOf(LEAKY_RELU, slope, count, source, out);
  else if (kind == TANH) activateOf(TANH, slope, count, source, out);
  else if (kind == SIGMOID) activateOf(SIGMOID, slope, count, source, out);
  else if (kind == GELU) activateOf(GELU, slope, count, source, out);
  else if (kind == SILU) activateOf(SILU, slope, count, source, out);
  else if (source != out) memory.copy(out, source, <usize>count << 2);
}
