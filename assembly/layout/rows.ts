import { loadPixels, zero } from '../simd/simd';

// A source of rows, which packing (gemm/pack.ts) and compression (sparse/compress.ts) read:
//
//   kind    how an element is stored and read: ROWS_F32, ROWS_RELU or ROWS_U8
//   source  address of row 0
//   stride  bytes from one row to the next
//   order   u32 each: row m of the operand is row order[m] of the source; 0 where the rows are taken as they stand
//
// A routine over a source is inlined once for each kind, with and without an order, so that no inner loop asks for
// them. Where there is no order a literal 0 is passed on: with the variable, Binaryen folds the copies into one again,
// which took up to twice as long. Rows may follow each other without padding: whatever reads four elements at once at a
// row's end needs SLACK bytes behind the last row.

/** Bytes behind a source that have to be readable; whatever they hold. */
export const SLACK: usize = 16;

/** f32 as they are. */
export const ROWS_F32: i32 = 0;

/** max(x, 0) of f32; always in their own order. */
export const ROWS_RELU: i32 = 1;

/** u8 divided by 255. */
export const ROWS_U8: i32 = 2;

/** Address of row m; `ordered` says whether there is an order. */
// @ts-ignore: decorator
@inline
export function rowOf(ordered: bool, source: usize, stride: usize, order: usize, m: i32): usize {
  return source + stride * (ordered ? <usize>load<u32>(order + (<usize>m << 2)) : <usize>m);
}

/** Bytes from a row's start to its element k. */
// @ts-ignore: decorator
@inline
export function elementOffset(kind: i32, k: i32): usize {
  return kind == ROWS_U8 ? <usize>k : <usize>k << 2;
}

/** Elements k, ..., k + 3 of a row. */
// @ts-ignore: decorator
@inline
export function load4(kind: i32, row: usize, k: i32): v128 {
  const at = row + elementOffset(kind, k);
  if (kind == ROWS_U8) return loadPixels(at);
  const v = v128.load(at);
  return kind == ROWS_RELU ? f32x4.max(v, zero()) : v;
}

/** Element k of a row. */
// @ts-ignore: decorator
@inline
export function load1(kind: i32, row: usize, k: i32): f32 {
  const at = row + elementOffset(kind, k);
  if (kind == ROWS_U8) return <f32>load<u8>(at) / 255;
  const v = load<f32>(at);
  return kind == ROWS_RELU ? max<f32>(v, 0) : v;
}
