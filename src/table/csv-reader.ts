import Papa from 'papaparse';
import { joinParts } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import { quote } from '../strict/text.js';
import { byteCount } from '../strict/words.js';
import { type Cell, CellsBuilder } from './cells.js';
import { csvCell, withoutNone } from './csv-cell.js';
import { FieldReader } from './csv-fields.js';
import { checkedNames } from './names.js';
import { type Table, tableFrom } from './table.js';

/** How CSV is read. */
export interface CsvRules {
  /** Undefined for what the first lines speak for. */
  separator: string | undefined;
  decimal: '.' | ',';
}

const SEPARATORS = [',', ';', '\t', '|'];

/** More than any table of a person; a hostile text has as many columns as characters. */
const MOST_COLUMNS = 100_000;

/** Cells that are held at once: 4 GiB of numbers. */
const MOST_CELLS = 2 ** 29;

/** Bytes that are read at once, and those of the longest row. */
const BLOCK = 2 ** 18;
const LONGEST_ROW = 2 ** 26;

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** What a file without another mark is taken for. */
const EXPECTED = 'CSV or JSON text in UTF-8, or Parquet';

/**
 * Reads CSV as it comes. Whole rows are split by the fast reader of fields where no quote is among them, and by papaparse where
 * there is one.
 */
export class CsvReader {
  readonly #rules: CsvRules;
  readonly #source: string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** What has come and was not read yet: it begins with a row. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** It is looked through when there is so much. */
  #enough = BLOCK;
  #isFirst = true;
  #separator = '';
  #names: readonly string[] | null = null;
  #columns: CellsBuilder[] = [];
  #fields: FieldReader | null = null;
  /** Rows that stand in the columns, and those that were taken. */
  #rows = 0;
  #taken = 0;

  constructor(rules: CsvRules, source: string) {
    this.#rules = rules;
    this.#source = source;
  }

  /** Rows that can be taken. */
  get rows(): number {
    return this.#rows;
  }

