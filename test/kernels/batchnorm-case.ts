import {
  BatchNormVectors,
  KEEP_ALL,
  batchNormReluDropoutBackward,
  batchNormReluDropoutForward,
} from '../../assembly/nn/batchnorm';
import { BatchNormTwin, drawn } from './batchnorm-twin';
import { allocate, at, begin, copied, fillUniform, floats, zeroed } from './support';

// A case of nn/batchnorm: random inputs in memory, the kernels on them, and the f64 twin of the same inputs.

// What every case has in common: BatchNorm's constants and the mask's counter and key.
export const EPSILON: f32 = 1e-5;
export const MOMENTUM: f64 = 0.1;
export const STEP: i32 = 77;
export const LAYER: i32 = 3;
export const KEY0: u32 = 0x12345678;
export const KEY1: u32 = 0x9abcdef0;

/** Thresholds of dropout 0, 0.5 and 0.3, in 2^-16. */
export const THRESHOLDS: i32[] = [KEEP_ALL, 32768, 45875];

// The case: B samples of O features in rows of ld; each pointer as nn/batchnorm names it.
export let B: i32 = 0;
export let O: i32 = 0;
export let ld: i32 = 0;
export let keepBelow: i32 = 0;
export let keepScale: f32 = 0;
export let z: usize = 0;
export let out: usize = 0;
export let d: usize = 0;
export let dgamma: usize = 0;
export let dbeta: usize = 0;
export let vectors: BatchNormVectors = changetype<BatchNormVectors>(memory.data(offsetof<BatchNormVectors>(), 16));
/** The running statistics before forward. */
export let oldMean: usize = 0;
export let oldVar: usize = 0;

/** `count` features random in [low, high), zeros from there to ld. */
export function feature(low: f64, high: f64): usize {
  const p = zeroed(ld);
  fillUniform(p, O, low, high);
  return p;
}

/** Random inputs; z is off-centre, so that the mean matters. Padding is zero, as the host leaves it. */
export function makeCase(batch: i32, width: i32, rowLength: i32, threshold: i32): void {
  B = batch;
  O = width;
  ld = rowLength;
  keepBelow = threshold;
  keepScale = <f32>(65536.0 / <f64>threshold);
  begin(
    `B=${B.toString()} O=${O.toString()} ld=${ld.toString()} keepBelow=${keepBelow.toString()}`,
    (B * 1009 + O) * 1009 + threshold,
  );
  z = zeroed(B * ld);
  d = zeroed(B * ld);
  for (let b = 0; b < B; b++) {
    fillUniform(z + ((<usize>b * ld) << 2), O, -1, 3);
    fillUniform(d + ((<usize>b * ld) << 2), O, -1, 1);
  }
  vectors.gamma = feature(-2, 2);
  vectors.beta = feature(-1, 1);
  vectors.runningMean = feature(-1, 1);
  vectors.runningVar = feature(0.5, 2);
  vectors.mean = floats(ld);
  vectors.rstd = floats(ld);
  oldMean = copied(vectors.runningMean, ld);
  oldVar = copied(vectors.runningVar, ld);
  out = floats(B * ld);
  dgamma = floats(ld);
  dbeta = floats(ld);
}

/** Forward over strips [from, to), into out and the vectors. */
export function forward(step: i32, layer: i32, key0: u32, key1: u32, from: i32, to: i32): void {
  batchNormReluDropoutForward(
    B, z, out, ld, vectors, EPSILON, MOMENTUM, keepBelow, keepScale, step, layer, key0, key1, allocate(128), from, to,
  );
}

/** Backward over strips [from, to): `gradient` is dout on entry and dz on return. */
export function backward(gradient: usize, from: i32, to: i32): void {
  batchNormReluDropoutBackward(B, z, out, gradient, ld, vectors, dgamma, dbeta, keepScale, from, to);
}

/** The f64 twin of the case, its mask drawn from the scalar generator. */
export function makeTwin(): BatchNormTwin {
  const twin = new BatchNormTwin(B, O);
  twin.epsilon = EPSILON;
  twin.keepScale = keepScale;
  for (let o = 0; o < O; o++) {
    twin.gamma[o] = at(vectors.gamma, o);
    twin.beta[o] = at(vectors.beta, o);
    for (let b = 0; b < B; b++) {
      twin.z[b * O + o] = at(z, b * ld + o);
      twin.kept[b * O + o] = drawn(b, o, STEP, LAYER, KEY0, KEY1) < keepBelow;
    }
  }
  return twin;
}

/** The gradient that enters backward, in f64. */
export function outputGradient(): StaticArray<f64> {
  const dout = new StaticArray<f64>(B * O);
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) dout[b * O + o] = at(d, b * ld + o);
  }
  return dout;
}
