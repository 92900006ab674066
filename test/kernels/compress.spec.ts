import { ROWS_F32, ROWS_RELU } from '../../assembly/layout/rows';
import { K_BLOCK, compressColumns, compressRows, entryStride } from '../../assembly/sparse/compress';
import {
  SOURCES,
  SourceKind,
  element,
  makeRows,
  setElement,
  sourceAddress,
  sourceOrder,
  sourceStride,
  sparseElement,
} from './source';
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
  put,
} from './support';

// Each routine compresses one matrix of every kind of source at every size, once whole and once in any two parts, the
// later part first. What it wrote is walked through beside the dense elements, after the layout at the head of
// sparse/compress.ts.

/** Rows of the compressed matrix: around the groups of 4. */
const HEIGHTS: i32[] = [1, 3, 4, 5, 9];
/** Its columns: around the groups of 4 and around one, two and four K-blocks of 128. */
const DEPTHS: i32[] = [1, 3, 4, 5, 127, 128, 129, 255, 256, 257, 600];
/** Bytes from row to row of a panel of B, which the entries' offsets count in. */
const ROW_BYTES: u32 = 128;
/** Bytes that a routine may read behind the last row. */
const SLACK: i32 = 16;

let type: SourceKind = SOURCES[0];
/** Whether the transpose of the source is compressed. */
let transposed: bool = false;

/** Share of row m that is not zero. The last row is full, so that it needs all its room; one in four is empty. */
function densityOf(m: i32, rows: i32): f64 {
  const densities: f64[] = [1, 0.5, 0, 0.1];
  return densities[(rows - 1 - m) % 4];
}

/**
 * Makes the source of an M x K case. Backwards, so that of two rows that share a sample the first decides. Whatever
 * lies between the rows and behind the last is an entry, if it is read and not left out.
 */
function makeSource(M: i32, K: i32): void {
  makeRows(type, transposed ? K : M, transposed ? M : K, SLACK);
  for (let m = M - 1; m >= 0; m--) {
    for (let k = K - 1; k >= 0; k--) {
      const value = sparseElement(densityOf(m, M));
      if (transposed) setElement(k, m, value);
      else setElement(m, k, value);
    }
  }
}

/** Compresses units [from, to): rows, or groups of 4 of them. */
function compress(K: i32, entries: usize, starts: usize, from: i32, to: i32): void {
  const source = sourceAddress();
  const stride = sourceStride();
  const order = sourceOrder();
  if (transposed) compressColumns(type.kind, K, source, stride, order, entries, starts, from, to);
  else compressRows(type.kind, K, source, stride, order, entries, starts, from, to);
}

function blocksOf(K: i32): i32 {
  return (K + K_BLOCK - 1) / K_BLOCK;
}

/** Every row's entries have to be its elements that are not zero, in order, block by block. */
function expectEntries(rows: i32, K: i32, entries: usize, starts: usize): void {
  const blocks = blocksOf(K);
  for (let m = 0; m < rows; m++) {
    let entry = entries + <usize>m * entryStride(K);
    let start = starts + ((<usize>m * (blocks + 1)) << 2);
    for (let k = 0; k < K; k++) {
      if (k % K_BLOCK == 0) {
        expectThat(load<u32>(start) == <u32>entry, `row ${m.toString()}: the block of k = ${k.toString()} starts elsewhere`);
        start += 4;
      }
      const value = transposed ? element(k, m) : element(m, k);
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
function checkSize(M: i32, K: i32): void {
  begin(`${transposed ? 'columns' : 'rows'} (${type.name}) M=${M.toString()} K=${K.toString()}`, M * 1009 + K);
  makeSource(M, K);
  const unit = transposed ? 4 : 1;
  const units = (M + unit - 1) / unit;
  const rows = units * unit;
  const room = entryStride(K);
  const startBytes = <usize>(blocksOf(K) + 1) << 2;
  const entries = allocate(<usize>rows * room);
  const starts = allocate(<usize>rows * startBytes);
  compress(K, entries, starts, 0, units);
  expectEntries(rows, K, entries, starts);

  const wholeEntries = allocate(<usize>rows * room);
  const wholeStarts = allocate(<usize>rows * startBytes);
  memory.copy(wholeEntries, entries, <usize>rows * room);
  memory.copy(wholeStarts, starts, <usize>rows * startBytes);
  for (let cut = 0; cut <= units; cut++) {
    memory.fill(entries, 0xff, <usize>rows * room);
    memory.fill(starts, 0xff, <usize>rows * startBytes);
    compress(K, entries, starts, cut, units);
    expectFresh(entries, <usize>(cut * unit) * room, `the entries before unit ${cut.toString()}`);
    expectFresh(starts, <usize>(cut * unit) * startBytes, `the starts before unit ${cut.toString()}`);
    // The earlier part comes second: were a row to outgrow its room, it would spoil its neighbour's entries here.
    compress(K, entries, starts, 0, cut);
    const words = rows * <i32>(room >> 2);
    expectSameBytes(entries, wholeEntries, 1, words, words, `entries cut before unit ${cut.toString()}`);
    const startWords = rows * <i32>(startBytes >> 2);
    expectSameBytes(starts, wholeStarts, 1, startWords, startWords, `starts cut before unit ${cut.toString()}`);
  }
  expectGuards();
}

function checkSources(): void {
  for (let s = 0; s < SOURCES.length; s++) {
    type = SOURCES[s];
    for (let h = 0; h < HEIGHTS.length; h++) {
      for (let d = 0; d < DEPTHS.length; d++) checkSize(HEIGHTS[h], DEPTHS[d]);
    }
  }
}

describe('compressed A of every source: what is not zero, in order, any partition, no byte outside (exact)', () => {
  it('compressRows', () => {
    transposed = false;
    checkSources();
  });
  it('compressColumns', () => {
    transposed = true;
    checkSources();
  });
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
      for (let pass = 0; pass < 2; pass++) {
        if (pass == 1) compressColumns(ROWS_F32, 8, column, 16, 0, entries, starts, 0, 1);
        else compressRows(ROWS_F32, 8, row, 32, 0, entries, starts, 0, 1);
        const m = pass == 1 ? shift % 4 : 0;
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

describe('compressed A of a ReLU, special values', () => {
  it('leaves out what is below zero, -infinity too, and keeps NaN and infinity (exact)', () => {
    begin('one row of 5', 0);
    const values: f32[] = [-Infinity, NaN, -1, Infinity, 2];
    const row = floats(9);
    for (let k = 0; k < 5; k++) put(row, k, values[k]);
    const entries = allocate(entryStride(5));
    const starts = allocate(8);
    compressRows(ROWS_RELU, 5, row, 20, 0, entries, starts, 0, 1);
    const kept: i32[] = [1, 3, 4];
    for (let i = 0; i < 3; i++) {
      expectThat(load<u32>(entries + (i << 3)) == <u32>kept[i] * ROW_BYTES, `entry ${i.toString()} is another`);
      expectSame(at(entries, 2 * i + 1), values[kept[i]], 'entry', 0, i);
    }
    expectThat(load<u32>(starts, 4) == <u32>entries + 24, 'there are other entries');
    expectGuards();
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