  push(bytes: Uint8Array): void {
    // Behind the names, texts are looked at as they are decoded: numbers have no zero bytes.
    if (this.#names === null) this.#expectText(bytes);
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const part = bytes.subarray(at, at + BLOCK);
      this.#chunks.push(part);
      this.#size += part.length;
      if (this.#size >= this.#enough) this.#readRows();
    }
    // The caller may use its bytes again.
    if (this.#chunks.length > 0) this.#chunks = [joinParts(this.#chunks)];
  }

  /** The rows that were read since, as a table. */
  take(): Table {
    const names = this.#names ?? [];
    const columns = new Map(names.map((name, at) => [name, this.#columns[at]!]));
    const { columns: read, rows } = tableFrom(columns, this.#rows);
    const table = { columns: read.map(({ name, cells }) => ({ name, cells: withoutNone(cells) })), rows };
    this.#taken += this.#rows;
    this.#rows = 0;
    this.#begin(names);
    return table;
  }

  /** What is left, as a table. Throws `format` where there was no line. */
  end(): Table {
    const rest = this.#pending();
    const last = rest.at(-1);
    if (last !== undefined) {
      const isWhole = last === LINE_FEED || last === RETURN;
      this.#read(isWhole ? rest : joinParts([rest, Uint8Array.of(LINE_FEED)]), rest.includes(QUOTE));
    }
    if (this.#names === null)
      throw formatError(this.#source, 'it has no line', 'a first line with the names of the columns');
    return this.take();
  }

  /** What has come and was not read yet, in one piece. */
  #pending(): Uint8Array {
    let bytes = this.#chunks.length === 1 ? this.#chunks[0]! : joinParts(this.#chunks);
    if (this.#isFirst && bytes.length > 0) {
      this.#isFirst = false;
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    }
    return bytes;
  }

  #readRows(): void {
    const bytes = this.#pending();
    const { end, hasQuotes } = wholeRows(bytes);
    if (end === 0 && bytes.length > LONGEST_ROW) {
      throw formatError(this.#source, `it has a row of more than ${byteCount(LONGEST_ROW)}`, 'rows that end');
    }
    const rest = bytes.subarray(end);
    this.#chunks = [rest];
    this.#size = rest.length;
    // A row that does not end is looked through a few times only.
    this.#enough = end === 0 ? 2 * bytes.length : BLOCK;
    if (end > 0) this.#read(bytes.subarray(0, end), hasQuotes);
  }

  /** Reads whole rows. */
  #read(bytes: Uint8Array, hasQuotes: boolean): void {
    let from = 0;
    if (this.#names === null) {
      from = this.#readNames(bytes);
      if (this.#names === null) return;
    }
    if (from === bytes.length) return;
    const rows = bytes.subarray(from);
    if (this.#fields !== null && !hasQuotes && !hasLoneReturns(rows))
      this.#rows = this.#fields.read(rows, this.#rows);
    else this.#readQuoted(rows);
    if (this.#rows * this.#names!.length > MOST_CELLS) {
      throw formatError(
        this.#source,
        `it has more than ${MOST_CELLS} cells`,
        'fewer, or to be read in parts',
      );
    }
  }

  /** Takes the names out of the first line that is not empty; returns where the rows begin. */
  #readNames(bytes: Uint8Array): number {
    const { data, meta } = this.#parse(
      new TextDecoder().decode(bytes.subarray(0, BLOCK)),
      { preview: 20 },
      false,
    );
    const columns = data[0]?.length ?? 0;
    if (columns > MOST_COLUMNS) {
      throw formatError(this.#source, `it has ${columns} columns`, `at most ${MOST_COLUMNS}`);
    }
    this.#separator = meta.delimiter;
    // Papa tells no offset: the names' row is the first that is not empty.
    let begin = 0;
    let end = endOfRow(bytes, begin);
    while (end < bytes.length && isBlank(bytes.subarray(begin, end))) {
      begin = end;
      end = endOfRow(bytes, begin);
    }
    if (isBlank(bytes.subarray(begin, end))) return bytes.length;
    const [own = ['']] = this.#parse(this.#decode(bytes.subarray(begin, end)), {}, true).data;
    // pandas and R write the rows' numbers below an empty name.
    const names = own.map((name, at) => (name.trim() === '' ? `column ${at + 1}` : name));
    this.#begin(checkedNames(names, this.#source));
    return end;
  }

  #begin(names: readonly string[]): void {
    this.#names = names;
    this.#columns = names.map(() => new CellsBuilder());
    const byte = this.#separator.charCodeAt(0);
    if (byte > 0x7f) return;
    this.#fields = new FieldReader({
      columns: this.#columns,
      separator: byte,
      decimal: this.#rules.decimal,
      decode: (bytes) => this.#decode(bytes),
      refuse: (row, cells) => this.#oddRow(row, cells),
    });
  }

  #readQuoted(bytes: Uint8Array): void {
    const { data, errors } = this.#parse(this.#decode(bytes), {}, true);
    const wrong = errors.find(({ type }) => type === 'Quotes');
    if (wrong !== undefined) {
      const row = this.#taken + this.#rows + (wrong.row ?? 0) + 1;
      throw formatError(
        this.#source,
        `row ${row} below the names has a quote that is not closed or stands within a cell`,
        'a CSV table',
      );
    }
    for (const cells of data) {
      if (cells.length !== this.#columns.length) throw this.#oddRow(this.#rows, cells.length);
      for (const [at, text] of cells.entries()) this.#columns[at]!.push(this.#cell(text));
      this.#rows++;
    }
  }

  #cell(text: string): Cell {
    return csvCell(text, this.#rules.decimal);
  }

  #oddRow(row: number, cells: number): Error {
    const found = `row ${this.#taken + row + 1} below the names has ${cells} cells (separator ${quote(this.#separator)})`;
    return formatError(this.#source, found, `${this.#names!.length}, one for each name`);
  }

  #parse(text: string, options: { preview?: number }, isKnown: boolean) {
    return Papa.parse<string[]>(text, {
      delimiter: isKnown ? this.#separator : (this.#rules.separator ?? ''),
      delimitersToGuess: SEPARATORS.filter((one) => one !== this.#rules.decimal),
      skipEmptyLines: true,
      ...options,
    });
  }

  #expectText(bytes: Uint8Array): void {
    if (!bytes.includes(0)) return;
    const mark = (bytes[0]! << 8) | bytes[1]!;
    const found =
      mark === 0xfffe || mark === 0xfeff ? 'it is text in UTF-16' : 'it is no text: it holds zero bytes';
    throw formatError(this.#source, found, EXPECTED);
  }

  #decode(bytes: Uint8Array): string {
    this.#expectText(bytes);
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw formatError(this.#source, 'it is not UTF-8', EXPECTED);
    }
  }
}

const isBlank = (row: Uint8Array) => row.every((byte) => byte === LINE_FEED || byte === RETURN);

/** Whether a carriage return ends a row by itself, as it did on old Macs. */
function hasLoneReturns(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(RETURN); at >= 0; at = bytes.indexOf(RETURN, at + 1))
    if (bytes[at + 1] !== LINE_FEED) return true;
  return false;
}

/** Where the last whole row ends: behind the last line feed outside of quotes; and whether there are any. Bytes begin outside. */
function wholeRows(bytes: Uint8Array): { end: number; hasQuotes: boolean } {
  let end = 0;
  let from = 0;
  for (;;) {
    const opening = bytes.indexOf(QUOTE, from);
    const last = bytes.lastIndexOf(LINE_FEED, opening < 0 ? bytes.length : opening);
    if (last >= from) end = last + 1;
    const closing = opening < 0 ? -1 : bytes.indexOf(QUOTE, opening + 1);
    if (closing < 0) return { end, hasQuotes: from > 0 || opening >= 0 };
    from = closing + 1;
  }
}

/** Where the row that begins at `from` ends. */
function endOfRow(bytes: Uint8Array, from: number): number {
  let quoted = false;
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) quoted = !quoted;
    const isReturn = bytes[at] === RETURN && bytes[at + 1] !== LINE_FEED;
    if (!quoted && (bytes[at] === LINE_FEED || isReturn)) return at + 1;
  }
  return bytes.length;
}
