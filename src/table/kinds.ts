import { asText, expectKeys, expectOneOf, problem } from '#bindings';
import { type Cell, type Cells, everyValue } from './cells.js';
import { csvCell } from './csv-cell.js';
import { dateOf } from './dates.js';
import type { Column, Table } from './table.js';

/** What a column is taken for; `leave` for one that is not used. */
export const KINDS = ['number', 'category', 'yesNo', 'date', 'leave'] as const;
export type Kind = (typeof KINDS)[number];

/** What is done with a column, and why. */
export interface ColumnDecision {
  readonly name: string;
  readonly kind: Kind;
  /** In words. */
  readonly reason: string;
  /** Empty cells. */
  readonly missing: number;
  /** Different values, empty ones not counted; no more than 10,001 are. */
  readonly distinct: number;
}

/** A column of texts with more different values than this, and than half of its rows, is text and not categories. */
const MOST_CATEGORIES = 1000;

const PAIRS = [
  ['no', 'yes'],
  ['n', 'y'],
  ['false', 'true'],
  ['f', 't'],
  ['off', 'on'],
];

/**
 * What each column of a table is taken for, by its cells: numbers, yes and no, dates (see {@link dateOf}), categories, or nothing that
 * can be learned from: a column without values, of one value, of numbers that count the rows, or of texts that hardly repeat.
 * `given` overrules by name, because it was asked for or as `reasons` have it. Throws `usage` for a name that is no column and for
 * a kind that a column's cells are not of.
 *
 * @example decideKinds(parseCsv('a,b\n1,x\n2,y\n3,x\n')).map(({ kind }) => kind); // ['leave', 'category']
 */
export function decideKinds(
  table: Table,
  given: Readonly<Record<string, Kind>> = {},
  reasons: Readonly<Record<string, string>> = {},
): ColumnDecision[] {
  expectKeys(
    'columns',
    given,
    table.columns.map(({ name }) => name),
  );
  return table.columns.map((column) => {
    const facts = factsOf(column.cells);
    const asked = Object.hasOwn(given, column.name) ? given[column.name] : undefined;
    const { name } = column;
    const found =
      asked === undefined
        ? inferKind(column, facts)
        : {
            kind: askedKind(column, facts, asked),
            reason: Object.hasOwn(reasons, name) ? reasons[name]! : 'it was asked for',
          };
    return { name, ...found, missing: facts.missing, distinct: facts.values.size };
  });
}

/** Different values that are counted of a column. */
export const MOST_COUNTED = 10_001;

/** What a column's cells are. */
export interface Facts {
  missing: number;
  /** Different values as text, no more than {@link MOST_COUNTED} of them. */
  values: Set<string>;
}

/** Goes over a column's cells. */
export function factsOf(cells: Cells): Facts {
  const numbers = new Set<number>();
  const values = new Set<string>();
  let present = 0;
  everyValue(cells, (value, count) => {
    present += count;
    if (numbers.size + values.size >= MOST_COUNTED) return true;
    if (typeof value === 'number') numbers.add(value);
    else values.add(categoryOf(value));
    return true;
  });
  for (const number of numbers) values.add(categoryOf(number));
  return { missing: cells.length - present, values };
}

/** A cell as the name of a category. */
export function categoryOf(cell: Exclude<Cell, null>): string {
  return cell instanceof Date ? cell.toISOString() : String(cell);
}

function inferKind(column: Column, { values, missing }: Facts): { kind: Kind; reason: string } {
  const { cells } = column;
  if (values.size === 0) return { kind: 'leave', reason: 'it has no values' };
  if (values.size === 1 && missing === 0) return { kind: 'leave', reason: 'it is the same in every row' };
  if (yesOf(values) !== null) return { kind: 'yesNo', reason: `it is ${[...values].sort().join(' or ')}` };
  if (isOf('number', cells)) {
    return countsRows(cells)
      ? { kind: 'leave', reason: 'it counts the rows' }
      : { kind: 'number', reason: 'all of its values are numbers' };
  }
  if (isOf('date', cells)) return { kind: 'date', reason: 'all of its values are dates' };
  const rows = cells.length - missing;
  if (values.size > Math.min(MOST_CATEGORIES, Math.max(20, rows / 2))) {
    const count = values.size < MOST_COUNTED ? values.size : `more than ${MOST_COUNTED - 1}`;
    return {
      kind: 'leave',
      reason: `it is text: ${count} different values in ${rows} rows${exceptions(cells, rows)}`,
    };
  }
  return { kind: 'category', reason: `${values.size} different values${exceptions(cells, rows)}` };
}

