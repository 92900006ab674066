import { ROWS_F32, ROWS_RELU, ROWS_U8 } from '../../assembly/layout/rows';
import { allocate, at, primeFrom, put, randomBelow, shuffled, uniform } from './support';

// Sources of rows (layout/rows.ts) for the routines that read them: each kind by itself and by an order.

/** A kind of source, and whether an order picks its rows. */
export class SourceKind {
  constructor(
    public name: string,
    public kind: i32,
    public ordered: bool,
  ) {}
}

export const SOURCES: SourceKind[] = [
  new SourceKind('f32 rows', ROWS_F32, false),
  new SourceKind('f32 rows by an order', ROWS_F32, true),
  new SourceKind('ReLU of f32 rows', ROWS_RELU, false),
  new SourceKind('u8 rows', ROWS_U8, false),
  new SourceKind('u8 rows by an order', ROWS_U8, true),
];

/** Rows that an order has to choose from beside those that it takes. */
const OTHERS: i32 = 5;

let kind: i32 = 0;
let source: usize = 0;
let stride: usize = 0;
let order: usize = 0;

export function sourceAddress(): usize {
  return source;
}

export function sourceStride(): usize {
  return stride;
}

/** The order, or 0. */
export function sourceOrder(): usize {
  return order;
}

function rowAt(m: i32): usize {
  return source + stride * (order ? <usize>load<u32>(order + (<usize>m << 2)) : <usize>m);
}

/**
 * Makes room for `rows` rows of `length` elements. Rows in their own order are a prime number of elements apart, those
 * that an order picks follow each other without padding. Behind the last row are `slack` bytes. What is not set is
 * NaN as f32, and 255 as u8.
 */
export function makeRows(type: SourceKind, rows: i32, length: i32, slack: i32): void {
  kind = type.kind;
  order = 0;
  const size = kind == ROWS_U8 ? 1 : 4;
  const elements = type.ordered ? length : primeFrom(length);
  const count = type.ordered ? rows + OTHERS : rows;
  stride = elements * size;
  source = allocate(((count - 1) * elements + length) * size + slack);
  if (type.ordered) {
    order = shuffled(count);
    // One row twice: a batch may repeat.
    if (rows > 1) store<u32>(order, load<u32>(order, 4));
  }
}

/** Sets element k of row m: as u8 its whole 255ths. */
export function setElement(m: i32, k: i32, value: f32): void {
  if (kind == ROWS_U8) store<u8>(rowAt(m) + k, <u8>Math.round(Math.abs(value) * 255));
  else put(rowAt(m), k, value);
}

/** Element k of row m as the routines have to read it. */
export function element(m: i32, k: i32): f32 {
  if (kind == ROWS_U8) return <f32>load<u8>(rowAt(m) + k) / 255;
  const value = at(rowAt(m), k);
  return kind == ROWS_RELU ? max<f32>(value, 0) : value;
}

/** Fills all rows of a source with random elements between -1 and 1. */
export function fillRows(rows: i32, length: i32): void {
  for (let m = 0; m < rows; m++) {
    for (let k = 0; k < length; k++) setElement(m, k, <f32>uniform(-1, 1));
  }
}

/** A random element of which the share `density` is not zero; of the zeros some are -0. */
export function sparseElement(density: f64): f32 {
  if (uniform(0, 1) >= density) return randomBelow(2) == 0 ? <f32>0 : <f32>-0.0;
  return <f32>((randomBelow(2) == 0 ? -1 : 1) * uniform(0.01, 1));
}
