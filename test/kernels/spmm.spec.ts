import { gemm } from '../../assembly/gemm/gemm';
import { packB, packRows } from '../../assembly/gemm/pack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import { K_BLOCK, compressRows, entryStride } from '../../assembly/sparse/compress';
import { f32_spmm_16, f32_spmm_32, f32_spmm_64 } from '../../assembly/sparse/f32_spmm';
import { spmm } from '../../assembly/sparse/spmm';
import {
  accumulated,
  allocate,
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
  put,
  roundUp,
  uniform,
  zeroed,
} from './support';

// C = init + A B with a sparse A. Against f64 the bound is the dense one (gemm.spec.ts): a running f32 sum of at most
// K products that starts from init is within accumulated(K + 1) (|init| + |A| |B|), and exact on integers. Against
// gemm() over the same operands every byte has to be the same: a product with zero adds nothing.

/** Columns of a packed panel of B. */
const PANEL: i32 = 32;

function fill(p: usize, count: i32, integers: bool): void {
  if (integers) fillIntegers(p, count, 8);
  else fillUniform(p, count, -1, 1);
}

// The micro-kernels alone

/**
 * `count` entries spread over a K-block, on the last `width` columns of a panel, or on two panels for a width of 64; C
 * over init where inPlace.
 */
function checkKernel(width: i32, count: i32, inPlace: bool, integers: bool): void {
  begin(
    `width ${width.toString()} with ${count.toString()} entries ${inPlace ? 'in place' : ''} ` +
      `${integers ? 'integers' : 'reals'}`,
    count * 100 + width,
  );
  // Rows of B that no entry names, and columns that the kernel does not take, are NaN.
  const b = floats(2 * K_BLOCK * PANEL);
  const firstColumn = max(0, PANEL - width);
  const entries = allocate(<usize>count << 3);
  for (let i = 0; i < count; i++) {
    const k = (i * K_BLOCK) / count;
    store<u32>(entries + (<usize>i << 3), k * PANEL * 4);
    fill(entries + (<usize>i << 3) + 4, 1, integers);
    fill(b + (<usize>(k * PANEL + firstColumn) << 2), min(width, PANEL), integers);
    if (width > PANEL) fill(b + (<usize>((K_BLOCK + k) * PANEL) << 2), PANEL, integers);
  }
  const init = floats(width);
  fill(init, width, integers);
  const start = copied(init, width);
  const c = inPlace ? init : floats(width);
  const end = entries + (<usize>count << 3);
  if (width == 16) f32_spmm_16(entries, end, b + (<usize>firstColumn << 2), init, c);
  else if (width == 32) f32_spmm_32(entries, end, b, init, c);
  else f32_spmm_64(entries, end, b, b + (<usize>(K_BLOCK * PANEL) << 2), init, c);
  for (let j = 0; j < width; j++) {
    let sum = <f64>at(start, j);
    let size = Math.abs(sum);
    for (let i = 0; i < count; i++) {
      const row = (j / PANEL) * K_BLOCK + (i * K_BLOCK) / count;
      const term = <f64>at(entries, 2 * i + 1) * <f64>at(b, row * PANEL + firstColumn + (j % PANEL));
      sum += term;
      size += Math.abs(term);
    }
    expectNear(at(c, j), sum, integers ? 0 : accumulated(count + 1) * size, 'C', 0, j);
  }
  expectGuards();
}

function checkKernels(width: i32): void {
  const counts: i32[] = [0, 1, 2, 3, 31, K_BLOCK - 1, K_BLOCK];
  for (let i = 0; i < counts.length; i++) {
    for (let integers = 0; integers < 2; integers++) {
      checkKernel(width, counts[i], false, integers == 1);
      checkKernel(width, counts[i], true, integers == 1);
    }
  }
}

// spmm over compressed and packed operands

let M: i32 = 0;
let N: i32 = 0;
let K: i32 = 0;
let sourceA: usize = 0;
let sourceB: usize = 0;
/** Elements from one row of A, B and C to the next. */
let aRow: i32 = 0;
let bRow: i32 = 0;
let cRow: i32 = 0;
let init: usize = 0;
let starts: usize = 0;
let packedA: usize = 0;
let packedB: usize = 0;

/** Random operands of a case, of which A keeps the share `density`, compressed as well as packed. */
function makeOperands(density: f64, integers: bool): void {
  aRow = primeFrom(roundUp(K, 4));
  sourceA = zeroed(M * aRow);
  for (let m = 0; m < M; m++) {
    fill(sourceA + ((<usize>m * aRow) << 2), K, integers);
    for (let k = 0; k < K; k++) {
      if (uniform(0, 1) >= density) put(sourceA, m * aRow + k, 0);
    }
  }
  // packB reads whole panels: up to 31 elements past the last row's end.
  bRow = primeFrom(N);
  sourceB = floats(K * bRow + PANEL);
  fill(sourceB, K * bRow + PANEL, integers);
  init = floats(roundUp(N, PANEL));
  fill(init, roundUp(N, PANEL), integers);
  cRow = primeFrom(roundUp(N, PANEL));
  pack();
}