/** A number with a currency or a unit, or with marks among its digits. */
const BESIDE =
  /^(?:\p{Sc}|[A-Z]{3}\b)?\s*[+-]?\d[\d.,'\u2019\s]*(?:\p{Sc}|[%\u2030\u00b0\u00b2\u00b3\p{L}/]{1,8})?$/u;

/** What keeps a column, most of whose cells are numbers or dates or nearly so, from being taken for these. */
function exceptions(cells: Cells, rows: number): string {
  const countNot = (isGood: (value: Exclude<Cell, null>) => boolean): number => {
    let others = 0;
    everyValue(cells, (value, count) => {
      if (!isGood(value)) others += count;
      return others < rows / 2;
    });
    return others;
  };
  const first = (isGood: (value: Exclude<Cell, null>) => boolean): string => {
    const [row, cell] = firstNot(cells, isGood)!;
    return `such as ${asText(cell)} in row ${row}`;
  };
  for (const kind of ['number', 'date'] as const) {
    const isGood = (value: Exclude<Cell, null>) => isKind(kind, value);
    const others = countNot(isGood);
    if (others < rows / 2) return `; all are ${kind}s but ${others}, ${first(isGood)}`;
  }
  const isNumber = (value: Exclude<Cell, null>) => isKind('number', value);
  // 1,234 may be either.
  const hasComma = (value: Exclude<Cell, null>) =>
    isNumber(value) ||
    (typeof value === 'string' && !/,\d{3}$/.test(value) && typeof csvCell(value, ',') === 'number');
  if (countNot(hasComma) < rows / 2) return `; with decimal commas most are numbers, ${first(isNumber)}`;
  const isBeside = (value: Exclude<Cell, null>) =>
    isNumber(value) || (typeof value === 'string' && /\D/.test(value) && BESIDE.test(value.trim()));
  return countNot(isBeside) < rows / 2 ? `; most are numbers with more beside them, ${first(isNumber)}` : '';
}

/** The kind that was asked for. Throws `usage` where the cells are not of it. */
function askedKind({ name, cells }: Column, { values }: Facts, asked: Kind): Kind {
  const subject = `columns.${name}`;
  expectOneOf(subject, asked, KINDS);
  if (asked === 'leave' || asked === 'category') return asked;
  if (!isOf(asked, cells)) {
    const [row, cell] = firstNot(cells, (cell) => isKind(asked, cell))!;
    throw problem('usage', {
      subject,
      found: asked,
      because: `row ${row} is ${asText(cell)}`,
      expected: 'a kind that its cells are of',
    });
  }
  if (asked === 'yesNo' && values.size > 1 && yesOf(values) === null) {
    throw problem('usage', { subject, found: asked, expected: 'yesNo for two values such as yes and no' });
  }
  return asked;
}

/** Whether the cells are one number more in every row. */
function countsRows(cells: Cells): boolean {
  const first = cells.at(0);
  if (typeof first !== 'number' || cells.length < 3) return false;
  let row = 0;
  for (const cell of cells) if (cell !== first + row++) return false;
  return true;
}

/** Whether every cell that is not empty is of a kind. */
function isOf(kind: Kind, cells: Cells): boolean {
  return everyValue(cells, (value) => isKind(kind, value));
}

function isKind(kind: Kind, cell: Exclude<Cell, null>): boolean {
  if (kind === 'number') return typeof cell === 'number' && Number.isFinite(cell);
  if (kind === 'date') return dateOf(cell) !== null;
  if (kind === 'yesNo')
    return typeof cell === 'boolean' || /^(?:yes|no|[yntf01]|true|false|on|off)$/i.test(String(cell));
  return true;
}

/** The first cell, with its row, that is not empty and not as it should be. */
export function firstNot(
  cells: Cells,
  isGood: (cell: Exclude<Cell, null>) => boolean,
): [row: number, cell: Exclude<Cell, null>] | null {
  let row = 0;
  for (const cell of cells) {
    if (cell !== null && !isGood(cell)) return [row, cell];
    row++;
  }
  return null;
}

/** The value of a pair that means yes; null for values that are no such pair. 1 and 0 are numbers as well as a pair. */
export function yesOf(values: ReadonlySet<string>): string | null {
  if (values.size !== 2) return null;
  const found = [...values];
  const lower = new Set(found.map((value) => value.toLowerCase()));
  for (const [no, yes] of [...PAIRS, ['0', '1']]) {
    if (lower.has(no!) && lower.has(yes!)) return found.find((value) => value.toLowerCase() === yes)!;
  }
  return null;
}
