import { gemm } from '../../assembly/gemm/gemm';
import { packB, packColumns } from '../../assembly/gemm/pack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import { ADAM_FACTOR_BYTES, adam, adamFactors } from '../../assembly/optim/adam';
import { updateCompressed, updateDense } from '../../assembly/optim/update';
import { K_BLOCK, compressColumns, entryStride } from '../../assembly/sparse/compress';
import {
  allocate,
  at,
  begin,
  copied,
  expectGuards,
  expectSame,
  expectSameBytes,
  fillUniform,
  floats,
  primeFrom,
  put,
  roundUp,
  uniform,
  zeroed,
} from './support';

// The fused update of W (I, O) from X (K, I) and dZ (K, O) has to leave the very bytes of its two halves done one
// after the other: gemm() for dW = X^T dZ, put in panels as W is, then adam(). Both halves have specs of their own.

/** Columns of a packed panel of B. */
const PANEL: i32 = 32;
/** Elements of W, m and v behind the last panel. */
const SPARE: i32 = 5 * PANEL;
/** Bytes of a thread's scratch: 16 rows of 64 columns. */
const SCRATCH_BYTES: i32 = 16 * 64 * 4;

let I: i32 = 0;
let O: i32 = 0;
let K: i32 = 0;
/** Columns of W that an update may write to: O, to whole panels. */
let columns: i32 = 0;
/** Elements of W, m and v, the spare ones with them. */
let count: i32 = 0;
let x: usize = 0;
let xRow: i32 = 0;
let dz: usize = 0;
let w: usize = 0;
let m: usize = 0;
let v: usize = 0;
let factors: usize = 0;
let zeros: usize = 0;
/** What the two halves make of w, m and v. */
let expectedW: usize = 0;
let expectedM: usize = 0;
let expectedV: usize = 0;

/** Where element (i, o) of W, m and v stands; for o = O where the padding behind row i of the last panel starts. */
function inPanels(i: i32, o: i32): i32 {
  const panel = min(o, columns - 1) / PANEL;
  return (panel * I + i) * PANEL + (o - panel * PANEL);
}

/** Random parameters, moments and gradients in the middle of a training; X keeps the share `density`. */
function makeCase(density: f64): void {
  columns = roundUp(O, PANEL);
  count = I * columns + SPARE;
  zeros = zeroed(2 * PANEL);
  xRow = primeFrom(roundUp(I, 4));
  x = zeroed(K * xRow);
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < I; i++) {
      if (uniform(0, 1) < density) put(x, k * xRow + i, <f32>uniform(-1, 1));
    }
  }
  const source = zeroed(K * columns);
  for (let k = 0; k < K; k++) fillUniform(source + ((<usize>k * columns) << 2), O, -1, 1);
  dz = floats(K * columns);
  packB(K, source, <usize>columns << 2, dz, 0, columns / PANEL);

  w = floats(count);
  fillUniform(w, count, -1, 1);
  m = floats(count);
  v = floats(count);
  fillUniform(m, count, -1, 1);
  fillUniform(v, count, 0, 1);
  // The padding of a panel has no moments: no gradient has ever reached it. What lies beyond has, so that it shows.
  for (let i = 0; i < I; i++) {
    const padding = <usize>inPanels(i, O) << 2;
    memory.fill(m + padding, 0, <usize>(columns - O) << 2);
    memory.fill(v + padding, 0, <usize>(columns - O) << 2);
  }
  factors = allocate(ADAM_FACTOR_BYTES);
  adamFactors(factors, 0.9, 0.999, 1e-8, 0.01 / 0.3, 0.2);
}

/** dW by gemm, and the step by adam. */
function makeExpected(): void {
  const panels = roundUp(I, 4) / 4;
  const a = floats(panels * 4 * K);
  packColumns(ROWS_F32, 4, I, K, x, <usize>xRow << 2, 0, a, 0, panels);
  const rows = floats(panels * 4 * columns);
  gemm(4, I, columns, K, a, dz, zeroed(columns), rows, <usize>columns << 2, 0, 1);
  const gradient = floats(I * columns);
  packB(I, rows, <usize>columns << 2, gradient, 0, columns / PANEL);
  expectedW = copied(w, count);
  expectedM = copied(m, count);
  expectedV = copied(v, count);
  adam(I * columns, expectedW, gradient, expectedM, expectedV, factors);
}

/** What the halves leave alone is what it was: padding, whose gradient is zero. */
function expectPaddingKept(): void {
  for (let i = 0; i < I; i++) {
    for (let o = O; o < columns; o++) {
      const index = inPanels(i, o);
      expectSame(at(expectedW, index), at(w, index), 'w', i, o);
      expectSame(at(expectedM, index), at(m, index), 'm', i, o);
      expectSame(at(expectedV, index), at(v, index), 'v', i, o);
    }
  }
}

