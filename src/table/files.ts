import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TreadleError } from '#bindings';
import { joinParts } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import type { ModelOptions } from '../model/create.js';
import { readFileBounded, readFileInPieces, writeFileAtomic } from '../node/files.js';
import { oneLine } from '../strict/text.js';
import { byteCount } from '../strict/words.js';
import { type CsvOptions, csvParts, readCsv } from './csv.js';
import { parseJson } from './json.js';
import type { Table } from './table.js';
import { loadTableModel, type TableModel } from './table-model.js';

/** The largest file that is read into memory: Parquet, and models. */
const MAX_FILE_BYTES = 2 ** 31;

/** The most text that is read of CSV, unpacked, and of JSON, which is held in memory. */
const MAX_TEXT_BYTES = 2 ** 36;
const MAX_JSON_BYTES = 2 ** 28;

/**
 * The table in a file: Parquet, CSV or JSON in UTF-8, as it is or compressed by gzip; told by its content. CSV is not held:
 * numbers take eight bytes each, texts that come again four. `options` are of CSV. Rejects with `not-found`, `unreadable`, and as
 * {@link parseCsv} and {@link parseParquet} do.
 *
 * @example const table = await readTable('houses.csv', { separator: ';', decimal: ',' });
 */
export async function readTable(path: string, options: CsvOptions = {}): Promise<Table> {
  if (await isParquet(path))
    return (await loadParquet()).parseParquet(await readFileBounded(path, MAX_FILE_BYTES), path);
  if (await isJson(path)) return parseJson(await jsonText(path), path);
  return readCsv(textOf(path), options, path);
}

/**
 * The same as tables one at a time, of at least `rows` rows but for the last, or of a row group of Parquet: for files larger than
 * memory.
 *
 * @example for await (const part of tableParts('flights.csv', { rows: 50_000 })) console.log(part.rows);
 */
export async function* tableParts(
  path: string,
  options: CsvOptions & { rows?: number } = {},
): AsyncGenerator<Table, void> {
  if (await isParquet(path)) {
    yield* (await loadParquet()).parquetParts(await readFileBounded(path, MAX_FILE_BYTES), path);
  } else {
    yield* csvParts(textOf(path), options, path);
  }
}

/** Loaded on use: its libraries are large, and every command would load them. */
const loadParquet = () => import('./parquet.js');

/** Whether a file begins as Parquet does: "PAR1". */
async function isParquet(path: string): Promise<boolean> {
  return startsWith(await startOf(path), [0x50, 0x41, 0x52, 0x31]);
}

/** Whether a text begins as an array or an object of JSON does. */
async function isJson(path: string): Promise<boolean> {
  for await (const piece of textOf(path))
    return /^(?:\uFEFF)?\s*[[{]/.test(new TextDecoder().decode(piece.subarray(0, 1000)));
  return false;
}

async function jsonText(path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of textOf(path)) {
    pieces.push(piece);
    total += piece.length;
    if (total > MAX_JSON_BYTES)
      throw formatError(path, `it has more than ${byteCount(MAX_JSON_BYTES)} of JSON`, 'less, or CSV');
  }
  return new TextDecoder().decode(joinParts(pieces));
}

async function startOf(path: string): Promise<Uint8Array> {
  for await (const piece of readFileInPieces(path)) return piece;
  return new Uint8Array();
}

function startsWith(bytes: Uint8Array, first: readonly number[]): boolean {
  return first.every((byte, at) => bytes[at] === byte);
}

/** The bytes of a file's text, unpacked where they are gzip. */
async function* textOf(path: string): AsyncGenerator<Uint8Array, void> {
  const isPacked = startsWith(await startOf(path), [0x1f, 0x8b]);
  let total = 0;
  for await (const piece of isPacked ? unpacked(path) : readFileInPieces(path)) {
    total += piece.length;
    if (total > MAX_TEXT_BYTES)
      throw formatError(path, `it has more than ${byteCount(MAX_TEXT_BYTES)} of text`, 'less');
    yield piece;
  }
}

async function* unpacked(path: string): AsyncGenerator<Uint8Array, void> {
  const text = Readable.from(readFileInPieces(path), { objectMode: false }).compose(createGunzip());
  try {
    for await (const piece of text) yield piece as Uint8Array;
  } catch (cause) {
    if (cause instanceof TreadleError) throw cause;
    throw formatError(path, `it cannot be unpacked (${oneLine((cause as Error).message)})`, 'gzip');
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
