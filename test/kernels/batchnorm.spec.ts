import { KEEP_ALL, foldBatchNorm } from '../../assembly/nn/batchnorm';
import {
  B,
  EPSILON,
  KEY0,
  KEY1,
  LAYER,
  O,
  STEP,
  THRESHOLDS,
  backward,
  d,
  dbeta,
  dgamma,
  feature,
  forward,
  ld,
  makeCase,
  makeTwin,
  oldMean,
  oldVar,
  out,
  outputGradient,
  vectors,
  z,
} from './batchnorm-case';
import { BatchNormTwin } from './batchnorm-twin';
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
  uniform,
} from './support';

const BATCHES: i32[] = [2, 3, 4, 5, 7, 33];
const WIDTHS: i32[] = [16, 32, 48];

/** Everything that forward writes. */
function expectForward(twin: BatchNormTwin): void {
  for (let o = 0; o < O; o++) {
    expectNear(at(vectors.mean, o), twin.mean[o], twin.meanError[o], 'mean', o, 0);
    expectNear(at(vectors.rstd, o), twin.rstd[o], twin.rstdError[o] * twin.rstd[o], 'rstd', o, 0);
    const mean = 0.9 * <f64>at(oldMean, o) + 0.1 * twin.mean[o];
    const meanError = 0.1 * twin.meanError[o] + 4 * EPS * (Math.abs(at(oldMean, o)) + Math.abs(twin.mean[o]));
    expectNear(at(vectors.runningMean, o), mean, meanError, 'running mean', o, 0);
    const correction = <f64>B / <f64>(B - 1);
    const variance = 0.9 * <f64>at(oldVar, o) + 0.1 * correction * twin.variance[o];
    const varianceError = 0.1 * correction * twin.varianceError[o] + 6 * EPS * variance;
    expectNear(at(vectors.runningVar, o), variance, varianceError, 'running variance', o, 0);
  }
  for (let b = 0; b < B; b++) {
    for (let o = 0; o < O; o++) {
      const i = b * O + o;
      const actual = at(out, b * ld + o);
      expectNear(actual, twin.out[i], twin.kept[i] ? twin.outError(i) : 0, 'out', b, o);
      if (twin.active[i] == (actual != 0)) continue;
      if (Math.abs(twin.y[i]) > twin.yError[i]) fail(`out[${b.toString()}][${o.toString()}] is on the wrong side of 0`);
      twin.active[i] = actual != 0;
    }
  }
}

/** Everything that backward writes. */
function expectBackward(twin: BatchNormTwin): void {
  for (let o = 0; o < O; o++) {
    expectNear(at(dgamma, o), twin.dgamma[o], twin.dgammaError[o], 'dgamma', o, 0);
    expectNear(at(dbeta, o), twin.dbeta[o], twin.dbetaError[o], 'dbeta', o, 0);
    for (let b = 0; b < B; b++) {
      expectNear(at(d, b * ld + o), twin.dz[b * O + o], twin.dzError[b * O + o], 'dz', b, o);
    }
  }
}

function checkCase(batch: i32, width: i32, threshold: i32, withBackward: bool): void {
  makeCase(batch, width, width, threshold);
  const inputs = copied(z, B * ld);
  forward(STEP, LAYER, KEY0, KEY1, 0, ld / 16);
  const twin = makeTwin();
  twin.forward();
  expectForward(twin);
  if (withBackward) {
    const outputs = copied(out, B * ld);
    const dout = outputGradient();
    backward(d, 0, ld / 16);
    twin.backward(dout);
    expectBackward(twin);
    expectSameBytes(out, outputs, B, ld, ld, 'out after backward');
  }
  expectSameBytes(z, inputs, B, ld, ld, 'z afterwards');
  expectGuards();
}

function checkCases(threshold: i32, withBackward: bool): void {
  for (let b = 0; b < BATCHES.length; b++) {
    for (let w = 0; w < WIDTHS.length; w++) checkCase(BATCHES[b], WIDTHS[w], threshold, withBackward);
  }
}

describe('BatchNorm -> ReLU -> Dropout forward against f64, out, saved and running statistics within the f32 bound', () => {
  it('without dropout', () => checkCases(KEEP_ALL, false));
  it('dropout 0.5', () => checkCases(32768, false));
  it('dropout 0.3', () => checkCases(45875, false));
});

