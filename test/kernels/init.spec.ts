import { glorotUniform, heNormal } from '../../assembly/rng/init';
import { philoxTwin } from './philox-twin';
import { EPS, allocate, at, begin, expectGuards, expectNear, expectThat, floats, roundUp } from './support';

// Statistical bounds are five standard errors: a right generator passes for all but one seed in a million, and the
// seeds here are fixed.

/** Columns of a panel. */
const PANEL: i32 = 32;

/** A fresh (rows, columns) tensor in panels; `he` says by which rule. */
function weights(he: bool, rows: i32, columns: i32, tensor: i32, key0: u32, key1: u32): usize {
  const w = floats(rows * roundUp(columns, PANEL));
  const scratch = allocate(128);
  if (he) heNormal(w, rows, columns, tensor, key0, key1, scratch);
  else glorotUniform(w, rows, columns, tensor, key0, key1, scratch);
  return w;
}

/** Where element (i, j) of a tensor in panels stands. */
function inPanels(rows: i32, i: i32, j: i32): i32 {
  return ((j / PANEL) * rows + i) * PANEL + (j % PANEL);
}

/** Element e of a tensor in panels, counted along its rows. */
function element(w: usize, rows: i32, columns: i32, e: i32): f32 {
  return at(w, inPanels(rows, e / columns, e % columns));
}

/** Mean of w^power over the tensor. */
function moment(w: usize, rows: i32, columns: i32, power: i32): f64 {
  let sum: f64 = 0;
  for (let e = 0; e < rows * columns; e++) {
    let term: f64 = 1;
    for (let p = 0; p < power; p++) term *= <f64>element(w, rows, columns, e);
    sum += term;
  }
  return sum / <f64>(rows * columns);
}

/** Mean product of each element and the one `distance` after it. */
function correlation(w: usize, rows: i32, columns: i32, distance: i32): f64 {
  const count = rows * columns - distance;
  let sum: f64 = 0;
  for (let e = 0; e < count; e++) {
    sum += <f64>element(w, rows, columns, e) * <f64>element(w, rows, columns, e + distance);
  }
  return sum / <f64>count;
}

/** The number of elements of two 13 x 43 tensors that are equal at the same place. */
function equalElements(a: usize, b: usize): i32 {
  let equal = 0;
  for (let e = 0; e < 13 * 43; e++) equal += i32(element(a, 13, 43, e) == element(b, 13, 43, e));
  return equal;
}

/** Seed, tensor and padding behave as documented, on an odd number of elements and a padded second panel. */
function expectDeterminism(he: bool): void {
  begin('13 x 43', 0);
  const first = weights(he, 13, 43, 3, 1, 2);
  const again = weights(he, 13, 43, 3, 1, 2);
  expectThat(memory.compare(first, again, 13 * 64 * 4) == 0, 'the same seed gave other bytes');
  for (let i = 0; i < 13; i++) {
    for (let j = 0; j < 64; j++) {
      const index = inPanels(13, i, j);
      if (j < 43) expectThat(isFinite(at(first, index)), 'an element was left out');
      else expectThat(load<u32>(first + (<usize>index << 2)) == 0xffffffff, 'padding was written');
    }
  }
  expectThat(equalElements(first, again) == 13 * 43, 'equal elements are not counted');
  expectThat(equalElements(first, weights(he, 13, 43, 4, 1, 2)) == 0, 'two tensors share values');
  expectThat(equalElements(first, weights(he, 13, 43, 3, 9, 2)) == 0, 'key0 does not matter');
  expectThat(equalElements(first, weights(he, 13, 43, 3, 1, 9)) == 0, 'key1 does not matter');
  expectGuards();
}

