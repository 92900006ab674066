import { type ParquetRowRange, parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { problem, TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { oneLine, quote } from '../strict/text.js';
import { type Cell, CellsBuilder } from './cells.js';
import { checkedNames } from './names.js';
import { expectPages } from './parquet-pages.js';
import { cellOf, type Table, tableFrom } from './table.js';

/**
 * The most cells of a file: those of its bytes, for packed ones take little, and some that any file may have. More than the
 * last number do not fit into memory.
 */
const CELLS_A_BYTE = 1024;
const FREE_CELLS = 2 ** 22;
const MOST_CELLS = 2 ** 29;

/**
 * The table in the bytes of a Parquet file: columns of numbers, texts, booleans and times, in any of its compressions. Rejects
 * with `format` for bytes that are none and for columns that are nested; `source` is named in errors.
 *
 * @example const table = await parseParquet(new Uint8Array(await file.arrayBuffer()));
 */
export function parseParquet(bytes: Uint8Array, source = 'The Parquet file'): Promise<Table> {
  return withParquet(bytes, source, ({ groups, read }) => read(groups));
}

/**
 * The same as tables, one for each of the file's row groups, one at a time: for what is larger than memory.
 *
 * @example for await (const part of parquetParts(bytes)) console.log(part.rows);
 */
export async function* parquetParts(
  bytes: Uint8Array,
  source = 'The Parquet file',
): AsyncGenerator<Table, void> {
  const groups = await withParquet(bytes, source, async ({ groups }) => groups);
  for (const group of groups) {
    yield await withParquet(bytes, source, ({ read }) => read([group]));
  }
}

/** Rows of a file that lie together. */
type Group = Readonly<ParquetRowRange>;

interface OpenParquet {
  groups: readonly Group[];
  read: (groups: readonly Group[]) => Promise<Table>;
}

/** Opens a file for an action. Rejects with `format` whatever goes wrong. */
async function withParquet<T>(
  bytes: Uint8Array,
  source: string,
  action: (file: OpenParquet) => Promise<T>,
): Promise<T> {
  if (!(bytes instanceof Uint8Array))
    throw problem('usage', { subject: 'bytes', found: bytes, expected: 'a Uint8Array' });
  const file = new BytesFile(bytes);
  try {
    const metadata = await parquetMetadataAsync(file);
    const { children } = parquetSchema(metadata);
    const nested = children.find(
      (child) => child.children.length > 0 || child.element.repetition_type === 'REPEATED',
    );
    if (nested) throw nestedError(nested.element.name, source);
    const names = children.map(({ element }) => element.name);
    if (names.length === 0) throw new Error('it has no columns');
    const ownNames = checkedNames(names, source);
    expectPages(bytes, metadata, names);
    const scan = await parquetScan({ file, metadata, compressors, useOffsetIndex: false });
    return await action({
      groups: scan.ranges,
      async read(groups) {
        const rows = groups.reduce((sum, { rowStart, rowEnd }) => sum + rowEnd - rowStart, 0);
        const most = Math.min(MOST_CELLS, Math.max(FREE_CELLS, CELLS_A_BYTE * bytes.length));
        if (rows * names.length > most)
          throw new Error(`it has ${rows} rows of ${names.length} columns, more than ${most} cells`);
        const columns = new Map(ownNames.map((name) => [name, new CellsBuilder()]));
        const builders = [...columns.values()];
        for (const { rowStart, rowEnd } of groups) {
          for (const [index, column] of names.entries()) {
            const builder = builders[index]!;
            const data = await scan.readColumn({ column, rowStart, rowEnd });
            if (data.length !== rowEnd - rowStart)
              throw new Error(`column ${column} has ${data.length} values for ${rowEnd - rowStart} rows`);
            for (let row = 0; row < data.length; row++) builder.push(parquetCell(data[row], column, source));
          }
        }
        return tableFrom(columns, rows);
      },
    });
  } catch (cause) {
    if (cause instanceof TreadleError) throw cause;
    throw formatError(source, `it cannot be read (${oneLine((cause as Error).message)})`, 'a Parquet table');
  } finally {
    file.close();
  }
}

function parquetCell(value: unknown, column: string, source: string): Cell {
  if (typeof value === 'object' && value !== null && !(value instanceof Date))
    throw nestedError(column, source);
  return cellOf(value, column);
}

const nestedError = (column: string, source: string) =>
  formatError(source, `column ${quote(column)} is nested`, 'columns of single values');

/**
 * A file's bytes, handed out a moment later, and never once it is closed. hyparquet asks for all columns and then may throw
 * while it arranges them: what it has begun to read would fail with nobody to hear of it, which ends a process of Node.
 */
class BytesFile {
  readonly byteLength: number;
  readonly #bytes: Uint8Array;
  #closed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.byteLength = bytes.length;
  }

  slice(start: number, end?: number): Promise<ArrayBuffer> {
    return new Promise((resolve) => {
      setTimeout(() => {
        if (!this.#closed) resolve(this.#bytes.slice(start, end).buffer as ArrayBuffer);
      });
    });
  }

  close(): void {
    this.#closed = true;
  }
}
