import { GELU, LEAKY_RELU, RELU, SIGMOID, SILU, TANH } from '../../assembly/nn/activation';
import { KEEP_ALL } from '../../assembly/nn/dropout';
import { biasGradient } from '../../assembly/nn/dense';
import { foldBatchNorm } from '../../assembly/nn/fold';
import { KINDS } from './activation-twin';
import {
  B,
  CARRY,
  EPSILON,
  KEY0,
  KEY1,
  LAYER,
  MOMENTUM,
  O,
  SLOPE,
  STEP,
  THRESHOLDS,
  backward,
  backwardInto,
  d,
  dbeta,
  dgamma,
  feature,
  forward,
  kind,
  ld,
  makeCase,
  makeTwin,
  normKind,
  oldMean,
  oldVar,
  out,
  outputGradient,
  setBlock,
  setSlope,
  vectors,
  z,
} from './block-case';
import { BATCH_NORM, BlockTwin, FROZEN_NORM, NO_NORM } from './block-twin';
import {
  EPS,
  at,
  copied,
  expectGuards,
  expectNear,
  expectSameBytes,
  expectThat,
  fail,
  floats,
  put,
  roundUp,
  uniform,
} from './support';

const BATCHES: i32[] = [2, 3, 4, 5, 7, 33];
/** Around a strip of 16 and a panel of 32. */
const WIDTHS: i32[] = [1, 15, 16, 17, 31, 32, 33, 48];
const ALL_NORMS: i32[] = [NO_NORM, BATCH_NORM, FROZEN_NORM];

/** The saved and the running statistics, where there is a norm. */
function expectStatistics(twin: BlockTwin): void {
  if (normKind == FROZEN_NORM || normKind == NO_NORM) {
    expectSameBytes(vectors.runningMean, oldMean, 1, ld, ld, 'running mean');
    expectSameBytes(vectors.runningVar, oldVar, 1, ld, ld, 'running variance');
  }
  if (normKind == NO_NORM) {
    const fresh = floats(ld);
    expectSameBytes(vectors.mean, fresh, 1, ld, ld, 'mean');
    expectSameBytes(vectors.rstd, fresh, 1, ld, ld, 'rstd');
    return;
  }
  for (let o = 0; o < O; o++) {
    expectNear(at(vectors.mean, o), twin.mean[o], twin.meanError[o], 'mean', o, 0);
    expectNear(at(vectors.rstd, o), twin.rstd[o], twin.rstdError[o] * twin.rstd[o], 'rstd', o, 0);
    if (normKind == FROZEN_NORM) continue;
    const momentum = <f64>MOMENTUM;
    const mean = <f64>CARRY * <f64>at(oldMean, o) + momentum * twin.mean[o];
    const meanError = momentum * twin.meanError[o] + 4 * EPS * (Math.abs(at(oldMean, o)) + Math.abs(twin.mean[o]));
    expectNear(at(vectors.runningMean, o), mean, meanError, 'running mean', o, 0);
    const correction = <f64>B / <f64>(B - 1);
    const variance = <f64>CARRY * <f64>at(oldVar, o) + momentum * correction * twin.variance[o];
    const varianceError = momentum * correction * twin.varianceError[o] + 6 * EPS * variance;
    expectNear(at(vectors.runningVar, o), variance, varianceError, 'running variance', o, 0);
  }
}

/** Everything that forward writes. Where f has a corner, the twin follows f32's sign of y. */
function expectForward(twin: BlockTwin): void {
  expectStatistics(twin);
  const cornered = kind == RELU || kind == LEAKY_RELU;
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      const i = b * O + o;
      const actual = at(out, b * ld + o);
      expectNear(actual, twin.out[i], twin.kept[i] ? twin.outError(i) : 0, 'out', b, o);
      if (!cornered || !twin.kept[i] || twin.positive[i] == actual > 0) continue;
      if (Math.abs(twin.y[i]) > twin.yError[i]) fail(`out[${b.toString()}][${o.toString()}] is on the wrong side of 0`);
      twin.positive[i] = actual > 0;
    }
  }
}

