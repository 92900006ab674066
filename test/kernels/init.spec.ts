import { glorotUniform, heNormal } from '../../assembly/rng/init';
import { philoxTwin } from './philox-twin';
import { EPS, allocate, at, begin, expectGuards, expectNear, expectThat, floats } from './support';

// Statistical bounds are five standard errors: a right generator passes for all but one seed in a million, and the
// seeds here are fixed.

/** A fresh (rows, columns) tensor with rows ld elements apart; `he` says by which rule. */
function weights(he: bool, rows: i32, columns: i32, ld: i32, tensor: i32, key0: u32, key1: u32): usize {
  const w = floats(rows * ld);
  const scratch = allocate(64);
  if (he) heNormal(w, rows, columns, ld, tensor, key0, key1, scratch);
  else glorotUniform(w, rows, columns, ld, tensor, key0, key1, scratch);
  return w;
}

/** Mean of w^power over the tensor. */
function moment(w: usize, rows: i32, columns: i32, ld: i32, power: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let term: f64 = 1;
      for (let p = 0; p < power; p++) term *= <f64>at(w, i * ld + j);
      sum += term;
    }
  }
  return sum / <f64>(rows * columns);
}

/** Mean product of each element and the one `distance` after it: rows have no padding. */
function correlation(w: usize, count: i32, distance: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i + distance < count; i++) sum += <f64>at(w, i) * <f64>at(w, i + distance);
  return sum / <f64>(count - distance);
}

/** The number of elements that are equal at the same place. */
function equalElements(a: usize, b: usize, count: i32): i32 {
  let equal = 0;
  for (let i = 0; i < count; i++) equal += i32(at(a, i) == at(b, i));
  return equal;
}

/** Seed, tensor and padding behave as documented, on an odd number of elements and a padded row. */
function expectDeterminism(he: bool): void {
  begin('13 x 11 in rows of 16', 0);
  const first = weights(he, 13, 11, 16, 3, 1, 2);
  const again = weights(he, 13, 11, 16, 3, 1, 2);
  expectThat(memory.compare(first, again, 13 * 16 * 4) == 0, 'the same seed gave other bytes');
  for (let i = 0; i < 13; i++) {
    for (let j = 0; j < 11; j++) expectThat(isFinite(at(first, i * 16 + j)), 'an element was left out');
    for (let j = 11; j < 16; j++) {
      expectThat(load<u32>(first + ((<usize>i * 16 + j) << 2)) == 0xffffffff, 'padding was written');
    }
  }
  const packed = weights(he, 13, 11, 11, 3, 1, 2);
  for (let i = 0; i < 13; i++) {
    expectThat(memory.compare(packed + i * 44, first + i * 64, 44) == 0, 'the row stride changed a value');
  }
  expectThat(equalElements(packed, weights(he, 13, 11, 11, 4, 1, 2), 143) == 0, 'two tensors share values');
  expectThat(equalElements(packed, weights(he, 13, 11, 11, 3, 9, 2), 143) == 0, 'key0 does not matter');
  expectThat(equalElements(packed, weights(he, 13, 11, 11, 3, 1, 9), 143) == 0, 'key1 does not matter');
  expectGuards();
}

describe('heNormal', () => {
  it('has mean 0, variance 2 / rows, third moment 0 and kurtosis 3, within five standard errors', () => {
    begin('784 x 256', 0);
    const count: i32 = 784 * 256;
    const w = weights(true, 784, 256, 256, 0, 42, 0);
    const variance = 2.0 / 784.0;
    const error = 5.0 / Math.sqrt(count);
    const deviation = Math.sqrt(variance);
    expectNear(moment(w, 784, 256, 256, 1), 0, error * deviation, 'mean', 0, 0);
    expectNear(moment(w, 784, 256, 256, 2), variance, error * variance * Math.sqrt(2), 'variance', 0, 0);
    // The third and fourth powers of a standard normal have variances 15 and 105 - 9.
    expectNear(moment(w, 784, 256, 256, 3), 0, error * variance * deviation * Math.sqrt(15), 'third moment', 0, 0);
    expectNear(
      moment(w, 784, 256, 256, 4), 3 * variance * variance, error * variance * variance * Math.sqrt(96),
      'fourth moment', 0, 0,
    );
    for (let distance = 1; distance <= 4; distance++) {
      expectNear(correlation(w, count, distance), 0, error * variance, 'correlation', distance, 0);
    }
    expectGuards();
  });

  it('is the polar method on the counters (pair, attempt, tensor, stream 2), within 2^-24', () => {
    begin('13 x 11', 0);
    const w = weights(true, 13, 11, 11, 3, 1, 2);
    for (let pair = 0; pair < 72; pair++) {
      let u: f64 = 0;
      let v: f64 = 0;
      let s: f64 = 0;
      for (let attempt = 0; s == 0 || s >= 1; attempt++) {
        const block = philoxTwin(pair, attempt, 3, 2 << 16, 1, 2);
        u = (<f64>block[0] + 0.5) / 2147483648.0 - 1;
        v = (<f64>block[1] + 0.5) / 2147483648.0 - 1;
        s = u * u + v * v;
      }
      const factor = Math.sqrt((-2 * Math.log(s)) / s) * Math.sqrt(2.0 / 13.0);
      expectNear(at(w, 2 * pair), u * factor, 1.01 * EPS * Math.abs(u * factor), 'w', 2 * pair, 0);
      // 143 elements: the last pair has one.
      if (pair < 71) expectNear(at(w, 2 * pair + 1), v * factor, 1.01 * EPS * Math.abs(v * factor), 'w', 2 * pair + 1, 0);
    }
    expectGuards();
  });

  it('gives the same bytes for the same seed, others for another tensor or key, and leaves padding (exact)', () => {
    expectDeterminism(true);
  });
});

describe('glorotUniform', () => {
  it('lies within sqrt(6 / (rows + columns)), with mean 0 and variance limit^2 / 3 within five standard errors', () => {
    begin('512 x 128', 0);
    const count: i32 = 512 * 128;
    const w = weights(false, 512, 128, 128, 0, 42, 0);
    const limit = Math.sqrt(6.0 / 640.0);
    let largest: f64 = 0;
    for (let i = 0; i < count; i++) largest = max(largest, Math.abs(at(w, i)));
    expectThat(largest <= <f64>(<f32>limit), `|w| reaches ${largest.toString()}`);
    expectThat(largest > 0.999 * limit, `|w| ends at ${largest.toString()}`);
    const variance = (limit * limit) / 3;
    const error = 5.0 / Math.sqrt(count);
    expectNear(moment(w, 512, 128, 128, 1), 0, error * Math.sqrt(variance), 'mean', 0, 0);
    // The square of a uniform number in (-1, 1) has variance 4 / 45, that is 4/5 of its squared mean of 1/3.
    expectNear(moment(w, 512, 128, 128, 2), variance, error * variance * Math.sqrt(0.8), 'variance', 0, 0);
    for (let distance = 1; distance <= 4; distance++) {
      expectNear(correlation(w, count, distance), 0, error * variance, 'correlation', distance, 0);
    }
    expectGuards();
  });

  it('gives the same bytes for the same seed, others for another tensor or key, and leaves padding (exact)', () => {
    expectDeterminism(false);
  });
});
