import { problem, TreadleError } from '#bindings';
import { shuffled } from '../data/random.js';
import { listed } from '../strict/text.js';
import { indicesOf, timesOf } from './split.js';
import { columnOf, type Table } from './table.js';

/** Random streams of the folds. */
const FOLD_STREAM = 2 ** 44;

/** How rows are divided for cross-validation. */
export interface FoldOptions {
  /** Folds, from 2 up. */
  folds: number;
  seed?: number;
  /** A column whose values every fold has in proportion: the classes. */
  stratify?: string | undefined;
  /** A column whose rows of one value are all in one fold. */
  group?: string | undefined;
  /** A column of times or numbers: each fold is held out after those before it, which alone are trained on. */
  time?: string | undefined;
}

/** The rows of one fold, each list ascending. */
export interface Fold {
  readonly rest: readonly number[];
  readonly held: readonly number[];
}

/**
 * Divides a table's rows into folds: every row is held out once or, by `time`, every row but the first part of `folds` + 1.
 * Sizes differ by one at most, but for groups, which go whole to the fold with the fewest rows. A class of fewer rows than folds is
 * in as many as it has rows: {@link lackingClasses} tells of it. Throws `usage` for `group` and `time` at once, `range` for fewer
 * than two folds, `data` where rows or groups are fewer than folds.
 *
 * @example const folds = foldRows(table, { folds: 5, stratify: 'species' });
 */
export function foldRows(table: Table, options: FoldOptions): Fold[] {
  const { folds, group, time, stratify, seed = 0 } = options;
  if (!Number.isSafeInteger(folds) || folds < 2) {
    throw problem('range', { subject: 'folds', found: folds, expected: 'a whole number from 2 up' });
  }
  if (group !== undefined && time !== undefined) {
    throw problem('usage', {
      subject: 'time',
      found: time,
      because: 'group is given too',
      expected: 'one of the two',
    });
  }
  if (time !== undefined) return forwardFolds(timesOf(table, time), folds);
  const of =
    group === undefined
      ? dealt(table, folds, seed, stratify)
      : groupedFolds(indicesOf(columnOf(table, group, 'group').cells), folds, seed, group);
  return Array.from({ length: folds }, (_, fold) => {
    const rows = Array.from({ length: table.rows }, (_, row) => row);
    return { rest: rows.filter((row) => of[row] !== fold), held: rows.filter((row) => of[row] === fold) };
  });
}

/** The fold of each row: rows are dealt in random order, class by class. */
function dealt(table: Table, folds: number, seed: number, stratify: string | undefined): Uint32Array {
  expectEnough('rows', table.rows, folds);
  const classes =
    stratify === undefined
      ? new Uint32Array(table.rows)
      : indicesOf(columnOf(table, stratify, 'stratify').cells);
  const members: number[][] = [];
  for (const [row, label] of classes.entries()) {
    members[label] ??= [];
    members[label].push(row);
  }
  const of = new Uint32Array(table.rows);
  let next = 0;
  for (const [label, rows] of members.entries()) {
    for (const position of shuffled(rows.length, seed, FOLD_STREAM + label))
      of[rows[position]!] = next++ % folds;
  }
  return of;
}

/** Classes that are named of those that folds lack. */
const MOST_NAMED = 5;

/** Says of a column of classes which of them some folds do not hold out, and what that does to scores; null where all do. */
export function lackingClasses(table: Table, name: string, folds: readonly Fold[]): string | null {
  const { cells } = columnOf(table, name);
  const labels = indicesOf(cells);
  const rows: number[] = [];
  const first: number[] = [];
  for (const [row, label] of labels.entries()) {
    rows[label] = (rows[label] ?? 0) + 1;
    first[label] ??= row;
  }
  const held = folds.map((fold) => new Set(fold.held.map((row) => labels[row]!)));
  const lacking = rows.flatMap((count, label) => {
    const own = held.filter((classes) => classes.has(label)).length;
    const among = `${count} ${count === 1 ? 'row' : 'rows'}, in ${own} of ${folds.length} folds`;
    return own === folds.length ? [] : [`${cells.at(first[label]!)} (${among})`];
  });
  if (lacking.length === 0) return null;
  return `Not every fold has every class of ${name}: ${listed(lacking, MOST_NAMED)}. Macro averages are over the classes that a fold has or is said to have, ROC AUC is over the folds that have all.`;
}

/** The fold of each row: the largest groups first, equal ones in random order, each to the fold with the fewest rows. */
function groupedFolds(groups: Uint32Array, folds: number, seed: number, name: string): Uint32Array {
  const sizes: number[] = [];
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  expectEnough(`values of ${name}`, sizes.length, folds);
  const order = [...shuffled(sizes.length, seed, FOLD_STREAM)].sort((a, b) => sizes[b]! - sizes[a]!);
  const rows = new Array<number>(folds).fill(0);
  const foldOf = new Uint32Array(sizes.length);
  for (const group of order) {
    const fold = rows.indexOf(Math.min(...rows));
    foldOf[group] = fold;
    rows[fold]! += sizes[group]!;
  }
  return groups.map((group) => foldOf[group]!);
}

/** Parts that follow one another in time: each but the first is held out once, after all before it. */
function forwardFolds(times: Float64Array, folds: number): Fold[] {
  expectEnough('rows', times.length, folds + 1);
  const order = Array.from(times, (_, row) => row).sort((a, b) => times[a]! - times[b]! || a - b);
  const size = Math.floor(times.length / (folds + 1));
  const ascending = (rows: number[]) => rows.sort((a, b) => a - b);
  return Array.from({ length: folds }, (_, fold) => {
    const first = times.length - (folds - fold) * size;
    return { rest: ascending(order.slice(0, first)), held: ascending(order.slice(first, first + size)) };
  });
}

function expectEnough(what: string, found: number, least: number): void {
  if (found >= least) return;
  const expected = `at least ${least}`;
  throw new TreadleError(
    'data',
    `The table has ${found} ${what}; ${expected} are expected, one for each part of a cross-validation.`,
    { subject: 'The table', found, expected },
  );
}
