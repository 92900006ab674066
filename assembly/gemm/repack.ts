import { PANEL, PANEL_BYTES, inPanels, panelsOf } from '../layout/panel';
import { storeTransposed, zero } from '../simd/simd';

// Weights in panels (layout/panel.ts) made into another operand in panels. Each routine writes panels [from, to) of
// its result.

/** A copy of a matrix of K rows with column n times scale[n]; scale (N) f32, padded to a whole panel. */
export function scalePanels(K: i32, source: usize, scale: usize, out: usize, from: i32, to: i32): void {
  for (let panel = from; panel < to; panel++) {
    const first = <usize>panel * K * PANEL_BYTES;
    for (let column: usize = 0; column < PANEL_BYTES; column += 16) {
      const factor = v128.load(scale + <usize>panel * PANEL_BYTES + column);
      const end = first + <usize>K * PANEL_BYTES;
      for (let at = first + column; at < end; at += PANEL_BYTES) {
        v128.store(out + at, f32x4.mul(v128.load(source + at), factor));
      }
    }
  }
}

/** Four elements of row i, or zeros where the matrix has no such row. */
// @ts-ignore: decorator
@inline
function load4(row: usize, i: i32, I: i32): v128 {
  return i < I ? v128.load(row) : zero();
}

/**
 * The transpose: operand B of the dense input gradient dX = dZ W^T.
 * w    (I, O) in panels
 * out  (O, I) in panels; overwritten, columns beyond I with zeros
 */
export function transposePanels(I: i32, O: i32, w: usize, out: usize, from: i32, to: i32): void {
  assert(I > 0 && O > 0 && to <= panelsOf(I));
  for (let panel = from; panel < to; panel++) {
    for (let o = 0; o < O; o += 4) {
      const rest = O - o;
      const row = inPanels(out, O, o, panel * PANEL);
      for (let r = 0; r < PANEL; r += 4) {
        const i = panel * PANEL + r;
        const read = inPanels(w, I, i, o);
        const write = row + (<usize>r << 2);
        const a = load4(read, i, I);
        const b = load4(read + PANEL_BYTES, i + 1, I);
        const c = load4(read + 2 * PANEL_BYTES, i + 2, I);
        const d = load4(read + 3 * PANEL_BYTES, i + 3, I);
        if (rest >= 4) storeTransposed(a, b, c, d, write, PANEL_BYTES);
        else storeSome(a, b, c, d, write, rest);
      }
    }
  }
}

/** The first `count`, 1 to 3, rows of what storeTransposed writes. */
function storeSome(a: v128, b: v128, c: v128, d: v128, out: usize, count: i32): void {
  const ab0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd0 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  v128.store(out, i64x2.shuffle(ab0, cd0, 0, 2));
  if (count > 1) v128.store(out + PANEL_BYTES, i64x2.shuffle(ab0, cd0, 1, 3));
  if (count > 2) {
    const ab1 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(out + 2 * PANEL_BYTES, i64x2.shuffle(ab1, cd1, 0, 2));
  }
}
