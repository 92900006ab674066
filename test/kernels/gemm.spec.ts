import { f32_gemm_4x8 } from '../../assembly/gemm/f32_gemm_4x8';
import { f32_gemm_6x8 } from '../../assembly/gemm/f32_gemm_6x8';
import { gemm } from '../../assembly/gemm/gemm';
import { packB, packColumns, packRows, packTransposedB } from '../../assembly/gemm/pack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import {
  accumulated,
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSameBytes,
  fillIntegers,
  fillUniform,
  floats,
  moveShare,
  primeFrom,
  roundUp,
  zeroed,
} from './support';

// C = init + A B against f64. A running f32 sum of K products that starts from init rounds no term more than K + 1
// times, fused or not, so |C - exact| <= accumulated(K + 1) (|init| + |A| |B|). On integers every sum is exact, and
// so has C to be.

/** Columns of a packed panel of B. */
const PANEL: i32 = 32;

// The register tiles alone

/** One tile: K products, rows of init and of C the given number of elements apart; C over init where inPlace. */
function checkTile(mr: i32, K: i32, initStride: i32, cStride: i32, inPlace: bool, integers: bool): void {
  begin(
    `${mr.toString()}x8 K=${K.toString()} initStride=${initStride.toString()} cStride=${cStride.toString()} ` +
      `${inPlace ? 'in place' : ''} ${integers ? 'integers' : 'reals'}`,
    K * 1000 + mr,
  );
  const a = floats(K * mr);
  // Eight columns of a panel: what lies between them is NaN.
  const b = floats((K - 1) * PANEL + 8);
  const init = floats((mr - 1) * initStride + 8);
  fill(a, K * mr, integers);
  for (let k = 0; k < K; k++) fill(b + ((<usize>k * PANEL) << 2), 8, integers);
  fill(init, (mr - 1) * initStride + 8, integers);
  const start = copied(init, (mr - 1) * initStride + 8);
  const c = inPlace ? init : floats((mr - 1) * cStride + 8);
  if (mr == 4) f32_gemm_4x8(K, a, b, init, <usize>initStride << 2, c, <usize>cStride << 2);
  else f32_gemm_6x8(K, a, b, init, <usize>initStride << 2, c, <usize>cStride << 2);
  for (let i = 0; i < mr; i++) {
    for (let j = 0; j < 8; j++) {
      let sum = <f64>at(start, i * initStride + j);
      let size = Math.abs(sum);
      for (let k = 0; k < K; k++) {
        const term = <f64>at(a, k * mr + i) * <f64>at(b, k * PANEL + j);
        sum += term;
        size += Math.abs(term);
      }
      expectNear(at(c, i * cStride + j), sum, integers ? 0 : accumulated(K + 1) * size, 'C', i, j);
    }
    if (i == mr - 1) break;
    for (let j = 8; j < cStride; j++) {
      const between = (<usize>i * cStride + j) << 2;
      if (inPlace) expectSameBytes(c + between, start + between, 1, 1, 1, 'what lies between two rows of C');
      else expectNear(<f64>load<u32>(c + between), <f64>0xffffffff, 0, 'bits between two rows of C', i, j);
    }
  }
  expectGuards();
}

function checkTiles(mr: i32): void {
  const depths: i32[] = [1, 2, 3, 255, 256, 257];
  for (let d = 0; d < depths.length; d++) {
    for (let integers = 0; integers < 2; integers++) {
      checkTile(mr, depths[d], 0, 8, false, integers == 1);
      checkTile(mr, depths[d], 11, 13, false, integers == 1);
      checkTile(mr, depths[d], 17, 17, true, integers == 1);
    }
  }
}

// gemm over packed operands

/** Forward: A (M, K) and B (K, N) both row-major. */
const NN: i32 = 0;
/** Weight gradient: A is the transpose of a row-major (K, M) matrix. */
const TN: i32 = 1;
/** Input gradient: B is the transpose of a row-major (N, K) matrix. */
const NT: i32 = 2;
const FORMS: string[] = ['NN', 'TN', 'NT'];

let M: i32 = 0;
let N: i32 = 0;
let K: i32 = 0;
let sourceA: usize = 0;
let sourceB: usize = 0;
/** Elements between neighbours of A's and B's rows and columns: A(m, k) is sourceA[m aRow + k aColumn]. */
let aRow: i32 = 0;
let aColumn: i32 = 0;
let bRow: i32 = 0;
let bColumn: i32 = 0;
let init: usize = 0;
/** Elements from one row of C to the next. */
let cRow: i32 = 0;

