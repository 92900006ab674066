/** The rows of a sparse matrix as typed arrays: a `Csr`. */
export interface SparseRows {
  readonly indptr: Float64Array;
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** A part of each row of a matrix: its entries from one place up to another. */
export interface Slice {
  readonly of: SparseRows;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** How much further on its columns are where slices are joined. Left out: 0. */
  readonly shift?: number;
}

/** Rows as a slice. */
export function wholeRows(of: SparseRows): Slice {
  return { of, from: of.indptr.subarray(0, -1), to: of.indptr.subarray(1) };
}

/** Rows in three: what is before the columns from `first` up to `behind`, what is in them, and what is after. */
export function cutRows(of: SparseRows, first: number, behind: number): [Slice, Slice, Slice] {
  const { from: begin, to: end } = wholeRows(of);
  const from = begin.map((start, row) => firstPlace(of.indices, first, start, end[row]!));
  const to = from.map((start, row) => firstPlace(of.indices, behind, start, end[row]!));
  return [
    { of, from: begin, to: from },
    { of, from, to },
    { of, from: to, to: end },
  ];
}

/** The first place from `low` up to `high` whose column is not below `column`. */
function firstPlace(indices: Uint32Array, column: number, low: number, high: number): number {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (indices[middle]! < column) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A slice with its rows in another order. */
export function reordered({ of, from, to }: Slice, order: Uint32Array): Slice {
  return { of, from: from.map((_, row) => from[order[row]!]!), to: to.map((_, row) => to[order[row]!]!) };
}

/** Two slices of a matrix without the rows in which they are the same. */
export function differences(one: Slice, other: Slice): [Slice, Slice] {
  const [to, otherTo] = [one.to.slice(), other.to.slice()];
  for (let row = 0; row < to.length; row++) {
    if (areSame(one, other, row)) [to[row], otherTo[row]] = [one.from[row]!, other.from[row]!];
  }
  return [
    { ...one, to },
    { ...other, to: otherTo },
  ];
}

function areSame(one: Slice, other: Slice, row: number): boolean {
  const { indices, values } = one.of;
  const [start, otherStart] = [one.from[row]!, other.from[row]!];
  const length = one.to[row]! - start;
  if (other.to[row]! - otherStart !== length) return false;
  for (let at = 0; at < length; at++) {
    const [place, otherPlace] = [start + at, otherStart + at];
    if (indices[place] !== indices[otherPlace] || values[place] !== values[otherPlace]) return false;
  }
  return true;
}

/** Joins slices of the same rows side by side. What it gives is overwritten when it joins again. */
export class RowJoiner {
  #indptr = new Float64Array(1);
  #indices = new Uint32Array(0);
  #values = new Float32Array(0);

  /** The slices in the order of their columns. */
  join(slices: readonly Slice[]): SparseRows {
    const rows = slices[0]!.from.length;
    const most = slices.reduce((sum, slice) => sum + entriesOf(slice), 0);
    if (this.#indptr.length !== rows + 1) this.#indptr = new Float64Array(rows + 1);
    if (this.#indices.length < most) {
      this.#indices = new Uint32Array(most);
      this.#values = new Float32Array(most);
    }
    const [indptr, indices, values] = [this.#indptr, this.#indices, this.#values];
    let count = 0;
    for (let row = 0; row < rows; row++) {
      for (const { of, from, to, shift = 0 } of slices) {
        const [own, ownValues, end] = [of.indices, of.values, to[row]!];
        for (let at = from[row]!; at < end; at++) {
          indices[count] = own[at]! + shift;
          values[count++] = ownValues[at]!;
        }
      }
      indptr[row + 1] = count;
    }
    return { indptr, indices: indices.subarray(0, count), values: values.subarray(0, count) };
  }
}

function entriesOf({ from, to }: Slice): number {
  let sum = 0;
  for (let row = 0; row < to.length; row++) sum += to[row]! - from[row]!;
  return sum;
}
