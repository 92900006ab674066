import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  dateOf,
  decideKinds,
  exportTable,
  fitTable,
  parseCsv,
  splitTable,
  tableOf,
} from '../../dist/table/node.js';
import { temporaryFolder } from '../support/folder.js';

/** Texts that are dates, and the time that they tell. */
const DATES: [text: string, iso: string][] = [
  ['1998-06-12', '1998-06-12T00:00:00.000Z'],
  ['1998-06-12 10:30', '1998-06-12T10:30:00.000Z'],
  ['1998-06-12T10:30:15.250+02:00', '1998-06-12T08:30:15.250Z'],
  ['0050-06-12', '0050-06-12T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2024/02/29', '2024-02-29T00:00:00.000Z'],
  ['2001/01/14 00:47', '2001-01-14T00:47:00.000Z'],
  ['2024.02.29T12:30+02:00', '2024-02-29T10:30:00.000Z'],
  ['Jun 12 1998', '1998-06-12T00:00:00.000Z'],
  ['12 June 1998', '1998-06-12T00:00:00.000Z'],
  ['June 12, 1998', '1998-06-12T00:00:00.000Z'],
  ['12-Jun-98', '1998-06-12T00:00:00.000Z'],
  ['12/JUN/1998', '1998-06-12T00:00:00.000Z'],
  ['Sept. 3, 2001 10:20', '2001-09-03T10:20:00.000Z'],
  ['3 may 2001 10:20:30', '2001-05-03T10:20:30.000Z'],
  ['Jan  1 2000', '2000-01-01T00:00:00.000Z'],
  ['1 Jan 0050', '0050-01-01T00:00:00.000Z'],
  ['29 Feb 2024 23:30-02:00', '2024-03-01T01:30:00.000Z'],
  ['1-Dec-68', '2068-12-01T00:00:00.000Z'],
  ['1-Dec-69', '1969-12-01T00:00:00.000Z'],
];

/** Texts that are none: days that are not, figures that may be either, parts of a date, spans. */
const OTHERS = [
  ...[
    '2023-02-29',
    '2024-02-30',
    '2024-04-31',
    '31 Feb 2000',
    '29 February 2023',
    'Apr 31, 2001',
    '0 Jan 2000',
  ],
  ...[
    '32 Jan 2000',
    '03/04/2005',
    '3-4-2005',
    '2024/02-29',
    '2023/02/29',
    '2024/2/9',
    '12.06.1998',
    '1998',
    'June 1998',
    '12 June',
    'Jun 10-12',
  ],
  ...['Ma 1 2000', 'Juno 12 1998', 'Juin 12 1998', 'may', 'May 1 200', 'May 1 20001', '12 Jun 1998 25:00'],
  ...['12 Jun 1998 10', '12Jun1998', 'on 12 Jun 1998', '12 Jun 1998!', ''],
];

it.each(DATES)('%s is a date', (text, iso) => expect(dateOf(text)?.toISOString()).toBe(iso));

it.each(OTHERS)('%j is none', (text) => expect(dateOf(text)).toBeNull());

const MONTHS = ['Jan', 'Feb', 'March', 'Apr', 'may', 'JUNE', 'July', 'Aug', 'September', 'Oct', 'Nov', 'Dec'];

it('a day with its name is the day that the engine reads', () => {
  const texts = fc
    .record({
      day: fc.integer({ min: 1, max: 31 }),
      month: fc.constantFrom(...MONTHS),
      year: fc.integer({ min: 1000, max: 9999 }),
      isDayFirst: fc.boolean(),
    })
    .map(({ day, month, year, isDayFirst }) =>
      isDayFirst ? `${day} ${month} ${year}` : `${month} ${day}, ${year}`,
    );
  fc.assert(
    fc.property(texts, (text) => {
      const read = new Date(`${text} UTC`);
      // The engine takes 31 June for a day of July.
      const isDay = read.getUTCDate() === Number(/\b\d{1,2}\b/.exec(text)![0]);
      expect(dateOf(text)).toEqual(isDay ? read : null);
    }),
  );
});

