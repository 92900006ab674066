import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { TestFigures } from '../formats/hub/test-figures.js';
import type { ModelOptions } from '../model/create.js';
import { readFileBounded, readFileInPieces, writeFileAtomic } from '../node/files.js';
import { anyParts, readAny, type TableFile } from './any-file.js';
import { type FileLike, readTable as readBlob } from './blob.js';
import type { CsvOptions } from './csv.js';
import type { Table } from './table.js';
import { loadTableModel, type TableModel } from './table-model.js';

/** The largest file that is read into memory: Parquet, and models. */
const MAX_FILE_BYTES = 2 ** 31;

/**
 * The table in a file, or in a Blob: Parquet, CSV or JSON in UTF-8, as it is or compressed by gzip; told by its content. CSV is not
 * held: numbers take eight bytes each, texts that come again four. `options` are of CSV. Rejects with `not-found`, `unreadable`, and
 * as {@link parseCsv} and {@link parseParquet} do.
 *
 * @example const table = await readTable('houses.csv', { separator: ';', decimal: ',' });
 */
export async function readTable(file: string | FileLike, options: CsvOptions = {}): Promise<Table> {
  return typeof file === 'string' ? readAny(tableFile(file), options) : readBlob(file, options);
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
  yield* anyParts(tableFile(path), options);
}

function tableFile(path: string): TableFile {
  return {
    name: path,
    pieces: () => readFileInPieces(path),
    unpacked: () => unpacked(path),
    whole: () => readFileBounded(path, MAX_FILE_BYTES),
  };
}

async function* unpacked(path: string): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip();
  // What goes wrong comes out of gunzip, which is read below.
  pipeline(Readable.from(readFileInPieces(path), { objectMode: false }), gunzip, () => {});
  yield* gunzip;
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
