import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { formatError } from '../formats/tensor.js';
import { oneLine } from '../strict/text.js';
import { type Table, type TableRow, tableOf } from './table.js';

/** More cells than fit into memory as JavaScript holds them. */
const MOST_CELLS = 500_000_000;

/**
 * The table in the bytes of a Parquet file: columns of numbers, texts, booleans and times, in any of its compressions. Rejects
 * with `format` for bytes that are none and for columns that are nested; `source` is named in errors.
 *
 * @example const table = await parseParquet(new Uint8Array(await file.arrayBuffer()));
 */
export async function parseParquet(bytes: Uint8Array, source = 'The Parquet file'): Promise<Table> {
  const file = new BytesFile(bytes);
  let rows: TableRow[];
  try {
    const metadata = await parquetMetadataAsync(file);
    const columns = metadata.schema.length - 1;
    const count = Number(metadata.num_rows);
    if (count * columns > MOST_CELLS) {
      throw new Error(`it has ${count} rows of ${columns} columns, more than ${MOST_CELLS} cells`);
    }
    rows = await parquetReadObjects({ file, metadata, compressors });
  } catch (cause) {
    throw formatError(source, `it cannot be read (${oneLine((cause as Error).message)})`, 'a Parquet table');
  } finally {
    file.close();
  }
  const nested = rows[0] && Object.entries(rows[0]).find(([, value]) => isNested(value));
  if (nested) throw formatError(source, `column ${nested[0]} is nested`, 'columns of single values');
  return tableOf(rows);
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}

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