/** Sixty days in words, ever later, and a number that grows with them. */
const ROWS = Array.from({ length: 60 }, (_, row) => ({
  seen: `${MONTHS[row % 12]} ${1 + (row % 28)} ${1960 + row}`,
  price: 100 + row + 0.5,
}));

it('the JavaScript module takes the same for dates', async () => {
  const { model } = await fitTable(tableOf(ROWS), { target: 'price', epochs: 2, seed: 0 });
  const file = join(await temporaryFolder(), 'model.mjs');
  await writeFile(file, exportTable(model, 'js'));
  const { encode, predict } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  for (const [text, iso] of DATES)
    expect(encode({ seen: text }), text).toEqual(encode({ seen: new Date(iso) }));
  for (const text of OTHERS) expect(() => encode({ seen: text }), text).toThrow('29 Feb 2020 is expected');
  for (const row of ROWS) expect(predict(row)).toBeCloseTo(model.predict([row])[0] as number, 3);
  expect(model.predict([{ seen: '12-Jun-98' }])).toEqual(model.predict([{ seen: '1998-06-12' }]));
  expect(() => model.predict([{ seen: '31 Feb 2000' }])).toThrow('was learnt as dates');
  model.dispose();
});

it('rows are held out by dates in words', () => {
  const shuffled = ROWS.map((_, row) => ROWS[(row * 7) % 60]!);
  const { held } = splitTable(tableOf(shuffled), { share: 0.1, time: 'seen' });
  const years = [...held.columns[0]!.cells].map((cell) => String(cell).slice(-4)).sort();
  expect(years).toEqual(['2014', '2015', '2016', '2017', '2018', '2019']);
});

it('a column with a few other cells is none of dates or numbers, and says which', () => {
  const lines = ROWS.map(({ seen }, row) => (row === 3 ? 'later,x7' : `${seen},${row % 10}`));
  const found = decideKinds(parseCsv(`seen,floor\n${lines.join('\n')}\n`));
  expect(found.map(({ kind, reason }) => [kind, reason])).toEqual([
    ['leave', "it is text: 60 different values in 60 rows; all are dates but 1, such as 'later' in row 3"],
    ['category', "11 different values; all are numbers but 1, such as 'x7' in row 3"],
  ]);
});

it('a column of numbers with more beside them is of texts, and says why', () => {
  const cells = (make: (row: number) => string) => Array.from({ length: 60 }, (_, row) => make(row % 12));
  const columns = [
    cells((row) => (row === 1 ? '' : `${row} kg`)),
    cells((row) => `€ ${row}.5`),
    cells((row) => `1,${row}34.5`),
    cells((row) => `${row},5`),
    cells((row) => `room ${row}`),
    cells((row) => `00${row}`),
    cells((row) => `1,${row + 100}`),
  ];
  const names = ['weight', 'price', 'size', 'rate', 'room', 'code', 'count'];
  const lines = columns[0]!.map((_, row) => columns.map((own) => own[row]).join(';'));
  const found = decideKinds(parseCsv(`${names.join(';')}\n${lines.join('\n')}\n`, { separator: ';' }));
  expect(found.map(({ kind, reason }) => [kind, reason])).toEqual([
    ['category', "11 different values; most are numbers with more beside them, such as '0 kg' in row 0"],
    ['category', "12 different values; most are numbers with more beside them, such as '€ 0.5' in row 0"],
    ['category', "12 different values; most are numbers with more beside them, such as '1,034.5' in row 0"],
    ['category', "12 different values; with decimal commas most are numbers, such as '0,5' in row 0"],
    ['category', '12 different values'],
    ['category', '12 different values'],
    ['category', "12 different values; most are numbers with more beside them, such as '1,100' in row 0"],
  ]);
});
