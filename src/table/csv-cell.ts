import type { Cell } from './cells.js';

/** Texts that stand for an empty cell. */
const EMPTY = new Set(['', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', 'None', '?']);

const POINT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;

/** A cell's text as what it is: codes such as `007` stay texts. */
export function csvCell(text: string, decimal: '.' | ','): Cell {
  const own = text.trim();
  if (EMPTY.has(own)) return null;
  if (/^[+-]?0\d/.test(own)) return own;
  if (decimal === '.' ? POINT.test(own) : COMMA.test(own)) {
    const value = Number(own.replace(',', '.'));
    return Number.isFinite(value) ? value + 0 : own; // -0 is 0.
  }
  return own;
}
