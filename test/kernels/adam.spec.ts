import { ADAM_FACTOR_BYTES, adam, adamFactors } from '../../assembly/optim/adam';
import {
  EPS,
  allocate,
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSame,
  expectSameBytes,
  fillUniform,
  floats,
  put,
  zeroed,
} from './support';

let w: usize = 0;
let g: usize = 0;
let m: usize = 0;
let v: usize = 0;
let factors: usize = 0;

/** `count` parameters, with moments of zero and the gradient yet to be set. */
function makeParameters(name: string, count: i32): void {
  begin(name, count);
  w = floats(count);
  g = floats(count);
  m = zeroed(count);
  v = zeroed(count);
  factors = allocate(ADAM_FACTOR_BYTES);
  fillUniform(w, count, -1, 1);
}

/** Step t (from 1) with the corrections worked out in f64, as the layer program does. */
function step(count: i32, t: i32, rate: f64, beta1: f64, beta2: f64, epsilon: f64): void {
  const stepSize = rate / (1 - Math.pow(beta1, t));
  const rootCorrection = Math.sqrt(1 - Math.pow(beta2, t));
  adamFactors(factors, beta1, beta2, epsilon, stepSize, rootCorrection);
  adam(count, w, g, m, v, factors);
}

function setAll(p: usize, value: f32): void {
  for (let i = 0; i < 8; i++) put(p, i, value);
}

function expectAll(p: usize, value: f64, tolerance: f64, name: string): void {
  for (let i = 0; i < 8; i++) expectNear(at(p, i), value, tolerance, name, i, 0);
}

describe('adamFactors', () => {
  it('are beta1, 1 - beta1, beta2, 1 - beta2, epsilon, -stepSize, 1 / rootCorrection, each rounded once (exact)', () => {
    begin('factors of a late step', 0);
    factors = allocate(ADAM_FACTOR_BYTES);
    adamFactors(factors, 0.9, 0.999, 1e-8, 0.003, 0.3);
    // 1 - beta is taken in f64: 1 - f32(0.999) would be 0.0010000467.
    const expected: f64[] = [0.9, 1 - 0.9, 0.999, 1 - 0.999, 1e-8, -0.003, 1.0 / 0.3];
    for (let i = 0; i < expected.length; i++) {
      for (let lane = 0; lane < 4; lane++) expectSame(at(factors, 4 * i + lane), <f32>expected[i], 'factor', i, lane);
    }
    expectGuards();
  });
});

describe('adam by hand', () => {
  it('first step: w = 1, g = 0.5, rate 0.1 gives m = 0.05, v = 0.00025, w = 0.9, within 4 2^-24', () => {
    makeParameters('first step', 8);
    setAll(w, 1);
    setAll(g, 0.5);
    step(8, 1, 0.1, 0.9, 0.999, 1e-8);
    expectAll(m, 0.05, 4 * EPS * 0.05, 'm');
    expectAll(v, 0.00025, 4 * EPS * 0.00025, 'v');
    // The corrected moments are g and g^2: whatever g, the step is rate g / (|g| + epsilon).
    expectAll(w, 1 - (0.1 * 0.5) / (0.5 + 1e-8), 4 * EPS, 'w');
  });

  it('first step of a negative and of a tiny gradient: rate g / (|g| + epsilon), within 8 2^-24 of it', () => {
    makeParameters('four gradients', 8);
    setAll(w, 0);
    put(g, 0, -3);
    put(g, 1, 1e-4);
    put(g, 2, 1e-8);
    put(g, 3, -1e-9);
    step(8, 1, 0.001, 0.9, 0.999, 1e-8);
    expectNear(at(w, 0), 0.001, 8 * EPS * 0.001, 'w', 0, 0);
    expectNear(at(w, 1), (-0.001 * 1e-4) / (1e-4 + 1e-8), 8 * EPS * 0.001, 'w', 1, 0);
    // Where g is epsilon the step is half as long: epsilon stands outside the root.
    expectNear(at(w, 2), -0.0005, 8 * EPS * 0.0005, 'w', 2, 0);
    expectNear(at(w, 3), 0.001 / 11, (8 * EPS * 0.001) / 11, 'w', 3, 0);
  });

  it('two steps with betas 0.5 and 0.75, gradients 4 and -2: moments exact, w within 8 2^-24', () => {
    makeParameters('two steps', 8);
    setAll(w, 2);
    // m = 2, v = 4; corrected by 1/2 and 1/4: 4 and 16; w = 2 - 0.25 * 4 / 4.
    setAll(g, 4);
    step(8, 1, 0.25, 0.5, 0.75, 0);
    expectAll(m, 2, 0, 'm');
    expectAll(v, 4, 0, 'v');
    expectAll(w, 1.75, 0, 'w');
    // m = 1 - 1 = 0: the gradient has turned, so w stays. v = 3 + 1.
    setAll(g, -2);
    step(8, 2, 0.25, 0.5, 0.75, 0);
    expectAll(m, 0, 0, 'm');
    expectAll(v, 4, 0, 'v');
    expectAll(w, 1.75, 0, 'w');
    // m = 0 + 3, v = 3 + 9; corrected by 7/8 and 37/64: w = 1.75 - 0.25 (24/7) / sqrt(768/37).
    setAll(g, 6);
    step(8, 3, 0.25, 0.5, 0.75, 0);
    expectAll(m, 3, 0, 'm');
    expectAll(v, 12, 0, 'v');
    expectAll(w, 1.75 - (0.25 * (24.0 / 7.0)) / Math.sqrt(768.0 / 37.0), 8 * EPS * 1.75, 'w');
    expectGuards();
  });
});

