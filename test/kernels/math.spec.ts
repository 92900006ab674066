import { exp4, log4 } from '../../assembly/simd/math';
import { allocate, at, begin, expectSame, expectThat, fail, put, ulp } from './support';

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
