import { type ErrorCode, TreadleError } from './errors.js';

/** The parts of an error's sentence: "subject is found (because); expected is expected." */
export interface Problem {
  /** The parameter, file or quantity that is wrong, as the caller knows it. */
  subject: string;
  /** What it is, in words or as a value. */
  found: unknown;
  /** What it should be, in words. */
  expected: string;
  /** A reason that stands in brackets behind what was found. */
  because?: string;
  cause?: unknown;
}

/** The longest text of a value that a sentence holds. */
const MOST_CHARACTERS = 60;

/** The one constructor of errors about a value: the sentence is built from the parts, so the two cannot disagree. */
export function problem(
  code: ErrorCode,
  { subject, found, expected, because, cause }: Problem,
): TreadleError {
  const reason = because === undefined ? '' : ` (${because})`;
  return new TreadleError(code, `${subject} is ${inWords(found)}${reason}; ${expected} is expected.`, {
    subject,
    found,
    expected,
    cause,
  });
}

/** A value as it stands in a sentence: short, on one line, its kind named where its text would not show it. */
export function inWords(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string')
    return value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value;
  if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`;
  if (ArrayBuffer.isView(value))
    return `a ${kindOf(value)} of length ${(value as Uint8Array).length ?? value.byteLength}`;
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty array' : `an array of length ${value.length}`;
  return `an object (${kindOf(value)})`;
}

/** The name of an object's class. */
export function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
