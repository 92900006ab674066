import { sliceOfB } from '../gemm/gemm';
import { PANEL, PANEL_BYTES } from '../gemm/panel';
import { NR, isTileHeight, tile } from '../gemm/tile';
import { shareStart } from '../par/range';
import { K_BLOCK, blocksOf, startsOf } from '../sparse/compress';
import { spmmRow } from '../sparse/f32_spmm';
import { adam } from './adam';

// A weight matrix's gradient and its Adam step in one: dW = X^T dZ is worked out tile by tile, and each tile is used
// while it is in the first-level cache. The gradient of the whole matrix is never stored.
//
//   w, m, v  row-major (I, O) f32 with rows `stride` bytes apart, padded to whole panels; updated in place
//   b        dZ, packed in panels of 32 columns: K = the batch
//   factors  adam.ts
//   scratch  6 x 128 bytes of the calling thread's own
//
// Threads split the columns of W.

/** With X^T packed densely in panels of mr rows. */
export function updateDense(
  mr: i32,
  I: i32,
  O: i32,
  K: i32,
  a: usize,
  b: usize,
  zeros: usize,
  w: usize,
  m: usize,
  v: usize,
  stride: usize,
  factors: usize,
  scratch: usize,
  thread: i32,
  threads: i32,
): void {
  assert(isTileHeight(mr) && I > 0 && O > 0 && K > 0 && thread < threads);
  const panels = (O + PANEL - 1) / PANEL;
  const from = shareStart(panels, thread, threads);
  const to = shareStart(panels, thread + 1, threads);
  for (let panel = from; panel < to; panel++) {
    for (let i = 0; i < I; i += mr) {
      const rowsOfX = a + (<usize>i * K << 2);
      for (let j = 0; j < PANEL / NR; j++) {
        const slice = sliceOfB(b, K, panel * (PANEL / NR) + j, 0);
        tile(mr, K, rowsOfX, slice, zeros, 0, scratch + <usize>j * NR * 4, PANEL_BYTES);
      }
      const rows = min(mr, I - i);
      for (let r = 0; r < rows; r++) {
        const at = <usize>(i + r) * stride + <usize>panel * PANEL_BYTES;
        adam(PANEL, w + at, scratch + <usize>r * PANEL_BYTES, m + at, v + at, factors);
      }
    }
  }
}

/** With X^T compressed. */
export function updateCompressed(
  width: i32,
  I: i32,
  O: i32,
  K: i32,
  starts: usize,
  b: usize,
  zeros: usize,
  w: usize,
  m: usize,
  v: usize,
  stride: usize,
  factors: usize,
  scratch: usize,
  thread: i32,
  threads: i32,
): void {
  assert((width == 16 || width == 32) && I > 0 && O > 0 && K > 0 && thread < threads);
  const slices = ((O + PANEL - 1) / PANEL) * (PANEL / width);
  const from = shareStart(slices, thread, threads);
  const to = shareStart(slices, thread + 1, threads);
  const blocks = blocksOf(K);
  for (let slice = from; slice < to; slice++) {
    const column = <usize>(slice * width) << 2;
    const panel = b + (column / PANEL_BYTES) * K * PANEL_BYTES + (column % PANEL_BYTES);
    for (let i = 0; i < I; i++) {
      const start = startsOf(starts, i, K);
      for (let block = 0; block < blocks; block++) {
        const at = start + (<usize>block << 2);
        const rows = panel + <usize>(block * K_BLOCK) * PANEL_BYTES;
        spmmRow(width, load<u32>(at), load<u32>(at, 4), rows, block == 0 ? zeros : scratch, scratch);
      }
      const at = <usize>i * stride + column;
      adam(width, w + at, scratch, m + at, v + at, factors);
    }
  }
}
