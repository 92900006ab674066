import { sliceOfB } from '../gemm/gemm';
import { PANEL, PANEL_BYTES } from '../layout/panel';
import { NR, isTileHeight, tile } from '../gemm/tile';
import { shareStart } from '../par/range';
import { K_BLOCK } from '../sparse/compress';
import { columnsOfB, isSparseWidth, spmmRow } from '../sparse/f32_spmm';
import { LINE, touch } from '../sparse/touch';
import { step } from './step';

// A weight matrix's gradient and its optimiser's step in one: dW = X^T dZ is worked out tile by tile, and each tile is
// used while it is in the first-level cache. The gradient of the whole matrix is never stored.
//
//   w, m, v  (I, O) in panels (layout/panel.ts); updated in place
//   b        dZ (K, O) in panels; K = the batch
//   zeros    as many f32 zeros as a kernel takes columns, 32 at least
//   factors  of the kind of step (adam.ts, sgd.ts)
//   scratch  4096 bytes of the calling thread's own
//
// Threads split the panels of W, or its rows where it has too few panels to share evenly.

/** Panels for each thread from which on the panels are split. */
const PANELS_TO_SPLIT: i32 = 4;

/**
 * Rows of a compressed gradient that are worked out together where the columns of dZ that they read take more than
 * CACHED bytes: each K-block then serves all of them while it is in the first-level cache. Else a row at a time.
 */
const ROW_GROUP: i32 = 16;
const CACHED: i32 = 32768;

/** Bytes of scratch that an update needs. */
export const UPDATE_SCRATCH_BYTES: i32 = 4096;

/** With X^T packed densely in panels of mr rows. */
export function updateDense(
  mr: i32,
  I: i32,
  O: i32,
  K: i32,
  a: usize,
  b: usize,
  zeros: usize,
  kind: i32,
  w: usize,
  m: usize,
  v: usize,
  factors: usize,
  scratch: usize,
  thread: i32,
  threads: i32,
): void {
  assert(isTileHeight(mr) && I > 0 && O > 0 && K > 0 && thread < threads);
  const panels = (O + PANEL - 1) / PANEL;
  const tiles = (I + mr - 1) / mr;
  const byPanels = panels >= PANELS_TO_SPLIT * threads;
  const from = byPanels ? shareStart(panels, thread, threads) : 0;
  const to = byPanels ? shareStart(panels, thread + 1, threads) : panels;
  const first = byPanels ? 0 : mr * shareStart(tiles, thread, threads);
  const last = byPanels ? I : min(I, mr * shareStart(tiles, thread + 1, threads));
  for (let panel = from; panel < to; panel++) {
    for (let i = first; i < last; i += mr) {
      const rowsOfX = a + (<usize>i * K << 2);
      for (let j = 0; j < PANEL / NR; j++) {
        const slice = sliceOfB(b, K, panel * (PANEL / NR) + j, 0);
        tile(mr, K, rowsOfX, slice, zeros, 0, scratch + <usize>j * NR * 4, PANEL_BYTES);
      }
      const at = <usize>(panel * I + i) * PANEL_BYTES;
      step(kind, min(mr, I - i) * PANEL, w + at, scratch, m + at, v + at, factors);
    }
  }
}

/** With X^T compressed, its rows in `blocks` K-blocks: blocksOf(K), or one for rows of any length (sparse/csr.ts). */
export function updateCompressed(
  width: i32,
  I: i32,
  O: i32,
  K: i32,
  blocks: i32,
  starts: usize,
  b: usize,
  zeros: usize,
  kind: i32,
  w: usize,
  m: usize,
  v: usize,
  factors: usize,
  scratch: usize,
  thread: i32,
  threads: i32,
): void {
  assert(isSparseWidth(width) && I > 0 && O > 0 && K > 0 && thread < threads);
  const columns = ((O + PANEL - 1) / PANEL) * PANEL;
  const slices = (columns + width - 1) / width;
  const bySlices = slices >= PANELS_TO_SPLIT * threads;
  const from = bySlices ? shareStart(slices, thread, threads) : 0;
  const to = bySlices ? shareStart(slices, thread + 1, threads) : slices;
  const first = bySlices ? 0 : shareStart(I, thread, threads);
  const last = bySlices ? I : shareStart(I, thread + 1, threads);
  const stride = <usize>K * PANEL_BYTES;
  const rowBytes = <usize>width << 2;
  const grouped = blocks > 1 && width * K * 4 > CACHED;
  for (let slice = from; slice < to; slice++) {
    const column = slice * width;
    const taken = min(width, columns - column);
    const dz = columnsOfB(b, K, column);
    if (!grouped) {
      for (let i = first; i < last; i++) {
        const start = starts + ((<usize>i * (blocks + 1)) << 2);
        for (let block = 0; block < blocks; block++) {
          const at = start + (<usize>block << 2);
          const rows = dz + <usize>(block * K_BLOCK) * PANEL_BYTES;
          spmmRow(taken, load<u32>(at), load<u32>(at, 4), rows, stride, block == 0 ? zeros : scratch, scratch);
        }
        stepRow(kind, taken, i, I, column, scratch, w, m, v, factors);
      }
      continue;
    }
    for (let i0 = first; i0 < last; i0 += ROW_GROUP) {
      const i1 = min(i0 + ROW_GROUP, last);
      for (let block = 0; block < blocks; block++) {
        const rows = dz + <usize>(block * K_BLOCK) * PANEL_BYTES;
        for (let i = i0, g = scratch; i < i1; i++, g += rowBytes) {
          // There are two blocks at least: one for each panel that has to be fetched for Adam.
          if (block * PANEL < taken) {
            const row = columnsOfB(<usize>i * PANEL_BYTES, I, column + block * PANEL);
            touchParameters(w + row, m + row, v + row);
          }
          const at = starts + ((<usize>i * (blocks + 1)) << 2) + (<usize>block << 2);
          spmmRow(taken, load<u32>(at), load<u32>(at, 4), rows, stride, block == 0 ? zeros : g, g);
        }
      }
      for (let i = i0, g = scratch; i < i1; i++, g += rowBytes) stepRow(kind, taken, i, I, column, g, w, m, v, factors);
    }
  }
}

/** The step of the `taken` columns from `column` on in row i, whose gradients are at g. */
// @ts-ignore: decorator
@inline
function stepRow(
  kind: i32,
  taken: i32,
  i: i32,
  I: i32,
  column: i32,
  g: usize,
  w: usize,
  m: usize,
  v: usize,
  factors: usize,
): void {
  for (let done = 0; done < taken; done += PANEL) {
    const at = columnsOfB(<usize>i * PANEL_BYTES, I, column + done);
    step(kind, min(PANEL, taken), w + at, g + (<usize>done << 2), m + at, v + at, factors);
  }
}

/** Sets one row of a panel of the weights and their moments on its way into the cache. */
// @ts-ignore: decorator
@inline
function touchParameters(w: usize, m: usize, v: usize): void {
  touch(w);
  touch(w + LINE);
  touch(m);
  touch(m + LINE);
  touch(v);
  touch(v + LINE);
}
