import { madd } from '../simd/simd';

// Micro-kernels over a compressed row: c = init + sum over the entries of a B[k], in the order of k. The same sum as a
// dense tile's, less the products with an exact zero, and so the same bytes.
//
//   entry, end  the row's entries in one K-block (compress.ts)
//   b           the K-block of a packed panel of B, from the first column wanted
//   init, c     16 or 32 f32; c is overwritten and may be init

/** 16 columns: four accumulators and a splat. */
export function f32_spmm_16(entry: usize, end: usize, b: usize, init: usize, c: usize): void {
  let c0 = v128.load(init);
  let c1 = v128.load(init, 16);
  let c2 = v128.load(init, 32);
  let c3 = v128.load(init, 48);
  while (entry < end) {
    const row = b + <usize>load<u32>(entry);
    const a = v128.load_splat<f32>(entry, 4);
    c0 = madd(a, v128.load(row), c0);
    c1 = madd(a, v128.load(row, 16), c1);
    c2 = madd(a, v128.load(row, 32), c2);
    c3 = madd(a, v128.load(row, 48), c3);
    entry += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

/** 32 columns: eight accumulators, for engines that keep them in registers or join them in pairs. */
export function f32_spmm_32(entry: usize, end: usize, b: usize, init: usize, c: usize): void {
  let c0 = v128.load(init);
  let c1 = v128.load(init, 16);
  let c2 = v128.load(init, 32);
  let c3 = v128.load(init, 48);
  let c4 = v128.load(init, 64);
  let c5 = v128.load(init, 80);
  let c6 = v128.load(init, 96);
  let c7 = v128.load(init, 112);
  while (entry < end) {
    const row = b + <usize>load<u32>(entry);
    const a = v128.load_splat<f32>(entry, 4);
    c0 = madd(a, v128.load(row), c0);
    c1 = madd(a, v128.load(row, 16), c1);
    c2 = madd(a, v128.load(row, 32), c2);
    c3 = madd(a, v128.load(row, 48), c3);
    c4 = madd(a, v128.load(row, 64), c4);
    c5 = madd(a, v128.load(row, 80), c5);
    c6 = madd(a, v128.load(row, 96), c6);
    c7 = madd(a, v128.load(row, 112), c7);
    entry += 8;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
  v128.store(c, c4, 64);
  v128.store(c, c5, 80);
  v128.store(c, c6, 96);
  v128.store(c, c7, 112);
}

/** Runs the kernel of `width` columns, 16 or 32. */
// @ts-ignore: decorator
@inline
export function spmmRow(width: i32, entry: usize, end: usize, b: usize, init: usize, c: usize): void {
  if (width == 16) f32_spmm_16(entry, end, b, init, c);
  else f32_spmm_32(entry, end, b, init, c);
}