describe('heNormal', () => {
  it('has mean 0, variance 2 / rows, third moment 0 and kurtosis 3, within five standard errors', () => {
    begin('784 x 256', 0);
    const count: i32 = 784 * 256;
    const w = weights(true, 784, 256, 0, 42, 0);
    const variance = 2.0 / 784.0;
    const error = 5.0 / Math.sqrt(count);
    const deviation = Math.sqrt(variance);
    expectNear(moment(w, 784, 256, 1), 0, error * deviation, 'mean', 0, 0);
    expectNear(moment(w, 784, 256, 2), variance, error * variance * Math.sqrt(2), 'variance', 0, 0);
    // The third and fourth powers of a standard normal have variances 15 and 105 - 9.
    expectNear(moment(w, 784, 256, 3), 0, error * variance * deviation * Math.sqrt(15), 'third moment', 0, 0);
    expectNear(
      moment(w, 784, 256, 4), 3 * variance * variance, error * variance * variance * Math.sqrt(96),
      'fourth moment', 0, 0,
    );
    for (let distance = 1; distance <= 4; distance++) {
      expectNear(correlation(w, 784, 256, distance), 0, error * variance, 'correlation', distance, 0);
    }
    expectGuards();
  });

  it('is the polar method on the counters (pair, attempt, tensor, stream 2), within 2^-24', () => {
    begin('13 x 43', 0);
    const w = weights(true, 13, 43, 3, 1, 2);
    for (let pair = 0; pair < 280; pair++) {
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
      const e = 2 * pair;
      expectNear(element(w, 13, 43, e), u * factor, 1.01 * EPS * Math.abs(u * factor), 'w', e, 0);
      // 559 elements: the last pair has one.
      if (pair == 279) break;
      expectNear(element(w, 13, 43, e + 1), v * factor, 1.01 * EPS * Math.abs(v * factor), 'w', e + 1, 0);
    }
    expectGuards();
  });

  it('gives the same bytes for the same seed, others for another tensor or key, and leaves padding (exact)', () => {
    expectDeterminism(true);
  });
});

describe('glorotUniform', () => {
  it('is a word of the counters (element / 4, 0, tensor, stream 2), scaled to the limit, within 2^-24', () => {
    begin('13 x 43', 0);
    const w = weights(false, 13, 43, 3, 1, 2);
    const limit = Math.sqrt(6.0 / 56.0);
    for (let e = 0; e < 13 * 43; e++) {
      const word = philoxTwin(e / 4, 0, 3, 2 << 16, 1, 2)[e % 4];
      const exact = ((<f64>word + 0.5) / 2147483648.0 - 1) * limit;
      expectNear(element(w, 13, 43, e), exact, 1.01 * EPS * Math.abs(exact), 'w', e, 0);
    }
    expectGuards();
  });

  it('lies within sqrt(6 / (rows + columns)), with mean 0 and variance limit^2 / 3 within five standard errors', () => {
    begin('512 x 128', 0);
    const count: i32 = 512 * 128;
    const w = weights(false, 512, 128, 0, 42, 0);
    const limit = Math.sqrt(6.0 / 640.0);
    let largest: f64 = 0;
    for (let e = 0; e < count; e++) largest = max(largest, Math.abs(element(w, 512, 128, e)));
    expectThat(largest <= <f64>(<f32>limit), `|w| reaches ${largest.toString()}`);
    expectThat(largest > 0.999 * limit, `|w| ends at ${largest.toString()}`);
    const variance = (limit * limit) / 3;
    const error = 5.0 / Math.sqrt(count);
    expectNear(moment(w, 512, 128, 1), 0, error * Math.sqrt(variance), 'mean', 0, 0);
    // The square of a uniform number in (-1, 1) has variance 4 / 45, that is 4/5 of its squared mean of 1/3.
    expectNear(moment(w, 512, 128, 2), variance, error * variance * Math.sqrt(0.8), 'variance', 0, 0);
    for (let distance = 1; distance <= 4; distance++) {
      expectNear(correlation(w, 512, 128, distance), 0, error * variance, 'correlation', distance, 0);
    }
    expectGuards();
  });

  it('gives the same bytes for the same seed, others for another tensor or key, and leaves padding (exact)', () => {
    expectDeterminism(false);
  });
});
