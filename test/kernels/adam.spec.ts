import { adam } from '../../assembly/optim/adam';
import { Tracked, expectAll, factors, g, m, makeParameters, putAdamFactors, setAll, v, w } from './optim-case';
import {
  EPS,
  at,
  copied,
  expectGuards,
  expectNear,
  expectSame,
  expectSameBytes,
  fillUniform,
  put,
  zeroed,
} from './support';

/** Step t (from 1). */
function step(count: i32, t: i32, rate: f64, beta1: f64, beta2: f64, epsilon: f64): void {
  putAdamFactors(factors, t, rate, beta1, beta2, epsilon, 0, 0);
  adam(false, count, w, g, m, v, factors);
}

/** Step t (from 1) with decoupled weight decay and L2. */
function stepDecaying(count: i32, t: i32, rate: f64, beta1: f64, beta2: f64, epsilon: f64, decay: f64, l2: f64): void {
  putAdamFactors(factors, t, rate, beta1, beta2, epsilon, decay, l2);
  adam(true, count, w, g, m, v, factors);
}

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

describe('decaying adam by hand', () => {
  it('decoupled decay of 0.5 at rate 0.25: w = 2 keeps 7/8 of itself, then moves by the step (exact)', () => {
    makeParameters('decay', 8);
    setAll(w, 2);
    setAll(g, 4);
    // As without decay m = 2, v = 4 and the step is 0.25; the decay touches neither moment: w = 2 * 0.875 - 0.25.
    stepDecaying(8, 1, 0.25, 0.5, 0.75, 0, 0.5, 0);
    expectAll(m, 2, 0, 'm');
    expectAll(v, 4, 0, 'v');
    expectAll(w, 1.5, 0, 'w');
    expectGuards();
  });

  it('L2 of 0.5: the gradient of w = 4 is 2 larger, in both moments (exact)', () => {
    makeParameters('L2', 8);
    setAll(w, 4);
    setAll(g, 6);
    // g = 6 + 2 = 8: m = 4, v = 16; corrected 8 and 64: w = 4 - 0.25 * 8 / 8.
    stepDecaying(8, 1, 0.25, 0.5, 0.75, 0, 0, 0.5);
    expectAll(m, 4, 0, 'm');
    expectAll(v, 16, 0, 'v');
    expectAll(w, 3.75, 0, 'w');
    expectGuards();
  });

  it('a gradient of zero: decay alone takes its share, L2 alone a whole step (exact)', () => {
    makeParameters('no gradient', 8);
    setAll(w, 4);
    setAll(g, 0);
    stepDecaying(8, 1, 0.25, 0.5, 0.75, 1, 0.5, 0);
    expectAll(w, 3.5, 0, 'w');
    // g = 0 + 0.5 * 3.5 for both moments that are zero yet: its sign is all that the first step sees.
    stepDecaying(8, 1, 0.25, 0.5, 0.75, 0, 0, 0.5);
    expectAll(w, 3.25, 0, 'w');
    expectGuards();
  });
});

/**
 * 100 steps over `count` parameters against f64. The bounds follow the recurrences, first order in EPS: each moment
 * carries the error it had, times beta, and at most 4 (m) or 5 (v) roundings of its terms more. L2 brings the error of
 * the weight, and two roundings, into the gradient; decay takes its share of the weight's error, and rounds twice more.
 */