function fill(p: usize, count: i32, integers: bool): void {
  if (integers) fillIntegers(p, count, 8);
  else fillUniform(p, count, -1, 1);
}

/** Random operands of a case, with prime strides. */
function makeOperands(form: i32, integers: bool): void {
  const transposedA = form == TN;
  const strideA = primeFrom(transposedA ? M : K);
  aRow = transposedA ? 1 : strideA;
  aColumn = transposedA ? strideA : 1;
  const countA = (transposedA ? K : M) * strideA;
  sourceA = floats(countA);
  fill(sourceA, countA, integers);

  const transposedB = form == NT;
  const strideB = primeFrom(transposedB ? K : N);
  bRow = transposedB ? 1 : strideB;
  bColumn = transposedB ? strideB : 1;
  // packB reads whole panels: up to 31 elements past the last row's end.
  const countB = (transposedB ? N : K) * strideB + PANEL;
  sourceB = floats(countB);
  fill(sourceB, countB, integers);

  init = floats(roundUp(N, 8));
  fill(init, roundUp(N, 8), integers);
  cRow = primeFrom(roundUp(N, 8));
}

/** C by tiles of mr rows, its work cut for `threads` threads that run one after another, the last one first. */
function multiply(form: i32, mr: i32, threads: i32): usize {
  const zeros = zeroed(K);
  const aPanels = (M + mr - 1) / mr;
  const bPanels = (N + PANEL - 1) / PANEL;
  const a = floats(aPanels * mr * K);
  const b = floats(bPanels * PANEL * K);
  if (form == TN) packColumns(ROWS_F32, mr, M, K, sourceA, <usize>aColumn << 2, 0, a, 0, aPanels);
  else packRows(ROWS_F32, mr, M, K, sourceA, <usize>aRow << 2, 0, zeros, a, 0, aPanels);
  if (form == NT) packTransposedB(N, K, sourceB, <usize>bColumn << 2, zeros, b, 0, bPanels);
  else packB(K, sourceB, <usize>bRow << 2, b, 0, bPanels);
  const size = aPanels * mr * cRow;
  const c = floats(size);
  const part = floats(size);
  for (let thread = threads - 1; thread >= 0; thread--) {
    gemm(mr, M, N, K, a, b, init, part, <usize>cRow << 2, thread, threads);
    moveShare(part, c, size);
  }
  return c;
}

/** Every element of C against f64. */
function expectProduct(c: usize, integers: bool): void {
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = <f64>at(init, n);
      let size = Math.abs(sum);
      for (let k = 0; k < K; k++) {
        const term = <f64>at(sourceA, m * aRow + k * aColumn) * <f64>at(sourceB, k * bRow + n * bColumn);
        sum += term;
        size += Math.abs(term);
      }
      expectNear(at(c, m * cRow + n), sum, integers ? 0 : accumulated(K + 1) * size, 'C', m, n);
    }
  }
}

function beginProduct(form: i32, m: i32, n: i32, k: i32, what: string): void {
  M = m;
  N = n;
  K = k;
  begin(
    `${FORMS[form]} M=${m.toString()} N=${n.toString()} K=${k.toString()} ${what}`,
    ((form * 1009 + m) * 1009 + n) * 1009 + k,
  );
}

/** One size: right on one thread and tiles of 4, and the same bytes on tiles of 6 and on more threads. */
function checkProduct(form: i32, m: i32, n: i32, k: i32, integers: bool): void {
  const threads: i32[] = [1, 2, 3, 5];
  beginProduct(form, m, n, k, integers ? 'integers' : 'reals');
  makeOperands(form, integers);
  const first = multiply(form, 4, 1);
  expectProduct(first, integers);
  for (let mr = 4; mr <= 6; mr += 2) {
    for (let t = 0; t < threads.length; t++) {
      const c = multiply(form, mr, threads[t]);
      expectSameBytes(c, first, M, N, cRow, `C by ${mr.toString()} x 8 on ${threads[t].toString()} threads`);
    }
  }
  expectGuards();
}

/** Around both tile heights, and primes. */
const ROWS: i32[] = [1, 3, 4, 5, 6, 7, 8, 12, 13, 31];
/** Around the widths of a tile (8) and of a panel (32), and primes. */
const COLUMNS: i32[] = [1, 7, 8, 9, 16, 19, 31, 32, 33, 67];
const DEPTHS: i32[] = [1, 2, 3, 7, 29];

function checkSmall(form: i32): void {
  for (let i = 0; i < ROWS.length; i++) {
    for (let j = 0; j < COLUMNS.length; j++) {
      for (let k = 0; k < DEPTHS.length; k++) checkProduct(form, ROWS[i], COLUMNS[j], DEPTHS[k], (i + j + k) % 2 == 0);
    }
  }
}

