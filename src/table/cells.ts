/** What stands in a cell: a text, a number, true or false, a time, or null for nothing. */
export type Cell = string | number | boolean | Date | null;

/** The cells of a column, from the first row to the last; an array is one. */
export interface Cells extends Iterable<Cell> {
  readonly length: number;
  /** The cell of a row; undefined behind the last. */
  at(row: number): Cell | undefined;
}

/** Numbers or times as eight bytes each: NaN is an empty cell. */
abstract class Packed implements Cells {
  constructor(readonly values: Float64Array) {}

  get length(): number {
    return this.values.length;
  }

  at(row: number): Cell | undefined {
    const value = this.values.at(row);
    if (value === undefined) return undefined;
    return Number.isNaN(value) ? null : this.cellOf(value);
  }

  *[Symbol.iterator](): Iterator<Cell> {
    for (const value of this.values) yield Number.isNaN(value) ? null : this.cellOf(value);
  }

  abstract cellOf(value: number): Cell;
}

/** Numbers and gaps. */
export class NumberCells extends Packed {
  cellOf(value: number): Cell {
    return value;
  }
}

/** Times and gaps: milliseconds since 1970. */
export class TimeCells extends Packed {
  cellOf(value: number): Cell {
    return new Date(value);
  }
}

/** Cells of any kind as four bytes each: the place of their value in a list, in which null is the first. */
export class CodedCells implements Cells {
  constructor(
    readonly codes: Uint32Array,
    readonly values: readonly Cell[],
  ) {}

  get length(): number {
    return this.codes.length;
  }

  at(row: number): Cell | undefined {
    const code = this.codes.at(row);
    return code === undefined ? undefined : this.values[code];
  }

  *[Symbol.iterator](): Iterator<Cell> {
    for (const code of this.codes) yield this.values[code]!;
  }
}

/** The cells of these rows, in their order. */
export function takeCells(cells: Cells, rows: ArrayLike<number>): Cells {
  if (cells instanceof NumberCells)
    return new NumberCells(taken(cells.values, rows, new Float64Array(rows.length)));
  if (cells instanceof TimeCells)
    return new TimeCells(taken(cells.values, rows, new Float64Array(rows.length)));
  if (cells instanceof CodedCells) {
    return new CodedCells(taken(cells.codes, rows, new Uint32Array(rows.length)), cells.values);
  }
  return Array.from(rows, (row) => cells.at(row) ?? null);
}

function taken<T extends Float64Array | Uint32Array>(from: T, rows: ArrayLike<number>, to: T): T {
  for (let at = 0; at < rows.length; at++) to[at] = from[rows[at]!]!;
  return to;
}

/** Whether a cell is empty. */
export function hasGaps(cells: Cells): boolean {
  if (cells instanceof NumberCells || cells instanceof TimeCells) return cells.values.some(Number.isNaN);
  if (cells instanceof CodedCells) return cells.codes.includes(0);
  for (const cell of cells) if (cell === null) return true;
  return false;
}

/**
 * Whether a test holds for every different value, which it gets with the number of its cells; empty ones are left out, and after
 * one for which it does not hold it is asked no more. Where a column is packed, each of its numbers comes by itself: they hardly
 * repeat.
 */
export function everyValue(
  cells: Cells,
  test: (value: Exclude<Cell, null>, count: number) => boolean,
): boolean {
  if (cells instanceof NumberCells || cells instanceof TimeCells) {
    for (const value of cells.values) {
      if (!Number.isNaN(value) && !test(cells.cellOf(value) as Exclude<Cell, null>, 1)) return false;
    }
    return true;
  }
  if (!(cells instanceof CodedCells)) {
    for (const cell of cells) if (cell !== null && !test(cell, 1)) return false;
    return true;
  }
  const counts = new Float64Array(cells.values.length);
  for (const code of cells.codes) counts[code]! += 1;
  return cells.values.every((value, code) => code === 0 || counts[code] === 0 || test(value!, counts[code]!));
}

/** A function of cells as one of rows, asked once for each different value where that is known. */
export function mappedRows<T>(cells: Cells, action: (cell: Cell) => T): (row: number) => T {
  if (!(cells instanceof CodedCells)) return (row) => action(cells.at(row) ?? null);
  const known = new Array<T | undefined>(cells.values.length);
  const isKnown = new Uint8Array(cells.values.length);
  return (row) => {
    const code = cells.codes[row]!;
    if (isKnown[code] === 0) {
      known[code] = action(cells.values[code]!);
      isKnown[code] = 1;
    }
    return known[code]!;
  };
}