describe('BatchNorm -> ReLU -> Dropout backward against f64, dz, dgamma and dbeta within the f32 bound', () => {
  it('without dropout', () => checkCases(KEEP_ALL, true));
  it('dropout 0.5', () => checkCases(32768, true));
  it('dropout 0.3', () => checkCases(45875, true));
});

/** Sum of out times weight over the batch: a loss whose gradient at out is weight. */
function loss(twin: BatchNormTwin, weight: StaticArray<f64>): f64 {
  twin.forward();
  let sum: f64 = 0;
  for (let i = 0; i < B * O; i++) sum += twin.out[i] * weight[i];
  return sum;
}

/** Central difference of the loss in one parameter of the twin, for a step of 1e-5. */
function slope(twin: BatchNormTwin, parameter: StaticArray<f64>, i: i32, weight: StaticArray<f64>): f64 {
  const h: f64 = 1e-5;
  const value = parameter[i];
  parameter[i] = value + h;
  const above = loss(twin, weight);
  parameter[i] = value - h;
  const below = loss(twin, weight);
  parameter[i] = value;
  return (above - below) / (2 * h);
}

describe('the f64 twin', () => {
  it('has the gradient of its own forward: central differences within 1e-6', () => {
    for (let t = 0; t < THRESHOLDS.length; t++) {
      makeCase(7, 16, 16, THRESHOLDS[t]);
      const twin = makeTwin();
      const weight = outputGradient();
      loss(twin, weight);
      // Away from ReLU's corner: no y may change its sign within the step.
      for (let i = 0; i < B * O; i++) {
        if (Math.abs(twin.y[i]) < 0.0002) fail('a y too close to 0 for differences; choose another seed');
      }
      twin.backward(weight);
      for (let o = 0; o < O; o++) {
        expectNear(slope(twin, twin.gamma, o, weight), twin.dgamma[o], 1e-6, 'dgamma', o, 0);
        expectNear(slope(twin, twin.beta, o, weight), twin.dbeta[o], 1e-6, 'dbeta', o, 0);
        for (let b = 0; b < B; b++) {
          expectNear(slope(twin, twin.z, b * O + o, weight), twin.dz[b * O + o], 1e-6, 'dz', b, o);
        }
      }
    }
  });
});

describe('padding and strips', () => {
  it('padding columns are zero after forward and after backward, whatever gamma holds there (exact)', () => {
    for (let t = 0; t < THRESHOLDS.length; t++) {
      makeCase(7, 21, 48, THRESHOLDS[t]);
      for (let o = O; o < ld; o++) put(vectors.gamma, o, <f32>(o & 1));
      forward(STEP, LAYER, KEY0, KEY1, 0, 3);
      backward(d, 0, 3);
      for (let o = O; o < ld; o++) {
        expectNear(at(dgamma, o), 0, 0, 'dgamma', o, 0);
        expectNear(at(dbeta, o), 0, 0, 'dbeta', o, 0);
        for (let b = 0; b < B; b++) {
          expectNear(at(out, b * ld + o), 0, 0, 'out', b, o);
          expectNear(at(d, b * ld + o), 0, 0, 'dz', b, o);
        }
      }
      expectGuards();
    }
  });

  it('strips split in any way give the same bytes (exact)', () => {
    for (let t = 0; t < THRESHOLDS.length; t++) {
      for (let cut = 1; cut < 3; cut++) {
        makeCase(33, 48, 48, THRESHOLDS[t]);
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
    }
  });
});

describe('NaN', () => {
  it('in one z reaches its own feature in out and dz, and no other', () => {
    makeCase(5, 16, 16, KEEP_ALL);
    put(z, 2 * ld + 9, NaN);
    forward(STEP, LAYER, KEY0, KEY1, 0, 1);
    backward(d, 0, 1);
    for (let i = 0; i < B * O; i++) {
      expectThat(isNaN(at(out, i)) == (i % O == 9), `out ${i.toString()} is ${at(out, i).toString()}`);
      expectThat(isNaN(at(d, i)) == (i % O == 9), `dz ${i.toString()} is ${at(d, i).toString()}`);
    }
  });
});

describe('foldBatchNorm', () => {
  it('gives (u + bias) normalised by the running statistics, within 8 2^-24 of the terms', () => {
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
    expectGuards();
  });
});
