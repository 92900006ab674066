import { PANEL, PANEL_BYTES, panelsOf } from '../layout/panel';
import { LEAST_UNITS, endUnit, firstUnit, splitsColumns } from '../par/split';
import { columnsOfB, isSparseWidth, spmmRow } from './f32_spmm';
import { LINE, touch } from './touch';

/**
 * C = init + A B with A (M, K) compressed (compress.ts) and B packed in panels of 32 columns (layout/panel.ts).
 *
 * width   columns that a micro-kernel takes at once: 16, 32 or 64
 * kBlock  length of A's K-blocks: K_BLOCK as compressed, or K of an A of one block (csr.ts)
 * init    one row of N f32, padded to whole panels: the value that every row of C starts from
 * c       row-major (M, N) with rows cStride bytes apart, readable and writable to whole panels; overwritten
 *
 * The same sums as gemm(), and so the same bytes, whatever the width and the number of threads.
 * Threads split C as par/split.ts says.
 */
export function spmm(
  width: i32, M: i32, N: i32, K: i32, kBlock: i32, starts: usize, b: usize, init: usize, c: usize,
  cStride: usize, thread: i32, threads: i32,
): void {
  assert(isSparseWidth(width) && M > 0 && N > 0 && K > 0 && kBlock > 0 && thread < threads);
  const columns = panelsOf(N) * PANEL;
  const slices = (columns + width - 1) / width;
  const byColumns = splitsColumns(slices, LEAST_UNITS, M, threads);
  const from = firstUnit(byColumns, slices, thread, threads);
  const to = endUnit(byColumns, slices, thread, threads);
  const first = firstUnit(!byColumns, M, thread, threads);
  const last = endUnit(!byColumns, M, thread, threads);
  const blocks = (K + kBlock - 1) / kBlock;
  const startStride = <usize>(blocks + 1) << 2;
  const panelStride = <usize>K * PANEL_BYTES;
  // A single row reads a part of each block only: 256 touches at once took longer than they saved, by a third.
  const linesOfBlock = kBlock * <i32>(PANEL_BYTES / LINE);
  const share = last - first > 1 ? <usize>((linesOfBlock + last - first - 1) / (last - first)) * LINE : 0;
  for (let slice = from; slice < to; slice++) {
    const column = slice * width;
    const taken = min(width, columns - column);
    const panel = columnsOfB(b, K, column);
    const offset = <usize>column << 2;
    for (let block = 0; block < blocks; block++) {
      const rows = panel + <usize>(block * kBlock) * PANEL_BYTES;
      // The panels' next rows of B are touched line by line while the rows of C pass by.
      const atEnd = block + 1 == blocks;
      const nextColumn = atEnd ? column + width : column;
      const nextRow = atEnd ? 0 : (block + 1) * kBlock;
      const nextRows = atEnd && slice + 1 == to ? 0 : min(kBlock, K - nextRow);
      const nextPanel = nextColumn + PANEL < columns && width > PANEL ? panelStride : 0;
      let next = columnsOfB(b, K, nextColumn) + <usize>nextRow * PANEL_BYTES;
      const nextEnd = next + <usize>nextRows * PANEL_BYTES;
      for (let m = first; m < last; m++) {
        for (const until = min(next + share, nextEnd); next < until; next += LINE) {
          touch(next);
          touch(next + nextPanel);
        }
        const start = starts + <usize>m * startStride + (<usize>block << 2);
        const out = c + <usize>m * cStride + offset;
        spmmRow(taken, load<u32>(start), load<u32>(start, 4), rows, panelStride, block == 0 ? init + offset : out, out);
      }
    }
  }
}