/** Everything that backward writes. */
function expectBackward(twin: BlockTwin): void {
  for (let o = 0; o < O; o++) {
    if (normKind != NO_NORM) expectNear(at(dgamma, o), twin.dgamma[o], twin.dgammaError[o], 'dgamma', o, 0);
    expectNear(at(dbeta, o), twin.dbeta[o], twin.dbetaError[o], 'dbeta', o, 0);
    for (let b = 0; b < B; b++) {
      expectNear(at(d, b * ld + o), twin.dz[b * O + o], twin.dzError[b * O + o], 'dz', b, o);
    }
  }
}

/** The columns from O on, and what belongs to them. */
function expectPaddingZero(): void {
  for (let o = O; o < ld; o++) {
    if (normKind != NO_NORM) expectNear(at(dgamma, o), 0, 0, 'padding of dgamma', o, 0);
    expectNear(at(dbeta, o), 0, 0, 'padding of dbeta', o, 0);
    for (let b = 0; b < B; b++) {
      expectNear(at(out, b * ld + o), 0, 0, 'padding of out', b, o);
      expectNear(at(d, b * ld + o), 0, 0, 'padding of dz', b, o);
    }
  }
}

function checkCase(batch: i32, width: i32, threshold: i32): void {
  makeCase(batch, width, roundUp(width, 16), threshold);
  const inputs = copied(z, B * ld);
  forward(STEP, LAYER, KEY0, KEY1, 0, ld / 16);
  const twin = makeTwin();
  twin.forward();
  expectForward(twin);
  const outputs = copied(out, B * ld);
  const dout = outputGradient();
  backward(d, 0, ld / 16);
  twin.backward(dout);
  expectBackward(twin);
  expectPaddingZero();
  if (normKind == NO_NORM) expectSameBytes(dgamma, floats(ld), 1, ld, ld, 'dgamma without a norm');
  expectSameBytes(out, outputs, B, ld, ld, 'out after backward');
  expectSameBytes(z, inputs, B, ld, ld, 'z afterwards');
  expectGuards();
}

/** Every kind, at every width and dropout; of one sample too where no statistics are taken from the batch. */
function checkCases(norm: i32): void {
  for (let k = 0; k < KINDS.length; k++) {
    setBlock(KINDS[k], norm);
    for (let t = 0; t < THRESHOLDS.length; t++) {
      for (let w = 0; w < WIDTHS.length; w++) {
        checkCase(BATCHES[(w + t) % BATCHES.length], WIDTHS[w], THRESHOLDS[t]);
        if (norm != BATCH_NORM) checkCase(1, WIDTHS[w], THRESHOLDS[t]);
      }
    }
  }
}

describe('a block against f64: out, dz, statistics, dgamma and dbeta within the f32 bound; padding zero', () => {
  it('no norm, every activation, with and without dropout, from one sample on', () => checkCases(NO_NORM));
  it('BatchNorm, every activation, with and without dropout', () => checkCases(BATCH_NORM));
  it('frozen BatchNorm, every activation, with and without dropout, from one sample on', () => checkCases(FROZEN_NORM));

  it('BatchNorm and ReLU, the fused passes, at every batch and width', () => {
    setBlock(RELU, BATCH_NORM);
    for (let t = 0; t < THRESHOLDS.length; t++) {
      for (let b = 0; b < BATCHES.length; b++) {
        for (let w = 0; w < WIDTHS.length; w++) checkCase(BATCHES[b], WIDTHS[w], THRESHOLDS[t]);
      }
    }
  });
});

