import { TreadleError } from '#bindings';
import { joinParts } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import { oneLine } from '../strict/text.js';
import { byteCount } from '../strict/words.js';
import { type CsvOptions, csvParts, readCsv } from './csv.js';
import { parseJson } from './json.js';
import type { Table } from './table.js';

export type Pieces = AsyncGenerator<Uint8Array, void>;

/** A file of a table, wherever it lies. */
export interface TableFile {
  /** As errors name it. */
  readonly name: string;
  /** Its bytes, from the start with each call. */
  pieces(): Pieces;
  /** The same, unpacked from gzip. */
  unpacked(): Pieces;
  /** All of its bytes. */
  whole(): Promise<Uint8Array>;
}

/** The most text that is read of CSV, unpacked, and of JSON, which is held in memory. */
const MAX_TEXT_BYTES = 2 ** 36;
const MAX_JSON_BYTES = 2 ** 28;

/** The table in a file of any kind. Rejects as its reader does. */
export async function readAny(file: TableFile, options: CsvOptions): Promise<Table> {
  const told = await kindOf(file);
  if (told.kind === 'parquet') return (await loadParquet()).parseParquet(await file.whole(), file.name);
  return told.kind === 'json' ? jsonOf(told.text, file.name) : readCsv(told.text, options, file.name);
}

/** The same in parts: rows of CSV, row groups of Parquet. */
export async function* anyParts(
  file: TableFile,
  options: CsvOptions & { rows?: number },
): AsyncGenerator<Table, void> {
  const told = await kindOf(file);
  if (told.kind === 'parquet') yield* (await loadParquet()).parquetParts(await file.whole(), file.name);
  else if (told.kind === 'json') yield await jsonOf(told.text, file.name);
  else yield* csvParts(told.text, options, file.name);
}

/** Loaded on use: its libraries are large, and every command would load them. */
const loadParquet = () => import('./parquet.js');

/** What a file is, by how it begins, with its text where it has one. */
type Told = { kind: 'parquet' } | { kind: 'json' | 'csv'; text: Pieces };

const PARQUET = [0x50, 0x41, 0x52, 0x31]; // "PAR1"
const GZIP = [0x1f, 0x8b];

async function kindOf(file: TableFile): Promise<Told> {
  const start = await firstOf(file.pieces());
  if (startsWith(start, PARQUET)) return { kind: 'parquet' };
  const isPacked = startsWith(start, GZIP);
  const pieces = () => (isPacked ? refusing(file.unpacked(), file.name) : file.pieces());
  const first = isPacked ? await firstOf(pieces()) : start;
  if (isPacked && startsWith(first, PARQUET))
    throw formatError(file.name, 'it is Parquet, packed by gzip', 'the file unpacked');
  const isJson = /^(?:\uFEFF)?\s*[[{]/.test(new TextDecoder().decode(first.subarray(0, 1000)));
  const text = bounded(pieces(), file.name, isJson ? MAX_JSON_BYTES : MAX_TEXT_BYTES);
  return { kind: isJson ? 'json' : 'csv', text };
}

async function firstOf(pieces: Pieces): Promise<Uint8Array> {
  for await (const piece of pieces) return piece;
  return new Uint8Array();
}

/** Pieces of no more than so many bytes in all. */
async function* bounded(pieces: Pieces, name: string, most: number): Pieces {
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > most) throw formatError(name, `it has more than ${byteCount(most)} of text`, 'less');
    yield piece;
  }
}

/** Unpacked pieces; what cannot be unpacked is told in a sentence. */
async function* refusing(pieces: Pieces, name: string): Pieces {
  try {
    yield* pieces;
  } catch (cause) {
    if (cause instanceof TreadleError) throw cause;
    throw formatError(name, `it cannot be unpacked (${oneLine((cause as Error).message)})`, 'gzip');
  }
}

async function jsonOf(text: Pieces, name: string): Promise<Table> {
  const pieces: Uint8Array[] = [];
  for await (const piece of text) pieces.push(piece);
  return parseJson(new TextDecoder().decode(joinParts(pieces)), name);
}

function startsWith(bytes: Uint8Array, first: readonly number[]): boolean {
  return first.every((byte, at) => bytes[at] === byte);
}
