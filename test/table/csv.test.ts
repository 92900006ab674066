import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv, parseParquet, tableOf, toCsv } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';
import { PARQUET } from './parquet-files.js';

const cellsOf = (text: string, options = {}) =>
  Object.fromEntries(parseCsv(text, options).columns.map(({ name, cells }) => [name, cells]));

describe('a CSV text', () => {
  it('is numbers, texts and gaps', () => {
    expect(cellsOf('a,b,c\n1,x,\n-2.5e3,"y, ""z""",NA\n.5,"two\nlines",7\n')).toEqual({
      a: [1, -2500, 0.5],
      b: ['x', 'y, "z"', 'two\nlines'],
      c: [null, null, 7],
    });
  });

  it('may end its lines in any way, begin with a mark and have lines without anything', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      expect(cellsOf(`\uFEFFa,b${end}1,2${end}${end}3,4`)).toEqual({ a: [1, 3], b: [2, 4] });
    }
  });

  it.each([';', '\t', '|'])('may have %j between its cells', (separator) => {
    const text = `${['a', 'b'].join(separator)}\n1${separator}2\n3${separator}4\n`;
    expect(cellsOf(text)).toEqual({ a: [1, 3], b: [2, 4] });
    expect(cellsOf(text, { separator })).toEqual({ a: [1, 3], b: [2, 4] });
  });

  it('may have decimal commas', () => {
    expect(cellsOf('a;b\n1,5;x\n-2;1.5\n', { decimal: ',' })).toEqual({ a: [1.5, -2], b: ['x', '1.5'] });
  });

  it('keeps codes such as 007, and words for what is no number, as texts', () => {
    expect(cellsOf('a\n007\n1e999\nInfinity\n0x10\n0.5\n0\n')).toEqual({
      a: ['007', '1e999', 'Infinity', '0x10', 0.5, 0],
    });
  });

  it.each([
    ['', 'it has no line'],
    ['a,a\n1,2\n', 'two columns are called "a"'],
    ['a,\n1,2\n', 'column 2 has no name'],
    ['a,b\n1,2\n3\n', 'row 2 below the names has 1 cells (separator ",")'],
    ['a,b\n1,"2\n', 'row 2 has a quote that is not closed'],
  ])('is refused: %j', async (text, words) => {
    expect((await failure('format', () => parseCsv(text, {}, 'x.csv'))).message).toContain(`x.csv: ${words}`);
  });

  it.each([
    [5, {}, 'text is 5'],
    ['a', { separator: 'ab' }, 'separator is ab'],
    ['a', { separator: ',', decimal: ',' }, 'another character than decimal'],
    ['a', { decimal: ';' }, 'decimal is'],
    ['a', { delimiter: ';' }, 'delimiter'],
  ])('asked for wrongly is refused: %j %j', async (text, options, words) => {
    const error = await failure('usage', () => parseCsv(text as string, options as object));
    expect(error.message).toContain(words);
  });

  it('comes back as it was written', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 6 })
      .filter((own) => own === own.trim() && /[a-z]/.test(own) && own !== 'nan' && own !== 'null');
    const cell = fc.oneof(
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
      fc.constant(null),
    );
    const columns = fc.uniqueArray(text, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(
        columns,
        fc.array(fc.array(cell, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        (names, rows) => {
          const table = tableOf(
            rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]]))),
          );
          const read = parseCsv(toCsv(table), { separator: ',' });
          expect(read.columns.map(({ name, cells }) => [name, cells])).toEqual(
            table.columns.map(({ name, cells }) => [name, cells]),
          );
        },
      ),
    );
  });
});

describe('a Parquet file', () => {
  const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

  it.each(['snappy', 'zstd', 'gzip'] as const)('is read, compressed by %s', async (compression) => {
    const table = await parseParquet(bytesOf(PARQUET[compression]));
    expect(table).toEqual({
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

  it('with nested columns, or that is none, is refused', async () => {
    const nested = await failure('format', () => parseParquet(bytesOf(PARQUET.nested), 'x.parquet'));
    expect(nested.message).toContain('x.parquet: column l is nested');
    await failure('format', () => parseParquet(new Uint8Array(40)));
    await failure('format', () => parseParquet(new Uint8Array()));
  });

  it('whose bytes were changed is read or refused, never more', async () => {
    const whole = bytesOf(PARQUET.snappy);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const found = await parseParquet(bytes).catch((error) => error);
        if (found instanceof Error) expect(['format', 'usage']).toContain((found as { code?: string }).code);
      }),
      { numRuns: 300 },
    );
  });
});
