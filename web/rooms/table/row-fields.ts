import type { ColumnEncoder, Table, TableEncoder } from 'treadle/tables';
import type { RowField } from './messages.ts';

/** Categories that can be chosen among. */
const MOST_VALUES = 200;

/** A field for each column that the model takes. Of numbers, the table says how far they go; without it, their spread does. */
export function fieldsOf({ columns }: TableEncoder, table: Table | null): RowField[] {
  return columns.map((column): RowField => {
    const { name } = column;
    switch (column.kind) {
      case 'number':
        return { kind: 'number', name, ...rangeOf(column, table) };
      case 'yesNo':
        return { kind: 'choice', name, values: [column.no, column.yes].filter((value) => value !== '') };
      case 'date':
        return { kind: 'date', name };
      default:
        return { kind: 'choice', name, values: column.values.slice(0, MOST_VALUES) };
    }
  });
}

function rangeOf({ name, scale }: Extract<ColumnEncoder, { kind: 'number' }>, table: Table | null) {
  let [least, most] = [Infinity, -Infinity];
  for (const cell of table?.columns.find((column) => column.name === name)?.cells ?? []) {
    if (typeof cell !== 'number') continue;
    least = Math.min(least, cell);
    most = Math.max(most, cell);
  }
  if (least < most) return { least, most };
  const spread = 3 * (scale.deviation || 1);
  return { least: scale.mean - spread, most: scale.mean + spread };
}
