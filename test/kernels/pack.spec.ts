import { packB, packColumns, packRows, packTransposedB } from '../../assembly/gemm/pack';
import { scalePanels, transposePanels } from '../../assembly/gemm/repack';
import { ROWS_RELU } from '../../assembly/layout/rows';
import {
  SOURCES,
  SourceKind,
  element,
  fillRows,
  makeRows,
  sourceAddress,
  sourceOrder,
  sourceStride,
} from './source';
import {
  at,
  begin,
  expectGuards,
  expectSame,
  expectSameBytes,
  fillUniform,
  floats,
  primeFrom,
  put,
  roundUp,
  uniform,
  zeroed,
} from './support';

// Each routine packs one matrix at every size, once whole and once in any two parts, the later part first. Sources
// are random; every element of the output is compared with the index formula at the head of gemm/pack.ts.

const PACK_ROWS: i32 = 0;
const PACK_COLUMNS: i32 = 1;
const PACK_B: i32 = 2;
const PACK_TRANSPOSED_B: i32 = 3;
const SCALE_PANELS: i32 = 4;
const TRANSPOSE_PANELS: i32 = 5;
const NAMES: string[] = [
  'packRows', 'packColumns', 'packB', 'packTransposedB', 'scalePanels', 'transposePanels',
];

/** M, which is cut into panels of 4 or 6 rows: around their multiples, and two primes. */
const ROWS: i32[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 18, 23, 24, 31];
/** N, which is cut into panels of 32 columns: around the groups of 4 within one, around one, two and three panels. */
const COLUMNS: i32[] = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 23, 24, 31, 32, 33, 37, 63, 64, 65, 97];
/** Columns of a panel of B. */
const PANEL: i32 = 32;
/** The dimension that runs along a panel, around the blocks of 4 and 16 and around a panel. */
const DEPTHS: i32[] = [1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 33];

/** What packRows and packColumns read. */
let type: SourceKind = SOURCES[0];
/** What the others read. */
let source: usize = 0;
/** Elements from one row of `source` to the next, where it has rows. */
let stride: i32 = 0;
let scale: usize = 0;
let zeros: usize = 0;

/** Index of column i of row k in panels of 32 columns. */
function inPanels(depth: i32, i: i32, k: i32): i32 {
  return ((i / PANEL) * depth + k) * PANEL + (i % PANEL);
}

/** Makes the source of a width x depth case: its rows are the depth in some routines, the width in others. */
function makeSource(routine: i32, width: i32, depth: i32): void {
  zeros = zeroed(depth);
  if (routine == PACK_ROWS || routine == PACK_COLUMNS) {
    const rows = routine == PACK_ROWS ? width : depth;
    const length = routine == PACK_ROWS ? depth : width;
    makeRows(type, rows, length, 0);
    fillRows(rows, length);
  } else if (routine == SCALE_PANELS || routine == TRANSPOSE_PANELS) {
    // A matrix of `rows` rows in panels whose padding is zero.
    const rows = routine == SCALE_PANELS ? depth : width;
    const columns = routine == SCALE_PANELS ? width : depth;
    source = zeroed(rows * roundUp(columns, PANEL));
    for (let i = 0; i < columns; i++) {
      for (let k = 0; k < rows; k++) put(source, inPanels(rows, i, k), <f32>uniform(-1, 1));
    }
    scale = zeroed(roundUp(width, PANEL));
    fillUniform(scale, width, -2, 2);
  } else if (routine == PACK_B) {
    // packB reads whole panels, whose columns beyond the width its source has to hold as zeros.
    stride = primeFrom(roundUp(width, PANEL));
    source = zeroed(depth * stride);
    for (let k = 0; k < depth; k++) fillUniform(source + ((<usize>k * stride) << 2), width, -1, 1);
  } else {
    stride = primeFrom(depth);
    source = floats((width - 1) * stride + depth);
    fillUniform(source, (width - 1) * stride + depth, -1, 1);
  }
}

/** Element (i, k) of the packed operand, i across the panels and k along them, zero beyond the width. */
function expected(routine: i32, width: i32, depth: i32, i: i32, k: i32): f32 {
  if (i >= width) return 0;
  if (routine == PACK_ROWS) return element(i, k);
  if (routine == PACK_COLUMNS) return element(k, i);
  if (routine == PACK_TRANSPOSED_B) return at(source, i * stride + k);
  if (routine == SCALE_PANELS) return at(source, inPanels(depth, i, k)) * at(scale, i);
  if (routine == TRANSPOSE_PANELS) return at(source, inPanels(width, k, i));
  return at(source, k * stride + i);
}

