import type { Cell, CellsBuilder } from './cells.js';
import { csvCell } from './csv-cell.js';

/** What fields are read into, and how. */
export interface FieldRules {
  columns: readonly CellsBuilder[];
  /** A byte of ASCII. */
  separator: number;
  decimal: '.' | ',';
  decode: (bytes: Uint8Array) => string;
  /** The error of a row of so many cells. */
  refuse: (row: number, cells: number) => Error;
}

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/** Whole numbers of so many digits are exact in a double. */
const EXACT_DIGITS = 15;

/** Texts that are remembered, and the longest of them in bytes. */
const REMEMBERED = 2 ** 13;
const LONGEST = 48;

/**
 * Reads rows without quotes straight from their bytes. Numbers of up to fifteen digits are computed on the way: a whole number
 * below 2^53 divided by a power of ten below 10^22 is rounded once, so it is the nearest double, as Number gives it (Clinger,
 * 1990). All other fields are texts, which go through {@link csvCell}; those that come again are remembered.
 */
export class FieldReader {
  readonly #rules: FieldRules;
  readonly #point: number;
  /** Texts by their hash: bytes, and the cell that they are. */
  readonly #bytes = new Array<Uint8Array | undefined>(REMEMBERED);
  readonly #cells = new Array<Cell>(REMEMBERED);

  constructor(rules: FieldRules) {
    this.#rules = rules;
    this.#point = rules.decimal.charCodeAt(0);
  }

  /** Reads rows, each of which ends with a line feed, and returns how many there are with the `rows` before. */
  read(bytes: Uint8Array, rows: number): number {
    const { columns, separator } = this.#rules;
    const point = this.#point;
    const last = columns.length - 1;
    let row = rows;
    let column = 0;
    let at = 0;
    while (at < bytes.length) {
      const start = at;
      let byte = bytes[at]!;
      if (column === 0 && (byte === LINE_FEED || (byte === RETURN && bytes[at + 1] === LINE_FEED))) {
        at += byte === LINE_FEED ? 1 : 2; // A row without anything.
        continue;
      }
      const isNegative = byte === MINUS;
      if (isNegative || byte === PLUS) byte = bytes[++at]!;
      const first = byte;
      const begin = at;
      let value = 0;
      while (byte >= ZERO && byte <= NINE) {
        value = value * 10 + (byte - ZERO);
        byte = bytes[++at]!;
      }
      const whole = at - begin;
      let digits = whole;
      let scale = 0;
      if (byte === point) {
        byte = bytes[++at]!;
        const fraction = at;
        while (byte >= ZERO && byte <= NINE) {
          value = value * 10 + (byte - ZERO);
          byte = bytes[++at]!;
        }
        scale = at - fraction;
        digits += scale;
      }
      const isEnd =
        byte === separator || byte === LINE_FEED || (byte === RETURN && bytes[at + 1] === LINE_FEED);
      // A code such as 007 is none.
      const isCode = whole > 1 && first === ZERO;
      if (column > last) {
        at = endOfField(bytes, at, separator);
      } else if (isEnd && digits > 0 && digits <= EXACT_DIGITS && !isCode) {
        const size = scale === 0 ? value : value / POWERS[scale]!;
        columns[column]!.pushNumber(isNegative ? 0 - size : size);
      } else if (isEnd && at === start) {
        columns[column]!.pushNumber(Number.NaN);
      } else {
        at = endOfField(bytes, at, separator);
        const isReturn = bytes[at] === LINE_FEED && bytes[at - 1] === RETURN;
        columns[column]!.push(this.#cell(bytes, start, isReturn ? at - 1 : at));
      }
      if (bytes[at] === RETURN) at++;
      column++;
      if (bytes[at] === LINE_FEED) {
        if (column !== columns.length) throw this.#rules.refuse(row, column);
        column = 0;
        row++;
      }
      at++;
    }
    return row;
  }

  #cell(bytes: Uint8Array, start: number, end: number): Cell {
    const { decode, decimal } = this.#rules;
    if (end - start > LONGEST) return csvCell(decode(bytes.subarray(start, end)), decimal);
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (REMEMBERED - 1);
    const known = this.#bytes[place];
    if (known !== undefined && isSame(known, bytes, start, end)) return this.#cells[place]!;
    const own = bytes.slice(start, end);
    const cell = csvCell(decode(own), decimal);
    this.#bytes[place] = own;
    this.#cells[place] = cell;
    return cell;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}

/** Where the field that `at` stands in ends: at a separator or a line feed. */
function endOfField(bytes: Uint8Array, at: number, separator: number): number {
  let end = at;
  while (bytes[end] !== separator && bytes[end] !== LINE_FEED) end++;
  return end;
}
