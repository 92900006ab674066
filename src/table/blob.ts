import { problem } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { byteCount } from '../strict/words.js';
import { readAny, type TableFile } from './any-file.js';
import { type ByteChunks, type CsvOptions, iterated } from './csv.js';
import type { Table } from './table.js';

/** What is read of a File or Blob. */
export interface FileLike {
  readonly name?: string;
  readonly size: number;
  stream(): ByteChunks;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The largest that is read into memory: Parquet. */
const MAX_BYTES = 2 ** 31;

/**
 * The table in a File or Blob: Parquet, CSV, JSON or JSON Lines in UTF-8, as it is or compressed by gzip; told by its content.
 * CSV is not held. `options` are of CSV. Rejects with `usage` for what is no file, and as {@link parseCsv}, {@link parseJson} and
 * {@link parseParquet} do.
 *
 * @example const table = await readTable(input.files[0], { separator: ';', decimal: ',' });
 */
export async function readTable(file: FileLike, options: CsvOptions = {}): Promise<Table> {
  if (typeof file?.stream !== 'function' || typeof file.arrayBuffer !== 'function') {
    throw problem('usage', { subject: 'file', found: file, expected: 'a File or Blob' });
  }
  return readAny(tableFile(file), options);
}

function tableFile(file: FileLike): TableFile {
  const name = file.name ?? 'The file';
  return {
    name,
    pieces: () => iterated(file.stream()),
    unpacked() {
      const packed = file.stream() as ReadableStream<BufferSource>;
      return iterated(packed.pipeThrough(new DecompressionStream('gzip')));
    },
    async whole() {
      if (file.size > MAX_BYTES) throw formatError(name, `it has more than ${byteCount(MAX_BYTES)}`, 'less');
      return new Uint8Array(await file.arrayBuffer());
    },
  };
}
