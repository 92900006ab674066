import { madd, sumLanes } from '../simd/simd';

// Micro-kernels of the input gradient: only the elements of dX whose input was not zero are wanted, since ReLU and
// Dropout let no other gradient through. For each entry (k, ...) of a compressed row of X,
//
//   dx[k] = sum over columns o of d[o] B[k][o]
//
// as eight running sums that start from zero: lane l takes o = l, l + 8, l + 16, ..., from panel to panel. At the end
// the lanes are added as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). In between they wait in memory, so that a panel of
// B can stay in the first-level cache while many rows of X pass by.
//
//   entry, end  the row's entries in one K-block (compress.ts)
//   d           32 or 64 f32
//   b           the K-block of a panel of B, or of two
//   from, step  what the lanes of the first entry start from, and the bytes from there to those of the next
//   partials    eight f32 an entry: its lanes; overwritten. Returned is where the next row's lanes go
//
// The lanes are stored twice an entry, since V8 puts off a multiply-add until a store needs it: with one store all the
// loads would stand in front, in more registers than there are.

/** Bytes of the eight lanes of one entry. */
export const PARTIAL_BYTES: usize = 32;

/** 32 columns: eight vectors of d, for engines that keep them in registers. */
export function f32_sddmm_32(
  entry: usize, end: usize, d: usize, b: usize, from: usize, step: usize, partials: usize,
): usize {
  const d0 = v128.load(d);
  const d1 = v128.load(d, 16);
  const d2 = v128.load(d, 32);
  const d3 = v128.load(d, 48);
  const d4 = v128.load(d, 64);
  const d5 = v128.load(d, 80);
  const d6 = v128.load(d, 96);
  const d7 = v128.load(d, 112);
  while (entry < end) {
    const row = b + <usize>load<u32>(entry);
    let low = v128.load(from);
    let high = v128.load(from, 16);
    low = madd(d0, v128.load(row), low);
    high = madd(d1, v128.load(row, 16), high);
    low = madd(d2, v128.load(row, 32), low);
    high = madd(d3, v128.load(row, 48), high);
    v128.store(partials, low);
    v128.store(partials, high, 16);
    low = madd(d4, v128.load(row, 64), low);
    high = madd(d5, v128.load(row, 80), high);
    low = madd(d6, v128.load(row, 96), low);
    high = madd(d7, v128.load(row, 112), high);
    v128.store(partials, low);
    v128.store(partials, high, 16);
    entry += 8;
    from += step;
    partials += PARTIAL_BYTES;
  }
  return partials;
}

/** 64 columns of two panels, b0 and b1: sixteen vectors of d, for engines that join them in pairs. */
export function f32_sddmm_64(
  entry: usize, end: usize, d: usize, b0: usize, b1: usize, from: usize, step: usize, partials: usize,
): usize {
  const d0 = v128.load(d);
  const d1 = v128.load(d, 16);
  const d2 = v128.load(d, 32);
  const d3 = v128.load(d, 48);
  const d4 = v128.load(d, 64);
  const d5 = v128.load(d, 80);
  const d6 = v128.load(d, 96);
  const d7 = v128.load(d, 112);
  const d8 = v128.load(d, 128);
  const d9 = v128.load(d, 144);
  const d10 = v128.load(d, 160);
  const d11 = v128.load(d, 176);
  const d12 = v128.load(d, 192);
  const d13 = v128.load(d, 208);
  const d14 = v128.load(d, 224);
  const d15 = v128.load(d, 240);
  while (entry < end) {
    const offset = <usize>load<u32>(entry);
    const row0 = b0 + offset;
    const row1 = b1 + offset;
    let low = v128.load(from);
    let high = v128.load(from, 16);
    low = madd(d0, v128.load(row0), low);
    high = madd(d1, v128.load(row0, 16), high);
    low = madd(d2, v128.load(row0, 32), low);
    high = madd(d3, v128.load(row0, 48), high);
    low = madd(d4, v128.load(row0, 64), low);
    high = madd(d5, v128.load(row0, 80), high);
    low = madd(d6, v128.load(row0, 96), low);
    high = madd(d7, v128.load(row0, 112), high);
    v128.store(partials, low);
    v128.store(partials, high, 16);
    low = madd(d8, v128.load(row1), low);
    high = madd(d9, v128.load(row1, 16), high);
    low = madd(d10, v128.load(row1, 32), low);
    high = madd(d11, v128.load(row1, 48), high);
    low = madd(d12, v128.load(row1, 64), low);
    high = madd(d13, v128.load(row1, 80), high);
    low = madd(d14, v128.load(row1, 96), low);
    high = madd(d15, v128.load(row1, 112), high);
    v128.store(partials, low);
    v128.store(partials, high, 16);
    entry += 8;
    from += step;
    partials += PARTIAL_BYTES;
  }
  return partials;
}

/**
 * dx[k] of a row's entries from their lanes. Returns where the next row's lanes are.
 * out  the row of dX from the K-block's first element; written where an entry is, else left alone
 */
export function sumPartials(entry: usize, end: usize, partials: usize, out: usize): usize {
  for (; entry < end; entry += 8) {
    // A row of a panel is 32 elements: its byte offset over 32 is that of element k.
    const dx = out + <usize>(load<u32>(entry) >> 5);
    store<f32>(dx, sumLanes(f32x4.add(v128.load(partials), v128.load(partials, 16))));
    partials += PARTIAL_BYTES;
  }
  return partials;
}
