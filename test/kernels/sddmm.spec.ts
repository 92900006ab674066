import { ROWS_F32 } from '../../assembly/layout/rows';
import { K_BLOCK, compressRows, entryStride } from '../../assembly/sparse/compress';
import { PARTIAL_BYTES, f32_sddmm_32, f32_sddmm_64, sumPartials } from '../../assembly/sparse/f32_sddmm';
import { SDDMM_SCRATCH_BYTES, sddmm } from '../../assembly/sparse/sddmm';
import {
  accumulated,
  allocate,
  at,
  begin,
  copied,
  expectGuards,
  expectNear,
  expectSame,
  expectSameBytes,
  expectThat,
  fail,
  fillUniform,
  floats,
  moveShare,
  primeFrom,
  put,
  randomBelow,
  roundUp,
  uniform,
  zeroed,
} from './support';

// dX = dZ W^T at the entries of X alone. A lane takes every eighth product, and the eight are added pairwise: over C
// columns a term is rounded at most 1 + C / 8 + 3 times. So against f64 the bound is accumulated(4 + C / 8) |dZ| |W^T|.
//
// The order is tested exactly: with dZ of powers of two every product is exact, so that fused and plain multiply-adds
// round alike and scalar f32 arithmetic can follow them.

/** Columns of a panel of B. */
const PANEL: i32 = 32;
/** The bits of an element that was never written. */
const FRESH: u32 = 0xffffffff;

/** `count` elements of dZ: powers of two of either sign, or any reals. */
function fillGradient(p: usize, count: i32, powers: bool): void {
  fillUniform(p, count, -1, 1);
  if (!powers) return;
  for (let i = 0; i < count; i++) put(p, i, <f32>((randomBelow(2) * 2 - 1) * (1 << randomBelow(7))));
}

/** Sums worked out by replay(), and those that would be others with their products added one after another. */
let replayed: i32 = 0;
let reordered: i32 = 0;
/** The eight lanes of the sum that replay() works out. */
const lanes = new StaticArray<f32>(8);
let running: f32 = 0;

/** Starts a sum from lanes of zero. */
function replayFromZero(): void {
  for (let l = 0; l < 8; l++) lanes[l] = 0;
  running = 0;
}

/** Adds d[o] b[o] over 32 columns to the lanes. */
function replayPanel(d: usize, b: usize): void {
  for (let o = 0; o < PANEL; o++) {
    const product = at(d, o) * at(b, o);
    lanes[o & 7] = lanes[o & 7] + product;
    running += product;
  }
}

/** The sum of the lanes, in the documented order. */
function replayedSum(): f32 {
  const even: f32 = lanes[0] + lanes[4] + (lanes[2] + lanes[6]);
  const odd: f32 = lanes[1] + lanes[5] + (lanes[3] + lanes[7]);
  const sum: f32 = even + odd;
  replayed++;
  reordered += i32(sum != running);
  return sum;
}

/** The sums since the last call are ones that can tell an order from another. */
function expectOrderMattered(): void {
  expectThat(2 * reordered > replayed, `the order mattered in ${reordered.toString()} of ${replayed.toString()} sums`);
  replayed = 0;
  reordered = 0;
}

// The micro-kernels alone