/** Sizes that cross the blocks: K beyond KC (256), M beyond MC (252), N both below and above 8 tiles a thread. */
function checkBlocked(form: i32): void {
  const depths: i32[] = [255, 256, 257, 300, 513, 784];
  for (let d = 0; d < depths.length; d++) {
    checkProduct(form, 13, 19, depths[d], false);
    checkProduct(form, 7, 131, depths[d], true);
  }
  checkProduct(form, 252, 9, 257, false);
  checkProduct(form, 253, 9, 300, true);
  checkProduct(form, 509, 67, 17, false);
}

/**
 * C t = init t + A (B t) for random t, at the size of a layer: O(n^2) in f64, after Freivalds (1977).
 * Each element of C may be wrong by accumulated(K + 1) (|init| + |A| |B|); so may, times |t|, their sum.
 */
function checkAtScale(form: i32, m: i32, n: i32, k: i32): void {
  beginProduct(form, m, n, k, 'against A (B t)');
  makeOperands(form, false);
  const c = multiply(form, 6, 3);
  const t = floats(N);
  fillUniform(t, N, -1, 1);
  const product = new StaticArray<f64>(K);
  const productSize = new StaticArray<f64>(K);
  for (let i = 0; i < K; i++) {
    for (let j = 0; j < N; j++) {
      const term = <f64>at(sourceB, i * bRow + j * bColumn) * <f64>at(t, j);
      product[i] += term;
      productSize[i] += Math.abs(term);
    }
  }
  for (let i = 0; i < M; i++) {
    let actual: f64 = 0;
    let exact: f64 = 0;
    let size: f64 = 0;
    for (let j = 0; j < N; j++) {
      const start = <f64>at(init, j) * <f64>at(t, j);
      actual += <f64>at(c, i * cRow + j) * <f64>at(t, j);
      exact += start;
      size += Math.abs(start);
    }
    for (let j = 0; j < K; j++) {
      const a = <f64>at(sourceA, i * aRow + j * aColumn);
      exact += a * product[j];
      size += Math.abs(a) * productSize[j];
    }
    expectNear(actual, exact, accumulated(K + 1) * size, 'C t', i, 0);
  }
  expectGuards();
}

describe('f32_gemm register tiles, alone', () => {
  it('f32_gemm_4x8 is within (K + 1) 2^-24 (|init| + |A| |B|), and exact on integers', () => checkTiles(4));
  it('f32_gemm_6x8 is within (K + 1) 2^-24 (|init| + |A| |B|), and exact on integers', () => checkTiles(6));
});

describe('gemm around the tiles: (K + 1) 2^-24 (|init| + |A| |B|), the same bytes for every tile and thread count', () => {
  it('NN, the forward pass', () => checkSmall(NN));
  it('TN, the weight gradient', () => checkSmall(TN));
  it('NT, the input gradient', () => checkSmall(NT));
});

describe('gemm across its blocks: (K + 1) 2^-24 (|init| + |A| |B|), the same bytes for every tile and thread count', () => {
  it('NN, the forward pass', () => checkBlocked(NN));
  it('TN, the weight gradient', () => checkBlocked(TN));
  it('NT, the input gradient', () => checkBlocked(NT));
});

describe('gemm at the size of a layer: C t = init t + A (B t) within (K + 1) 2^-24 (|init| + |A| |B|) |t|', () => {
  it('NN 257 x 509 x 784', () => checkAtScale(NN, 257, 509, 784));
  it('TN 785 x 251 x 257', () => checkAtScale(TN, 785, 251, 257));
  it('NT 257 x 784 x 509', () => checkAtScale(NT, 257, 784, 509));
});

describe('gemm and padding', () => {
  it('columns beyond N are zero where the padding of B and init is (exact)', () => {
    for (let mr = 4; mr <= 6; mr += 2) {
      beginProduct(NN, 13, 10, 300, 'padded to 16 columns');
      makeOperands(NN, false);
      bRow = PANEL;
      sourceB = zeroed(K * bRow);
      for (let k = 0; k < K; k++) fillUniform(sourceB + ((<usize>k * bRow) << 2), N, -1, 1);
      init = zeroed(16);
      const c = multiply(NN, mr, 2);
      for (let m = 0; m < M; m++) {
        for (let n = N; n < 16; n++) expectNear(at(c, m * cRow + n), 0, 0, 'C', m, n);
      }
      expectGuards();
    }
  });
});
