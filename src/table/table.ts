import { isList, problem } from '#bindings';
import { type Cell, type Cells, CellsBuilder, hasGaps, takeCells } from './cells.js';

/** A column with its cells, from the first row to the last: an array, or what `readTable` and the like make of them. */
export interface Column {
  readonly name: string;
  readonly cells: Cells;
}

/** A table, column by column. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: number;
}

/** A row as an object, by the names of the columns. */
export type TableRow = Readonly<Record<string, unknown>>;

/**
 * The table of rows that are objects: every key is a column, and what an object lacks is an empty cell, as are undefined,
 * null and NaN. Throws `usage` for rows that are none and for a cell that is an object.
 *
 * @example tableOf([{ height: 1.71, sex: 'f' }, { height: null, sex: 'm' }]).rows; // 2
 */
export function tableOf(rows: readonly TableRow[]): Table {
  if (!isList(rows) || ArrayBuffer.isView(rows)) {
    throw problem('usage', { subject: 'rows', found: rows, expected: 'an array of objects' });
  }
  const columns = new Map<string, CellsBuilder>();
  for (let row = 0; row < rows.length; row++) {
    const own: unknown = rows[row];
    if (typeof own !== 'object' || own === null || Array.isArray(own)) {
      throw problem('usage', {
        subject: `rows[${row}]`,
        found: own,
        expected: 'an object, column by column,',
      });
    }
    for (const [name, value] of Object.entries(own)) {
      let cells = columns.get(name);
      if (cells === undefined) {
        cells = new CellsBuilder();
        columns.set(name, cells);
      }
      cells.padTo(row);
      cells.push(cellOf(value, `rows[${row}].${name}`));
    }
  }
  return tableFrom(columns, rows.length);
}

/** The table of columns that were built, with empty cells where one is shorter. */
export function tableFrom(columns: ReadonlyMap<string, CellsBuilder>, rows: number): Table {
  return {
    columns: [...columns].map(([name, cells]) => {
      cells.padTo(rows);
      return { name, cells: cells.build() };
    }),
    rows,
  };
}

/** A value as a cell. Throws `usage` for an object that is no time. */
export function cellOf(value: unknown, subject: string): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  throw problem('usage', {
    subject,
    found: value,
    expected: 'a text, a number, true, false, a Date or null',
  });
}

/** The rows of these numbers, in their order. */
export function takeTableRows({ columns }: Table, rows: ArrayLike<number>): Table {
  return {
    columns: columns.map(({ name, cells }) => ({ name, cells: takeCells(cells, rows) })),
    rows: rows.length,
  };
}

/**
 * The rows that have a value in every one of these columns: nothing can be learnt of those whose target is empty, nor tested.
 * Throws `usage` for a name that is no column.
 *
 * @example const known = withValues(table, ['price']);
 */
export function withValues(table: Table, names: readonly string[]): Table {
  const columns = names.map((name) => columnOf(table, name, 'target').cells);
  if (!columns.some(hasGaps)) return table;
  const rows = Array.from({ length: table.rows }, (_, row) => row);
  return takeTableRows(
    table,
    rows.filter((row) => columns.every((cells) => (cells.at(row) ?? null) !== null)),
  );
}

/** The column of a name. Throws `usage`, with the names that there are, for none. */
export function columnOf({ columns }: Table, name: string, subject = 'the column'): Column {
  const column = columns.find((own) => own.name === name);
  if (column !== undefined) return column;
  throw problem('usage', {
    subject,
    found: name,
    expected: `one of ${columns.map((own) => own.name).join(', ')}`,
  });
}
