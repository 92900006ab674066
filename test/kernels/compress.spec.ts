import { K_BLOCK,
  compressColumns,
  compressPixelColumns,
  compressPixelRows,
  compressRows,
  entryStride,
} from '../../assembly/sparse/compress';
import {
  allocate,
  at,
  begin,
  expectGuards,
  expectSame,
  expectSameBytes,
  expectThat,
  fail,
  floats,
  primeFrom,
  put,
  randomBelow,
  roundUp,
  shuffled,
  uniform,
} from './support';

// Each routine compresses one matrix at every size, once whole and once in any two parts, the later part first. What
// it wrote is walked through beside the dense elements, after the layout at the head of sparse/compress.ts.

const ROWS: i32 = 0;
const COLUMNS: i32 = 1;
const PIXEL_ROWS: i32 = 2;
const PIXEL_COLUMNS: i32 = 3;
const NAMES: string[] = ['compressRows', 'compressColumns', 'compressPixelRows', 'compressPixelColumns'];

/** Rows of the compressed matrix: around the groups of 4. */
const HEIGHTS: i32[] = [1, 3, 4, 5, 9];
/** Its columns: around the groups of 4 and around one and two K-blocks of 256. */
const DEPTHS: i32[] = [1, 3, 4, 5, 127, 128, 129, 255, 256, 257, 600];
/** Bytes from row to row of a panel of B, which the entries' offsets count in. */
const ROW_BYTES: u32 = 128;

/** Samples that the pixel routines choose from. */
const SAMPLES: i32 = 631;

let source: usize = 0;
/** Elements from one row of `source` to the next. */
let stride: i32 = 0;
let order: usize = 0;

/** Share of row m that is not zero. The last row is full, so that it needs all its room; one in four is empty. */
function densityOf(m: i32, rows: i32): f64 {
  const densities: f64[] = [1, 0.5, 0, 0.1];
  return densities[(rows - 1 - m) % 4];
}

/** A random element of row m: zero, sometimes -0, or of either sign. */
function randomElement(m: i32, rows: i32): f32 {
  if (uniform(0, 1) >= densityOf(m, rows)) return randomBelow(2) == 0 ? <f32>0 : <f32>-0.0;
  return <f32>((randomBelow(2) == 0 ? -1 : 1) * uniform(0.001, 1));
}

/**
 * Makes the source of an M x K case. Whatever no routine may read is NaN, which would be an entry. Of the transpose
 * all of a group of 4 is compressed, so it is filled up to a whole group.
 */
function makeSource(routine: i32, M: i32, K: i32): void {
  if (routine == ROWS) {
    const readable = roundUp(K, 4);
    stride = primeFrom(readable + 1);
    source = floats((M - 1) * stride + readable);
    for (let m = 0; m < M; m++) {
      for (let k = 0; k < readable; k++) put(source, m * stride + k, k < K ? randomElement(m, M) : 0);
    }
  } else if (routine == COLUMNS) {
    const rows = roundUp(M, 4);
    stride = primeFrom(rows + 1);
    source = floats((K - 1) * stride + rows);
    for (let k = 0; k < K; k++) {
      for (let m = 0; m < rows; m++) put(source, k * stride + m, randomElement(m, rows));
    }
  } else {
    stride = routine == PIXEL_ROWS ? K : M;
    // Four pixels are read at a time, beyond the last sample too.
    source = allocate(SAMPLES * stride + 4);
    for (let j = 0; j < 4; j++) store<u8>(source + SAMPLES * stride + j, <u8>(j + 1));
    order = shuffled(SAMPLES);
    // One sample twice: a batch may repeat.
    store<u32>(order, load<u32>(order, 4));
    // Backwards, so that of the two that share a sample the first decides.
    for (let i = SAMPLES - 1; i >= 0; i--) {
      const sample = load<u32>(order + (<usize>i << 2));
      for (let j = 0; j < stride; j++) {
        const density = densityOf(routine == PIXEL_ROWS ? min(i, M - 1) : j, M);
        const pixel = uniform(0, 1) < density ? 1 + randomBelow(255) : 0;
        store<u8>(source + sample * stride + j, <u8>pixel);
      }
    }
  }
}

