import { TreadleError } from './errors.js';
import { problem } from './problem.js';

// Checks of arguments. Each throws before anything is written, and names the parameter, what it is and what it should be.

/** A `range` error: "subject is found; expected is expected." */
export function rangeError(subject: string, found: unknown, expected: string): TreadleError {
  return problem('range', { subject, found, expected });
}

/** What is no number as it stands in a sentence: text in quotes, which would read as a number or as nothing. */
export function asText(found: unknown): unknown {
  return typeof found === 'string' ? `'${found}'` : found;
}

/** Throws `range` unless `found` is a whole number from `least` to `most`. */
export function expectWhole(
  subject: string,
  found: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): asserts found is number {
  if (Number.isSafeInteger(found) && (found as number) >= least && (found as number) <= most) return;
  const upTo = most === Number.MAX_SAFE_INTEGER ? `${least} up` : `${least} to ${most}`;
  throw rangeError(subject, asText(found), `a whole number from ${upTo}`);
}

/** Throws `range` unless `found` is a finite number that `isGood` accepts; `expected` says which those are. */
export function expectNumber(
  subject: string,
  found: unknown,
  expected: string,
  isGood: (value: number) => boolean = () => true,
): asserts found is number {
  if (typeof found === 'number' && Number.isFinite(found) && isGood(found)) return;
  throw rangeError(subject, asText(found), expected);
}

/** Throws `shape` unless a length is the expected one. */
export function expectLength(subject: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new TreadleError('shape', `${subject} has length ${found}; ${expected} is expected.`, {
    subject,
    found,
    expected,
  });
}

/** Throws `usage` unless `found` is one of `choices`. */
export function expectOneOf<T extends string>(
  subject: string,
  found: unknown,
  choices: readonly T[],
): asserts found is T {
  if (choices.includes(found as T)) return;
  const expected = choices.length === 1 ? `'${choices[0]}'` : `one of ${choices.join(', ')}`;
  throw problem('usage', { subject, found: typeof found === 'string' ? `'${found}'` : found, expected });
}

/** Throws `usage` unless `found` is true, false or left out. */
export function expectBoolean(subject: string, found: unknown): asserts found is boolean | undefined {
  if (found === undefined || typeof found === 'boolean') return;
  throw problem('usage', { subject, found, expected: 'true or false' });
}

/** Throws `usage` unless `found` is a plain object whose keys are all among `known`. */
export function expectKeys(
  subject: string,
  found: unknown,
  known: readonly string[],
): asserts found is object {
  if (typeof found !== 'object' || found === null || Array.isArray(found) || ArrayBuffer.isView(found)) {
    throw problem('usage', { subject, found, expected: 'an object' });
  }
  const unknown = Object.keys(found).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const expected = `known keys only (${known.join(', ')})`;
  throw new TreadleError('usage', `${subject} has the unknown key '${unknown}'; ${expected} are expected.`, {
    subject: `${subject}.${unknown}`,
    found: unknown,
    expected,
  });
}