/** `count` entries spread over a K-block; `fresh` says whether their lanes start from zero or from what they hold. */
function checkKernel(columns: i32, count: i32, fresh: bool, powers: bool): void {
  begin(
    `${columns.toString()} columns, ${count.toString()} entries ${fresh ? 'from 0' : 'onto lanes'} ` +
      `${powers ? 'powers of two' : 'reals'}`,
    (columns + count) * 4 + i32(fresh) * 2 + i32(powers),
  );
  const d = floats(columns);
  fillGradient(d, columns, powers);
  // Rows of B that no entry names are NaN, and so are the entries' own values, which do not matter.
  const b0 = floats(K_BLOCK * PANEL);
  const b1 = floats(K_BLOCK * PANEL);
  const entries = allocate(<usize>count << 3);
  const end = entries + (<usize>count << 3);
  const out = floats(K_BLOCK);
  const partials = floats(8 * count);
  const from = fresh ? zeroed(8) : partials;
  const step = fresh ? 0 : PARTIAL_BYTES;
  for (let i = 0; i < count; i++) {
    const k = ((i + 1) * K_BLOCK) / count - 1;
    store<u32>(entries + (<usize>i << 3), k * PANEL * 4);
    fillUniform(b0 + (<usize>(k * PANEL) << 2), PANEL, -1, 1);
    if (columns > PANEL) fillUniform(b1 + (<usize>(k * PANEL) << 2), PANEL, -1, 1);
  }
  if (!fresh) fillUniform(partials, 8 * count, -4, 4);
  const before = copied(partials, 8 * count);
  const past =
    columns == PANEL
      ? f32_sddmm_32(entries, end, d, b0, from, step, partials)
      : f32_sddmm_64(entries, end, d, b0, b1, from, step, partials);
  expectThat(past == partials + <usize>count * PARTIAL_BYTES, 'the end of the lanes is returned');
  expectThat(sumPartials(entries, end, partials, out) == past, 'the end of the lanes is returned by sumPartials');
  let i = 0;
  for (let k = 0; k < K_BLOCK; k++) {
    if (i == count || k != ((i + 1) * K_BLOCK) / count - 1) {
      expectThat(load<u32>(out + (<usize>k << 2)) == FRESH, `out[${k.toString()}] was written`);
      continue;
    }
    let sum: f64 = 0;
    let size: f64 = 0;
    replayFromZero();
    for (let l = 0; l < 8 && !fresh; l++) {
      lanes[l] = at(before, 8 * i + l);
      running += lanes[l];
      sum += <f64>lanes[l];
      size += Math.abs(<f64>lanes[l]);
    }
    i++;
    for (let panel = 0; panel < columns / PANEL; panel++) {
      const part = d + <usize>(panel * PANEL * 4);
      const row = (panel == 0 ? b0 : b1) + (<usize>(k * PANEL) << 2);
      if (powers) replayPanel(part, row);
      for (let o = 0; o < PANEL; o++) {
        const term = <f64>at(part, o) * <f64>at(row, o);
        sum += term;
        size += Math.abs(term);
      }
    }
    expectNear(at(out, k), sum, accumulated(5 + columns / 8) * size, 'out', k, 0);
    if (powers) expectSame(at(out, k), replayedSum(), 'out', k, 0);
  }
  expectGuards();
}

/** No entries to a few, and a whole K-block. */
function checkKernels(columns: i32, powers: bool): void {
  const counts: i32[] = [0, 1, 2, 3, 4, 5, 9, 31, K_BLOCK - 1, K_BLOCK];
  for (let i = 0; i < counts.length; i++) {
    checkKernel(columns, counts[i], true, powers);
    checkKernel(columns, counts[i], false, powers);
  }
}

// sddmm over a compressed X

let M: i32 = 0;
let N: i32 = 0;
let K: i32 = 0;
/** X, dense: (M, K); an element is 0 or 1. */
let x: usize = 0;
/** Elements from one row of X, dX and dZ to the next. */
let xRow: i32 = 0;
let dRow: i32 = 0;
let starts: usize = 0;
let d: usize = 0;
let w: usize = 0;

/** In place of a share: row m has m mod 10 entries. */
const FEW: f64 = -1;

/** A random choice of `count` of the K elements of row m of X. */
function chooseEntries(m: i32, count: i32): void {
  let left = count;
  for (let k = 0; k < K; k++) {
    if (uniform(0, 1) * <f64>(K - k) >= <f64>left) continue;
    put(x, m * xRow + k, 1);
    left--;
  }
}

/** Random operands, of which X has a share of entries in each row. */
function makeOperands(share: f64, powers: bool): void {
  xRow = primeFrom(roundUp(K, 4) + 1);
  x = zeroed(M * xRow);
  for (let m = 0; m < M; m++) chooseEntries(m, share == FEW ? min(K, m % 10) : <i32>(share * K));
  const entries = allocate(<usize>M * entryStride(K));
  starts = allocate(<usize>(M * ((K + K_BLOCK - 1) / K_BLOCK + 1)) << 2);
  compressRows(ROWS_F32, K, x, <usize>xRow << 2, 0, entries, starts, 0, M);
  // Between the rows of dZ stands NaN.
  const columns = roundUp(N, PANEL);
  dRow = primeFrom(columns + 1);
  d = floats((M - 1) * dRow + columns);
  for (let m = 0; m < M; m++) {
    const row = d + (<usize>(m * dRow) << 2);
    memory.fill(row, 0, <usize>columns << 2);
    fillGradient(row, N, powers);
  }
  w = zeroed(columns * K);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) put(w, inPanels(k, n), <f32>uniform(-1, 1));
  }
}

/** Where element (k, n) of W stands. */
function inPanels(k: i32, n: i32): i32 {
  return ((n / PANEL) * K + k) * PANEL + (n % PANEL);
}

/** dX, the work cut for `threads` threads that run one after another, the last one first. */
function multiply(width: i32, threads: i32): usize {
  // The last row ends with its last element, where the guard begins.
  const size = (M - 1) * xRow + K;
  const dx = floats(size);
  const part = floats(size);
  const zeros = zeroed(8);
  for (let thread = threads - 1; thread >= 0; thread--) {
    const scratch = allocate(SDDMM_SCRATCH_BYTES);
    sddmm(width, M, N, K, starts, d, <usize>dRow << 2, w, part, <usize>xRow << 2, zeros, scratch, thread, threads);
    moveShare(part, dx, size);
  }
  return dx;
}

