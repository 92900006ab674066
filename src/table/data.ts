import type { Csr } from '#bindings';
import { encodeFeatures, encodeTargets } from './encode.js';
import type { TableEncoder } from './encoder.js';
import type { SparseRows } from './sparse-rows.js';
import { type Table, type TableRow, tableOf } from './table.js';

/** A table's features and targets, as a network takes them. Throws `data` as {@link encodeFeatures}; `source` is in errors. */
export function dataOf(
  table: Table,
  encoder: TableEncoder,
  source: string,
): { x: SparseRows; y: string[] | Float64Array } {
  const x = encodeFeatures(table, encoder.columns, source);
  return { x, y: encodeTargets(table, encoder.target, source) };
}

/** Rows as a table. Throws `usage` as {@link tableOf}. */
export function asTable(rows: Table | readonly TableRow[]): Table {
  return Array.isArray(rows) ? tableOf(rows) : (rows as Table);
}

/**
 * Rows as the features and targets that a network takes, by encoders that {@link prepare} has learnt on other rows: for rows that
 * are held out or come in parts, where `createModel` and `fit` are called by hand. Throws `data` for rows that lack columns or have other things
 * in them, or targets that are none.
 *
 * @example
 * const { encoder, spec, x, y } = prepare(rest, { target: 'price' });
 * const model = await createModel(spec, { worker: true });
 * await model.fit({ x, y }, { validation: encodeTable(held, encoder) });
 */
export function encodeTable(
  rows: Table | readonly TableRow[],
  encoder: TableEncoder,
): { x: Csr; y: string[] | Float64Array } {
  return dataOf(asTable(rows), encoder, 'The table');
}
