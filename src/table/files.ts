import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TreadleError } from '#bindings';
import type { TestFigures } from '../formats/hub/test-figures.js';
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
  const file = await told(path);
  if (file.kind === 'parquet')
    return (await loadParquet()).parseParquet(await readFileBounded(path, MAX_FILE_BYTES), path);
  return file.kind === 'json' ? jsonOf(file.text, path) : readCsv(file.text, options, path);
}

/**
 * The same as tables one at a time, of at least `rows` rows but for the last, or of a row group of Parquet: for files larger than
 * memory. JSON is one table.
 *
 * @example for await (const part of tableParts('flights.csv', { rows: 50_000 })) console.log(part.rows);
 */
export async function* tableParts(
  path: string,
  options: CsvOptions & { rows?: number } = {},
): AsyncGenerator<Table, void> {
  const file = await told(path);
  if (file.kind === 'parquet')
    yield* (await loadParquet()).parquetParts(await readFileBounded(path, MAX_FILE_BYTES), path);
  else if (file.kind === 'json') yield await jsonOf(file.text, path);
  else yield* csvParts(file.text, options, path);
}

/** Loaded on use: its libraries are large, and every command would load them. */
const loadParquet = () => import('./parquet.js');

/** What a file is, by how it begins, with its text where it has one. */
type Told = { kind: 'parquet' } | { kind: 'json' | 'csv'; text: Pieces };
type Pieces = AsyncGenerator<Uint8Array, void>;

const PARQUET = [0x50, 0x41, 0x52, 0x31]; // "PAR1"
const GZIP = [0x1f, 0x8b];

async function told(path: string): Promise<Told> {
  const start = await firstOf(readFileInPieces(path));
  if (startsWith(start, PARQUET)) return { kind: 'parquet' };
  const isPacked = startsWith(start, GZIP);
  const text = (most: number) => bounded(isPacked ? unpacked(path) : readFileInPieces(path), path, most);
  const first = isPacked ? await firstOf(unpacked(path)) : start;
  const isJson = /^(?:\uFEFF)?\s*[[{]/.test(new TextDecoder().decode(first.subarray(0, 1000)));
  return isJson ? { kind: 'json', text: text(MAX_JSON_BYTES) } : { kind: 'csv', text: text(MAX_TEXT_BYTES) };
}

async function firstOf(pieces: Pieces): Promise<Uint8Array> {
  for await (const piece of pieces) return piece;
  return new Uint8Array();
}

/** Pieces of no more than so many bytes in all. */
async function* bounded(pieces: Pieces, path: string, most: number): Pieces {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > most) throw formatError(path, `it has more than ${byteCount(most)} of text`, 'less');
    yield piece;
  }
}

async function jsonOf(text: Pieces, path: string): Promise<Table> {
  const pieces: Uint8Array[] = [];
  for await (const piece of text) pieces.push(piece);
  return parseJson(new TextDecoder().decode(joinParts(pieces)), path);
}

function startsWith(bytes: Uint8Array, first: readonly number[]): boolean {
  return first.every((byte, at) => bytes[at] === byte);
}

async function* unpacked(path: string): Pieces {
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
 * Writes a model of a table to a file: whole, or not at all. `options` are `save`'s. Rejects with `unwritable`.
 *
 * @example await writeTableModel('houses.safetensors', model);
 */
export async function writeTableModel(
  path: string,
  model: TableModel,
  options: { test?: TestFigures } = {},
): Promise<void> {
  await writeFileAtomic(path, model.save(options));
}