/** Element (m, k) of the dense matrix; zero where a pixel is. */
function element(routine: i32, m: i32, k: i32): f32 {
  if (routine == ROWS) return at(source, m * stride + k);
  if (routine == COLUMNS) return at(source, k * stride + m);
  const sample = load<u32>(order + (<usize>(routine == PIXEL_ROWS ? m : k) << 2));
  const pixel = <i32>load<u8>(source + sample * stride + (routine == PIXEL_ROWS ? k : m));
  return <f32>pixel / 255;
}

/** Compresses units [from, to): rows, or groups of 4 of them. */
function compress(routine: i32, M: i32, K: i32, entries: usize, starts: usize, from: i32, to: i32): void {
  const bytes = <usize>stride << 2;
  if (routine == ROWS) compressRows(K, source, bytes, entries, starts, from, to);
  if (routine == COLUMNS) compressColumns(K, source, bytes, entries, starts, from, to);
  if (routine == PIXEL_ROWS) compressPixelRows(K, source, order, entries, starts, from, to);
  if (routine == PIXEL_COLUMNS) compressPixelColumns(K, M, source, order, entries, starts, from, to);
}

function blocksOf(K: i32): i32 {
  return (K + K_BLOCK - 1) / K_BLOCK;
}

/** Every row's entries have to be its elements that are not zero, in order, block by block. */
function expectEntries(routine: i32, rows: i32, K: i32, entries: usize, starts: usize): void {
  const blocks = blocksOf(K);
  for (let m = 0; m < rows; m++) {
    let entry = entries + <usize>m * entryStride(K);
    let start = starts + ((<usize>m * (blocks + 1)) << 2);
    for (let k = 0; k < K; k++) {
      if (k % K_BLOCK == 0) {
        expectThat(load<u32>(start) == <u32>entry, `row ${m.toString()}: the block of k = ${k.toString()} starts elsewhere`);
        start += 4;
      }
      const value = element(routine, m, k);
      if (value == 0) continue;
      if (load<u32>(entry) != <u32>(k % K_BLOCK) * ROW_BYTES) {
        fail(`row ${m.toString()}: the entry of k = ${k.toString()} has offset ${load<u32>(entry).toString()}`);
      }
      expectSame(load<f32>(entry, 4), value, 'entry', m, k);
      entry += 8;
    }
    expectThat(load<u32>(start) == <u32>entry, `row ${m.toString()} ends elsewhere`);
  }
}

/** `bytes` bytes have to be as allocate() left them. */
function expectFresh(p: usize, bytes: usize, name: string): void {
  for (let i: usize = 0; i < bytes; i++) {
    if (load<u8>(p + i) != 0xff) fail(`${name} has byte ${i.toString()} written`);
  }
}

/** One size: every entry, every partition into two parts, and the bytes around the output. */
function checkSize(routine: i32, M: i32, K: i32): void {
  begin(`${NAMES[routine]} M=${M.toString()} K=${K.toString()}`, (routine * 1009 + M) * 1009 + K);
  makeSource(routine, M, K);
  const unit = routine == COLUMNS || routine == PIXEL_COLUMNS ? 4 : 1;
  const units = (M + unit - 1) / unit;
  const rows = units * unit;
  const room = entryStride(K);
  const startBytes = <usize>(blocksOf(K) + 1) << 2;
  const entries = allocate(<usize>rows * room);
  const starts = allocate(<usize>rows * startBytes);
  compress(routine, M, K, entries, starts, 0, units);
  expectEntries(routine, rows, K, entries, starts);

  const wholeEntries = allocate(<usize>rows * room);
  const wholeStarts = allocate(<usize>rows * startBytes);
  memory.copy(wholeEntries, entries, <usize>rows * room);
  memory.copy(wholeStarts, starts, <usize>rows * startBytes);
  for (let cut = 0; cut <= units; cut++) {
    memory.fill(entries, 0xff, <usize>rows * room);
    memory.fill(starts, 0xff, <usize>rows * startBytes);
    compress(routine, M, K, entries, starts, cut, units);
    expectFresh(entries, <usize>(cut * unit) * room, `the entries before unit ${cut.toString()}`);
    expectFresh(starts, <usize>(cut * unit) * startBytes, `the starts before unit ${cut.toString()}`);
    // The earlier part comes second: were a row to outgrow its room, it would spoil its neighbour's entries here.
    compress(routine, M, K, entries, starts, 0, cut);
    const words = rows * <i32>(room >> 2);
    expectSameBytes(entries, wholeEntries, 1, words, words, `entries cut before unit ${cut.toString()}`);
    const startWords = rows * <i32>(startBytes >> 2);
    expectSameBytes(starts, wholeStarts, 1, startWords, startWords, `starts cut before unit ${cut.toString()}`);
  }
  expectGuards();
}

