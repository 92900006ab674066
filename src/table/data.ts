import type { Csr } from '#bindings';
import { encodeFeatures, encodeTargets, type TableEncoder } from './encoder.js';
import { type Table, type TableRow, tableOf } from './table.js';

/** A table's features and targets, as a network takes them. Throws `data` as {@link encodeFeatures}; `source` is in errors. */
export function dataOf(
  table: Table,
  encoder: TableEncoder,
  source: string,
): { x: Csr; y: string[] | Float64Array } {
  const x = encodeFeatures(table, encoder.columns, source);
  return { x, y: encodeTargets(table, encoder.target) };
}

/**
 * Rows with targets as `fit` and `evaluate` of a model take them: features and targets, by an encoder that was learnt before. For
 * tables that come in parts. Throws `data` for rows that lack columns, have other things in them, or targets that are none.
 *
 * @example const { x, y } = encodeTable(part, encoder);
 */
export function encodeTable(
  rows: Table | readonly TableRow[],
  encoder: TableEncoder,
): { x: Csr; y: string[] | Float64Array } {
  return dataOf(asTable(rows), encoder, 'The table');
}

/** Rows as a table. Throws `usage` as {@link tableOf}. */
export function asTable(rows: Table | readonly TableRow[]): Table {
  return Array.isArray(rows) ? tableOf(rows) : (rows as Table);
}
