import { problem } from '#bindings';
import { holdOut } from '../data/hold-out.js';
import { shuffled } from '../data/random.js';
import { type Cells, mappedRows } from './cells.js';
import { dateOf } from './dates.js';
import { categoryOf } from './kinds.js';
import { columnOf, type Table, takeTableRows } from './table.js';

/** Random streams of group splits. */
const GROUP_STREAM = 2 ** 43;

/** How rows are held out. */
export interface SplitOptions {
  /** Share of the rows, above 0 and below 1. */
  share: number;
  seed?: number;
  /** A column whose values are held out in proportion: the classes. */
  stratify?: string | undefined;
  /** A column whose rows of one value stay together, such as a patient's: no value is in both parts. */
  group?: string | undefined;
  /** A column of times or numbers: the last ones are held out. */
  time?: string | undefined;
}

/**
 * A table in two parts: the rest, and the rows that are held out. Throws `usage` for a share that is none and for `group` and
 * `time` at once, `data` where nothing would be left on one side.
 *
 * @example const { rest, held } = splitTable(table, { share: 0.2, stratify: 'species' });
 */
export function splitTable(table: Table, options: SplitOptions): { rest: Table; held: Table } {
  const { share, group, time } = options;
  if (typeof share !== 'number' || !(share > 0 && share < 1)) {
    throw problem('range', { subject: 'share', found: share, expected: 'a number above 0 and below 1' });
  }
  if (group !== undefined && time !== undefined) {
    throw problem('usage', {
      subject: 'time',
      found: time,
      because: 'group is given too',
      expected: 'one of the two',
    });
  }
  const isHeld =
    group !== undefined
      ? groupsOf(table, group, options)
      : time !== undefined
        ? latest(table, time, share)
        : heldAtRandom(table, options);
  const rows = Array.from({ length: table.rows }, (_, row) => row);
  const [rest, held] = [rows.filter((row) => !isHeld(row)), rows.filter(isHeld)];
  if (rest.length === 0 || held.length === 0) {
    throw problem('data', {
      subject: 'The table',
      found: `of ${table.rows} rows`,
      expected: 'rows enough for both parts of the split',
    });
  }
  return { rest: takeTableRows(table, rest), held: takeTableRows(table, held) };
}

function heldAtRandom(table: Table, { share, seed = 0, stratify }: SplitOptions): (row: number) => boolean {
  const classes = stratify === undefined ? null : indicesOf(columnOf(table, stratify, 'stratify').cells);
  const held = new Set(holdOut(table.rows, share, seed, classes, `every class of ${stratify}`).validation);
  return (row) => held.has(row);
}

function groupsOf(table: Table, name: string, { share, seed = 0 }: SplitOptions): (row: number) => boolean {
  const of = indicesOf(columnOf(table, name, 'group').cells);
  const count = of.reduce((most, index) => Math.max(most, index + 1), 0);
  const sizes = new Uint32Array(count);
  for (const index of of) sizes[index]! += 1;
  const held = new Set<number>();
  let rows = 0;
  for (const index of shuffled(count, seed, GROUP_STREAM)) {
    if (rows >= share * table.rows || held.size === count - 1) break;
    held.add(index);
    rows += sizes[index]!;
  }
  return (row) => held.has(of[row]!);
}

function latest(table: Table, name: string, share: number): (row: number) => boolean {
  const times = timesOf(table, name);
  const order = Array.from(times, (_, row) => row).sort((a, b) => times[a]! - times[b]! || a - b);
  const first = Math.round(table.rows * (1 - share));
  const held = new Set(order.slice(first));
  return (row) => held.has(row);
}

/** A column's times or numbers, in milliseconds where they are times. Throws `data` for a cell that is neither. */
export function timesOf(table: Table, name: string): Float64Array {
  const { cells } = columnOf(table, name, 'time');
  const timeOf = mappedRows(cells, (cell) => (typeof cell === 'number' ? cell : dateOf(cell)?.getTime()));
  return Float64Array.from({ length: table.rows }, (_, row) => {
    const time = timeOf(row);
    if (time !== undefined) return time;
    const subject = `${name} in row ${row}`;
    throw problem('data', { subject, found: cells.at(row), expected: 'a time or a number' });
  });
}

/** Cells as the indices of their values, in the order in which they first come; empty ones are a value too. */
export function indicesOf(cells: Cells): Uint32Array {
  const known = new Map<string | null, number>();
  const keyOf = mappedRows(cells, (cell) => (cell === null ? null : categoryOf(cell)));
  return Uint32Array.from({ length: cells.length }, (_, row) => {
    const key = keyOf(row);
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key)!;
  });
}