function checkSteps(count: i32, rate: f64, decaying: bool, decay: f64, l2: f64): void {
  const beta1: f64 = 0.9;
  const beta2: f64 = 0.999;
  const epsilon: f64 = <f64>(<f32>1e-8);
  makeParameters(
    `100 steps of ${count.toString()} parameters at ${rate.toString()}, decay ${decay.toString()}, L2 ${l2.toString()}`,
    count,
  );
  const weight = new Tracked(count);
  const first = new Tracked(count);
  const second = new Tracked(count);
  weight.take(w);
  const keep = 1 - rate * decay;
  for (let t = 1; t <= 100; t++) {
    fillUniform(g, count, -1, 0.5);
    if (decaying) stepDecaying(count, t, rate, beta1, beta2, epsilon, decay, l2);
    else step(count, t, rate, beta1, beta2, epsilon);
    for (let i = 0; i < count; i++) {
      const old = weight.values[i];
      const gradient = <f64>at(g, i) + l2 * old;
      const sumError = l2 == 0 ? 0 : EPS * Math.abs(gradient);
      const gradientError = l2 * (weight.errors[i] + 2 * EPS * Math.abs(old)) + sumError;
      first.errors[i] =
        beta1 * first.errors[i] +
        (1 - beta1) * gradientError +
        4 * EPS * (beta1 * Math.abs(first.values[i]) + (1 - beta1) * Math.abs(gradient));
      first.values[i] = beta1 * first.values[i] + (1 - beta1) * gradient;
      second.values[i] = beta2 * second.values[i] + (1 - beta2) * gradient * gradient;
      second.errors[i] =
        beta2 * second.errors[i] + 2 * (1 - beta2) * Math.abs(gradient) * gradientError + 5 * EPS * second.values[i];
      const root = Math.sqrt(second.values[i] / (1 - Math.pow(beta2, t)));
      const size = rate / (1 - Math.pow(beta1, t));
      const update = (size * first.values[i]) / (root + epsilon);
      weight.values[i] = keep * old - update;
      weight.errors[i] =
        keep * weight.errors[i] +
        (decay == 0 ? 0 : 2 * EPS * Math.abs(old)) +
        (size * first.errors[i]) / (root + epsilon) +
        Math.abs(update) * ((0.5 * second.errors[i]) / second.values[i] + 8 * EPS) +
        EPS * Math.abs(weight.values[i]);
    }
    first.expect(m, 'm', t);
    second.expect(v, 'v', t);
    weight.expect(w, 'w', t);
  }
  expectGuards();
}

describe('adam over 100 steps', () => {
  it('follows f64 within 4, 5 and 8 2^-24 a step for m, v and w, at rate 0.001', () =>
    checkSteps(16, 0.001, false, 0, 0));
  it('follows f64 within 4, 5 and 8 2^-24 a step for m, v and w, at rate 0.1', () =>
    checkSteps(24, 0.1, false, 0, 0));
});

describe('decaying adam over 100 steps', () => {
  it('follows f64 within the same and the decay of w, at rates 0.001 and 0.1', () => {
    checkSteps(16, 0.001, true, 0.01, 0);
    checkSteps(24, 0.1, true, 0.5, 0);
  });

  it('follows f64 within the same and the roundings of l2 w', () => {
    checkSteps(16, 0.001, true, 0, 0.01);
    checkSteps(24, 0.1, true, 0, 0.5);
  });

  it('follows f64 with both', () => checkSteps(16, 0.01, true, 0.1, 0.1));

  it('with neither is adam (exact)', () => {
    makeParameters('neither', 40);
    fillUniform(g, 40, -1, 1);
    const weights = copied(w, 40);
    step(40, 1, 0.1, 0.9, 0.999, 1e-8);
    const expectedW = copied(w, 40);
    const expectedM = copied(m, 40);
    const expectedV = copied(v, 40);
    memory.copy(w, weights, 160);
    memory.fill(m, 0, 160);
    memory.fill(v, 0, 160);
    stepDecaying(40, 1, 0.1, 0.9, 0.999, 1e-8, 0, 0);
    expectSameBytes(w, expectedW, 1, 40, 40, 'w');
    expectSameBytes(m, expectedM, 1, 40, 40, 'm');
    expectSameBytes(v, expectedV, 1, 40, 40, 'v');
    expectGuards();
  });
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
    expectSameBytes(g, gradients, 1, 24, 24, 'g');
    for (let i = 0; i < 24; i++) {
      const alone = zeroed(8);
      const gradient = zeroed(8);
      put(alone, i % 8, at(weights, i));
      put(gradient, i % 8, at(gradients, i));
      adam(false, 8, alone, gradient, zeroed(8), zeroed(8), factors);
      expectSame(at(w, i), at(alone, i % 8), 'w', i, 0);
    }
    expectGuards();
  });
});
