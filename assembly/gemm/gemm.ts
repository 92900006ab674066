import { inPanels } from '../layout/panel';
import { LEAST_UNITS, endUnit, firstUnit, splitsColumns } from '../par/split';
import { NR, isTileHeight, tile } from './tile';

// KC: eight columns of a panel of B (KC cache lines, 16 KB) stay in the first-level cache while the rows of A pass by.
// MC: a block of A (MC x KC, at most 256 KB) stays in the second-level cache while the panels of B pass by.
const KC: i32 = 256;
const MC: i32 = 252;

/** Address of row k of the eight columns from 8 j in a packed B. */
// @ts-ignore: decorator
@inline
export function sliceOfB(b: usize, K: i32, j: i32, k: i32): usize {
  return inPanels(b, K, k, j * NR);
}

/**
 * C = init + A B over packed operands (pack.ts).
 *
 * a     packed (M, K), panels of mr rows
 * b     packed (K, N), panels of 32 columns
 * init  one row of N f32, the value that every row of C starts from (a bias, or zeros), padded to a multiple of 8
 * c     row-major (M, N) with rows cStride bytes apart; overwritten, as are its rows up to a multiple of mr and
 *       its columns up to a multiple of 8
 *
 * Every element of C is one running f32 sum over k = 0, 1, ..., K-1, whatever the tile, the blocking and the
 * number of threads: all of them give the same bytes.
 * Threads split C as par/split.ts says.
 */
export function gemm(
  mr: i32, M: i32, N: i32, K: i32, a: usize, b: usize, init: usize, c: usize, cStride: usize,
  thread: i32, threads: i32,
): void {
  assert(isTileHeight(mr) && M > 0 && N > 0 && K > 0 && thread < threads);
  const aPanels = (M + mr - 1) / mr;
  const slices = (N + NR - 1) / NR;
  const byColumns = splitsColumns(slices, LEAST_UNITS, aPanels, threads);
  const aFrom = firstUnit(!byColumns, aPanels, thread, threads);
  const aTo = endUnit(!byColumns, aPanels, thread, threads);
  const bFrom = firstUnit(byColumns, slices, thread, threads);
  const bTo = endUnit(byColumns, slices, thread, threads);

  const block = MC / mr;
  for (let k0 = 0; k0 < K; k0 += KC) {
    const kc = min(KC, K - k0);
    for (let i0 = aFrom; i0 < aTo; i0 += block) {
      const i1 = min(i0 + block, aTo);
      for (let j = bFrom; j < bTo; j++) {
        const slice = sliceOfB(b, K, j, k0);
        const column = <usize>j * NR * 4;
        for (let i = i0; i < i1; i++) {
          const aPanel = a + ((<usize>i * K + k0) * mr << 2);
          const out = c + <usize>i * mr * cStride + column;
          if (k0 == 0) tile(mr, kc, aPanel, slice, init + column, 0, out, cStride);
          else tile(mr, kc, aPanel, slice, out, cStride, out, cStride);
        }
      }
    }
  }
}
