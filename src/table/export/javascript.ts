import type { JsFront } from '../../formats/export/javascript.js';
import { DATE_FORMS, FIRST_OF_1900, MONTHS } from '../dates.js';
import type { ColumnEncoder, TableEncoder } from '../encoder.js';

// The encoders of a table as JavaScript: what encoder.ts does, for one row. What no column needs is not written.

type Kind = ColumnEncoder['kind'];

/** Features of a cell that is not empty, by the kind of its column. */
const ENCODERS: Readonly<Record<Kind, string>> = {
  number: `
  number({ name, scale }, cell) {
    if (typeof cell === 'number' && Number.isFinite(cell)) return [scaled(cell, scale)];
    throw unlike(name, cell, 'a number');
  },`,
  yesNo: `
  yesNo({ name, yes, no }, cell) {
    const said = categoryOf(cell);
    if (said === yes || said === no || yes === '' || no === '') return [said === yes ? 1 : 0];
    throw unlike(name, cell, \`\${yes} or \${no}\`);
  },`,
  date: `
  date({ name, parts }, cell) {
    const time = dateOf(cell);
    if (time === null) throw unlike(name, cell, 'a Date, or a date such as 2020-02-29 or 29 Feb 2020');
    return parts.map(({ part, scale }) => scaled(dateParts[part](time), scale));
  },`,
  category: `
  category(column, cell) {
    // The last one stands for every value that training has not seen.
    const features = emptyOf(column);
    features[places.get(column).get(categoryOf(cell)) ?? column.values.length] = 1;
    return features;
  },`,
};

/** What encoders of a kind need beside. */
const HELPERS: readonly { readonly kinds: readonly Kind[]; readonly text: string }[] = [
  {
    kinds: ['number', 'date'],
    text: `
/** A number beside those of the training rows. */
const scaled = (value, { mean, deviation }) => (deviation > 0 ? (value - mean) / deviation : 0);
`,
  },
  {
    kinds: ['yesNo', 'category'],
    text: `
/** A cell as the name of a category. */
const categoryOf = (cell) => (cell instanceof Date ? cell.toISOString() : String(cell));
`,
  },
  {
    kinds: ['category'],
    text: `
/** The place of each value of a column of categories. */
const places = new Map(
  columns
    .filter(({ kind }) => kind === 'category')
    .map((column) => [column, new Map(column.values.map((value, place) => [value, place]))]),
);
`,
  },
  {
    kinds: ['date'],
    text: `
/** Parts of a time, in UTC. */
const dateParts = {
  year: (time) => time.getUTCFullYear(),
  month: (time) => time.getUTCMonth() + 1,
  day: (time) => time.getUTCDate(),
  weekday: (time) => time.getUTCDay(),
  hour: (time) => time.getUTCHours() + time.getUTCMinutes() / 60,
};

const ISO = ${DATE_FORMS.iso};
const DAY_FIRST = ${DATE_FORMS.dayFirst};
const MONTH_FIRST = ${DATE_FORMS.monthFirst};

const months = '${MONTHS.join(' ')}'.split(' ');

/** A time as a cell tells it, in UTC where it names no zone; null for what is none. */
function dateOf(cell) {
  if (cell instanceof Date) return cell;
  if (typeof cell !== 'string') return null;
  const iso = ISO.test(cell) ? cell.slice(0, 10).replace(/[/.]/g, '-') + cell.slice(10) : isoOf(cell);
  if (iso === null) return null;
  const hasZone = iso.length === 10 || /(?:Z|[+-]\\d{2}:?\\d{2})$/.test(iso.slice(10));
  const time = new Date((hasZone ? iso : \`\${iso}Z\`).replace(' ', 'T'));
  // Some engines take 31 February for a day of March.
  const day = Number(iso.slice(8, 10));
  if (day > 28 && new Date(iso.slice(0, 10)).getUTCDate() !== day) return null;
  return Number.isNaN(time.getTime()) ? null : time;
}

/** A date with its month's name as ISO 8601 writes it. */
function isoOf(text) {
  const found = DAY_FIRST.exec(text) ?? MONTH_FIRST.exec(text);
  if (found === null) return null;
  const { day, month, year, time = '' } = found.groups;
  const index = months.findIndex((name) => name.startsWith(month.toLowerCase()));
  if (index < 0) return null;
  const century = year.length === 4 ? '' : Number(year) < ${FIRST_OF_1900} ? '20' : '19';
  const inDigits = (value) => String(value).padStart(2, '0');
  return \`\${century}\${year}-\${inDigits(index + 1)}-\${inDigits(day)}\${time}\`;
}
`,
  },
];

/** The front of a module whose rows are objects, column by column. */
export function jsFront({ columns, target }: TableEncoder): JsFront {
  const kinds = new Set(columns.map(({ kind }) => kind));
  const helpers = HELPERS.filter((helper) => helper.kinds.some((kind) => kinds.has(kind)));
  const isOfClasses = target.task === 'classification';
  return {
    takes: 'an object with the columns below',
    lists: { columns, targets: isOfClasses ? undefined : target.names },
    encode: `${helpers.map(({ text }) => text).join('')}
const encoders = {${[...kinds].map((kind) => ENCODERS[kind]).join('')}
};

const unlike = (name, cell, expected) =>
  new TypeError(\`\${name} is \${typeof cell === 'string' ? JSON.stringify(cell) : String(cell)}; \${expected} is expected.\`);

/** A cell, null where it is empty. */
function cellOf(name, value) {
  if (value === undefined || value === null || Number.isNaN(value)) return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (typeof value === 'object') throw unlike(name, value, 'a text, a number, true, false, a Date or null');
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The features of a column without a value in them. */
function emptyOf({ kind, parts, values }) {
  const width = { category: () => values.length + 1, date: () => parts.length }[kind]?.() ?? 1;
  return Array.from({ length: width }, () => 0);
}

/** A row, an object with the columns, as features. Others are passed over, and null or NaN is an empty cell. */
export function encode(row) {
  const lacking = columns.filter(({ name }) => !Object.hasOwn(row, name)).map(({ name }) => name);
  if (lacking.length > 0) throw new TypeError(\`The row lacks \${lacking.join(', ')}.\`);
  return columns.flatMap((column) => {
    const cell = cellOf(column.name, row[column.name]);
    const features = cell === null ? emptyOf(column) : encoders[column.kind](column, cell);
    if (column.missing) features.push(cell === null ? 1 : 0);
    else if (cell === null && column.kind === 'category') features[features.length - 1] = 1;
    return features;
  });
}
`,
    outputs: isOfClasses
      ? 'Object.fromEntries(classes.map((name, index) => [name, values[index]]))'
      : 'Object.fromEntries(targets.map((name, index) => [name, values[index]]))',
  };
}
