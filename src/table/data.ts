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

/** Rows as a table. Throws `usage` as {@link tableOf}. */
export function asTable(rows: Table | readonly TableRow[]): Table {
  return Array.isArray(rows) ? tableOf(rows) : (rows as Table);
}