function pack(): void {
  const stride = <usize>aRow << 2;
  const entries = allocate(<usize>M * entryStride(K));
  starts = allocate(<usize>(M * ((K + K_BLOCK - 1) / K_BLOCK + 1)) << 2);
  compressRows(ROWS_F32, K, sourceA, stride, 0, entries, starts, 0, M);
  packedA = floats(roundUp(M, 4) * K);
  packRows(ROWS_F32, 4, M, K, sourceA, stride, 0, zeroed(K), packedA, 0, roundUp(M, 4) / 4);
  packedB = floats(roundUp(N, PANEL) * K);
  packB(K, sourceB, <usize>bRow << 2, packedB, 0, roundUp(N, PANEL) / PANEL);
}

/** C by spmm, its work cut for `threads` threads that run one after another, the last one first. */
function multiply(width: i32, threads: i32): usize {
  // The last row ends with its last whole panel, where the guard begins.
  const size = (M - 1) * cRow + roundUp(N, PANEL);
  const c = floats(size);
  const part = floats(size);
  for (let thread = threads - 1; thread >= 0; thread--) {
    spmm(width, M, N, K, K_BLOCK, starts, packedB, init, part, <usize>cRow << 2, thread, threads);
    moveShare(part, c, size);
  }
  for (let m = 0; m < M - 1; m++) {
    for (let j = roundUp(N, PANEL); j < cRow; j++) {
      expectNear(load<u32>(c + (<usize>(m * cRow + j) << 2)), <f64>0xffffffff, 0, 'bits between two rows of C', m, j);
    }
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
        const term = <f64>at(sourceA, m * aRow + k) * <f64>at(sourceB, k * bRow + n);
        sum += term;
        size += Math.abs(term);
      }
      expectNear(at(c, m * cRow + n), sum, integers ? 0 : accumulated(K + 1) * size, 'C', m, n);
    }
  }
}

const DENSITIES: f64[] = [0, 0.1, 0.5, 1];
const THREADS: i32[] = [1, 2, 3, 5];

/** One size: near f64, and the bytes of gemm() for every width and every number of threads. */
function checkProduct(m: i32, n: i32, k: i32, density: f64, integers: bool): void {
  M = m;
  N = n;
  K = k;
  begin(
    `M=${m.toString()} N=${n.toString()} K=${k.toString()} density ${density.toString()} ` +
      `${integers ? 'integers' : 'reals'}`,
    (m * 1009 + n) * 1009 + k,
  );
  makeOperands(density, integers);
  const dense = floats(roundUp(M, 4) * cRow);
  gemm(4, M, N, K, packedA, packedB, init, dense, <usize>cRow << 2, 0, 1);
  for (let width = 16; width <= 64; width *= 2) {
    for (let t = 0; t < THREADS.length; t++) {
      const c = multiply(width, THREADS[t]);
      expectSameBytes(c, dense, M, N, cRow, `C by width ${width.toString()} on ${THREADS[t].toString()} threads`);
      if (t == 0) expectProduct(c, integers);
    }
  }
  expectGuards();
}

describe('f32_spmm micro-kernels, alone', () => {
  it('f32_spmm_16 is within (K + 1) 2^-24 (|init| + |A| |B|), and exact on integers', () => checkKernels(16));
  it('f32_spmm_32 is within (K + 1) 2^-24 (|init| + |A| |B|), and exact on integers', () => checkKernels(32));
});

describe('spmm: (K + 1) 2^-24 (|init| + |A| |B|), the bytes of gemm for every width and every thread count', () => {
  it('N = 1 to 100', () => {
    for (let n = 1; n <= 100; n++) checkProduct(1 + (n % 6), n, 1 + (n % 13), DENSITIES[n % 4], n % 8 < 4);
  });

  it('K across its blocks of 256, at every density', () => {
    const depths: i32[] = [1, 3, 127, 128, 129, 255, 256, 257, 511, 512, 513, 600];
    for (let d = 0; d < depths.length; d++) {
      for (let i = 0; i < DENSITIES.length; i++) {
        checkProduct(7, 35, depths[d], DENSITIES[i], false);
        checkProduct(2, 10, depths[d], DENSITIES[i], true);
      }
    }
  });

  it('N both below and above 8 slices a thread, M below and above the number of threads', () => {
    const columns: i32[] = [128, 256, 257, 511, 512, 769, 1281];
    for (let j = 0; j < columns.length; j++) {
      checkProduct(1, columns[j], 5, 0.5, false);
      checkProduct(11, columns[j], 7, 0.5, true);
    }
  });
});

describe('spmm and padding', () => {
  it('columns beyond N are zero where the padding of B and init is, to the end of the panel (exact)', () => {
    M = 5;
    N = 42;
    K = 300;
    begin('padded to 64 columns', 1);
    makeOperands(0.3, false);
    bRow = 64;
    sourceB = zeroed(K * bRow);
    for (let k = 0; k < K; k++) fillUniform(sourceB + ((<usize>k * bRow) << 2), N, -1, 1);
    init = zeroed(64);
    pack();
    for (let width = 16; width <= 64; width *= 2) {
      const c = multiply(width, 2);
      for (let m = 0; m < M; m++) {
        for (let n = N; n < 64; n++) expectNear(at(c, m * cRow + n), 0, 0, 'C', m, n);
      }
    }
    expectGuards();
  });
});
