import Papa from 'papaparse';
import { expectKeys, expectOneOf, problem } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { csvField, quote } from '../strict/text.js';
import { categoryOf } from './kinds.js';
import type { Cell, Table } from './table.js';

/** How a CSV text is read. */
export interface CsvOptions {
  /** Between two cells. Default: what the text's first lines speak for, of comma, semicolon, tab and bar. */
  separator?: string;
  /** The decimal mark of numbers. Default: '.'. */
  decimal?: '.' | ',';
}

/** Texts that stand for an empty cell. */
const EMPTY = new Set(['', 'NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', 'None', '?']);

/** More than any table of a person; a hostile text has as many columns as characters. */
const MOST_COLUMNS = 100_000;

/**
 * The table in a text of comma-separated values (RFC 4180, with any separator): names in the first line, a row in every
 * other that is not empty, quotes around cells that hold separators or line ends. Cells are numbers where they are written
 * as such, null where they are empty or say NA, NaN, null or the like, and texts else. `source` is named in errors.
 * Throws `format` for a text that is none, `usage` for options that are none.
 *
 * @example parseCsv('a,b\n1,x\n').columns[0]; // { name: 'a', cells: [1] }
 */
export function parseCsv(text: string, options: CsvOptions = {}, source = 'The CSV text'): Table {
  if (typeof text !== 'string') {
    throw problem('usage', { subject: 'text', found: text, expected: 'a string' });
  }
  const { separator, decimal } = checkCsvOptions(options);
  const { data, errors, meta } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), {
    delimiter: separator ?? '',
    delimitersToGuess: [',', ';', '\t', '|'],
    skipEmptyLines: true,
  });
  const wrong = errors.find(({ type }) => type === 'Quotes');
  if (wrong !== undefined) {
    throw formatError(
      source,
      `row ${(wrong.row ?? 0) + 1} has a quote that is not closed or stands within a cell`,
      'a CSV table',
    );
  }
  const [names, ...rows] = data;
  if (names === undefined)
    throw formatError(source, 'it has no line', 'a first line with the names of the columns');
  expectNames(names, source);
  const odd = rows.findIndex((row) => row.length !== names.length);
  if (odd >= 0) {
    throw formatError(
      source,
      `row ${odd + 1} below the names has ${rows[odd]!.length} cells (separator ${quote(meta.delimiter)})`,
      `${names.length}, one for each name`,
    );
  }
  return {
    columns: names.map((name, column) => ({
      name: name.trim(),
      cells: rows.map((row) => csvCell(row[column]!, decimal)),
    })),
    rows: rows.length,
  };
}

/** Options with their defaults. Throws `usage`. */
export function checkCsvOptions(options: CsvOptions): { separator: string | undefined; decimal: '.' | ',' } {
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
      expected: 'another character than decimal',
    });
  }
  return { separator, decimal };
}

function expectNames(names: readonly string[], source: string): void {
  if (names.length > MOST_COLUMNS) {
    throw formatError(source, `it has ${names.length} columns`, `at most ${MOST_COLUMNS}`);
  }
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const own = name.trim();
    if (own === '') throw formatError(source, `column ${index + 1} has no name`, 'a name for each column');
    if (seen.has(own)) throw formatError(source, `two columns are called ${quote(own)}`, 'names that differ');
    seen.add(own);
  }
}

const POINT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;

/** A cell's text as what it is: codes such as `007` stay texts. */
export function csvCell(text: string, decimal: '.' | ','): Cell {
  const own = text.trim();
  if (EMPTY.has(own)) return null;
  if (/^[+-]?0\d/.test(own)) return own;
  if (decimal === '.' ? POINT.test(own) : COMMA.test(own)) {
    const value = Number(own.replace(',', '.'));
    return Number.isFinite(value) ? value : own;
  }
  return own;
}

/**
 * A table as CSV text, with line feeds; cells are quoted where they must be.
 *
 * @example toCsv(tableOf([{ a: 1, b: null }])); // 'a,b\n1,\n'
 */
export function toCsv({ columns, rows }: Table): string {
  const lines = Array.from({ length: rows }, (_, row) => columns.map(({ cells }) => csvText(cells[row]!)));
  return [columns.map(({ name }) => csvText(name)), ...lines].map((line) => `${line.join(',')}\n`).join('');
}

function csvText(cell: Cell): string {
  return cell === null ? '' : csvField(categoryOf(cell));
}
