import { average } from '../../assembly/optim/average';
import { putFactor } from './optim-case';
import {
  EPS,
  allocate,
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSameBytes,
  fillUniform,
  floats,
  put,
  zeroed,
} from './support';

const COUNTS: i32[] = [4, 8, 12, 16, 60, 64, 68];

let factor: usize = 0;

/** One value of share `share` into the average. */
function take(count: i32, w: usize, mean: usize, share: f64): void {
  putFactor(factor, 0, share);
  average(count, w, mean, factor);
}

describe('average', () => {
  it('by hand: 8 and 4 with a share of 0.25 give 7; a share of 1 takes the value, of 0 nothing (exact)', () => {
    begin('by hand', 0);
    factor = allocate(16);
    const w = floats(4);
    const mean = floats(4);
    for (let i = 0; i < 4; i++) {
      put(w, i, 4);
      put(mean, i, 8);
    }
    take(4, w, mean, 0.25);
    for (let i = 0; i < 4; i++) expectNear(at(mean, i), 7, 0, 'average', i, 0);
    take(4, w, mean, 0);
    for (let i = 0; i < 4; i++) expectNear(at(mean, i), 7, 0, 'average of share 0', i, 0);
    take(4, w, mean, 1);
    expectSameBytes(mean, w, 1, 4, 4, 'average of share 1');
    expectGuards();
  });

  it('with shares of 1, 1/2, 1/3, ... is the mean of all values: 3 2^-24 of the largest for each', () => {
    for (let c = 0; c < COUNTS.length; c++) {
      const count = COUNTS[c];
      begin(`mean of ${count.toString()}`, count);
      factor = allocate(16);
      const mean = zeroed(count);
      const w = floats(count);
      const sums = new StaticArray<f64>(count);
      for (let n = 1; n <= 50; n++) {
        fillUniform(w, count, -1, 3);
        const kept = copied(w, count);
        take(count, w, mean, 1 / <f64>n);
        expectSameBytes(w, kept, 1, count, count, 'w');
        for (let i = 0; i < count; i++) {
          sums[i] += at(w, i);
          expectNear(at(mean, i), sums[i] / n, 9 * EPS * n, `mean of ${n.toString()}`, i, 0);
        }
        if (n % 25 == 0) expectGuards();
      }
    }
  });

  it('with a constant share follows the exponential average in f64: 4 2^-24 of the largest for each', () => {
    begin('exponential', 0);
    factor = allocate(16);
    const share = <f64>(<f32>0.01);
    const w = floats(64);
    fillUniform(w, 64, -1, 1);
    const mean = copied(w, 64);
    const exact = new StaticArray<f64>(64);
    for (let i = 0; i < 64; i++) exact[i] = at(w, i);
    for (let n = 1; n <= 200; n++) {
      fillUniform(w, 64, -1, 1);
      take(64, w, mean, share);
      for (let i = 0; i < 64; i++) {
        exact[i] += share * (<f64>at(w, i) - exact[i]);
        expectNear(at(mean, i), exact[i], 4 * EPS * n, `average after ${n.toString()}`, i, 0);
      }
    }
    expectGuards();
  });
});
