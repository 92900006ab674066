import { gemm } from '../../assembly/gemm/gemm';
import { packB, packRows } from '../../assembly/gemm/pack';
import { transposePanels } from '../../assembly/gemm/repack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import {
  EPS,
  accumulated,
  at,
  begin,
  expectGuards,
  expectNear,
  expectSame,
  fillUniform,
  floats,
  primeFrom,
  randomBelow,
  roundUp,
  zeroed,
} from './support';

// The dense input gradient dX = dZ W^T as it is composed: W (I, O) in panels, transposed into panels, times packed dZ.

const PANEL: i32 = 32;
const SIZES: i32[] = [1, 3, 4, 5, 6, 7, 31, 32, 33, 63, 64, 65, 97];

let B: i32 = 0;
let I: i32 = 0;
let O: i32 = 0;
let w: usize = 0;
let dz: usize = 0;
let dzRow: i32 = 0;
let dxRow: i32 = 0;

/** dX of random dZ and W, by tiles of mr rows. */
function inputGradient(mr: i32): usize {
  const columns = roundUp(O, PANEL);
  w = zeroed(I * columns);
  for (let i = 0; i < I; i++) fillUniform(w + ((<usize>i * columns) << 2), O, -1, 1);
  const panels = floats(I * columns);
  packB(I, w, <usize>columns << 2, panels, 0, columns / PANEL);
  dzRow = primeFrom(O);
  dz = floats((B - 1) * dzRow + O);
  for (let b = 0; b < B; b++) fillUniform(dz + ((<usize>b * dzRow) << 2), O, -1, 1);
  const rows = roundUp(B, mr);
  const a = floats(rows * O);
  packRows(ROWS_F32, mr, B, O, dz, <usize>dzRow << 2, 0, zeroed(O), a, 0, rows / mr);
  dxRow = roundUp(I, PANEL);
  const transposed = floats(O * dxRow);
  transposePanels(I, O, panels, transposed, 0, dxRow / PANEL);
  const dx = floats(rows * dxRow);
  gemm(mr, B, dxRow, O, a, transposed, zeroed(dxRow), dx, <usize>dxRow << 2, 0, 1);
  return dx;
}

function weight(i: i32, o: i32): f64 {
  return at(w, i * roundUp(O, PANEL) + o);
}

describe('the dense input gradient: (O + 1) 2^-24 |dZ| |W^T|', () => {
  it('against f64, for tiles of 4 and 6; padding of dX is zero', () => {
    for (let s = 0; s < SIZES.length; s++) {
      for (let t = 0; t < SIZES.length; t++) {
        B = 1 + ((s + t) % 9);
        I = SIZES[s];
        O = SIZES[t];
        const mr = (s + t) % 2 == 0 ? 4 : 6;
        begin(`B=${B.toString()} I=${I.toString()} O=${O.toString()} mr=${mr.toString()}`, I * 1009 + O);
        const dx = inputGradient(mr);
        for (let b = 0; b < B; b++) {
          for (let i = 0; i < I; i++) {
            let sum: f64 = 0;
            let size: f64 = 0;
            for (let o = 0; o < O; o++) {
              const term = <f64>at(dz, b * dzRow + o) * weight(i, o);
              sum += term;
              size += Math.abs(term);
            }
            expectNear(at(dx, b * dxRow + i), sum, accumulated(O + 1) * size, 'dX', b, i);
          }
          for (let i = I; i < dxRow; i++) expectSame(at(dx, b * dxRow + i), 0, 'padding of dX', b, i);
        }
        expectGuards();
      }
    }
  });

  it('of a real layer: dX t is dZ (W^T t) for random t of +-1', () => {
    B = 61;
    I = 523;
    O = 257;
    begin('B=61 I=523 O=257', 1);
    const dx = inputGradient(4);
    for (let trial = 0; trial < 4; trial++) {
      const signs = new StaticArray<f64>(I);
      for (let i = 0; i < I; i++) signs[i] = <f64>(2 * randomBelow(2) - 1);
      const through = new StaticArray<f64>(O);
      const sizes = new StaticArray<f64>(O);
      for (let o = 0; o < O; o++) {
        for (let i = 0; i < I; i++) {
          through[o] += weight(i, o) * signs[i];
          sizes[o] += Math.abs(weight(i, o));
        }
      }
      for (let b = 0; b < B; b++) {
        let found: f64 = 0;
        let expected: f64 = 0;
        let size: f64 = 0;
        for (let i = 0; i < I; i++) found += <f64>at(dx, b * dxRow + i) * signs[i];
        for (let o = 0; o < O; o++) {
          expected += <f64>at(dz, b * dzRow + o) * through[o];
          size += Math.abs(<f64>at(dz, b * dzRow + o)) * sizes[o];
        }
        // Random signs: the errors of I sums add up like a random walk, 12 of whose deviations are allowed.
        const walk = (12 * Math.sqrt(O) * EPS * size) / Math.sqrt(I);
        expectNear(found, expected, walk, 'dX t', b, trial);
      }
    }
    expectGuards();
  });
});
