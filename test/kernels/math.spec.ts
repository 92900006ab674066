import { exp4, log4, normal4, sigmoid4, tanh4 } from '../../assembly/simd/math';
import { normalTwin, sigmoidTwin } from './activation-twin';
import { allocate, at, begin, expectNear, expectSame, expectThat, fail, put, ulp } from './support';

const LOW: f32 = -87.3;
const HIGH: f32 = 88.3;
/** Bits of the smallest and largest normal f32, and of one. */
const SMALLEST: u32 = 0x00800000;
const LARGEST: u32 = 0x7f7fffff;
const ONE: u32 = 0x3f800000;

let x: usize = 0;
let y: usize = 0;

/** Buffers for four arguments and four results. */
function start(name: string): void {
  begin(name, 0);
  x = allocate(16);
  y = allocate(16);
}

/** Four results of exp4, or of log4, for the numbers with bits first, first + step, ... */
function evaluate(logarithm: bool, first: u32, step: u32): void {
  for (let lane: u32 = 0; lane < 4; lane++) store<u32>(x + (lane << 2), first + lane * step);
  v128.store(y, logarithm ? log4(v128.load(x)) : exp4(v128.load(x)));
}

function report(name: string, lane: i32, exact: f64): void {
  fail(`${name}(${at(x, lane).toString()}) is ${at(y, lane).toString()}, exactly ${exact.toString()}`);
}

/** exp4 of every step-th f32 with bits in [first, last] is within `bound` ULP. */
function sweepExp(first: u32, last: u32, step: u32, bound: f64): void {
  for (let bits = first; bits + 3 * step <= last; bits += 4 * step) {
    evaluate(false, bits, step);
    for (let lane = 0; lane < 4; lane++) {
      const exact = Math.exp(<f64>at(x, lane));
      if (!(abs(<f64>at(y, lane) - exact) <= bound * ulp(exact))) report('exp4', lane, exact);
    }
  }
}

/** log4 of every step-th f32 with bits in [first, last] is within `bound` ULP. */
function sweepLog(first: u32, last: u32, step: u32, bound: f64): void {
  for (let bits = first; bits + 3 * step <= last; bits += 4 * step) {
    evaluate(true, bits, step);
    for (let lane = 0; lane < 4; lane++) {
      const exact = Math.log(<f64>at(x, lane));
      if (!(abs(<f64>at(y, lane) - exact) <= bound * ulp(exact))) report('log4', lane, exact);
    }
  }
}

/** exp4, or log4, of one number; all four lanes have to be alike. */
function evaluateOne(logarithm: bool, value: f32): f32 {
  evaluate(logarithm, reinterpret<u32>(value), 0);
  for (let lane = 1; lane < 4; lane++) expectSame(at(y, lane), at(y, 0), 'lane', lane, 0);
  return at(y, 0);
}

function exp1(value: f32): f32 {
  return evaluateOne(false, value);
}

describe('exp4', () => {
  it('is within 1.02 ULP of exp over [-87.3, 88.3], both signs, ends included', () => {
    start('dense sweep');
    const high = reinterpret<u32>(HIGH);
    const low = reinterpret<u32>(LOW);
    sweepExp(0, high, 2003, 1.02);
    sweepExp(0x80000000, low, 2003, 1.02);
    start('the numbers next to the ends');
    sweepExp(high - 999, high, 1, 1.02);
    sweepExp(low - 999, low, 1, 1.02);
  });

  it('is within 1.02 ULP of exp where n changes, at odd multiples of ln 2 / 2', () => {
    start('around (n + 1/2) ln 2');
    for (let n = -126; n < 127; n++) {
      const middle = reinterpret<u32>(<f32>((<f64>n + 0.5) * Math.LN2));
      sweepExp(middle - 40, middle + 40, 1, 1.02);
    }
  });

  it('gives exactly 1 at 0 and at -0', () => {
    start('zeros');
    expect(exp1(0)).toBe(1);
    expect(exp1(-0.0)).toBe(1);
  });

  it('clamps: beyond the ends the results are those at the ends, finite and normal (exact)', () => {
    start('beyond the ends');
    const largest = exp1(HIGH);
    const smallest = exp1(LOW);
    expectThat(largest < f32.MAX_VALUE, 'exp4(88.3) is not finite');
    expectThat(smallest >= f32.MIN_NORMAL_VALUE, 'exp4(-87.3) is not normal');
    const beyond: f32[] = [88.5, 90, 1000, 3e38, Infinity];
    for (let i = 0; i < beyond.length; i++) {
      expect(exp1(beyond[i])).toBe(largest, `exp4(${beyond[i].toString()})`);
      expect(exp1(-beyond[i])).toBe(smallest, `exp4(${(-beyond[i]).toString()})`);
    }
  });

  it('keeps NaN, in its lane only', () => {
    start('NaN');
    for (let lane = 0; lane < 4; lane++) put(x, lane, lane == 2 ? NaN : 0);
    v128.store(y, exp4(v128.load(x)));
    for (let lane = 0; lane < 4; lane++) {
      expectThat(lane == 2 ? isNaN(at(y, lane)) : at(y, lane) == 1, `lane ${lane.toString()} is wrong`);
    }
  });
});

