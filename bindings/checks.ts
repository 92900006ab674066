import { TreadleError } from './errors.js';

/** A `range` error: "subject is found; expected is expected." */
export function rangeError(subject: string, found: number, expected: string): TreadleError {
  return new TreadleError('range', `${subject} is ${found}; ${expected} is expected.`, {
    subject,
    found,
    expected,
  });
}

/** Throws `range` unless `found` is a whole number from `least` to `most`. */
export function expectWhole(subject: string, found: number, least: number, most: number): void {
  if (Number.isSafeInteger(found) && found >= least && found <= most) return;
  throw rangeError(subject, found, `a whole number from ${least} to ${most}`);
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