/** Packs panels [from, to) into out. */
function pack(routine: i32, height: i32, width: i32, depth: i32, out: usize, from: i32, to: i32): void {
  const bytes = <usize>stride << 2;
  const rows = sourceAddress();
  const step = sourceStride();
  const order = sourceOrder();
  if (routine == PACK_ROWS) packRows(type.kind, height, width, depth, rows, step, order, zeros, out, from, to);
  if (routine == PACK_COLUMNS) packColumns(type.kind, height, width, depth, rows, step, order, out, from, to);
  if (routine == PACK_B) packB(depth, source, bytes, out, from, to);
  if (routine == PACK_TRANSPOSED_B) packTransposedB(width, depth, source, bytes, zeros, out, from, to);
  if (routine == SCALE_PANELS) scalePanels(depth, source, scale, out, from, to);
  if (routine == TRANSPOSE_PANELS) transposePanels(width, depth, source, out, from, to);
}

/** One size: every element, every partition into two parts, and the bytes around the output. */
function checkSize(routine: i32, height: i32, width: i32, depth: i32): void {
  begin(
    `${NAMES[routine]} (${type.name}) panels of ${height.toString()}, width ${width.toString()}, ` +
      `depth ${depth.toString()}`,
    routine * 1000003 + height * 10007 + width * 101 + depth,
  );
  makeSource(routine, width, depth);
  const panels = (width + height - 1) / height;
  const size = panels * depth * height;
  const whole = floats(size);
  pack(routine, height, width, depth, whole, 0, panels);
  for (let i = 0; i < panels * height; i++) {
    for (let k = 0; k < depth; k++) {
      const packed = at(whole, ((i / height) * depth + k) * height + (i % height));
      expectSame(packed, expected(routine, width, depth, i, k), 'element', i, k);
    }
  }
  const parts = floats(size);
  for (let cut = 0; cut <= panels; cut++) {
    memory.fill(parts, 0xff, <usize>size << 2);
    pack(routine, height, width, depth, parts, cut, panels);
    pack(routine, height, width, depth, parts, 0, cut);
    expectSameBytes(parts, whole, 1, size, size, `cut before panel ${cut.toString()}`);
  }
  expectGuards();
}

function checkSizes(routine: i32, height: i32): void {
  const widths = height == PANEL ? COLUMNS : ROWS;
  for (let w = 0; w < widths.length; w++) {
    for (let d = 0; d < DEPTHS.length; d++) checkSize(routine, height, widths[w], DEPTHS[d]);
  }
}

/** A routine over every kind of source. */
function checkSources(routine: i32, height: i32): void {
  for (let s = 0; s < SOURCES.length; s++) {
    type = SOURCES[s];
    checkSizes(routine, height);
  }
}

describe('packed A of every source: placement, zero fill, any partition, no byte outside', () => {
  it('packRows, 4 rows (exact)', () => checkSources(PACK_ROWS, 4));
  it('packRows, 6 rows (exact)', () => checkSources(PACK_ROWS, 6));
  it('packColumns, 4 rows (exact)', () => checkSources(PACK_COLUMNS, 4));
  it('packColumns, 6 rows (exact)', () => checkSources(PACK_COLUMNS, 6));
});

describe('packed B: placement, zero fill, any partition, no byte outside', () => {
  it('packB (exact)', () => checkSizes(PACK_B, PANEL));
  it('packTransposedB (exact)', () => checkSizes(PACK_TRANSPOSED_B, PANEL));
  it('scalePanels (exact: one rounding)', () => checkSizes(SCALE_PANELS, PANEL));
  it('transposePanels (exact)', () => checkSizes(TRANSPOSE_PANELS, PANEL));
});

describe('packRows of a ReLU on special values', () => {
  it('keeps NaN and infinity and turns -0 and -infinity into 0, in whole blocks and in the rest (exact)', () => {
    const values: f32[] = [NaN, Infinity, -Infinity, -0.0, 0];
    const results: f32[] = [NaN, Infinity, 0, 0, 0];
    for (let height = 4; height <= 6; height += 2) {
      begin(`panels of ${height.toString()}`, 0);
      const row = floats(5);
      const out = floats(5 * height);
      zeros = zeroed(5);
      for (let shift = 0; shift < 5; shift++) {
        for (let k = 0; k < 5; k++) put(row, k, values[(k + shift) % 5]);
        packRows(ROWS_RELU, height, 1, 5, row, 20, 0, zeros, out, 0, 1);
        for (let k = 0; k < 5; k++) expectSame(at(out, k * height), results[(k + shift) % 5], 'element', 0, k);
      }
      expectGuards();
    }
  });
});
