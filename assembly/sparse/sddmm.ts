import { PANEL_BYTES, panelsOf } from '../layout/panel';
import { shareStart } from '../par/range';
import { K_BLOCK, blocksOf, startsOf } from './compress';
import { PARTIAL_BYTES, f32_sddmm_32, f32_sddmm_64, sumPartials } from './f32_sddmm';
import { isSparseWidth } from './f32_spmm';

/**
 * Entries whose lanes are kept at once, a K-block of a row at least: 16 KB, which stay in the first-level cache beside
 * the K-block of one panel or two.
 */
export const PARTIALS: i32 = 512;

/** Bytes of scratch that sddmm needs. */
export const SDDMM_SCRATCH_BYTES: i32 = PARTIALS * <i32>PARTIAL_BYTES;

/**
 * The elements of dX = dZ W^T at which the compressed X has an entry; the others are left alone.
 *
 * width    of the compressed kernels: 64 takes two panels at once, 16 and 32 take one
 * starts   X (M, K), compressed
 * d        dZ, row-major (M, N) with rows dStride bytes apart, padded with zeros to whole panels
 * b        W, packed in panels: element (k, n)
 * dx       row-major (M, K) with rows xStride bytes apart
 * zeros    eight f32 zeros
 * scratch  SDDMM_SCRATCH_BYTES of the calling thread's own
 *
 * The sums are f32_sddmm's, and so the same bytes, whatever the width and the number of threads, which split the rows.
 */
export function sddmm(
  width: i32, M: i32, N: i32, K: i32, starts: usize, d: usize, dStride: usize, b: usize, dx: usize, xStride: usize,
  zeros: usize, scratch: usize, thread: i32, threads: i32,
): void {
  assert(isSparseWidth(width) && M > 0 && N > 0 && K > 0 && thread < threads);
  const panels = panelsOf(N);
  const from = shareStart(M, thread, threads);
  const to = shareStart(M, thread + 1, threads);
  const blocks = blocksOf(K);
  const panelStride = <usize>K * PANEL_BYTES;
  const startStride = <usize>(blocks + 1) << 2;
  // A K-block of all the panels stays in the second-level cache while the rows pass by, as many at a time as have room.
  for (let block = 0; block < blocks; block++) {
    const k0 = block * K_BLOCK;
    let m = from;
    while (m < to) {
      const first = startsOf(starts, m, K) + (<usize>block << 2);
      const row = d + <usize>m * dStride;
      const out = dx + <usize>m * xStride + (<usize>k0 << 2);
      let last = first;
      for (let room = PARTIALS; m < to; m++, last += startStride) {
        room -= <i32>((load<u32>(last, 4) - load<u32>(last)) >> 3);
        if (room < 0) break;
      }
      for (let panel = 0, taken = 0; panel < panels; panel += taken) {
        taken = width == 64 && panel + 1 < panels ? 2 : 1;
        const rows = b + <usize>(panel * K + k0) * PANEL_BYTES;
        const step: usize = panel == 0 ? 0 : PARTIAL_BYTES;
        let part = row + <usize>panel * PANEL_BYTES;
        let partials = scratch;
        for (let start = first; start < last; start += startStride, part += dStride) {
          const begin = panel == 0 ? zeros : partials;
          const entry = load<u32>(start);
          const end = load<u32>(start, 4);
          if (taken == 2) partials = f32_sddmm_64(entry, end, part, rows, rows + panelStride, begin, step, partials);
          else partials = f32_sddmm_32(entry, end, part, rows, begin, step, partials);
        }
      }
      let partials = scratch;
      let sums = out;
      for (let start = first; start < last; start += startStride, sums += xStride) {
        partials = sumPartials(load<u32>(start), load<u32>(start, 4), partials, sums);
      }
    }
  }
}