describe('the fused passes of BatchNorm and ReLU', () => {
  it('give the bytes of the steps one by one, as a leaky ReLU of slope 0 takes them; dz but for the sign of 0', () => {
    for (let t = 0; t < THRESHOLDS.length; t++) {
      for (let w = 0; w < WIDTHS.length; w++) {
        setBlock(RELU, BATCH_NORM);
        makeCase(BATCHES[w % BATCHES.length], WIDTHS[w], roundUp(WIDTHS[w], 16), THRESHOLDS[t]);
        const gradient = copied(d, B * ld);
        forward(STEP, LAYER, KEY0, KEY1, 0, ld / 16);
        backward(d, 0, ld / 16);
        const outputs = copied(out, B * ld);
        const saved = copied(vectors.rstd, ld);
        const runningVar = copied(vectors.runningVar, ld);
        const dgammas = copied(dgamma, ld);
        const dbetas = copied(dbeta, ld);
        memory.copy(vectors.runningVar, oldVar, <usize>ld << 2);
        setBlock(LEAKY_RELU, BATCH_NORM);
        setSlope(0);
        forward(STEP, LAYER, KEY0, KEY1, 0, ld / 16);
        backward(gradient, 0, ld / 16);
        setSlope(SLOPE);
        expectSameBytes(vectors.rstd, saved, 1, ld, ld, 'rstd');
        expectSameBytes(vectors.runningVar, runningVar, 1, ld, ld, 'running variance');
        expectSameBytes(out, outputs, B, ld, ld, 'out');
        for (let o = 0; o < O; o++) {
          expectNear(at(dgamma, o), at(dgammas, o), 0, 'dgamma', o, 0);
          expectNear(at(dbeta, o), at(dbetas, o), 0, 'dbeta', o, 0);
          for (let b = 0; b < B; b++) expectNear(at(gradient, b * ld + o), at(d, b * ld + o), 0, 'dz', b, o);
        }
        expectGuards();
      }
    }
  });
});

describe('the bias gradient of a block without a norm', () => {
  it('has the bytes of biasGradient of its dz, and is left out where there is no bias', () => {
    for (let k = 0; k < KINDS.length; k++) {
      setBlock(KINDS[k], NO_NORM);
      makeCase(7, 33, 48, 32768);
      const gradient = copied(d, B * ld);
      forward(STEP, LAYER, KEY0, KEY1, 0, 3);
      backward(d, 0, 3);
      const summed = floats(ld);
      biasGradient(B, d, ld, summed);
      expectSameBytes(dbeta, summed, 1, ld, ld, 'db');
      backwardInto(gradient, 0, 0, 3);
      expectSameBytes(gradient, d, B, ld, ld, 'dz without a bias');
      expectSameBytes(dbeta, summed, 1, ld, ld, 'db without a bias');
      expectGuards();
    }
  });
});

/** Sum of out times weight over the batch: a loss whose gradient at out is weight. */
function loss(twin: BlockTwin, weight: StaticArray<f64>): f64 {
  twin.forward();
  let sum: f64 = 0;
  for (let i = 0; i < B * O; i++) sum += twin.out[i] * weight[i];
  return sum;
}

/** Central difference of the loss in one parameter of the twin, for a step of 1e-5. */
function slopeOf(twin: BlockTwin, parameter: StaticArray<f64>, i: i32, weight: StaticArray<f64>): f64 {
  const h: f64 = 1e-5;
  const value = parameter[i];
  parameter[i] = value + h;
  const above = loss(twin, weight);
  parameter[i] = value - h;
  const below = loss(twin, weight);
  parameter[i] = value;
  return (above - below) / (2 * h);
}

/** The twin's gradients of the case's kind and norm. */
function checkTwin(threshold: i32): void {
  makeCase(7, 16, 16, threshold);
  const twin = makeTwin();
  const weight = outputGradient();
  loss(twin, weight);
  // Away from the corner of the piecewise linear kinds: no y may change its sign within the step.
  for (let i = 0; i < B * O; i++) {
    if (Math.abs(twin.y[i]) < 0.0002) fail('a y too close to 0 for differences; choose another seed');
  }
  twin.backward(weight);
  for (let o = 0; o < O; o++) {
    if (normKind != NO_NORM) {
      expectNear(slopeOf(twin, twin.gamma, o, weight), twin.dgamma[o], 1e-6, 'dgamma', o, 0);
      expectNear(slopeOf(twin, twin.beta, o, weight), twin.dbeta[o], 1e-6, 'dbeta', o, 0);
    }
    for (let b = 0; b < B; b++) {
      expectNear(slopeOf(twin, twin.z, b * O + o, weight), twin.dz[b * O + o], 1e-6, 'dz', b, o);
    }
  }
}

