import { gemm } from '../../assembly/gemm/gemm';
import { packB, packColumns, packRows } from '../../assembly/gemm/pack';
import { ROWS_F32 } from '../../assembly/layout/rows';
import { spmmCsr, transposeCsr } from '../../assembly/sparse/csr';
import { spmm } from '../../assembly/sparse/spmm';
import {
  accumulated,
  allocate,
  at,
  begin,
  expectGuards,
  expectNear,
  expectSameBytes,
  expectThat,
  fillUniform,
  floats,
  moveShare,
  put,
  randomBelow,
  roundUp,
  shuffled,
  uniform,
  zeroed,
} from './support';

// Samples in compressed sparse rows: the products over them against gemm() over the dense rows (the same bytes) and
// against f64, and the transpose against the index formula at the head of sparse/csr.ts.

const PANEL: i32 = 32;
const ROW_BYTES: i32 = 128;
const SAMPLES: i32 = 23;
const SIZES: i32[] = [1, 2, 31, 32, 33, 64, 97, 129, 300];
const BATCHES: i32[] = [1, 2, 7, 12];
const DENSITIES: f64[] = [0, 0.02, 0.3, 1];
const THREADS: i32[] = [1, 2, 3, 5];

let M: i32 = 0;
let K: i32 = 0;
let order: usize = 0;
let rowStarts: usize = 0;
/** The dense samples, row-major (SAMPLES, K). */
let dense: usize = 0;
/** Entries of the batch. */
let count: i32 = 0;

/** Random samples of which the share `density` is stored, now and then a zero; every fifth sample is empty. */
function makeSamples(batch: i32, columns: i32, density: f64): void {
  M = batch;
  K = columns;
  begin(`M=${M.toString()} K=${K.toString()} density ${density.toString()}`, M * 1009 + K);
  dense = zeroed(SAMPLES * K);
  const stored = allocate(SAMPLES * K);
  let total = 0;
  for (let i = 0; i < SAMPLES * K; i++) {
    const kept = (i / K) % 5 != 4 && uniform(0, 1) < density;
    store<u8>(stored + i, u8(kept));
    if (kept && randomBelow(9) > 0) put(dense, i, <f32>uniform(-1, 1));
    total += i32(kept);
  }
  const entries = allocate(<usize>total << 3);
  rowStarts = floats(SAMPLES + 1);
  let entry = entries;
  for (let i = 0; i < SAMPLES * K; i++) {
    if (i % K == 0) store<u32>(rowStarts + (<usize>(i / K) << 2), <u32>entry);
    if (!load<u8>(stored + i)) continue;
    store<u32>(entry, (i % K) * ROW_BYTES);
    store<f32>(entry, at(dense, i), 4);
    entry += 8;
  }
  store<u32>(rowStarts + (SAMPLES << 2), <u32>entry);
  order = shuffled(SAMPLES);
  // One sample twice: a batch may repeat.
  if (M > 1) store<u32>(order, load<u32>(order, 4));
  count = 0;
  for (let m = 0; m < M; m++) count += <i32>(endOf(m) - startOf(m)) >> 3;
}

function startOf(m: i32): usize {
  return load<u32>(rowStarts + (<usize>load<u32>(order + (<usize>m << 2)) << 2));
}

function endOf(m: i32): usize {
  return load<u32>(rowStarts + (<usize>load<u32>(order + (<usize>m << 2)) << 2), 4);
}

/** Element (m, k) of the batch. */
function element(m: i32, k: i32): f32 {
  return at(dense, load<u32>(order + (<usize>m << 2)) * K + k);
}

/** A random operand B of `rows` rows and N columns, in panels, its padding zero. */
function makeB(rows: i32, N: i32): usize {
  const columns = roundUp(N, PANEL);
  const source = zeroed(rows * columns);
  for (let k = 0; k < rows; k++) fillUniform(source + ((<usize>k * columns) << 2), N, -1, 1);
  const packed = floats(rows * columns);
  packB(rows, source, <usize>columns << 2, packed, 0, columns / PANEL);
  return packed;
}

function checkProduct(batch: i32, columns: i32, N: i32, density: f64): void {
  makeSamples(batch, columns, density);
  const ld = roundUp(N, PANEL);
  const stride = <usize>ld << 2;
  const b = makeB(K, N);
  const init = zeroed(ld);
  fillUniform(init, N, -1, 1);
  const a = floats(roundUp(M, 4) * K);
  packRows(ROWS_F32, 4, M, K, dense, <usize>K << 2, order, zeroed(K), a, 0, roundUp(M, 4) / 4);
  const expected = floats(roundUp(M, 4) * ld);
  gemm(4, M, N, K, a, b, init, expected, stride, 0, 1);
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = <f64>at(init, n);
      let size = Math.abs(sum);
      for (let k = 0; k < K; k++) {
        const term = <f64>element(m, k) * <f64>at(b, ((n / PANEL) * K + k) * PANEL + (n % PANEL));
        sum += term;
        size += Math.abs(term);
      }
      expectNear(at(expected, m * ld + n), sum, accumulated(K + 1) * size, 'C', m, n);
    }
  }
  for (let width = 16; width <= 64; width *= 2) {
    for (let t = 0; t < THREADS.length; t++) {
      const threads = THREADS[t];
      const c = floats(M * ld);
      const part = floats(M * ld);
      for (let thread = threads - 1; thread >= 0; thread--) {
        spmmCsr(width, M, N, K, rowStarts, order, b, init, part, stride, thread, threads);
        moveShare(part, c, M * ld);
      }
      expectSameBytes(c, expected, M, N, ld, `C by width ${width.toString()} on ${threads.toString()} threads`);
    }
  }
  expectGuards();
}

