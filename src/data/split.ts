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

/** The default number of validation samples; a smaller dataset gives one in {@link DEFAULT_SHARE}. */
const DEFAULT_MOST = 10_000;
const DEFAULT_SHARE = 6;

/**
 * The validation size of a dataset when none is given: 10,000, or a sixth of the samples where that is fewer; at
 * least one of each class that has two, and none that is the last of its class. 0 when no class has two.
 */
export function defaultValidationSize(labels: Uint8Array, classes: number): number {
  const counts = countsOf(labels, classes);
  const least = counts.filter((count) => count >= 2).length;
  const most = labels.length - counts.filter((count) => count >= 1).length;
  const share = Math.min(DEFAULT_MOST, Math.floor(labels.length / DEFAULT_SHARE));
  return Math.min(Math.max(least, share), most);
}

/**
 * Divides samples into a validation part of exactly `validationSize`, or of `defaultValidationSize` where that
 * is null, and the training part that is left. Each class is divided in proportion, rounded by the largest remainder
 * (ties to the lower class). A class of two samples or more is present in both parts, one of a single sample in the
 * training part only; a class may have none. Every label must be below `classes`.
 * Throws `range` for a validation size that is not a whole number of at least one sample of each class that can be
 * divided, and `data` when there are too few samples.
 *
 * @example const { train, validation } = stratifiedSplit(labels, 10, 1000, seed);
 */
export function stratifiedSplit(
  labels: Uint8Array,
  classes: number,
  validationSize: number | null,
  seed: number,
): Split {
  const counts = countsOf(labels, classes);
  const divisible = counts.filter((count) => count >= 2).length;
  if (divisible === 0) {
    throw tooFew('samples', 'no class has two', 'at least two of one class, one for each part of the split');
  }
  const size = validationSize ?? defaultValidationSize(labels, classes);
  checkSize('validationSize', size, divisible, 'one of each class that has two');
  const present = counts.filter((count) => count >= 1).length;
  if (labels.length - size < present) {
    throw tooFew(
      'validationSize',
      `validationSize ${size} leaves ${Math.max(0, labels.length - size)} of ${labels.length} for training`,
      `at least one of each class, ${present}`,
    );
  }
  const all = Uint32Array.from({ length: labels.length }, (_, index) => index);
  const members = byClass(all, labels, classes);
  const least = counts.map((count) => (count >= 2 ? 1 : 0));
  const most = counts.map((count) => Math.max(0, count - 1));
  const validation = choose(members, allocate(counts, least, most, size), seed, SPLIT_STREAM);
  const chosen = new Uint8Array(labels.length);
  for (const index of validation) chosen[index] = 1;
  return { train: all.filter((index) => chosen[index] === 0), validation };
}

/**
 * Chooses `count` of the given sample indices, each class in proportion as in `stratifiedSplit` and with at least
 * one sample if it has any; the result is ascending. Every label must be below `classes`. Throws `range` for a count
 * that is not a whole number of at least one sample of each class that has any, and at most all samples.
 *
 * @example const some = takeStratified(indices, labels, 10, 1000, seed);
 */
export function takeStratified(
  indices: Uint32Array,
  labels: Uint8Array,
  classes: number,
  count: number,
  seed: number,
): Uint32Array {
  const members = byClass(indices, labels, classes);
  const counts = members.map((ofClass) => ofClass.length);
  const least = counts.map((ofClass) => Math.min(1, ofClass));
  checkSize('trainSamples', count, sum(least), 'one of each class', indices.length);
  return choose(members, allocate(counts, least, counts, count), seed, SUBSET_STREAM);
}

function countsOf(labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

function byClass(indices: Uint32Array, labels: Uint8Array, classes: number): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  for (const index of indices) members[labels[index]!]!.push(index);
  return members;
}

/**
 * How many of `total` each class gets: in proportion to `counts`, at least `least` and at most `most`. Starts from the
 * quotas rounded down and corrects one at a time where the quota is missed most, which is the largest-remainder
 * method whenever the bounds do not bind. The misses are compared as whole numbers, `count * total - given * samples`.
 */
function allocate(counts: number[], least: number[], most: number[], total: number): number[] {
  const samples = sum(counts);
  const given = counts.map((count, label) =>
    Math.min(Math.max(Math.floor((count * total) / samples), least[label]!), most[label]!),
  );
  const missing = (label: number) => counts[label]! * total - given[label]! * samples;
  const labels = counts.map((_, label) => label);
  for (let left = total - sum(given); left !== 0; left -= Math.sign(left)) {
    const open = labels.filter((label) =>
      left > 0 ? given[label]! < most[label]! : given[label]! > least[label]!,
    );
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

function checkSize(
  name: string,
  found: number,
  least: number,
  why: string,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(found) && found >= least && found <= most) return;
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
  const expected = `a whole number of at least ${least} (${why})${upTo}`;
  throw new TreadleError('range', `${name} is ${found}; ${expected} is expected.`, {
    subject: name,
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