/**
 * 100 steps over `count` parameters against f64. The bounds follow the recurrences, first order in EPS: each moment
 * carries the error it had, times beta, and at most 4 (m) or 5 (v) roundings of its terms more.
 */
function checkSteps(count: i32, rate: f64): void {
  const beta1: f64 = 0.9;
  const beta2: f64 = 0.999;
  const epsilon: f64 = <f64>(<f32>1e-8);
  makeParameters(`100 steps of ${count.toString()} parameters at ${rate.toString()}`, count);
  const weight = new StaticArray<f64>(count);
  const first = new StaticArray<f64>(count);
  const second = new StaticArray<f64>(count);
  const weightError = new StaticArray<f64>(count);
  const firstError = new StaticArray<f64>(count);
  const secondError = new StaticArray<f64>(count);
  for (let i = 0; i < count; i++) weight[i] = at(w, i);
  for (let t = 1; t <= 100; t++) {
    fillUniform(g, count, -1, 0.5);
    step(count, t, rate, beta1, beta2, epsilon);
    for (let i = 0; i < count; i++) {
      const gradient = <f64>at(g, i);
      firstError[i] =
        beta1 * firstError[i] + 4 * EPS * (beta1 * Math.abs(first[i]) + (1 - beta1) * Math.abs(gradient));
      first[i] = beta1 * first[i] + (1 - beta1) * gradient;
      second[i] = beta2 * second[i] + (1 - beta2) * gradient * gradient;
      secondError[i] = beta2 * secondError[i] + 5 * EPS * second[i];
      const root = Math.sqrt(second[i] / (1 - Math.pow(beta2, t)));
      const size = rate / (1 - Math.pow(beta1, t));
      const update = (size * first[i]) / (root + epsilon);
      weight[i] -= update;
      weightError[i] +=
        (size * firstError[i]) / (root + epsilon) +
        Math.abs(update) * ((0.5 * secondError[i]) / second[i] + 8 * EPS) +
        EPS * Math.abs(weight[i]);
      expectNear(at(m, i), first[i], 1.01 * firstError[i], `m at step ${t.toString()}`, i, 0);
      expectNear(at(v, i), second[i], 1.01 * secondError[i], `v at step ${t.toString()}`, i, 0);
      expectNear(at(w, i), weight[i], 1.01 * weightError[i], `w at step ${t.toString()}`, i, 0);
    }
  }
  expectGuards();
}

describe('adam over 100 steps', () => {
  it('follows f64 within 4, 5 and 8 2^-24 a step for m, v and w, at rate 0.001', () => checkSteps(16, 0.001));
  it('follows f64 within 4, 5 and 8 2^-24 a step for m, v and w, at rate 0.1', () => checkSteps(24, 0.1));
});

describe('adam, what it leaves alone', () => {
  it('a gradient that was always zero leaves w, m and v as they are (exact)', () => {
    makeParameters('zero gradients', 16);
    memory.fill(g, 0, 64);
    const before = copied(w, 16);
    for (let t = 1; t <= 10; t++) step(16, t, 0.1, 0.9, 0.999, 1e-8);
    expectSameBytes(w, before, 1, 16, 16, 'w');
    expectSameBytes(m, zeroed(16), 1, 16, 16, 'm');
    expectSameBytes(v, zeroed(16), 1, 16, 16, 'v');
    expectGuards();
  });

  it('parameters do not touch each other, and the gradient is kept (exact)', () => {
    makeParameters('one at a time', 24);
    fillUniform(g, 24, -1, 1);
    const gradients = copied(g, 24);
    const weights = copied(w, 24);
    step(24, 1, 0.1, 0.9, 0.999, 1e-8);
    const together = w;
    expectSameBytes(g, gradients, 1, 24, 24, 'g');
    for (let i = 0; i < 24; i++) {
      w = zeroed(8);
      g = zeroed(8);
      m = zeroed(8);
      v = zeroed(8);
      put(w, i % 8, at(weights, i));
      put(g, i % 8, at(gradients, i));
      step(8, 1, 0.1, 0.9, 0.999, 1e-8);
      expectSame(at(together, i), at(w, i % 8), 'w', i, 0);
    }
    expectGuards();
  });
});
