import { TreadleError } from '#bindings';
import { shuffled } from './random.js';

/** Random streams of the split, one a class; see `shuffled`. */
const SPLIT_STREAM = 2 ** 40;
const SUBSET_STREAM = 2 ** 41;

/** Sample indices of the two parts, each ascending. */
export interface Split {
  train: Uint32Array;
  validation: Uint32Array;
}

/**
 * Divides samples into a validation part of exactly `validationSize` and the training part that is left. Each class
 * is divided in proportion, rounded by the largest remainder (ties to the lower class), and is present in both parts.
 * Every label must be below `classes`.
 * Throws `range` for a validation size that is not a whole number of at least one sample a class, and `data` when
 * there are too few samples.
 */
export function stratifiedSplit(
  labels: Uint8Array,
  classes: number,
  validationSize: number,
  seed: number,
): Split {
  checkSize('--validation-size', validationSize, classes);
  const all = Uint32Array.from({ length: labels.length }, (_, index) => index);
  const members = byClass(all, labels, classes);
  members.forEach((ofClass, label) => {
    if (ofClass.length >= 2) return;
    const found = ofClass.length === 1 ? '1 sample' : 'no samples';
    throw tooFew(
      'samples',
      `class ${label} has ${found}`,
      'at least two a class, one for each part of the split',
    );
  });
  if (labels.length - validationSize < classes) {
    throw tooFew(
      '--validation-size',
      `--validation-size ${validationSize} leaves ${Math.max(0, labels.length - validationSize)} of ${labels.length} for training`,
      `at least one a class, ${classes}`,
    );
  }
  const counts = members.map((ofClass) => ofClass.length);
  const most = counts.map((count) => count - 1);
  const validation = choose(members, allocate(counts, most, validationSize), seed, SPLIT_STREAM);
  const chosen = new Uint8Array(labels.length);
  for (const index of validation) chosen[index] = 1;
  return { train: all.filter((index) => chosen[index] === 0), validation };
}

/**
 * Chooses `count` of the given sample indices, each class in proportion as in `stratifiedSplit` and with at least
 * one sample; the result is ascending. Every label must be below `classes`. Throws `range` for a count that is not a whole number of at least one sample
 * a class and at most all samples, and `data` when a class has no samples.
 */
export function takeStratified(
  indices: Uint32Array,
  labels: Uint8Array,
  classes: number,
  count: number,
  seed: number,
): Uint32Array {
  checkSize('--train-samples', count, classes, indices.length);
  const members = byClass(indices, labels, classes);
  members.forEach((ofClass, label) => {
    if (ofClass.length === 0)
      throw tooFew('samples', `class ${label} has no samples`, 'at least one a class');
  });
  const counts = members.map((ofClass) => ofClass.length);
  return choose(members, allocate(counts, counts, count), seed, SUBSET_STREAM);
}

function byClass(indices: Uint32Array, labels: Uint8Array, classes: number): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (const index of indices) members[labels[index]!]!.push(index);
  return members;
}

/**
 * How many of `total` each class gets: in proportion to `counts`, at least 1 and at most `most`. Starts from the
 * quotas rounded down and corrects one at a time where the quota is missed most, which is the largest-remainder
 * method whenever the bounds do not bind. The misses are compared as whole numbers, `count * total - given * samples`.
 */
function allocate(counts: number[], most: number[], total: number): number[] {
  const samples = sum(counts);
  const given = counts.map((count, label) =>
    Math.min(Math.max(Math.floor((count * total) / samples), 1), most[label]!),
  );
  const missing = (label: number) => counts[label]! * total - given[label]! * samples;
  const labels = counts.map((_, label) => label);
  for (let left = total - sum(given); left !== 0; left -= Math.sign(left)) {
    const open = labels.filter((label) => (left > 0 ? given[label]! < most[label]! : given[label]! > 1));
    const worst = open.reduce((a, b) => ((missing(b) - missing(a)) * Math.sign(left) > 0 ? b : a));
    given[worst]! += Math.sign(left);
  }
  return given;
}

/** The first `given[label]` of each class in the order of its own random stream, all together ascending. */
function choose(members: number[][], given: number[], seed: number, stream: number): Uint32Array {
  const chosen = members.flatMap((ofClass, label) => {
    const order = shuffled(ofClass.length, seed, stream + label).subarray(0, given[label]);
    return Array.from(order, (position) => ofClass[position]!);
  });
  return Uint32Array.from(chosen).sort();
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function checkSize(option: string, found: number, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(found) && found >= least && found <= most) return;
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
  const expected = `a whole number of at least ${least} (one sample a class)${upTo}`;
  throw new TreadleError('range', `${option} is ${found}; ${expected} is expected.`, {
    subject: option,
    found,
    expected,
  });
}

function tooFew(subject: string, found: string, expected: string): TreadleError {
  return new TreadleError('data', `There are too few samples: ${found}; ${expected}, are expected.`, {
    subject,
    found,
    expected,
  });
}
