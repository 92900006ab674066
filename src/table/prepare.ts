import { type Csr, expectKeys, type ModelSpec, mlp, problem, TreadleError } from '#bindings';
import type { Task } from '../data/targets.js';
import { everyValue, hasGaps } from './cells.js';
import { encodeFeatures, encodeTargets } from './encode.js';
import { featuresOf, type TableEncoder, type TargetEncoder } from './encoder.js';
import { type ColumnDecision, decideKinds, factsOf, type Kind, MOST_COUNTED } from './kinds.js';
import { learnColumns } from './learn.js';
import { columnOf, type Table } from './table.js';

/** What is to be learnt of a table. */
export interface PrepareOptions {
  /** The column to predict, or several of numbers. */
  target: string | readonly string[];
  /** What columns are taken for, where that is not what their cells speak for. */
  columns?: Readonly<Record<string, Kind>>;
  /** Default: classification for texts, booleans and whole numbers of few values, else regression. */
  task?: Exclude<Task, 'multilabel'>;
  /** Names of the classes, where the table may lack some. Default: those that the target has. */
  classes?: readonly string[];
  /** Widths of the hidden blocks. Default: [64, 32]. */
  hidden?: readonly number[];
}

/** A table ready for training. */
export interface Prepared {
  /** What was decided of each column but the targets. */
  readonly columns: readonly ColumnDecision[];
  readonly encoder: TableEncoder;
  /** A model for it: what `createModel` takes. */
  readonly spec: ModelSpec;
  /** What `fit` takes. */
  readonly x: Csr;
  readonly y: string[] | Float64Array;
}

const KEYS = ['target', 'columns', 'task', 'classes', 'hidden'];

/** Whole numbers of no more different values than these are classes. */
const MOST_CLASSES_OF_NUMBERS = 10;
const MOST_CLASSES = MOST_COUNTED - 1;

/** What is decided on all rows of a table, before anything is learnt: how its cells are read, and which classes there are. */
export interface Decided {
  readonly columns: readonly ColumnDecision[];
  readonly target: TargetEncoder;
  /** The targets of all rows. */
  readonly y: Prepared['y'];
}

/**
 * Decides what the columns and the targets of a table are, without learning anything of it: on all rows, before some are held out.
 * Throws as {@link prepare}.
 *
 * @example
 * const whole = decide(table, { target: 'price' });
 * const { encoder, spec, x, y } = prepare(rest, { target: 'price', ...settled(whole) });
 */
export function decide(table: Table, options: PrepareOptions): Decided {
  return decideGrouped(table, options, undefined);
}

/**
 * {@link decide} where rows of one value of `group` stay together. That column is an identity, of which nothing is learnt unless it
 * is asked for. Throws `usage` for a group that is no column, or a target.
 */
export function decideGrouped(table: Table, options: PrepareOptions, group: string | undefined): Decided {
  expectKeys('options', options, KEYS);
  const { target, columns: given = {}, task, classes } = options;
  const targets = typeof target === 'string' ? [target] : target;
  if (!Array.isArray(targets) || targets.length === 0) {
    throw problem('usage', {
      subject: 'target',
      found: target,
      expected: 'the name of a column, or several',
    });
  }
  for (const name of targets) columnOf(table, name, 'target');
  const features = table.columns.filter(({ name }) => !targets.includes(name));
  if (group !== undefined) columnOf({ rows: table.rows, columns: features }, group, 'group');
  const isAsked = group === undefined || Object.hasOwn(given, group);
  const kinds = isAsked ? given : { ...given, [group]: 'leave' as const };
  const reasons = isAsked ? {} : { [group]: 'its values keep rows together' };
  const columns = decideKinds({ rows: table.rows, columns: features }, kinds, reasons);
  const decided = classes === undefined ? learnTarget(table, targets, task) : givenClasses(targets, classes);
  if (!columns.some(({ kind, distinct }) => kind !== 'leave' && distinct > 0)) {
    const left = columns.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    throw problem('data', {
      subject: 'The table',
      found: 'without a column to learn from',
      because: left,
      expected: 'at least one',
    });
  }
  return { columns, target: decided, y: encodeTargets(table, decided) };
}

