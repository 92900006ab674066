import type { Cell } from './cells.js';

const TIME = String.raw`[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?`;
const DAY = String.raw`(?<day>\d{1,2})`;
const MONTH = String.raw`(?<month>[A-Za-z]{3,9})\.?`;
/** The same on both sides of what stands in the middle: `Jun 10-12` is no day of 2012. */
const GAP = '(?<gap>[ /-])';
const YEAR_AND_TIME = String.raw`,?\k<gap>(?<year>\d{4}|\d{2})(?<time>${TIME})?`;

/** How dates are written: as ISO 8601 says, or with slashes or points; `12 June 1998` and `Jun 12, 98`. Exports have the same. */
export const DATE_FORMS = {
  iso: new RegExp(String.raw`^\d{4}(?<mark>[-/.])\d{2}\k<mark>\d{2}(?:${TIME})?$`),
  dayFirst: new RegExp(`^${DAY}${GAP}${MONTH}${YEAR_AND_TIME}$`),
  monthFirst: new RegExp(`^${MONTH}${GAP} ?${DAY}${YEAR_AND_TIME}$`),
} as const;

/** Their first letters, three or more, are enough. */
export const MONTHS =
  'january february march april may june july august september october november december'.split(' ');

/** A year of two digits from this one on is of the last century, as POSIX has it. */
export const FIRST_OF_1900 = 69;

/**
 * A time as its cell tells it, in UTC where it names no zone; null for what is none, such as 31 February. Texts are dates of
 * ISO 8601 (`2024-02-29`, `2024-02-29 12:30`; slashes and points do as well) or have the month's name in English
 * (`Feb 29 2024`, `29-feb-24 12:30`).
 *
 * @example dateOf('June 12, 1998')?.toISOString(); // '1998-06-12T00:00:00.000Z'
 */
export function dateOf(cell: Cell): Date | null {
  if (cell instanceof Date) return cell;
  if (typeof cell !== 'string') return null;
  const iso = DATE_FORMS.iso.test(cell)
    ? cell.slice(0, 10).replace(/[/.]/g, '-') + cell.slice(10)
    : isoOf(cell);
  if (iso === null) return null;
  const hasZone = iso.length === 10 || /(?:Z|[+-]\d{2}:?\d{2})$/.test(iso.slice(10));
  const time = new Date((hasZone ? iso : `${iso}Z`).replace(' ', 'T'));
  // Some engines take 31 February for a day of March.
  const day = Number(iso.slice(8, 10));
  if (day > 28 && new Date(iso.slice(0, 10)).getUTCDate() !== day) return null;
  return Number.isNaN(time.getTime()) ? null : time;
}

/** A date with its month's name as ISO 8601 writes it. */
function isoOf(text: string): string | null {
  const found = DATE_FORMS.dayFirst.exec(text) ?? DATE_FORMS.monthFirst.exec(text);
  if (found === null) return null;
  const { day, month, year, time = '' } = found.groups as Record<string, string>;
  const index = MONTHS.findIndex((name) => name.startsWith(month!.toLowerCase()));
  if (index < 0) return null;
  const century = year!.length === 4 ? '' : Number(year) < FIRST_OF_1900 ? '20' : '19';
  const inDigits = (value: number | string) => String(value).padStart(2, '0');
  return `${century}${year}-${inDigits(index + 1)}-${inDigits(day!)}${time}`;
}