describe('the f64 twin', () => {
  it('has the gradient of its own forward, for every norm and activation: central differences within 1e-6', () => {
    for (let n = 0; n < ALL_NORMS.length; n++) {
      for (let k = 0; k < KINDS.length; k++) {
        setBlock(KINDS[k], ALL_NORMS[n]);
        for (let t = 0; t < THRESHOLDS.length; t++) checkTwin(THRESHOLDS[t]);
      }
    }
  });
});

describe('padding and strips', () => {
  it('padding columns are zero after forward and after backward, whatever gamma holds there (exact)', () => {
    for (let n = 0; n < ALL_NORMS.length; n++) {
      for (let k = 0; k < KINDS.length; k++) {
        setBlock(KINDS[k], ALL_NORMS[n]);
        for (let t = 0; t < THRESHOLDS.length; t++) {
          makeCase(7, 21, 48, THRESHOLDS[t]);
          for (let o = O; o < ld; o++) put(vectors.gamma, o, <f32>(o & 1));
          forward(STEP, LAYER, KEY0, KEY1, 0, 3);
          backward(d, 0, 3);
          expectPaddingZero();
          expectGuards();
        }
      }
    }
  });

  it('strips split in any way give the same bytes (exact)', () => {
    for (let n = 0; n < ALL_NORMS.length; n++) {
      for (let k = 0; k < KINDS.length; k++) {
        setBlock(KINDS[k], ALL_NORMS[n]);
        for (let t = 0; t < THRESHOLDS.length; t++) {
          for (let cut = 1; cut < 3; cut++) checkSplit(THRESHOLDS[t], cut);
        }
      }
    }
  });
});

/** Three strips at once, and cut in two. */
function checkSplit(threshold: i32, cut: i32): void {
  makeCase(9, 45, 48, threshold);
  const gradient = copied(d, B * ld);
  forward(STEP, LAYER, KEY0, KEY1, 0, 3);
  backward(d, 0, 3);
  const results = copied(out, B * ld);
  const saved = copied(vectors.rstd, ld);
  const runningMean = copied(vectors.runningMean, ld);
  const runningVar = copied(vectors.runningVar, ld);
  const dgammas = copied(dgamma, ld);
  const dbetas = copied(dbeta, ld);
  memory.fill(out, 0xff, <usize>(B * ld) << 2);
  memory.copy(vectors.runningMean, oldMean, <usize>ld << 2);
  memory.copy(vectors.runningVar, oldVar, <usize>ld << 2);
  forward(STEP, LAYER, KEY0, KEY1, cut, 3);
  forward(STEP, LAYER, KEY0, KEY1, 0, cut);
  backward(gradient, cut, 3);
  backward(gradient, 0, cut);
  expectSameBytes(out, results, B, ld, ld, 'out');
  expectSameBytes(vectors.rstd, saved, 1, ld, ld, 'rstd');
  expectSameBytes(vectors.runningMean, runningMean, 1, ld, ld, 'running mean');
  expectSameBytes(vectors.runningVar, runningVar, 1, ld, ld, 'running variance');
  expectSameBytes(gradient, d, B, ld, ld, 'dz');
  expectSameBytes(dgamma, dgammas, 1, ld, ld, 'dgamma');
  expectSameBytes(dbeta, dbetas, 1, ld, ld, 'dbeta');
  expectGuards();
}

