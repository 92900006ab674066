import { expectKeys, expectOneOf, expectWhole, problem } from '#bindings';
import { csvField } from '../strict/text.js';
import type { Cell } from './cells.js';
import { CsvReader, type CsvRules } from './csv-reader.js';
import { categoryOf } from './kinds.js';
import type { Table } from './table.js';

/** How a CSV text is read. */
export interface CsvOptions {
  /** Between two cells. Default: what the text's first lines speak for, of comma, semicolon, tab and bar. */
  separator?: string;
  /** The decimal mark of numbers. With ',' points may stand between groups of three digits: 1.234,5. Default: '.'. */
  decimal?: '.' | ',';
}

/**
 * The table in a text of comma-separated values (RFC 4180, with any separator): names in the first line, a row in every
 * other that is not empty, quotes around cells that hold separators or line ends. Cells are numbers where they are written
 * as such, null where they are empty or say NA, NaN, null or the like, and texts else. `source` is named in errors.
 * Throws `format` for a text that is none, `usage` for options that are none.
 *
 * @example [...parseCsv('a,b\n1,x\n').columns[0].cells]; // [1]
 */
export function parseCsv(text: string, options: CsvOptions = {}, source = 'The CSV text'): Table {
  if (typeof text !== 'string') {
    throw problem('usage', { subject: 'text', found: text, expected: 'a string' });
  }
  const reader = new CsvReader(checkCsvOptions(options), source);
  const encoder = new TextEncoder();
  for (let at = 0; at < text.length; ) {
    // Not between the two halves of a character.
    const end = at + SLICE + (isHighSurrogate(text.charCodeAt(at + SLICE - 1)) ? 1 : 0);
    reader.push(encoder.encode(text.slice(at, end)));
    at = end;
  }
  return reader.end();
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code < 0xdc00;

/** Characters of a text that are read at once. */
const SLICE = 2 ** 20;

/** Bytes as they come: of a file, a Response, a Blob. */
export type ByteChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>;

/**
 * The table in CSV that comes in chunks of bytes, as UTF-8: as {@link parseCsv}, without holding the text. The thread is free
 * between two chunks. Rejects with `format` and `usage`, and with what the chunks reject with.
 *
 * @example const table = await readCsv(file.stream());
 */
export async function readCsv(
  chunks: ByteChunks,
  options: CsvOptions = {},
  source = 'The CSV text',
): Promise<Table> {
  const reader = new CsvReader(checkCsvOptions(options), source);
  for await (const chunk of iterated(chunks)) reader.push(chunk);
  return reader.end();
}

/**
 * The same as tables of at least `rows` rows each but for the last, one at a time: for what is larger than memory.
 *
 * @example for await (const part of csvParts(file.stream(), { rows: 100_000 })) console.log(part.rows);
 */
export async function* csvParts(
  chunks: ByteChunks,
  { rows = 100_000, ...options }: CsvOptions & { rows?: number } = {},
  source = 'The CSV text',
): AsyncGenerator<Table, void> {
  expectWhole('rows', rows, 1, Number.MAX_SAFE_INTEGER);
  const reader = new CsvReader(checkCsvOptions(options), source);
  for await (const chunk of iterated(chunks)) {
    reader.push(chunk);
    if (reader.rows >= rows) yield reader.take();
  }
  const last = reader.end();
  if (last.rows > 0) yield last;
}

/** Chunks one after another. Throws `usage` for what is none. */
export async function* iterated(chunks: ByteChunks): AsyncGenerator<Uint8Array, void> {
  const isIterable =
    typeof chunks === 'object' &&
    chunks !== null &&
    (Symbol.asyncIterator in chunks || Symbol.iterator in chunks);
  if (isIterable && !ArrayBuffer.isView(chunks)) {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) yield expectBytes(chunk);
    return;
  }
  // Safari's streams are not iterable.
  if (typeof (chunks as Partial<ReadableStream> | null)?.getReader !== 'function') {
    throw problem('usage', {
      subject: 'chunks',
      found: chunks,
      expected: 'a stream of bytes, or an iterable of Uint8Array',
    });
  }
  const reader = (chunks as ReadableStream<Uint8Array>).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      yield expectBytes(next.value);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function expectBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw problem('usage', { subject: 'a chunk', found: chunk, expected: 'a Uint8Array' });
}

/** Options with their defaults. Throws `usage`. */
export function checkCsvOptions(options: CsvOptions): CsvRules {
  expectKeys('options', options, ['separator', 'decimal']);
  const { separator, decimal = '.' } = options;
  expectOneOf('decimal', decimal, ['.', ','] as const);
  if (separator !== undefined && (typeof separator !== 'string' || !/^[^"\r\n]$/u.test(separator))) {
    throw problem('usage', { subject: 'separator', found: separator, expected: 'one character' });
  }
  if (separator === decimal) {
    throw problem('usage', {
      subject: 'separator',
      found: separator,
      expected: 'another character than the decimal mark',
    });
  }
  return { separator, decimal };
}

/**
 * A table as CSV text, with line feeds; cells are quoted where they must be.
 *
 * @example toCsv(tableOf([{ a: 1, b: null }])); // 'a,b\n1,\n'
 */
export function toCsv({ columns, rows }: Table): string {
  const lines = Array.from({ length: rows }, (_, row) =>
    columns.map(({ cells }) => csvText(cells.at(row) ?? null)),
  );
  return [columns.map(({ name }) => csvText(name)), ...lines].map((line) => `${line.join(',')}\n`).join('');
}

function csvText(cell: Cell): string {
  if (cell === null) return '';
  // With an exponent, as {@link csvCell} takes so many digits for a text.
  const isLarge = typeof cell === 'number' && Number.isInteger(cell) && !Number.isSafeInteger(cell);
  return isLarge ? cell.toExponential() : csvField(categoryOf(cell));
}