/** Every element of dX: at an entry near f64, and exact where the order can be followed; elsewhere untouched. */
function expectGradient(dx: usize, powers: bool): void {
  const panels = roundUp(N, PANEL) / PANEL;
  for (let m = 0; m < M; m++) {
    for (let k = 0; k < (m < M - 1 ? xRow : K); k++) {
      const index = m * xRow + k;
      if (k >= K || at(x, index) == 0) {
        if (load<u32>(dx + (<usize>index << 2)) != FRESH) fail(`dX[${m.toString()}][${k.toString()}] was written`);
        continue;
      }
      const row = d + (<usize>(m * dRow) << 2);
      let sum: f64 = 0;
      let size: f64 = 0;
      for (let n = 0; n < N; n++) {
        const term = <f64>at(row, n) * <f64>at(w, inPanels(k, n));
        sum += term;
        size += Math.abs(term);
      }
      expectNear(at(dx, index), sum, accumulated(4 + 4 * panels) * size, 'dX', m, k);
      if (!powers) continue;
      replayFromZero();
      for (let panel = 0; panel < panels; panel++) {
        const column = panel * PANEL;
        replayPanel(row + (<usize>column << 2), w + (<usize>inPanels(k, column) << 2));
      }
      expectSame(at(dx, index), replayedSum(), 'dX', m, k);
    }
  }
}

const THREADS: i32[] = [2, 3, 5];
const WIDTHS: i32[] = [16, 32, 64];

/** One size: every element by one thread, and the same bytes by any kernel and any number of threads. */
function checkProduct(m: i32, n: i32, k: i32, share: f64, powers: bool): void {
  M = m;
  N = n;
  K = k;
  begin(
    `M=${m.toString()} N=${n.toString()} K=${k.toString()} share ${share.toString()} ` +
      `${powers ? 'powers of two' : 'reals'}`,
    (m * 1009 + n) * 1009 + k,
  );
  makeOperands(share, powers);
  const size = (M - 1) * xRow + K;
  const dx = multiply(16, 1);
  expectGradient(dx, powers);
  for (let i = 0; i < WIDTHS.length; i++) {
    expectSameBytes(multiply(WIDTHS[i], 1), dx, 1, size, size, `dX, kernel of ${WIDTHS[i].toString()} columns`);
    const threads = THREADS[i];
    expectSameBytes(multiply(WIDTHS[i], threads), dx, 1, size, size, `dX on ${threads.toString()} threads`);
  }
  expectGuards();
}

const SHARES: f64[] = [0, 0.1, 0.5, 1];

describe('f32_sddmm, alone: nothing but its entries is written', () => {
  it('32 columns: within 9 2^-24 (|lanes| + |d| |b|), for 0 to 9 entries and a whole K-block', () => checkKernels(32, false));
  it('64 columns: within 13 2^-24 (|lanes| + |d| |b|)', () => checkKernels(64, false));

  it('adds o mod 8 in order, then ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)) (exact)', () => {
    checkKernels(32, true);
    checkKernels(64, true);
    expectOrderMattered();
  });
});

describe('sddmm: (4 + columns / 8) 2^-24 |dZ| |W^T|, exactly the entries written, the same bytes for every kernel and thread count', () => {
  it('N = 1 to 100, with 0 to 9 entries in a row', () => {
    for (let n = 1; n <= 100; n++) checkProduct(11, n, 1 + ((7 * n) % 23), FEW, false);
  });

  it('K across its blocks of 128, with 0 to 9 entries in a row and at every density', () => {
    const depths: i32[] = [1, 3, 127, 128, 129, 255, 256, 257, 511, 512, 513, 600];
    for (let i = 0; i < depths.length; i++) {
      checkProduct(10, 40, depths[i], FEW, false);
      for (let s = 0; s < SHARES.length; s++) checkProduct(3, 35, depths[i], SHARES[s], false);
    }
  });

  it('more entries than their lanes have room for at once', () => {
    checkProduct(4, 70, 128, 1, false);
    checkProduct(5, 70, 128, 1, false);
    checkProduct(23, 70, 130, 0.5, false);
  });

  it('adds the panels in order (exact)', () => {
    const columns: i32[] = [1, 31, 32, 33, 64, 65, 100, 513];
    for (let i = 0; i < columns.length; i++) {
      checkProduct(11, columns[i], 29, FEW, true);
      checkProduct(4, columns[i], 260, 0.5, true);
    }
    expectOrderMattered();
  });
});
