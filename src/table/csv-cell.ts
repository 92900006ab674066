import { type Cell, type Cells, CodedCells, NumberCells } from './cells.js';

/** Texts that stand for an empty cell. */
const EMPTY = new Set(['', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', '?']);

/** Python's word for an empty cell, which among words is one of them: no damage, no degree. */
const NONE = 'None';

const POINT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** Points between groups of three digits, which nothing else stands for where the decimal mark is a comma. */
const THOUSANDS = /^[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?$/;
const COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;

/** A cell's text as what it is. Codes such as `007` stay texts, and whole numbers of more digits than a number keeps. */
export function csvCell(text: string, decimal: '.' | ','): Cell {
  const own = text.trim();
  if (EMPTY.has(own)) return null;
  if (/^[+-]?0\d/.test(own)) return own;
  const plain = decimal === ',' && THOUSANDS.test(own) ? own.replaceAll('.', '') : own;
  if (decimal === '.' ? POINT.test(plain) : COMMA.test(plain)) {
    const value = Number(plain.replace(',', '.'));
    const isKept = Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(plain);
    return Number.isFinite(value) && isKept ? value + 0 : own; // -0 is 0.
  }
  return own;
}

/** A column in which None is an empty cell where all else are numbers. */
export function withoutNone(cells: Cells): Cells {
  if (!(cells instanceof CodedCells) || !cells.values.includes(NONE)) return cells;
  const areNumbers = cells.values.every(
    (value) => value === null || value === NONE || typeof value === 'number',
  );
  if (!areNumbers) return cells;
  const numbers = cells.values.map((value) => (typeof value === 'number' ? value : Number.NaN));
  return new NumberCells(Float64Array.from(cells.codes, (code) => numbers[code]!));
}
