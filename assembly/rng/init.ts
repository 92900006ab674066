import { inPanels } from '../layout/panel';
import { STREAM_INIT, philox4 } from './philox';

/** A u32 pair as a uniform f64 in (-1, 1), symmetric and never zero. */
// @ts-ignore: decorator
@inline
function symmetric(word: u32): f64 {
  return (<f64>word + 0.5) * (1.0 / 2147483648.0) - 1.0;
}

/**
 * He-normal weights: N(0, 2 / fanIn), by Marsaglia's polar method (1964) on the counters
 * (element pair, attempt, tensor, STREAM_INIT).
 * w  (rows, columns) f32 in panels (layout/panel.ts); overwritten; padding is left as it is
 */
export function heNormal(w: usize, rows: i32, columns: i32, tensor: i32, key0: u32, key1: u32, scratch: usize): void {
  const deviation = Math.sqrt(2.0 / <f64>rows);
  const count = rows * columns;
  for (let pair = 0; 2 * pair < count; pair++) {
    let u: f64 = 0;
    let v: f64 = 0;
    let s: f64 = 0;
    // The first attempts of four pairs are drawn together; one in five needs another.
    if ((pair & 3) == 0) philox4(pair, 0, tensor, STREAM_INIT << 16, key0, key1, scratch);
    let words = scratch + ((pair & 3) << 4);
    for (let attempt: u32 = 1; ; attempt++) {
      u = symmetric(load<u32>(words));
      v = symmetric(load<u32>(words, 4));
      s = u * u + v * v;
      if (s < 1.0) break;
      words = scratch + 64;
      philox4(pair, attempt, tensor, STREAM_INIT << 16, key0, key1, words);
    }
    const factor = deviation * Math.sqrt((-2.0 * Math.log(s)) / s);
    place(w, 2 * pair, rows, columns, <f32>(u * factor));
    if (2 * pair + 1 < count) place(w, 2 * pair + 1, rows, columns, <f32>(v * factor));
  }
}

/**
 * Glorot-uniform weights: U(-a, a) with a = sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010), four elements
 * to a block, on the counters (element / 4, 0, tensor, STREAM_INIT).
 * w  (rows, columns) f32 in panels (layout/panel.ts); overwritten; padding is left as it is
 */
export function glorotUniform(
  w: usize,
  rows: i32,
  columns: i32,
  tensor: i32,
  key0: u32,
  key1: u32,
  scratch: usize,
): void {
  const limit = Math.sqrt(6.0 / <f64>(rows + columns));
  const count = rows * columns;
  for (let element = 0; element < count; element++) {
    if ((element & 15) == 0) philox4(element >> 2, 0, tensor, STREAM_INIT << 16, key0, key1, scratch);
    place(w, element, rows, columns, <f32>(symmetric(load<u32>(scratch + ((element & 15) << 2))) * limit));
  }
}

/** Writes element `element`, counted along the rows. */
// @ts-ignore: decorator
@inline
function place(w: usize, element: i32, rows: i32, columns: i32, value: f32): void {
  store<f32>(inPanels(w, rows, element / columns, element % columns), value);
}