describe('log4', () => {
  it('is within 1 ULP of ln over all normal numbers, ends included', () => {
    start('dense sweep');
    sweepLog(SMALLEST, LARGEST, 2003, 1);
    start('the numbers next to the ends');
    sweepLog(SMALLEST, SMALLEST + 999, 1, 1);
    sweepLog(LARGEST - 999, LARGEST, 1, 1);
  });

  it('is within 1 ULP of ln near 1 and where e changes, at sqrt(1/2) and sqrt(2)', () => {
    start('near 1');
    sweepLog(ONE - 20000, ONE + 20000, 1, 1);
    sweepLog(ONE - 0x00400000, ONE + 0x00400000, 101, 1);
    start('around the square roots');
    const root = reinterpret<u32>(<f32>Math.SQRT2);
    sweepLog(root - 1000, root + 1000, 1, 1);
    sweepLog(root - 0x00800000 - 1000, root - 0x00800000 + 1000, 1, 1);
  });

  it('gives exactly 0 at 1', () => {
    start('one');
    expect(evaluateOne(true, 1)).toBe(0);
  });
});

const SIGMOID: i32 = 0;
const TANH: i32 = 1;
const NORMAL: i32 = 2;
const CURVES: string[] = ['sigmoid4', 'tanh4', 'normal4'];

/** A curve at one number; all four lanes have to be alike. */
function curve(which: i32, value: f32): f32 {
  const v = f32x4.splat(value);
  v128.store(y, which == SIGMOID ? sigmoid4(v) : which == TANH ? tanh4(v) : normal4(v));
  for (let lane = 1; lane < 4; lane++) expectSame(at(y, lane), at(y, 0), 'lane', lane, 0);
  return at(y, 0);
}

/** Bound on a curve's error at v. */
function curveError(which: i32, v: f64, exact: f64): f64 {
  if (which == SIGMOID) return 3 * ulp(exact) + (v < LOW ? 1.25e-38 : 0);
  if (which == TANH) return 2 * ulp(exact);
  return v < -13 ? exact : Math.min(2.5e-7, 2e-5 * exact);
}

/** A curve at every step-th f32 with bits in [first, last], of both signs. */
function sweepCurve(which: i32, first: u32, last: u32, step: u32): void {
  for (let bits = first; bits <= last && bits >= first; bits += step) {
    for (let sign: u32 = 0; sign < 2; sign++) {
      const v = reinterpret<f32>(bits | (sign << 31));
      const exact = which == SIGMOID ? sigmoidTwin(v) : which == TANH ? Math.tanh(v) : normalTwin(v);
      expectNear(curve(which, v), exact, curveError(which, v, exact), `${CURVES[which]}(${v.toString()})`, 0, 0);
    }
  }
}

function checkCurve(which: i32): void {
  start(`${CURVES[which]}, all magnitudes`);
  sweepCurve(which, 0, LARGEST, 200003);
  sweepCurve(which, LARGEST, LARGEST, 1);
  start(`${CURVES[which]}, where it bends`);
  sweepCurve(which, reinterpret<u32>(<f32>0.001), reinterpret<u32>(<f32>100), 3001);
}

describe('sigmoid4, tanh4 and normal4', () => {
  it('sigmoid4 is within 3 ULP of 1 / (1 + exp(-x)), and of 1.25e-38 below -87.3', () => checkCurve(SIGMOID));

  it('tanh4 is within 2 ULP of tanh, on both sides of the seam at 0.625', () => {
    checkCurve(TANH);
    start('around 0.625');
    const seam = reinterpret<u32>(<f32>0.625);
    sweepCurve(TANH, seam - 2000, seam + 2000, 1);
  });

  it('normal4 is within 2.5e-7 of Phi, and within 2e-5 of itself down to -13, below which it is 0', () =>
    checkCurve(NORMAL));

  it('saturate: 1 above, and 0, -1 or 1.25e-38 below, up to infinity (exact)', () => {
    start('tails');
    const tails: f32[] = [100, 1000, 1e19, 2e19, 3e38, Infinity];
    for (let i = 0; i < tails.length; i++) {
      for (let which = SIGMOID; which <= NORMAL; which++) expectSame(curve(which, tails[i]), 1, CURVES[which], i, 0);
      expectNear(curve(SIGMOID, -tails[i]), 0, 1.25e-38, 'sigmoid4', i, 1);
      expectSame(curve(TANH, -tails[i]), -1, 'tanh4', i, 1);
      expectSame(curve(NORMAL, -tails[i]), 0, 'normal4', i, 1);
    }
    expectSame(curve(SIGMOID, 0), 0.5, 'sigmoid4', 0, 2);
    expectSame(curve(TANH, 0), 0, 'tanh4', 0, 2);
  });
});
