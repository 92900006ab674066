import type { FileMetaData } from 'hyparquet';

// What a page of a Parquet file says of itself, read before hyparquet makes room for it: a file of a few hundred bytes can
// claim two thousand million values. Pages begin with a PageHeader in Thrift's compact protocol (parquet.thrift of
// apache/parquet-format; "Thrift compact protocol encoding" of apache/thrift).

/**
 * The most bytes that a file's pages may unpack to, for each of its own and beside that. Texts become a tenth, and columns of one
 * value, which might become a ten-thousandth, stand in dictionaries.
 */
const UNPACKED_A_BYTE = 4096;
const FREE_UNPACKED = 2 ** 26;

/** The fields of a PageHeader, by their numbers there. */
const PAGE = { type: 1, unpacked: 2, packed: 3 } as const;
/** Where a page of each type tells of its values, by the number of the type. */
const ABOUT = { 0: 5, 2: 7, 3: 8 } as const;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;
/** The fields there; the last three of DataPageHeaderV2. */
const VALUES = { count: 1, nulls: 2, definitionBytes: 5, repetitionBytes: 6 } as const;

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

/** The numbers of a struct, by field; structs in it are of the same kind, all else is null. Of a field that comes twice the last. */
type Fields = Map<number, number | Fields | null>;

/**
 * Throws for a file whose pages claim more than is there: more values than their rows, or more bytes than fit into memory.
 */
export function expectPages(
  bytes: Uint8Array,
  { row_groups: groups }: FileMetaData,
  names: readonly string[],
): void {
  let room = FREE_UNPACKED + UNPACKED_A_BYTE * bytes.length;
  for (const { columns, num_rows: rows } of groups) {
    if (columns.length !== names.length)
      throw new Error(`${columns.length} of ${names.length} columns have values`);
    for (const [index, { meta_data: column }] of columns.entries()) {
      if (column === undefined || column.path_in_schema.join('.') !== names[index])
        throw new Error(`the values of column ${index + 1} are not there, or are another's`);
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      const chunk = bytes.subarray(start, start + Number(column.total_compressed_size));
      room -= unpackedBytes(new HeaderReader(chunk), Number(rows), column.path_in_schema.join('.'), room);
    }
  }
}

/** Bytes that a column's pages unpack to, of those that there is room for. */
function unpackedBytes(reader: HeaderReader, rows: number, column: string, room: number): number {
  let values = 0;
  let bytes = 0;
  while (values < rows && !reader.isAtEnd) {
    const page = reader.struct();
    const type = page.get(PAGE.type);
    const about = page.get(ABOUT[type as keyof typeof ABOUT]);
    if (!(about instanceof Map)) throw new Error(`a page of column ${column} is of no known type`);
    const number = (of: Fields, field: number, most: number, what: string): number => {
      const value = of.get(field);
      if (typeof value === 'number' && value >= 0 && value <= most) return value;
      throw new Error(
        `a page of column ${column} has ${value ?? 'no number of'} ${what}, where there is room for ${most}`,
      );
    };
    const unpacked = number(page, PAGE.unpacked, room - bytes, 'unpacked bytes');
    const packed = number(page, PAGE.packed, reader.left, 'bytes');
    const isDictionary = type === DICTIONARY_PAGE;
    // A value of a dictionary takes a bit at the least.
    const count = number(about, VALUES.count, isDictionary ? 8 * unpacked : rows - values, 'values');
    if (type === DATA_PAGE_V2) {
      number(about, VALUES.nulls, count, 'empty values');
      const levels = number(about, VALUES.definitionBytes, Math.min(packed, unpacked), 'bytes of levels');
      number(about, VALUES.repetitionBytes, Math.min(packed, unpacked) - levels, 'bytes of levels');
    }
    if (!isDictionary) values += count;
    bytes += unpacked;
    reader.skip(packed);
  }
  return bytes;
}

/** Reads structs of Thrift's compact protocol, one after another. What ends too early throws. */
class HeaderReader {
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#view.byteLength - this.#offset;
  }

  get isAtEnd(): boolean {
    return this.left <= 0;
  }

  skip(count: number): void {
    if (count > this.left) throw new Error(`${this.left} bytes are left, where ${count} are expected`);
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
      fields.set(field, this.#value(type, depth));
    }
  }

  #value(type: number, depth: number): number | Fields | null {
    if (type === TYPE.yes || type === TYPE.no) return null;
    if (type === TYPE.byte) return (this.#byte() << 24) >> 24;
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
