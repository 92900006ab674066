import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { formatError } from '../formats/tensor.js';
import type { ModelOptions } from '../model/create.js';
import { readFileBounded, writeFileAtomic } from '../node/files.js';
import { oneLine } from '../strict/text.js';
import { type CsvOptions, parseCsv } from './csv.js';
import type { Table } from './table.js';
import { loadTableModel, type TableModel } from './table-model.js';

/** The largest file that is read, and the most that a compressed one may hold: as much text as V8 holds in a string. */
const MAX_FILE_BYTES = 2 ** 31;
const MAX_TEXT_BYTES = 2 ** 29;

/**
 * The table in a file: Parquet, or CSV text in UTF-8, as it is or compressed by gzip; told by its content. `options` are of CSV.
 * Rejects with `not-found`, `unreadable`, and as {@link parseCsv} and {@link parseParquet} do.
 *
 * @example const table = await readTable('houses.csv', { separator: ';', decimal: ',' });
 */
export async function readTable(path: string, options: CsvOptions = {}): Promise<Table> {
  let bytes = await readFileBounded(path, MAX_FILE_BYTES);
  if (startsWith(bytes, [0x1f, 0x8b])) bytes = await unzipped(bytes, path);
  // "PAR1"
  if (startsWith(bytes, [0x50, 0x41, 0x52, 0x31])) {
    // Imported here: its libraries are large, and every command would load them.
    const { parseParquet } = await import('./parquet.js');
    return parseParquet(bytes, path);
  }
  if (bytes.length > MAX_TEXT_BYTES) {
    throw formatError(
      path,
      `it has ${bytes.length} bytes of text`,
      `at most ${MAX_TEXT_BYTES}; Parquet holds more`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw formatError(path, 'it is not UTF-8', 'CSV text in UTF-8, or Parquet');
  }
  if (text.includes('\0')) throw formatError(path, 'it holds zero bytes', 'CSV text, or Parquet');
  return parseCsv(text, options, path);
}

function startsWith(bytes: Uint8Array, first: readonly number[]): boolean {
  return first.every((byte, at) => bytes[at] === byte);
}

async function unzipped(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_TEXT_BYTES });
  } catch (cause) {
    throw formatError(
      path,
      `it cannot be unpacked (${oneLine((cause as Error).message)})`,
      'gzip of at most 512 MiB',
    );
  }
}

/**
 * The model in a file that {@link writeTableModel} made. Rejects with `not-found`, `unreadable`, and as loadTableModel does.
 *
 * @example const model = await readTableModel('houses.safetensors');
 */
export async function readTableModel(path: string, options: ModelOptions = {}): Promise<TableModel> {
  return loadTableModel(await readFileBounded(path, MAX_FILE_BYTES), options, path);
}

/**
 * Writes a model of a table to a file: whole, or not at all. Rejects with `unwritable`.
 *
 * @example await writeTableModel('houses.safetensors', model);
 */
export async function writeTableModel(path: string, model: TableModel): Promise<void> {
  await writeFileAtomic(path, model.save());
}
