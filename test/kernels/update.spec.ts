import { gemm } from '../../assembly/gemm/gemm';
import { packB, packColumns } from '../../assembly/gemm/pack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import {
  ADAM,
  ADAM_DECAY,
  FACTOR_VECTORS,
  SGD,
  SGD_MOMENTUM,
  SGD_NESTEROV,
  STORE,
  step,
} from '../../assembly/optim/step';
import { UPDATE_SCRATCH_BYTES, updateCompressed, updateDense } from '../../assembly/optim/update';
import { blocksOf, compressColumns, entryStride } from '../../assembly/sparse/compress';
import { transposeCsr } from '../../assembly/sparse/csr';
import { putAdamFactors, putSgdFactors } from './optim-case';
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
// after the other: gemm() for dW = X^T dZ, put in panels as W is, then step(). Both halves have specs of their own.

/** Columns of a packed panel of B. */
const PANEL: i32 = 32;
/** Elements of W, m and v behind the last panel. */
const SPARE: i32 = 5 * PANEL;

/** X^T packed densely, compressed by K-blocks, or compressed from sparse samples as rows of one block. */
const DENSE: i32 = 0;
const COMPRESSED: i32 = 1;
const CSR: i32 = 2;
const OPERANDS: string[] = ['dense', 'compressed', 'sparse samples'];

/** The kind of step; Adam's unless a spec sets another. */
let kind: i32 = ADAM;
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
  factors = allocate(FACTOR_VECTORS * 16);
  if (kind == ADAM || kind == ADAM_DECAY) putAdamFactors(factors, 3, 0.01, 0.9, 0.999, 1e-8, 0.1, 0.2);
  else putSgdFactors(factors, 0.1, 0.9, 0.2);
}

/** dW by gemm, and the step by step(). */
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
  step(kind, I * columns, expectedW, gradient, expectedM, expectedV, factors);
  if (kind == STORE) {
    expectSameBytes(expectedM, gradient, 1, I * columns, I * columns, 'the stored gradient');
    expectSameBytes(expectedW, w, 1, count, count, 'w beside the stored gradient');
  }
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

/** X^T packed in panels of `height` rows. */
function packDense(height: i32): usize {
  const panels = roundUp(I, height) / height;
  const packed = floats(panels * height * K);
  packColumns(ROWS_F32, height, I, K, x, <usize>xRow << 2, 0, packed, 0, panels);
  return packed;
}

/** The starts of X^T's rows, compressed by K-blocks. */
function compress(): usize {
  const rows = roundUp(I, 4);
  const entries = allocate(<usize>rows * entryStride(K));
  const starts = floats(rows * (blocksOf(K) + 1));
  compressColumns(ROWS_F32, K, x, <usize>xRow << 2, 0, entries, starts, 0, rows / 4);
  return starts;
}

/** The starts of X^T's rows, transposed from samples in sparse rows. */
function transpose(): usize {
  const samples = allocate(<usize>(I * K) << 3);
  const rowStarts = floats(K + 1);
  const order = floats(K);
  let entry = samples;
  for (let k = 0; k < K; k++) {
    store<u32>(order + (<usize>k << 2), k);
    store<u32>(rowStarts + (<usize>k << 2), <u32>entry);
    for (let i = 0; i < I; i++) {
      if (at(x, k * xRow + i) == 0) continue;
      store<u32>(entry, i * PANEL * 4);
      store<f32>(entry, at(x, k * xRow + i), 4);
      entry += 8;
    }
  }
  store<u32>(rowStarts + (<usize>K << 2), <u32>entry);
  const starts = floats(2 * I);
  transposeCsr(K, I, rowStarts, order, starts, allocate(<usize>(I * K) << 3), 0, I);
  return starts;
}

/** One update by a kernel of `size`, the tiles' height or the compressed kernels' width; the last thread first. */
function expectUpdate(operand: i32, packed: usize, size: i32, threads: i32): void {
  const newW = copied(w, count);
  const newM = copied(m, count);
  const newV = copied(v, count);
  for (let thread = threads - 1; thread >= 0; thread--) {
    const own = allocate(UPDATE_SCRATCH_BYTES);
    if (operand == DENSE) {
      updateDense(size, I, O, K, packed, dz, zeros, kind, newW, newM, newV, factors, own, thread, threads);
    } else {
      const blocks = operand == CSR ? 1 : blocksOf(K);
      updateCompressed(size, I, O, K, blocks, packed, dz, zeros, kind, newW, newM, newV, factors, own, thread, threads);
    }
  }
  const name = `${OPERANDS[operand]}, kernel of ${size.toString()}, ${threads.toString()} threads`;
  expectSameBytes(newW, expectedW, 1, count, count, `w, ${name}`);
  expectSameBytes(newM, expectedM, 1, count, count, `m, ${name}`);
  expectSameBytes(newV, expectedV, 1, count, count, `v, ${name}`);
}

