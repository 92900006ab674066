import { biasGradient } from '../../assembly/nn/dense';
import {
  accumulated,
  at,
  begin,
  expectGuards,
  expectNear,
  expectSame,
  fillIntegers,
  fillUniform,
  floats,
} from './support';

const BATCHES: i32[] = [1, 2, 3, 4, 5, 33, 257];
const WIDTHS: i32[] = [4, 8, 12, 16, 44, 48];

/** db of random dz: every element is written, padding included. */
function checkBias(integers: bool): void {
  for (let i = 0; i < BATCHES.length; i++) {
    for (let j = 0; j < WIDTHS.length; j++) {
      const B = BATCHES[i];
      const ld = WIDTHS[j];
      begin(`B=${B.toString()} ld=${ld.toString()}`, B * 100 + ld);
      const dz = floats(B * ld);
      const db = floats(ld);
      if (integers) fillIntegers(dz, B * ld, 1000);
      else fillUniform(dz, B * ld, -1, 1);
      biasGradient(B, dz, ld, db);
      for (let o = 0; o < ld; o++) {
        let sum: f64 = 0;
        let size: f64 = 0;
        let ordered: f32 = 0;
        for (let b = 0; b < B; b++) {
          sum += <f64>at(dz, b * ld + o);
          size += Math.abs(at(dz, b * ld + o));
          ordered += at(dz, b * ld + o);
        }
        expectNear(at(db, o), sum, integers ? 0 : accumulated(B) * size, 'db', o, 0);
        expectSame(at(db, o), ordered, 'db, summed in the order of the batch', o, 0);
      }
      expectGuards();
    }
  }
}

describe('biasGradient', () => {
  it('is within B 2^-24 sum |dz| of f64, summed in the order of the batch', () => checkBias(false));
  it('is exact on integers', () => checkBias(true));
});
