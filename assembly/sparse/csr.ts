import { PANEL, PANEL_BYTES, panelsOf } from '../layout/panel';
import { LEAST_UNITS, endUnit, firstUnit, splitsColumns } from '../par/split';
import { columnsOfB, isSparseWidth, spmmRow } from './f32_spmm';

// Samples that are given as compressed sparse rows: X (samples, K), of which a batch takes the rows that `order` names.
//
//   entries    8 bytes each, as in compress.ts but of one K-block, which is all of K: u32 byte offset of row k in a
//   panel
//              of B, k PANEL_BYTES; f32 x. Within a row k ascends strictly; a zero may be stored
//   rowStarts  [samples + 1] u32: address of each row's first entry, and the end
//   order      (M) u32
//
// Nothing is worked out for what is not stored, so K may be a million: the forward product and the transpose take as
// long as the batch has entries, but for one pass over the K starts of the transpose.

/** The largest K whose rows' offsets fit an entry. */
export const MAX_CSR_COLUMNS: i32 = (1 << 25) - 1;

// @ts-ignore: decorator
@inline
function startOfRow(rowStarts: usize, order: usize, m: i32): usize {
  return rowStarts + (<usize>load<u32>(order + (<usize>m << 2)) << 2);
}

/**
 * C = init + X B with the batch's rows of X and B (K, N) in panels.
 * width, init, c, threads  as in spmm(), whose sums these are: the bytes of gemm() over the dense rows
 */
export function spmmCsr(
  width: i32, M: i32, N: i32, K: i32, rowStarts: usize, order: usize, b: usize, init: usize, c: usize,
  cStride: usize, thread: i32, threads: i32,
): void {
  assert(isSparseWidth(width) && M > 0 && N > 0 && K > 0 && K <= MAX_CSR_COLUMNS && thread < threads);
  const columns = panelsOf(N) * PANEL;
  const slices = (columns + width - 1) / width;
  const byColumns = splitsColumns(slices, LEAST_UNITS, M, threads);
  const from = firstUnit(byColumns, slices, thread, threads);
  const to = endUnit(byColumns, slices, thread, threads);
  const first = firstUnit(!byColumns, M, thread, threads);
  const last = endUnit(!byColumns, M, thread, threads);
  const panelStride = <usize>K * PANEL_BYTES;
  for (let slice = from; slice < to; slice++) {
    const column = slice * width;
    const taken = min(width, columns - column);
    const panel = columnsOfB(b, K, column);
    const offset = <usize>column << 2;
    for (let m = first; m < last; m++) {
      const start = startOfRow(rowStarts, order, m);
      const out = c + <usize>m * cStride + offset;
      spmmRow(taken, load<u32>(start), load<u32>(start, 4), panel, panelStride, init + offset, out);
    }
  }
}

/** The first of a row's entries, from `entry` to `end`, whose offset is at least `offset`: by binary search. */
function firstFrom(entry: usize, end: usize, offset: u32): usize {
  let count = (end - entry) >> 3;
  while (count > 0) {
    const half = count >> 1;
    const middle = entry + (half << 3);
    if (load<u32>(middle) < offset) {
      entry = middle + 8;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return entry;
}

/** Byte offset that the entries of column k have. */
// @ts-ignore: decorator
@inline
function offsetOf(k: i32): u32 {
  return <u32>k * <u32>PANEL_BYTES;
}

/** Address of the start of column k whose entry has the byte offset `offset`; a start takes 8 bytes. */
// @ts-ignore: decorator
@inline
function startAt(starts: usize, offset: u32): usize {
  return starts + <usize>((offset / <u32>PANEL_BYTES) << 3);
}

/**
 * Columns [from, to) of the batch as rows of X^T (K, M), compressed with one block, which is all of M: a counting sort,
 * so that each row has its entries in the order of the batch. All columns' rows follow each other without gaps,
 * whatever the split.
 * starts   [K][2] u32: address of the row's first entry, and the end; overwritten
 * entries  as many as the batch has; u32 byte offset of row m in a panel of dZ, m PANEL_BYTES; f32 x; overwritten
 */
export function transposeCsr(
  M: i32, K: i32, rowStarts: usize, order: usize, starts: usize, entries: usize, from: i32, to: i32,
): void {
  assert(M > 0 && K > 0 && K <= MAX_CSR_COLUMNS && from >= 0 && to <= K);
  if (from >= to) return;
  memory.fill(starts + (<usize>from << 3), 0, <usize>(to - from) << 3);
  // The entries of the columns before, and how many each column has.
  let entry = entries;
  for (let m = 0; m < M; m++) {
    const row = startOfRow(rowStarts, order, m);
    const end = load<u32>(row, 4);
    let p = firstFrom(load<u32>(row), end, offsetOf(from));
    entry += p - load<u32>(row);
    for (; p < end; p += 8) {
      const offset = load<u32>(p);
      if (offset >= offsetOf(to)) break;
      const start = startAt(starts, offset);
      store<u32>(start, load<u32>(start) + 8);
    }
  }
  // Each column's start, and where its next entry goes.
  for (let start = starts + (<usize>from << 3); start < starts + (<usize>to << 3); start += 8) {
    const bytes = load<u32>(start);
    store<u32>(start, <u32>entry);
    store<u32>(start, <u32>entry, 4);
    entry += bytes;
  }
  for (let m = 0; m < M; m++) {
    const row = startOfRow(rowStarts, order, m);
    const end = load<u32>(row, 4);
    for (let p = firstFrom(load<u32>(row), end, offsetOf(from)); p < end; p += 8) {
      const offset = load<u32>(p);
      if (offset >= offsetOf(to)) break;
      const start = startAt(starts, offset);
      const next: usize = load<u32>(start, 4);
      store<u32>(next, offsetOf(m));
      store<u32>(next, load<u32>(p, 4), 4);
      store<u32>(start, <u32>(next + 8), 4);
    }
  }
}