/** One update, dense in tiles of `height` rows or, where that is 0, compressed; the last thread first. */
function expectUpdate(height: i32, width: i32, threads: i32): void {
  const newW = copied(w, count);
  const newM = copied(m, count);
  const newV = copied(v, count);
  let packed: usize = 0;
  if (height) {
    const panels = roundUp(I, height) / height;
    packed = floats(panels * height * K);
    packColumns(ROWS_F32, height, I, K, x, <usize>xRow << 2, 0, packed, 0, panels);
  } else {
    const rows = roundUp(I, 4);
    const entries = allocate(<usize>rows * entryStride(K));
    packed = allocate(<usize>(rows * ((K + K_BLOCK - 1) / K_BLOCK + 1)) << 2);
    compressColumns(ROWS_F32, K, x, <usize>xRow << 2, 0, entries, packed, 0, rows / 4);
  }
  for (let thread = threads - 1; thread >= 0; thread--) {
    const own = allocate(SCRATCH_BYTES);
    if (height) {
      updateDense(height, I, O, K, packed, dz, zeros, newW, newM, newV, factors, own, thread, threads);
    } else {
      updateCompressed(width, I, O, K, packed, dz, zeros, newW, newM, newV, factors, own, thread, threads);
    }
  }
  const name = height ? `tiles of ${height.toString()}` : `width ${width.toString()}`;
  expectSameBytes(newW, expectedW, 1, count, count, `w by ${name} on ${threads.toString()} threads`);
  expectSameBytes(newM, expectedM, 1, count, count, `m by ${name} on ${threads.toString()} threads`);
  expectSameBytes(newV, expectedV, 1, count, count, `v by ${name} on ${threads.toString()} threads`);
}

const DENSITIES: f64[] = [0, 0.1, 0.5, 1];

/** One size on any number of threads. */
function checkUpdate(compressed: bool, inputs: i32, outputs: i32, batch: i32, density: f64): void {
  const threads: i32[] = [1, 2, 3, 5];
  I = inputs;
  O = outputs;
  K = batch;
  begin(
    `I=${I.toString()} O=${O.toString()} K=${K.toString()} density ${density.toString()}`,
    (I * 1009 + O) * 1009 + K,
  );
  makeCase(density);
  makeExpected();
  expectPaddingKept();
  for (let t = 0; t < threads.length; t++) {
    expectUpdate(compressed ? 0 : 4, 16, threads[t]);
    expectUpdate(compressed ? 0 : 6, 32, threads[t]);
    if (compressed) expectUpdate(0, 64, threads[t]);
  }
  expectGuards();
}

/** I around both tile heights, O around a panel and beyond one for each thread: threads split the rows. */
function checkShapes(compressed: bool): void {
  const inputs: i32[] = [1, 3, 4, 5, 6, 7, 12, 13, 23];
  const outputs: i32[] = [1, 10, 16, 17, 31, 32, 33, 65, 100, 170];
  for (let i = 0; i < inputs.length; i++) {
    for (let o = 0; o < outputs.length; o++) {
      checkUpdate(compressed, inputs[i], outputs[o], 1 + ((5 * i + 3 * o) % 11), DENSITIES[(i + o) % 4]);
    }
  }
}

/** Around four panels for each of 2, 3 and 5 threads, from where on threads split the panels. */
function checkManyPanels(compressed: bool): void {
  const panels: i32[] = [7, 8, 9, 11, 12, 13, 20, 21];
  for (let p = 0; p < panels.length; p++) {
    checkUpdate(compressed, 1 + p, PANEL * panels[p], 3, 0.5);
    checkUpdate(compressed, 9 - p, PANEL * panels[p] - 20, 3, 0.5);
  }
}

/** Batches around one and two blocks of 256. */
function checkBatches(compressed: bool): void {
  const batches: i32[] = [1, 2, 3, 64, 65, 127, 128, 129, 255, 256, 257, 512, 513, 600];
  for (let b = 0; b < batches.length; b++) {
    checkUpdate(compressed, 9, 40, batches[b], 0.5);
    checkUpdate(compressed, 11, 10, batches[b], DENSITIES[b % 4]);
  }
  // More rows than the compressed update takes together, and several panels.
  checkUpdate(compressed, 40, 100, 257, 0.5);
}

describe('updateDense: the bytes of gemm, then adam, for tiles of 4 and 6 and every thread count', () => {
  it('around its tiles and panels', () => checkShapes(false));
  it('fewer and more than four panels a thread', () => checkManyPanels(false));
  it('batches below and above a block of gemm', () => checkBatches(false));
});

describe('updateCompressed: the bytes of gemm, then adam, for widths 16, 32 and 64 and every thread count', () => {
  it('around its panels', () => checkShapes(true));
  it('fewer and more than four panels a thread', () => checkManyPanels(true));
  it('batches below and above a K-block', () => checkBatches(true));
});
