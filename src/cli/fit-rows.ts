import { TreadleError } from '#bindings';
import { dataOf } from '../table/data.js';
import { readTable } from '../table/files.js';
import { learnColumns } from '../table/learn.js';
import { type Decided, decideGrouped, type PrepareOptions } from '../table/prepare.js';
import { type SplitOptions, splitTable } from '../table/split.js';
import { columnOf, type Table } from '../table/table.js';
import type { TrainOptions } from './fit-options.js';
import { csvOptions, rowsWithTargets } from './tables.js';

/** Share of the training rows that ends training early. */
export const VALIDATION = 0.15;

/** The rows of a `fit`, and what was decided of them. */
export interface FitRows {
  asked: PrepareOptions;
  whole: Decided;
  rule: Omit<SplitOptions, 'share'>;
  /** To train on. */
  rest: Table;
  /** To test on; null for none. */
  held: Table | null;
}

/** What decides which rows those are. */
export type RowOptions = Pick<
  TrainOptions,
  'target' | 'column' | 'task' | 'group' | 'time' | 'seed' | 'separator' | 'decimal'
> & {
  test?: string;
  /** Null where no rows are held out. */
  testSize: number | null;
};

/** Throws `usage` for a `--target` or a table that was not given. */
export function expectGiven<T>(name: string, value: T | undefined, expected: string): T {
  if (value !== undefined) return value;
  throw new TreadleError('usage', `${name} is missing; ${expected} is expected.`, {
    subject: name,
    found: undefined,
    expected,
  });
}

/** Reads a table and holds rows out to test on: by class for a task of classes, unless a column says otherwise. */
export async function fitRows(file: string, options: RowOptions): Promise<FitRows> {
  const { column, task, test, testSize, group, time, seed } = options;
  const target = expectGiven('--target', options.target, 'a column to predict');
  const read = await readTable(file, csvOptions(options));
  for (const name of target) columnOf(read, name, '--target');
  const table = rowsWithTargets(read, target, file);
  const features = { ...table, columns: table.columns.filter(({ name }) => !target.includes(name)) };
  for (const name of Object.keys(column)) columnOf(features, name, '--column');
  const asked: PrepareOptions = {
    target,
    columns: column,
    ...(task !== undefined && { task }),
  };
  const whole = decideGrouped(table, asked, group);
  const classes = whole.target.task === 'classification' ? whole.target.name : undefined;
  const stratify = group === undefined && time === undefined ? classes : undefined;
  const rule = { group, time, seed, stratify };
  if (test !== undefined) {
    const held = rowsWithTargets(await readTable(test, csvOptions(options)), target, test);
    // What it will be asked after the training is told before it.
    dataOf(held, { version: 1, columns: learnColumns(table, whole.columns), target: whole.target }, test);
    return { asked, whole, rule, rest: table, held };
  }
  if (testSize === null) return { asked, whole, rule, rest: table, held: null };
  return { asked, whole, rule, ...splitTable(table, { ...rule, share: testSize }) };
}