const DENSITIES: f64[] = [0, 0.1, 0.5, 1];

/** One size on any number of threads. */
function checkUpdate(operand: i32, inputs: i32, outputs: i32, batch: i32, density: f64): void {
  const threads: i32[] = [1, 2, 3, 5];
  const sizes: i32[] = operand == DENSE ? [4, 6] : [16, 32, 64];
  I = inputs;
  O = outputs;
  K = batch;
  begin(
    `step ${kind.toString()} I=${I.toString()} O=${O.toString()} K=${K.toString()} density ${density.toString()}`,
    (I * 1009 + O) * 1009 + K,
  );
  makeCase(density);
  makeExpected();
  if (kind == ADAM) expectPaddingKept();
  const starts = operand == COMPRESSED ? compress() : operand == CSR ? transpose() : 0;
  for (let s = 0; s < sizes.length; s++) {
    const packed = operand == DENSE ? packDense(sizes[s]) : starts;
    for (let t = 0; t < threads.length; t++) expectUpdate(operand, packed, sizes[s], threads[t]);
  }
  expectGuards();
}

/** I around both tile heights, O around a panel and beyond one for each thread: threads split the rows. */
function checkShapes(operand: i32): void {
  const inputs: i32[] = [1, 3, 4, 5, 6, 7, 12, 13, 23];
  const outputs: i32[] = [1, 10, 16, 17, 31, 32, 33, 65, 100, 170];
  for (let i = 0; i < inputs.length; i++) {
    for (let o = 0; o < outputs.length; o++) {
      checkUpdate(operand, inputs[i], outputs[o], 1 + ((5 * i + 3 * o) % 11), DENSITIES[(i + o) % 4]);
    }
  }
}

/** Around four panels for each of 2, 3 and 5 threads, from where on threads split the panels. */
function checkManyPanels(operand: i32): void {
  const panels: i32[] = [7, 8, 9, 11, 12, 13, 20, 21];
  for (let p = 0; p < panels.length; p++) {
    checkUpdate(operand, 1 + p, PANEL * panels[p], 3, 0.5);
    checkUpdate(operand, 9 - p, PANEL * panels[p] - 20, 3, 0.5);
  }
}

/** Batches around one and two blocks of 256. */
function checkBatches(operand: i32): void {
  const batches: i32[] = [1, 2, 3, 64, 65, 127, 128, 129, 255, 256, 257, 512, 513, 600];
  for (let b = 0; b < batches.length; b++) {
    checkUpdate(operand, 9, 40, batches[b], 0.5);
    checkUpdate(operand, 11, 10, batches[b], DENSITIES[b % 4]);
  }
  // More rows than the compressed update takes together, and several panels.
  checkUpdate(operand, 40, 100, 257, 0.5);
}

/** Every other kind of step, at sizes of each split. */
function checkKinds(operand: i32): void {
  const kinds: i32[] = [ADAM_DECAY, SGD, SGD_MOMENTUM, SGD_NESTEROV, STORE];
  for (let k = 0; k < kinds.length; k++) {
    kind = kinds[k];
    checkUpdate(operand, 1, 1, 1, 1);
    checkUpdate(operand, 13, 33, 9, 0.5);
    checkUpdate(operand, 7, 300, 5, 0.5);
    checkUpdate(operand, 18, 70, 257, 0.1);
    checkUpdate(operand, 5, 31, 64, 0);
  }
  kind = ADAM;
}

describe('updateDense: the bytes of gemm, then step, for tiles of 4 and 6 and every thread count', () => {
  it('around its tiles and panels', () => checkShapes(DENSE));
  it('fewer and more than four panels a thread', () => checkManyPanels(DENSE));
  it('batches below and above a block of gemm', () => checkBatches(DENSE));
  it('every kind of step; STORE leaves the gradient in m and w alone', () => checkKinds(DENSE));
});

describe('updateCompressed: the bytes of gemm, then step, for widths 16, 32 and 64 and every thread count', () => {
  it('around its panels', () => checkShapes(COMPRESSED));
  it('fewer and more than four panels a thread', () => checkManyPanels(COMPRESSED));
  it('batches below and above a K-block', () => checkBatches(COMPRESSED));
  it('every kind of step; STORE leaves the gradient in m and w alone', () => checkKinds(COMPRESSED));
});

describe('updateCompressed over sparse samples, rows of one block: the bytes of gemm, then step', () => {
  it('around its panels', () => checkShapes(CSR));
  it('fewer and more than four panels a thread', () => checkManyPanels(CSR));
  it('batches below and above a K-block', () => checkBatches(CSR));
  it('every kind of step; STORE leaves the gradient in m and w alone', () => checkKinds(CSR));
});
