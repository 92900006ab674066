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
 * Every different value with the number of its cells, empty ones left out. Where a column is packed, each of its numbers comes by
 * itself: they hardly repeat.
 */
export function* valuesOf(cells: Cells): Generator<[value: Exclude<Cell, null>, count: number]> {
  if (!(cells instanceof CodedCells)) {
    for (const cell of cells) if (cell !== null) yield [cell, 1];
    return;
  }
  const counts = new Float64Array(cells.values.length);
  for (const code of cells.codes) counts[code]! += 1;
  for (const [code, value] of cells.values.entries())
    if (code > 0 && counts[code]! > 0) yield [value!, counts[code]!];
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

/** Rows of one piece of a column that grows. */
const PIECE = 2 ** 15;

/** A column that grows cell by cell: packed for as long as all are numbers, or all are times. */
export class CellsBuilder {
  #length = 0;
  /** What is packed; null for cells of several kinds and for texts, which are coded. */
  #packed: 'number' | 'time' | null = 'number';
  #numbers: Float64Array[] = [];
  #codes: Uint32Array[] = [];
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
    this.#add(this.#numbers, Float64Array, value);
  }

  push(cell: Cell): void {
    const value = this.#packedValue(cell);
    if (value !== null) {
      this.#add(this.#numbers, Float64Array, value);
      return;
    }
    if (this.#packed !== null) this.#unpack();
    this.#add(this.#codes, Uint32Array, this.#codeOf(cell));
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
    if (this.#packed === null) {
      this.#places.clear();
      this.#times.clear();
      return new CodedCells(this.#joined(this.#codes, Uint32Array), this.#values);
    }
    const values = this.#joined(this.#numbers, Float64Array);
    return this.#packed === 'time' ? new TimeCells(values) : new NumberCells(values);
  }

  #add<T extends Float64Array | Uint32Array>(
    pieces: T[],
    type: new (length: number) => T,
    value: number,
  ): void {
    const at = this.#length % PIECE;
    if (at === 0) pieces.push(new type(PIECE));
    pieces[pieces.length - 1]![at] = value;
    this.#length++;
  }

  #joined<T extends Float64Array | Uint32Array>(pieces: T[], type: new (length: number) => T): T {
    const whole = new type(this.#length);
    for (const [index, piece] of pieces.entries()) {
      const first = index * PIECE;
      whole.set(piece.subarray(0, this.#length - first) as never, first);
    }
    pieces.length = 0;
    return whole;
  }

  /** Goes over to coded cells. */
  #unpack(): void {
    const numbers = this.#numbers.splice(0);
    const length = this.#length;
    const isTime = this.#packed === 'time';
    this.#packed = null;
    this.#length = 0;
    for (let row = 0; row < length; row++) {
      const value = numbers[Math.floor(row / PIECE)]![row % PIECE]!;
      const cell = Number.isNaN(value) ? null : isTime ? new Date(value) : value;
      this.#add(this.#codes, Uint32Array, this.#codeOf(cell));
    }
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
