import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { csvCell } from '../../dist/table/csv-cell.js';
import { csvParts, parseCsv, readCsv, type Table, tableOf, toCsv } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

const cellsOf = (text: string, options = {}) =>
  Object.fromEntries(parseCsv(text, options).columns.map(({ name, cells }) => [name, [...cells]]));

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
    // Then no comma separates, however many there are.
    const text = 'a,b;c\n1,5;2\n2,5;3\n';
    expect(cellsOf(text)).toEqual({ a: [1, 2], 'b;c': ['5;2', '5;3'] });
    expect(cellsOf(text, { decimal: ',' })).toEqual({ 'a,b': [1.5, 2.5], c: [2, 3] });
  });

  it('may have points between groups of three digits where the decimal mark is a comma', () => {
    const text = 'a\n1.234,56\n-12.345\n1.234.567,\n1,5\n0.123\n1.2345\n1234.567,8\n9.007.199.254.740.993\n';
    const cells = [1234.56, -12345, 1234567, 1.5, '0.123', '1.2345', '1234.567,8', '9.007.199.254.740.993'];
    expect(cellsOf(text, { separator: ';', decimal: ',' })).toEqual({ a: cells });
    expect(cellsOf('a;b\n1,234.56;1.234\n', { separator: ';' })).toEqual({ a: ['1,234.56'], b: [1.234] });
  });

  it('keeps codes such as 007, and words for what is no number, as texts', () => {
    expect(cellsOf('a\n007\n1e999\nInfinity\n0x10\n0.5\n0\n')).toEqual({
      a: ['007', '1e999', 'Infinity', '0x10', 0.5, 0],
    });
  });

  it('keeps whole numbers as texts that a number would change', () => {
    expect(cellsOf('a\n9007199254740991\n9007199254740993\n-1234567890123456789\n1e20\n')).toEqual({
      a: [9007199254740991, '9007199254740993', '-1234567890123456789', 1e20],
    });
  });

  it('calls columns without a name by their place, as of the row numbers of pandas and R', () => {
    expect(cellsOf(',b,\n1,2,\n2,3,\n')).toEqual({
      'column 1': [1, 2],
      b: [2, 3],
      'column 3': [null, null],
    });
  });

  it('has None as a gap among numbers, and as a word among words', () => {
    expect(cellsOf('a,b\n1,None\nNone,small\n2,None\n')).toEqual({
      a: [1, null, 2],
      b: ['None', 'small', 'None'],
    });
  });

  it.each([
    ['', 'it has no line'],
    ['a,a\n1,2\n', 'two columns are called "a"'],
    ['a,,column 2\n1,2,3\n', 'two columns are called "column 2"'],
    ['a,b\n1,2\n3\n', 'row 2 below the names has 1 cells (separator ",")'],
    ['a,b\n1,"2\n', 'row 1 below the names has a quote that is not closed'],
  ])('is refused: %j', async (text, words) => {
    expect((await failure('format', () => parseCsv(text, {}, 'x.csv'))).message).toContain(`x.csv: ${words}`);
  });

  it.each([
    [5, {}, 'text is 5'],
    ['a', { separator: 'ab' }, 'separator is ab'],
    ['a', { separator: ',', decimal: ',' }, 'another character than the decimal mark'],
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
          expect(read.columns.map(({ name, cells }) => [name, [...cells]])).toEqual(
            table.columns.map(({ name, cells }) => [name, [...cells]]),
          );
        },
      ),
    );
  });
});

/** A table as plain arrays. */
const plain = ({ rows, columns }: Table) => ({
  rows,
  cells: columns.map(({ name, cells }) => [name, [...cells]]),
});

