import type { FileMetaData } from 'hyparquet';

// What a page of a Parquet file says of itself, read before hyparquet makes room for it: a file of a few hundred bytes can
// claim two thousand million values. Pages begin with a PageHeader in Thrift's compact protocol (parquet.thrift of
// apache/parquet-format; "Thrift compact protocol encoding" of apache/thrift).

/** The most bytes that a page may unpack to. Writers' pages have about a megabyte. */
const MOST_PAGE_BYTES = 2 ** 29;

/** The fields of a PageHeader, by their numbers there. */
const PAGE = { type: 1, unpacked: 2, packed: 3, data: 5, dictionary: 7, dataV2: 8 } as const;
const DICTIONARY_PAGE = 2;

/** Thrift's compact types. */
const TYPE = {
  stop: 0,
  yes: 1,
  no: 2,
  byte: 3,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const;

/** Structs in structs in a PageHeader are two; statistics are one more. */
const DEEPEST = 8;

/** The numbers of a struct, by field; structs in it are of the same kind, all else is left out. */
type Fields = Map<number, number | Fields>;

/**
 * Throws for a file whose pages claim more than is there: more values than their rows, or more bytes than fit into memory.
 */
export function expectPages(bytes: Uint8Array, { row_groups: groups }: FileMetaData): void {
  for (const { columns, num_rows: rows } of groups) {
    for (const { meta_data: column } of columns) {
      if (column === undefined) continue;
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      const chunk = bytes.subarray(start, start + Number(column.total_compressed_size));
      expectChunk(new HeaderReader(chunk), Number(rows), column.path_in_schema.join('.'));
    }
  }
}

function expectChunk(reader: HeaderReader, rows: number, column: string): void {
  let values = 0;
  while (values < rows && !reader.isAtEnd) {
    const page = reader.struct();
    const unpacked = numberOf(page, PAGE.unpacked);
    if (unpacked < 0 || unpacked > MOST_PAGE_BYTES)
      throw new Error(
        `a page of column ${column} unpacks to ${unpacked} bytes, not to 0 to ${MOST_PAGE_BYTES}`,
      );
    const isDictionary = numberOf(page, PAGE.type) === DICTIONARY_PAGE;
    const about = page.get(isDictionary ? PAGE.dictionary : page.has(PAGE.data) ? PAGE.data : PAGE.dataV2);
    const count = about instanceof Map ? numberOf(about, 1) : 0;
    // A value of a dictionary takes a bit at the least.
    const most = isDictionary ? 8 * unpacked : rows - values;
    if (count < 0 || count > most)
      throw new Error(`a page of column ${column} has ${count} values, where there is room for ${most}`);
    if (!isDictionary) values += count;
    reader.skip(numberOf(page, PAGE.packed));
  }
}

function numberOf(fields: Fields, field: number): number {
  const value = fields.get(field);
  return typeof value === 'number' ? value : 0;
}

/** Reads structs of Thrift's compact protocol, one after another. What ends too early throws. */
class HeaderReader {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#view.byteLength;
  }

  skip(count: number): void {
    if (count < 0 || count > this.#view.byteLength - this.#offset)
      throw new Error(`a page of ${count} bytes, where ${this.#view.byteLength - this.#offset} are left`);
    this.#offset += count;
  }

  struct(depth = 0): Fields {
    if (depth > DEEPEST) throw new Error(`a page's header is nested more than ${DEEPEST} deep`);
    const fields: Fields = new Map();
    let field = 0;
    for (;;) {
      const head = this.#byte();
      const type = head & 15;
      if (type === TYPE.stop) return fields;
      field = head >> 4 === 0 ? this.#zigZag() : field + (head >> 4);
      const value = this.#value(type, depth);
      if (value !== null) fields.set(field, value);
    }
  }

  #value(type: number, depth: number): number | Fields | null {
    if (type === TYPE.yes || type === TYPE.no) return null;
    if (type === TYPE.byte) return this.#byte();
    if (type > TYPE.byte && type <= TYPE.i64) return this.#zigZag();
    if (type === TYPE.struct) return this.struct(depth + 1);
    if (type === TYPE.double) this.skip(8);
    else if (type === TYPE.binary) this.skip(this.#varInt());
    else if (type === TYPE.list || type === TYPE.set) this.#list(depth);
    else throw new Error(`a page's header has a field of type ${type}`);
    return null;
  }

  #list(depth: number): void {
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varInt() : head >> 4;
    for (let left = count; left > 0; left--) {
      // Booleans take a byte in lists.
      const type = head & 15;
      if (type === TYPE.yes || type === TYPE.no) this.skip(1);
      else this.#value(type, depth);
    }
  }

  #zigZag(): number {
    const value = this.#varInt();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Seven bits a byte, the lowest first; beyond 2^53 it is not exact, and nothing here is. */
  #varInt(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  #byte(): number {
    return this.#view.getUint8(this.#offset++);
  }
}