describe('large values', () => {
  it('a z of +-3e38 without a norm gives finite results for every activation', () => {
    for (let k = 0; k < KINDS.length; k++) {
      setBlock(KINDS[k], NO_NORM);
      makeCase(2, 16, 16, KEEP_ALL);
      for (let i = 0; i < B * O; i++) put(z, i, i % 2 == 0 ? <f32>3e38 : <f32>-3e38);
      forward(STEP, LAYER, KEY0, KEY1, 0, 1);
      backward(d, 0, 1);
      for (let i = 0; i < B * O; i++) {
        expectThat(isFinite(at(out, i)), `out ${i.toString()} is ${at(out, i).toString()}`);
        expectThat(isFinite(at(d, i)), `dz ${i.toString()} is ${at(d, i).toString()}`);
      }
    }
  });
});

describe('NaN', () => {
  it('in one z reaches its own feature in out and dz through BatchNorm, and no other', () => {
    for (let k = 0; k < KINDS.length; k++) {
      setBlock(KINDS[k], BATCH_NORM);
      makeCase(5, 16, 16, KEEP_ALL);
      put(z, 2 * ld + 9, NaN);
      forward(STEP, LAYER, KEY0, KEY1, 0, 1);
      backward(d, 0, 1);
      for (let i = 0; i < B * O; i++) {
        expectThat(isNaN(at(out, i)) == (i % O == 9), `out ${i.toString()} is ${at(out, i).toString()}`);
        expectThat(isNaN(at(d, i)) == (i % O == 9), `dz ${i.toString()} is ${at(d, i).toString()}`);
      }
    }
  });

  it('in one z reaches its own out without a norm, and its own dz where f is curved, and no other', () => {
    for (let k = 0; k < KINDS.length; k++) {
      setBlock(KINDS[k], NO_NORM);
      makeCase(5, 16, 16, KEEP_ALL);
      put(z, 2 * ld + 9, NaN);
      forward(STEP, LAYER, KEY0, KEY1, 0, 1);
      backward(d, 0, 1);
      const curved = kind == TANH || kind == SIGMOID || kind == GELU || kind == SILU;
      for (let i = 0; i < B * O; i++) {
        const own = i == 2 * ld + 9;
        expectThat(isNaN(at(out, i)) == own, `out ${i.toString()} is ${at(out, i).toString()}`);
        expectThat(isNaN(at(d, i)) == (own && curved), `dz ${i.toString()} is ${at(d, i).toString()}`);
      }
    }
  });
});

describe('foldBatchNorm', () => {
  it('gives (u + bias) normalised by the running statistics, within 8 2^-24 of the terms', () => {
    setBlock(RELU, BATCH_NORM);
    makeCase(2, 37, 48, KEEP_ALL);
    const bias = feature(-1, 1);
    const scale = floats(ld);
    const folded = floats(ld);
    foldBatchNorm(bias, ld, vectors, EPSILON, scale, folded);
    for (let o = 0; o < O; o++) {
      const u = uniform(-4, 4);
      const s = <f64>at(vectors.gamma, o) / Math.sqrt(<f64>at(vectors.runningVar, o) + <f64>EPSILON);
      const inference = (u + <f64>at(bias, o) - <f64>at(vectors.runningMean, o)) * s + <f64>at(vectors.beta, o);
      const terms =
        Math.abs(s) * (Math.abs(u) + Math.abs(at(bias, o)) + Math.abs(at(vectors.runningMean, o))) +
        Math.abs(at(vectors.beta, o));
      expectNear(u * <f64>at(scale, o) + <f64>at(folded, o), inference, 8 * EPS * terms, 'output', o, 0);
    }
    for (let o = O; o < ld; o++) expectNear(at(folded, o), 0, 0, 'padding of the folded bias', o, 0);
    const inPlace = copied(bias, ld);
    foldBatchNorm(inPlace, ld, vectors, EPSILON, scale, inPlace);
    expectSameBytes(inPlace, folded, 1, ld, ld, 'folded in place of the bias');
    expectGuards();
  });
});