/** Texts of cells: numbers in every form, codes, gaps, words, quotes. */
const field = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.integer().map(String),
  fc
    .tuple(fc.constantFrom('', '-', '+'), fc.stringMatching(/^[0-9]{0,18}[.,]?[0-9]{0,18}$/))
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '',
    'NA',
    '007',
    '-0',
    '+5',
    '.',
    '-',
    '1e5',
    ' 12 ',
    '12 ',
    'yes',
    'Zürich',
    '\u{1F600}',
    '5.',
    '-.5',
    '0.1.2',
    '\r',
  ),
  fc.string({ maxLength: 60 }).filter((text) => !/["\r\n]/.test(text)),
);

describe('CSV that comes in chunks', () => {
  const rowsOf = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 30 });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

  it('is what papaparse reads, whether there are quotes in it or not, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf,
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom(',', ';', '\t'),
        fc.constantFrom('.', ','),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (rows, end, separator, decimal, hasQuotes, size) => {
          fc.pre(separator !== decimal);
          const needsQuotes = (text: string) => /["\r\n]/.test(text) || text.includes(separator);
          fc.pre(hasQuotes || !rows.flat().some(needsQuotes));
          const line = (row: readonly string[]) =>
            row
              .map((text, at) => (needsQuotes(text) || (hasQuotes && at === 1) ? quoted(text) : text))
              .join(separator);
          const text = ['a', 'b', 'c'].join(separator) + end + rows.map((row) => line(row) + end).join('');
          const bytes = new TextEncoder().encode(text);
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
            bytes.subarray(at * size, (at + 1) * size),
          );
          const found = plain(await readCsv(chunks, { separator, decimal: decimal as '.' }));
          const { data } = Papa.parse<string[]>(text, {
            delimiter: separator,
            newline: end,
            skipEmptyLines: true,
          });
          const cells = data.slice(1).map((row) => row.map((own) => csvCell(own, decimal as '.')));
          expect(found.rows).toBe(cells.length);
          expect(found.cells).toEqual(['a', 'b', 'c'].map((name, at) => [name, cells.map((row) => row[at])]));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('of many blocks is one table, or parts of it', async () => {
    const rows = Array.from(
      { length: 60_000 },
      (_, row) => `${row},${row % 7 === 0 ? '' : row / 8},${row % 3 ? 'x' : '"y\n"'}`,
    );
    const bytes = new TextEncoder().encode(`n,half,word\n${rows.join('\n')}`);
    const chunks = Array.from({ length: 13 }, (_, at) => bytes.subarray(at * 100_000, (at + 1) * 100_000));
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
    const whole = plain(await readCsv(chunks));
    expect(whole.rows).toBe(60_000);
    expect(whole).toEqual(plain(parseCsv(new TextDecoder().decode(bytes))));
    const parts: Table[] = [];
    for await (const part of csvParts(chunks, { rows: 20_000 })) parts.push(part);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.slice(0, -1).every((part) => part.rows >= 20_000)).toBe(true);
    const names = ['n', 'half', 'word'];
    const joined = names.map((name, at) => [name, parts.flatMap(({ columns }) => [...columns[at]!.cells])]);
    expect(joined).toEqual(whole.cells);
  });

  it('may be a stream of the web', async () => {
    const stream = new Blob(['a,b\n1,2\n']).stream();
    expect(plain(await readCsv(stream))).toEqual({
      rows: 1,
      cells: [
        ['a', [1]],
        ['b', [2]],
      ],
    });
  });

  it.each([
    [[Uint8Array.of(0x61, 10, 0xff, 10)], 'format', 'it is not UTF-8'],
    [[Uint8Array.of(0x61, 10, 0, 10)], 'format', 'it holds zero bytes'],
    [['a,b'], 'usage', 'a chunk is'],
    [5, 'usage', 'chunks is 5'],
    [new Uint8Array(3), 'usage', 'chunks is'],
    [[new TextEncoder().encode('a,b\n1,2,3\n')], 'format', 'row 1 below the names has 3 cells'],
  ] as const)('is refused: %j', async (chunks, code, words) => {
    expect((await failure(code, () => readCsv(chunks as never))).message).toContain(words);
  });

  it('is refused where parts have no rows', async () => {
    const parts = csvParts([new TextEncoder().encode('a\n1\n')], { rows: 0 });
    await failure('range', () => parts.next());
  });
});
