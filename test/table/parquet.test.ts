import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parquetParts, parseParquet, type Table } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

// Files that pyarrow has written: parquet/make.py.

const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`parquet/${name}.parquet`, import.meta.url)));
const plain = ({ rows, columns }: Table) => ({
  rows,
  columns: columns.map(({ name, cells }) => ({ name, cells: [...cells] })),
});

/** The bytes with others in place of those that stand there once. */
function replaced(bytes: Uint8Array, from: number[], to: number[]): Uint8Array {
  const at = Buffer.from(bytes).indexOf(Buffer.from(from));
  expect(at).toBeGreaterThan(0);
  return new Uint8Array([...bytes.subarray(0, at), ...to, ...bytes.subarray(at + from.length)]);
}

/** What make.py's larger table has. */
function larger() {
  const rows = Array.from({ length: 40 }, (_, row) => row);
  const someEmpty = <T>(values: T[]) => values.map((value, row) => (row % 3 === 2 ? null : value));
  const names = ['blue', 'red', 'green'];
  return {
    rows: 40,
    columns: [
      { name: 'name', cells: someEmpty(rows.map((row) => names[row % 3])) },
      { name: 'f64', cells: someEmpty(rows.map((row) => row / 4)) },
      { name: 'f32', cells: rows.map((row) => row / 8) },
      { name: 'i64', cells: rows.map((row) => row * row - 7) },
      { name: 'i8', cells: rows.map((row) => row - 20) },
      { name: 'price', cells: rows.map((row) => row / 4) },
      { name: 'yes', cells: someEmpty(rows.map((row) => row % 2 === 0)) },
      { name: 'day', cells: rows.map((row) => new Date(Date.UTC(2024, 0, 1 + (row % 28)))) },
      { name: 'when', cells: rows.map((row) => new Date(Date.UTC(2024, 1, 28, row % 24, row))) },
    ],
  };
}

describe('a Parquet file', () => {
  it.each(['snappy', 'zstd', 'gzip'])('is read, compressed by %s', async (compression) => {
    expect(plain(await parseParquet(file(compression)))).toEqual({
      rows: 3,
      columns: [
        { name: 'name', cells: ['a', 'b', null] },
        { name: 'n', cells: [1.5, null, -3] },
        { name: 'i', cells: [1, 2, 3] },
        { name: 'yes', cells: [true, false, true] },
        { name: 'when', cells: [new Date('2024-01-31'), new Date('2024-02-29T12:30:00Z'), null] },
      ],
    });
  });

  it.each([
    ['with dictionaries, in three groups of rows', 'dictionary'],
    ['of differences and bytes apart, in pages of version 2', 'delta'],
    ['compressed by LZ4, in small pages with an index', 'lz4'],
  ])('is read %s', async (_, name) => {
    expect(plain(await parseParquet(file(name)))).toEqual(larger());
  });

  it('is read compressed by Brotli, with times of 96 bits', async () => {
    const { rows, columns } = larger();
    const few = { rows, columns: [columns[0], columns[8]] };
    expect(plain(await parseParquet(file('brotli')))).toEqual(few);
  });

  it('in parts is the same rows', async () => {
    const parts: Table[] = [];
    for await (const part of parquetParts(file('dictionary'))) parts.push(part);
    expect(parts.map(({ rows }) => rows)).toEqual([17, 17, 6]);
    const days = parts.flatMap(({ columns }) => [...columns[7]!.cells]);
    expect(days).toEqual(larger().columns[7]!.cells);
  });

  it('with nested columns, or that is none, is refused', async () => {
    const nested = await failure('format', () => parseParquet(file('nested'), 'x.parquet'));
    expect(nested.message).toContain('x.parquet: column "l" is nested');
    await failure('format', () => parseParquet(new Uint8Array(40)));
    await failure('format', () => parseParquet(new Uint8Array()));
  });

  // The first page's header: its type, 16 bytes that are 18 when packed, 3 values.
  const header = [0x15, 0, 0x15, 0x20, 0x15, 0x24, 0x2c, 0x15, 6];
  it.each([
    [
      'more values than rows',
      replaced(file('snappy'), header, [...header.slice(0, -1), 8]),
      'a page of column name has 4 values, where there is room for 3',
    ],
    [
      'more bytes than fit into memory',
      replaced(file('snappy'), header, [0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, ...header.slice(4)]),
      /a page of column name has 2147483647 unpacked bytes, where there is room for 69\d{6}/,
    ],
    [
      'more bytes than the file has',
      replaced(file('snappy'), header, [...header.slice(0, 5), 0x7e, ...header.slice(6)]),
      /a page of column name has 63 bytes, where there is room for \d+/,
    ],
  ])('whose page claims %s is refused before there is room made', async (_, bytes, sentence) => {
    const { message } = await failure('format', () => parseParquet(bytes));
    expect(message).toMatch(sentence);
  });

  it.each([
    [
      'no name',
      replaced(file('snappy'), [...Buffer.from('\x18\x01i')], [...Buffer.from('\x18\x01 ')]),
      'column 3 has no name',
    ],
    [
      'a name twice',
      replaced(file('snappy'), [...Buffer.from('\x18\x01i')], [...Buffer.from('\x18\x01n')]),
      'two columns are called "n"',
    ],
  ])('with a column of %s is refused', async (_, bytes, sentence) => {
    const { message } = await failure('format', () => parseParquet(bytes, 'x.parquet'));
    expect(message).toContain(`x.parquet: ${sentence}`);
  });

  it('whose footer claims more rows than there can be is refused', async () => {
    const whole = file('snappy');
    const long = replaced(whole, [0x16, 6, 0x26, 8], [0x16, 0x80, 0x80, 0x80, 0x80, 8, 0x26, 8]);
    const length = new DataView(long.buffer).getUint32(long.length - 8, true);
    new DataView(long.buffer).setUint32(long.length - 8, length + 4, true);
    const { message } = await failure('format', () => parseParquet(long));
    expect(message).toContain('it has 1073741824 rows of 5 columns, more than 4194304 cells');
  });
});
