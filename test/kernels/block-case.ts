import { RELU } from '../../assembly/nn/activation';
import { blockBackward, blockForward } from '../../assembly/nn/block';
import { DROPOUT_BYTES, Dropout, KEEP_ALL } from '../../assembly/nn/dropout';
import { BatchNormVectors } from '../../assembly/nn/norm';
import { NAMES } from './activation-twin';
import { BATCH_NORM, BlockTwin, FROZEN_NORM, NORMS, NO_NORM, drawn } from './block-twin';
import { allocate, at, begin, copied, fillUniform, floats, zeroed } from './support';

// A case of nn/block: random inputs in memory, the kernels on them, and the f64 twin of the same inputs.

// What every case has in common: BatchNorm's constants and the mask's counter and key.
export const EPSILON: f32 = 1e-5;
export const MOMENTUM: f32 = 0.1;
export const CARRY: f32 = 0.9;
/** Leaky ReLU's slope, unless a spec sets another. */
export const SLOPE: f32 = 0.2;
export const STEP: i32 = 77;
export const LAYER: i32 = 3;
export const KEY0: u32 = 0x12345678;
export const KEY1: u32 = 0x9abcdef0;

/** Thresholds of dropout 0, 0.5 and 0.3, in 2^-16. */
export const THRESHOLDS: i32[] = [KEEP_ALL, 32768, 45875];

// The case: a kind of activation after a kind of norm, for B samples of O features in rows of ld; each pointer as
// nn/block names it. Without a norm the vectors are there all the same, and nothing may read or write them.
export let kind: i32 = RELU;
export let normKind: i32 = BATCH_NORM;
let slope: f32 = SLOPE;
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

/** What the cases from here on are of. */
export function setBlock(activation: i32, norm: i32): void {
  kind = activation;
  normKind = norm;
}

/** Leaky ReLU's slope from here on. */
export function setSlope(value: f32): void {
  slope = value;
}

/** Random inputs; z is off-centre, so that the mean matters. Padding is zero, as the host leaves it. */
export function makeCase(batch: i32, width: i32, rowLength: i32, threshold: i32): void {
  B = batch;
  O = width;
  ld = rowLength;
  keepBelow = threshold;
  keepScale = <f32>(65536.0 / <f64>threshold);
  begin(
    `${NAMES[kind]}, ${NORMS[normKind]}, B=${B.toString()} O=${O.toString()} ld=${ld.toString()} ` +
      `keepBelow=${keepBelow.toString()}`,
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

/** The norm as the kernels take it. */
function norm(): BatchNormVectors {
  return normKind == NO_NORM ? changetype<BatchNormVectors>(0) : vectors;
}

/** The dropout as the kernels take it, drawn by this counter and key. */
function dropout(step: i32, layer: i32, key0: u32, key1: u32): Dropout {
  const dropout = changetype<Dropout>(allocate(DROPOUT_BYTES));
  dropout.keepBelow = keepBelow;
  dropout.keepScale = keepScale;
  dropout.step = step;
  dropout.layer = layer;
  dropout.key0 = key0;
  dropout.key1 = key1;
  return dropout;
}

/** Forward over strips [from, to), into out and the vectors. */
export function forward(step: i32, layer: i32, key0: u32, key1: u32, from: i32, to: i32): void {
  blockForward(
    B, z, out, ld, O, norm(), EPSILON, MOMENTUM, CARRY, normKind == FROZEN_NORM, kind, slope,
    dropout(step, layer, key0, key1), from, to,
  );
}

/** Backward over strips [from, to): `gradient` is dout on entry and dz on return; `bias` takes dbeta, or is 0. */
export function backwardInto(gradient: usize, bias: usize, from: i32, to: i32): void {
  blockBackward(
    B, z, out, gradient, ld, O, norm(), dgamma, bias, normKind == FROZEN_NORM, kind, slope,
    dropout(STEP, LAYER, KEY0, KEY1), from, to,
  );
}

export function backward(gradient: usize, from: i32, to: i32): void {
  backwardInto(gradient, dbeta, from, to);
}

/** The f64 twin of the case, its mask drawn from the scalar generator. */
export function makeTwin(): BlockTwin {
  const twin = new BlockTwin(B, O, kind, normKind);
  twin.slope = slope;
  twin.epsilon = EPSILON;
  twin.keepScale = keepScale;
  for (let o = 0; o < O; o++) {
    twin.gamma[o] = at(vectors.gamma, o);
    twin.beta[o] = at(vectors.beta, o);
    twin.runningMean[o] = at(vectors.runningMean, o);
    twin.runningVar[o] = at(vectors.runningVar, o);
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