/** Rows of the first piece of a column that grows, and of the largest; each is twice as long as the one before. */
const FIRST_PIECE = 16;
const LARGEST_PIECE = 2 ** 15;

type Values = Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Numbers in pieces: nothing is copied while they grow. */
class Pieces<T extends Values> {
  readonly #type: new (
    length: number,
  ) => T;
  readonly #pieces: T[] = [];
  #last: T;
  #filled = 0;

  constructor(type: new (length: number) => T) {
    this.#type = type;
    this.#last = new type(FIRST_PIECE);
    this.#pieces.push(this.#last);
  }

  push(value: number): void {
    if (this.#filled === this.#last.length) {
      this.#last = new this.#type(Math.min(2 * this.#last.length, LARGEST_PIECE));
      this.#pieces.push(this.#last);
      this.#filled = 0;
    }
    this.#last[this.#filled++] = value;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const piece of this.#pieces) yield* piece === this.#last ? piece.subarray(0, this.#filled) : piece;
  }

  /** All of them in one array. */
  joined(length: number): T {
    const whole = new this.#type(length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece === this.#last ? piece.subarray(0, this.#filled) : piece, at);
      at += piece.length;
    }
    return whole;
  }
}

/** A column that grows cell by cell: packed for as long as all are numbers, or all are times. */
export class CellsBuilder {
  #length = 0;
  /** What is packed; null for cells of several kinds and for texts, which are coded. */
  #packed: 'number' | 'time' | null = 'number';
  #numbers = new Pieces<Float64Array<ArrayBuffer>>(Float64Array);
  #codes: Pieces<Uint32Array<ArrayBuffer>> | null = null;
  #values: Cell[] = [null];
  #places = new Map<Cell, number>();
  /** Places of times, which are objects and so never the same. */
  #times = new Map<number, number>();
  #hasValue = false;

  get length(): number {
    return this.#length;
  }

  /** Adds a number; NaN is an empty cell. */
  pushNumber(value: number): void {
    if (this.#packed !== 'number') {
      this.push(Number.isNaN(value) ? null : value);
      return;
    }
    if (!Number.isNaN(value)) this.#hasValue = true;
    this.#numbers.push(value);
    this.#length++;
  }

  push(cell: Cell): void {
    const value = this.#packedValue(cell);
    if (value !== null) this.#numbers.push(value);
    else {
      this.#codes ??= this.#unpacked();
      this.#codes.push(this.#codeOf(cell));
    }
    this.#length++;
  }

  /** A cell as a packed column has it; null where it can have it not. */
  #packedValue(cell: Cell): number | null {
    if (this.#packed === null) return null;
    if (cell === null) return Number.NaN;
    const isTime = cell instanceof Date;
    if (isTime && !this.#hasValue) this.#packed = 'time';
    this.#hasValue = true;
    if (isTime) return this.#packed === 'time' ? cell.getTime() : null;
    return this.#packed === 'number' && typeof cell === 'number' ? cell : null;
  }

  /** Adds empty cells up to so many rows. */
  padTo(length: number): void {
    while (this.#length < length) this.push(null);
  }

  /** The column; nothing may be added any more. */
  build(): Cells {
    if (this.#codes !== null) return new CodedCells(this.#codes.joined(this.#length), this.#values);
    const values = this.#numbers.joined(this.#length);
    return this.#packed === 'time' ? new TimeCells(values) : new NumberCells(values);
  }

  /** What was packed, as codes. */
  #unpacked(): Pieces<Uint32Array<ArrayBuffer>> {
    const codes = new Pieces<Uint32Array<ArrayBuffer>>(Uint32Array);
    for (const value of this.#numbers) {
      const cell = this.#packed === 'time' ? new Date(value) : value;
      codes.push(this.#codeOf(Number.isNaN(value) ? null : cell));
    }
    this.#packed = null;
    this.#numbers = new Pieces<Float64Array<ArrayBuffer>>(Float64Array);
    return codes;
  }

  #codeOf(cell: Cell): number {
    if (cell === null) return 0;
    const isTime = cell instanceof Date;
    const found = isTime ? this.#times.get(cell.getTime()) : this.#places.get(cell);
    if (found !== undefined) return found;
    const code = this.#values.push(cell) - 1;
    if (isTime) this.#times.set(cell.getTime(), code);
    else this.#places.set(cell, code);
    return code;
  }
}
