import { MOMENTUM, NESTEROV, PLAIN, sgd } from '../../assembly/optim/sgd';
import { SGD, SGD_MOMENTUM, SGD_NESTEROV, STORE, step } from '../../assembly/optim/step';
import { Tracked, expectAll, factors, g, m, makeParameters, putSgdFactors, setAll, v, w } from './optim-case';
import { EPS, at, copied, expectGuards, expectSameBytes, fillUniform, floats, zeroed } from './support';

const KINDS: i32[] = [PLAIN, MOMENTUM, NESTEROV];
const NAMES: string[] = ['plain', 'momentum', 'Nesterov'];

function stepOf(kind: i32, count: i32, rate: f64, momentum: f64, l2: f64): void {
  putSgdFactors(factors, rate, momentum, l2);
  if (kind == PLAIN) sgd(PLAIN, count, w, g, m, factors);
  else if (kind == MOMENTUM) sgd(MOMENTUM, count, w, g, m, factors);
  else sgd(NESTEROV, count, w, g, m, factors);
}

/** Two steps from w = 8 with gradients of 4 and -2, rate 0.5, momentum 0.5 and L2 of 0.25. */
function check(kind: i32, w1: f64, w2: f64, m1: f64, m2: f64): void {
  makeParameters(NAMES[kind], 8);
  setAll(w, 8);
  setAll(g, 4);
  stepOf(kind, 8, 0.5, 0.5, 0.25);
  expectAll(w, w1, 0, 'w after one step');
  expectAll(m, m1, 0, 'm after one step');
  setAll(g, -2);
  stepOf(kind, 8, 0.5, 0.5, 0.25);
  expectAll(w, w2, 0, 'w after two steps');
  expectAll(m, m2, 0, 'm after two steps');
  expectAll(g, -2, 0, 'the gradient');
  expectGuards();
}

describe('sgd by hand: w = 8, gradients 4 and -2, rate 0.5, momentum 0.5, L2 0.25 (exact)', () => {
  // g = 4 + 2 = 6: w = 8 - 3. g = -2 + 1.25 = -0.75: w = 5 + 0.375.
  it('plain: 5, then 5.375; m is left alone', () => check(PLAIN, 5, 5.375, 0, 0));
  // m = 6: w = 5. m = 3 - 0.75 = 2.25: w = 5 - 1.125.
  it('momentum: 5, then 3.875', () => check(MOMENTUM, 5, 3.875, 6, 2.25));
  // m = 6, step of 6 + 3: w = 3.5. g = -2 + 0.875, m = 3 - 1.125 = 1.875, step of -1.125 + 0.9375: w = 3.5 + 0.09375.
  it("Nesterov's: 3.5, then 3.59375", () => check(NESTEROV, 3.5, 3.59375, 6, 1.875));

  it('plain does not even read m', () => {
    makeParameters('no m', 8);
    setAll(w, 1);
    setAll(g, 2);
    putSgdFactors(factors, 0.25, 0.5, 0);
    const fresh = floats(8);
    const kept = copied(fresh, 8);
    sgd(PLAIN, 8, w, g, fresh, factors);
    expectAll(w, 0.5, 0, 'w');
    expectSameBytes(fresh, kept, 1, 8, 8, 'm');
    expectGuards();
  });
});

/** 100 steps against f64: errors carried as the recurrences carry them, and each operation's roundings, first order. */
function checkSteps(kind: i32, count: i32, rate: f64, momentum: f64, l2: f64): void {
  makeParameters(`100 steps, ${NAMES[kind]}, L2 ${l2.toString()}`, count);
  const weight = new Tracked(count);
  const moment = new Tracked(count);
  weight.take(w);
  for (let t = 1; t <= 100; t++) {
    fillUniform(g, count, -1, 0.5);
    stepOf(kind, count, rate, momentum, l2);
    for (let i = 0; i < count; i++) {
      const old = weight.values[i];
      const gradient = <f64>at(g, i) + l2 * old;
      const sumError = l2 == 0 ? 0 : EPS * Math.abs(gradient);
      const gradientError = l2 * (weight.errors[i] + 2 * EPS * Math.abs(old)) + sumError;
      let direction = gradient;
      let directionError = gradientError;
      if (kind != PLAIN) {
        const carried = momentum * moment.values[i];
        moment.values[i] = carried + gradient;
        moment.errors[i] =
          momentum * moment.errors[i] + gradientError + EPS * (2 * Math.abs(carried) + Math.abs(moment.values[i]));
        direction = moment.values[i];
        directionError = moment.errors[i];
        if (kind == NESTEROV) {
          const ahead = momentum * moment.values[i];
          direction = gradient + ahead;
          directionError =
            gradientError + momentum * moment.errors[i] + EPS * (2 * Math.abs(ahead) + Math.abs(direction));
        }
      }
      weight.values[i] = old - rate * direction;
      weight.errors[i] +=
        rate * (directionError + 2 * EPS * Math.abs(direction)) + EPS * Math.abs(weight.values[i]);
    }
    weight.expect(w, 'w', t);
    moment.expect(m, 'm', t);
  }
  expectGuards();
}

describe('sgd over 100 steps', () => {
  it('follows f64 within 2^-24 for each rounding, with L2 and without', () => {
    for (let k = 0; k < KINDS.length; k++) {
      checkSteps(KINDS[k], 12, 0.01, 0.9, 0);
      checkSteps(KINDS[k], 20, 0.1, 0.9, 0.01);
      checkSteps(KINDS[k], 16, 0.1, 0.5, 0.5);
    }
  });
});

describe('step', () => {
  it('takes the kinds of descent as sgd does, and leaves v alone (exact)', () => {
    const kinds: i32[] = [SGD, SGD_MOMENTUM, SGD_NESTEROV];
    for (let k = 0; k < kinds.length; k++) {
      makeParameters(`step, ${NAMES[k]}`, 24);
      fillUniform(g, 24, -1, 1);
      fillUniform(m, 24, -1, 1);
      const newW = copied(w, 24);
      const newM = copied(m, 24);
      stepOf(KINDS[k], 24, 0.1, 0.9, 0.01);
      step(kinds[k], 24, newW, g, newM, v, factors);
      expectSameBytes(newW, w, 1, 24, 24, 'w');
      expectSameBytes(newM, m, 1, 24, 24, 'm');
      expectSameBytes(v, zeroed(24), 1, 24, 24, 'v');
      expectGuards();
    }
  });

  it('of kind STORE copies the gradient to m, and steps nothing (exact)', () => {
    makeParameters('STORE', 24);
    fillUniform(g, 24, -1, 1);
    const weights = copied(w, 24);
    step(STORE, 24, w, g, m, v, factors);
    expectSameBytes(m, g, 1, 24, 24, 'm');
    expectSameBytes(w, weights, 1, 24, 24, 'w');
    expectSameBytes(v, zeroed(24), 1, 24, 24, 'v');
    expectGuards();
  });
});