/** The transpose on `threads` threads, the last one first: every row of it, and no byte that depends on the split. */
function checkTranspose(batch: i32, columns: i32, density: f64, threads: i32): void {
  makeSamples(batch, columns, density);
  const starts = floats(2 * K);
  const entries = allocate(<usize>count << 3);
  for (let thread = threads - 1; thread >= 0; thread--) {
    transposeCsr(M, K, rowStarts, order, starts, entries, (K * thread) / threads, (K * (thread + 1)) / threads);
  }
  let entry = entries;
  for (let k = 0; k < K; k++) {
    const start = starts + (<usize>k << 3);
    expectThat(load<u32>(start) == <u32>entry, `column ${k.toString()} starts elsewhere`);
    for (let m = 0; m < M; m++) {
      let found = false;
      for (let p = startOf(m); p < endOf(m); p += 8) found = found || load<u32>(p) == <u32>(k * ROW_BYTES);
      if (!found) continue;
      expectThat(load<u32>(entry) == <u32>(m * ROW_BYTES), `column ${k.toString()} lacks row ${m.toString()}`);
      expectThat(load<f32>(entry, 4) == element(m, k), `(${m.toString()}, ${k.toString()}) has another value`);
      entry += 8;
    }
    expectThat(load<u32>(start, 4) == <u32>entry, `column ${k.toString()} ends elsewhere`);
  }
  expectThat(entry == entries + (<usize>count << 3), 'there are other entries');
  expectGuards();
}

describe('spmmCsr: (K + 1) 2^-24 (|init| + |A| |B|), the bytes of gemm for every width and every thread count', () => {
  it('K and N around a panel and beyond, batches with empty and repeated samples, at every density', () => {
    for (let i = 0; i < SIZES.length; i++) {
      for (let j = 0; j < BATCHES.length; j++) {
        const N = SIZES[(i + 3 * j) % SIZES.length];
        checkProduct(BATCHES[j], SIZES[i], N, DENSITIES[(i + j) % DENSITIES.length]);
      }
    }
  });

  it('N from which on threads split the columns', () => {
    checkProduct(5, 17, 769, 0.3);
    checkProduct(5, 17, 1281, 0.3);
  });
});

describe('transposeCsr (exact)', () => {
  it('has each column in the order of the batch, without gaps, for every split of the columns', () => {
    for (let i = 0; i < SIZES.length; i++) {
      for (let j = 0; j < BATCHES.length; j++) {
        for (let t = 0; t < THREADS.length; t++) {
          checkTranspose(BATCHES[j], SIZES[i], DENSITIES[(i + j) % DENSITIES.length], THREADS[t]);
        }
      }
    }
  });

  it('gives the weight gradient of gemm() over the dense rows, as one block for spmm: the same bytes', () => {
    for (let i = 0; i < SIZES.length; i++) {
      const N = SIZES[SIZES.length - 1 - i];
      makeSamples(12, SIZES[i], 0.3);
      const ld = roundUp(N, PANEL);
      const stride = <usize>ld << 2;
      const dz = makeB(M, N);
      const starts = floats(2 * K);
      transposeCsr(M, K, rowStarts, order, starts, allocate(<usize>count << 3), 0, K);
      const rows = roundUp(K, 4);
      const a = floats(rows * M);
      packColumns(ROWS_F32, 4, K, M, dense, <usize>K << 2, order, a, 0, rows / 4);
      const zeros = zeroed(ld);
      const expected = floats(rows * ld);
      gemm(4, K, N, M, a, dz, zeros, expected, stride, 0, 1);
      const c = floats(K * ld);
      spmm(32, K, N, M, M, starts, dz, zeros, c, stride, 0, 1);
      expectSameBytes(c, expected, K, N, ld, 'dW');
      expectGuards();
    }
  });

  it('reaches the last columns that an offset of 32 bits can name', () => {
    begin('one sample with entries 0 and 2^25 - 2', 0);
    // Entries far apart, but starts only of the last columns: the columns before them are another thread's.
    const last = (1 << 25) - 2;
    const entries = allocate(16);
    store<u32>(entries, 0);
    store<f32>(entries, 1, 4);
    store<u32>(entries, <u32>last * ROW_BYTES, 8);
    store<f32>(entries, 2, 12);
    rowStarts = floats(2);
    store<u32>(rowStarts, <u32>entries);
    store<u32>(rowStarts, <u32>entries + 16, 4);
    const starts = floats(4);
    const out = allocate(16);
    const base = starts - (<usize>(last - 1) << 3);
    transposeCsr(1, last + 1, rowStarts, zeroed(1), base, out, last - 1, last + 1);
    expectThat(load<u32>(starts) == <u32>out + 8 && load<u32>(starts, 4) == <u32>out + 8, 'the empty column');
    expectThat(load<u32>(starts, 8) == <u32>out + 8 && load<u32>(starts, 12) == <u32>out + 16, 'the last column');
    expectThat(load<u32>(out, 8) == 0 && load<f32>(out, 12) == 2, 'its entry');
    expectThat(load<u32>(out) == 0xffffffff, 'the entry of another thread is written');
    expectGuards();
  });
});