function checkSizes(routine: i32): void {
  for (let h = 0; h < HEIGHTS.length; h++) {
    for (let d = 0; d < DEPTHS.length; d++) checkSize(routine, HEIGHTS[h], DEPTHS[d]);
  }
}

describe('compressed A: the elements that are not zero, in order, any partition, no byte outside (exact)', () => {
  it('compressRows', () => checkSizes(ROWS));
  it('compressColumns', () => checkSizes(COLUMNS));
  it('compressPixelRows', () => checkSizes(PIXEL_ROWS));
  it('compressPixelColumns', () => checkSizes(PIXEL_COLUMNS));
});

describe('compressed A, special values', () => {
  it('leaves out 0 and -0 only: NaN, infinities and denormals are entries, in every lane (exact)', () => {
    const values: f32[] = [-0.0, NaN, 0, Infinity, -Infinity, 1.401298464324817e-45, -1.401298464324817e-45, -0.0];
    const kept: i32[] = [1, 3, 4, 5, 6];
    for (let shift = 0; shift < 8; shift++) {
      begin(`shifted by ${shift.toString()}`, 0);
      const row = floats(8);
      for (let k = 0; k < 8; k++) put(row, (k + shift) % 8, values[k]);
      // One row of 8, and the same numbers as one column of 8 beside three empty ones.
      const column = floats(32);
      memory.fill(column, 0, 128);
      for (let k = 0; k < 8; k++) put(column, 4 * k + (shift % 4), at(row, k));
      const entries = allocate(4 * entryStride(8));
      const starts = allocate(32);
      for (let transposed = 0; transposed < 2; transposed++) {
        if (transposed == 1) compressColumns(8, column, 16, entries, starts, 0, 1);
        else compressRows(8, row, 32, entries, starts, 0, 1);
        const m = transposed == 1 ? shift % 4 : 0;
        let entry: usize = load<u32>(starts + (<usize>m << 3));
        let found = 0;
        for (let k = 0; k < 8; k++) {
          if (!kept.includes((k + 8 - shift) % 8)) continue;
          expectThat(load<u32>(entry) == <u32>k * ROW_BYTES, `entry ${found.toString()} is not of k = ${k.toString()}`);
          expectSame(load<f32>(entry, 4), at(row, k), 'entry', 0, k);
          entry += 8;
          found++;
        }
        expectThat(found == 5 && load<u32>(starts + (<usize>m << 3), 4) == <u32>entry, 'there are other entries');
      }
      expectGuards();
    }
  });
});

describe('entryStride', () => {
  it('is the least odd number of cache lines that has room for K entries and a line more (exact)', () => {
    begin('K = 1 to 700', 0);
    for (let K = 1; K <= 700; K++) {
      const bytes = <i32>entryStride(K);
      expectThat(bytes >= 8 * K + 64, `too little room for K = ${K.toString()}`);
      expectThat(bytes % 128 == 64, `${bytes.toString()} bytes are no odd number of cache lines`);
      expectThat(bytes - 128 < 8 * K + 64, `${bytes.toString()} bytes are more than K = ${K.toString()} needs`);
    }
  });
});
