import {
  asText,
  type Head,
  isList,
  LOSSES,
  type Loss,
  type ModelSpec,
  outputsOf,
  placeOf,
  problem,
  rangeError,
} from '#bindings';
import { isRows, joinRows, type Row } from './features.js';

/** What is to be predicted: class indices or names, numbers, or a matrix with a column for each output. */
export type TargetValues = ArrayLike<number> | readonly (string | boolean)[] | readonly Row[];

/** What a model learns to do. */
export const TASKS = ['classification', 'multilabel', 'regression'] as const;
export type Task = (typeof TASKS)[number];

/** Targets in the form that the core takes. */
export interface AdaptedTargets {
  /** Class indices, or a row-major matrix (rows, outputs). */
  readonly values: Uint32Array | Float64Array;
  /** Names of the classes in the order of their indices, where the targets were names. */
  readonly classes: readonly string[] | null;
}

/** The task that targets speak of: names and class indices, a 0/1 matrix, or numbers. */
export function inferTask(y: unknown, model: ModelSpec): Task {
  if (model.output !== undefined) return taskOf(model.output.head);
  if (model.classes !== undefined) return 'classification';
  const outputs = outputsOf(model);
  if (Array.isArray(y) && y.some((value) => typeof value === 'string')) return 'classification';
  if (isRows(y) || outputs === 1) return everyValue(y, isBit) ? 'multilabel' : 'regression';
  // A flat list of as many numbers as there are rows is one of classes; a matrix has more.
  return everyValue(y, (value) => Number.isSafeInteger(value) && value >= 0 && value < outputs)
    ? 'classification'
    : 'regression';
}

/** The task of a head. */
export function taskOf(head: Head): Task {
  return head === 'softmax' ? 'classification' : head === 'sigmoid' ? 'multilabel' : 'regression';
}

/** The head of a task. */
export function headOfTask(task: Task): Head {
  return task === 'classification' ? 'softmax' : task === 'multilabel' ? 'sigmoid' : 'identity';
}

function isBit(value: number): boolean {
  return value === 0 || value === 1;
}

function everyValue(y: unknown, isGood: (value: number) => boolean): boolean {
  if (!isList(y)) return false;
  for (let at = 0; at < y.length; at++) {
    const value: unknown = y[at];
    if (isList(value)) {
      if (!everyValue(value, isGood)) return false;
    } else if (!isGood(typeof value === 'boolean' ? Number(value) : (value as number))) return false;
  }
  return y.length > 0;
}

/**
 * Targets as the loss takes them, checked against the number of rows. Class names become indices: in the order of `classes`
 * or, where there are none yet, in the order of JavaScript's comparison of strings. Throws `usage`, `shape` or `range` by
 * place for what cannot be a target.
 */
export function adaptTargets(
  subject: string,
  y: unknown,
  rows: number,
  model: ModelSpec,
  loss: Loss,
  classes: readonly string[] | null = model.classes ?? null,
): AdaptedTargets {
  if (!isList(y)) throw problem('usage', { subject, found: y, expected: 'an array of targets' });
  return LOSSES[loss.type].targets === 'classes'
    ? adaptClasses(subject, y, rows, model, classes)
    : { values: adaptMatrix(subject, y, rows, model, loss), classes: null };
}

function adaptClasses(
  subject: string,
  y: ArrayLike<unknown>,
  rows: number,
  model: ModelSpec,
  known: readonly string[] | null,
): AdaptedTargets {
  const outputs = outputsOf(model);
  expectRows(subject, y.length, rows);
  const named = Array.from(y).some((value) => typeof value === 'string');
  const classes = named ? (known ?? namesOf(subject, y)) : known;
  if (named && classes!.length !== outputs) {
    throw problem('shape', {
      subject: 'The number of outputs',
      found: outputs,
      expected: `${classes!.length}, as many as there are class names in ${subject},`,
    });
  }
  const indices = named ? new Map(classes!.map((name, index) => [name, index])) : null;
  const values = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const given = y[row];
    const value = indices?.get(given as string) ?? (typeof given === 'boolean' ? Number(given) : given);
    if (
      !Number.isSafeInteger(value) ||
      (value as number) < 0 ||
      (value as number) >= outputs ||
      (indices !== null && typeof given !== 'string')
    ) {
      const expected = indices
        ? `one of the classes ${preview(classes!)}`
        : `a class from 0 to ${outputs - 1}`;
      throw rangeError(`${subject}[${row}]`, given, expected);
    }
    values[row] = value as number;
  }
  return { values, classes };
}

function namesOf(subject: string, y: ArrayLike<unknown>): string[] {
  const names = new Set<string>();
  for (let row = 0; row < y.length; row++) {
    const name = y[row];
    if (typeof name !== 'string') throw rangeError(`${subject}[${row}]`, name, 'the name of a class');
    names.add(name);
  }
  return [...names].sort();
}

function preview(names: readonly string[]): string {
  const first = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${first}, … (${names.length} in all)` : first;
}

function adaptMatrix(
  subject: string,
  y: ArrayLike<unknown>,
  rows: number,
  model: ModelSpec,
  loss: Loss,
): Float64Array {
  const outputs = outputsOf(model);
  const flat = isRows(y) ? joinRows(subject, y, outputs) : y;
  if (flat.length !== rows * outputs) {
    const found = isRows(y) ? y.length : flat.length;
    const wanted = isRows(y) || outputs === 1 ? rows : rows * outputs;
    throw problem('shape', {
      subject: `${subject}.length`,
      found,
      ...(found === rows && { because: `not read as classes from 0 to ${outputs - 1}` }),
      expected: `${wanted}, for ${rows} samples,`,
    });
  }
  const values = new Float64Array(flat.length);
  for (let at = 0; at < flat.length; at++) {
    const given = flat[at];
    const value = typeof given === 'boolean' ? Number(given) : given;
    const isGood = typeof value === 'number' && Number.isFinite(Math.fround(value));
    const inRange = isGood && (loss.type !== 'binaryCrossEntropy' || (value >= 0 && value <= 1));
    if (!inRange) {
      const expected = loss.type === 'binaryCrossEntropy' ? 'a number from 0 to 1' : 'a finite number';
      throw rangeError(`${subject} at ${placeOf(at, outputs)}`, asText(given), expected);
    }
    values[at] = value as number;
  }
  return values;
}

function expectRows(subject: string, found: number, rows: number): void {
  if (found === rows) return;
  throw problem('shape', { subject: `${subject}.length`, found, expected: `${rows}, one for each sample,` });
}
