import { GELU, IDENTITY, LEAKY_RELU, RELU, SIGMOID, SILU, TANH } from '../../assembly/nn/activation';
import { ulp } from './support';

// The activations and their derivatives in f64, written from the table at the head of nn/activation.ts, with the bounds
// on the f32 errors that stand there.

export const KINDS: i32[] = [IDENTITY, RELU, LEAKY_RELU, TANH, SIGMOID, GELU, SILU];
export const NAMES: string[] = ['identity', 'ReLU', 'leaky ReLU', 'tanh', 'sigmoid', 'GELU', 'SiLU'];

/** The normal distribution's density. */
export function densityTwin(x: f64): f64 {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/**
 * The normal distribution's function Phi(x): about 0 by the series 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...),
 * elsewhere by the continued fraction Phi(-x) = phi(x) / (x + 1 / (x + 2 / (x + 3 / ...))).
 */
export function normalTwin(x: f64): f64 {
  const size = Math.abs(x);
  if (size < 2) {
    let term = size;
    let sum = size;
    for (let n = 3; n < 80; n += 2) {
      term *= (size * size) / n;
      sum += term;
    }
    const half = densityTwin(size) * sum;
    return x < 0 ? 0.5 - half : 0.5 + half;
  }
  let fraction = size;
  for (let n = 200; n > 0; n--) fraction = size + <f64>n / fraction;
  const tail = densityTwin(size) / fraction;
  return x < 0 ? tail : 1 - tail;
}

export function sigmoidTwin(z: f64): f64 {
  return 1 / (1 + Math.exp(-z));
}

/** f(z). */
export function activationTwin(kind: i32, slope: f64, z: f64): f64 {
  if (kind == RELU) return z > 0 ? z : 0;
  if (kind == LEAKY_RELU) return z > 0 ? z : slope * z;
  if (kind == TANH) return Math.tanh(z);
  if (kind == SIGMOID) return sigmoidTwin(z);
  if (kind == GELU) return z * normalTwin(z);
  if (kind == SILU) return z * sigmoidTwin(z);
  return z;
}

/** f'(z). */
export function derivativeTwin(kind: i32, slope: f64, z: f64): f64 {
  if (kind == RELU) return z > 0 ? 1 : 0;
  if (kind == LEAKY_RELU) return z > 0 ? 1 : slope;
  if (kind == TANH) return 1 - Math.tanh(z) * Math.tanh(z);
  if (kind == SIGMOID) return sigmoidTwin(z) * sigmoidTwin(-z);
  if (kind == GELU) return normalTwin(z) + z * densityTwin(z);
  if (kind == SILU) return sigmoidTwin(z) + z * sigmoidTwin(z) * sigmoidTwin(-z);
  return 1;
}

/** Bound on |f'|. */
export function steepness(kind: i32): f64 {
  if (kind == SIGMOID) return 0.25;
  return kind == GELU || kind == SILU ? 1.13 : 1;
}

/** Bound on |f''|; the corners of the piecewise linear kinds are the spec's to mind. */
export function bend(kind: i32): f64 {
  if (kind == TANH) return 0.77;
  if (kind == SIGMOID) return 0.1;
  if (kind == GELU) return 0.8;
  return kind == SILU ? 0.5 : 0;
}

/** Bound on the error of f(z) in f32, z as it is. */
export function activationError(kind: i32, slope: f64, z: f64): f64 {
  const exact = activationTwin(kind, slope, z);
  if (kind == LEAKY_RELU) return 0.5 * ulp(exact);
  if (kind == TANH) return 2 * ulp(exact);
  // exp4 is clamped at -87.3, and below -87 SiLU's gate is shut.
  if (kind == SIGMOID) return 3 * ulp(exact) + 1.25e-38;
  if (kind == GELU) return 1.2e-7 * max<f64>(1, Math.abs(z));
  if (kind == SILU) return 4 * ulp(exact) + (z < -87 ? Math.abs(exact) : 0);
  return 0;
}

/** Bound on the error of f'(z) in f32. */
export function derivativeError(kind: i32): f64 {
  if (kind == TANH) return 1.4e-7;
  if (kind == SIGMOID) return 1e-7;
  if (kind == GELU) return 2.5e-7;
  return kind == SILU ? 1.1e-6 : 0;
}