/**
 * What was decided as options: for a part of the rows, whose means and categories are its own.
 *
 * @example prepare(rest, { target: 'price', ...settled(decide(table, { target: 'price' })) });
 */
export function settled({ columns, target }: Decided): Pick<PrepareOptions, 'columns' | 'task' | 'classes'> {
  return {
    columns: Object.fromEntries(columns.map(({ name, kind }) => [name, kind])),
    task: target.task,
    ...(target.task === 'classification' && { classes: target.classes }),
  };
}

/**
 * Learns from a table how its columns become features, and prepares it: numbers are standardised, gaps are the mean with a
 * feature that says so, categories are one-hot with one feature for those that training has not seen, dates become parts. Give
 * it the rows of training alone, so that nothing of others is learnt. Throws `usage` for options that are none, `data` for a
 * table that nothing can be learnt from.
 *
 * @example
 * const { spec, x, y } = prepare(tableOf(rows), { target: 'price' });
 * const model = await createModel(spec);
 * await model.fit({ x, y });
 */
export function prepare(table: Table, options: PrepareOptions): Prepared {
  const { columns, target, y } = decide(table, options);
  const { hidden = [64, 32] } = options;
  const encoder: TableEncoder = { version: 1, columns: learnColumns(table, columns), target };
  const classes = target.task === 'classification' ? target.classes : null;
  const spec = mlp({
    inputs: featuresOf(encoder.columns),
    hidden,
    outputs: target.task === 'classification' ? target.classes.length : target.names.length,
    inputType: 'sparse',
  });
  return {
    columns,
    encoder,
    spec: classes === null ? spec : { ...spec, classes },
    x: encodeFeatures(table, encoder.columns),
    y,
  };
}

function givenClasses(names: readonly string[], classes: readonly string[]): TargetEncoder {
  const isGood = Array.isArray(classes) && classes.every((name) => typeof name === 'string');
  if (!isGood || classes.length < 2 || new Set(classes).size < classes.length || names.length > 1) {
    const expected = 'two or more names that differ, of one target,';
    throw problem('usage', { subject: 'classes', found: classes, expected });
  }
  return { task: 'classification', name: names[0]!, classes };
}

function learnTarget(table: Table, names: readonly string[], task: PrepareOptions['task']): TargetEncoder {
  const columns = names.map((name) => columnOf(table, name).cells);
  const gap = columns.findIndex(hasGaps);
  if (gap >= 0) {
    const row = [...columns[gap]!].indexOf(null);
    throw problem('data', {
      subject: `target ${names[gap]} in row ${row}`,
      found: 'empty',
      expected: 'a value in every row',
    });
  }
  const values = new Set(columns.flatMap((cells) => [...factsOf(cells).values]));
  const areNumbers = (isGood: (value: unknown) => boolean): boolean =>
    columns.every((cells) => everyValue(cells, isGood));
  const numbers = areNumbers((value) => typeof value === 'number');
  const few = values.size <= MOST_CLASSES_OF_NUMBERS && areNumbers(Number.isInteger);
  const inferred = names.length === 1 && (!numbers || few) ? 'classification' : 'regression';
  if ((task ?? inferred) === 'regression') {
    if (values.size > 1) return { task: 'regression', names };
    throw oneValue(names[0]!, values);
  }
  if (names.length > 1) {
    throw problem('usage', { subject: 'target', found: names.join(', '), expected: 'one column of classes' });
  }
  if (values.size < 2) throw oneValue(names[0]!, values);
  if (values.size > MOST_CLASSES) {
    const found = `${values.size < MOST_COUNTED ? values.size : 'too many'} different values`;
    throw new TreadleError(
      'data',
      `target ${names[0]} has ${found}; at most ${MOST_CLASSES} classes are expected.`,
      {
        subject: 'target',
        found,
        expected: `at most ${MOST_CLASSES} classes`,
      },
    );
  }
  const classes = [...values].sort(numbers ? (a, b) => Number(a) - Number(b) : undefined);
  return { task: 'classification', name: names[0]!, classes };
}

function oneValue(name: string, values: ReadonlySet<string>): TreadleError {
  return problem('data', {
    subject: `target ${name}`,
    found: [...values][0] ?? 'without a row',
    because: 'in every row',
    expected: 'at least two values',
  });
}
