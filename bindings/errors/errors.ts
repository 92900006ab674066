/** The codes of {@link TreadleError}: stable words a program can branch on. docs/errors.md says what to do about each. */
export const ERROR_CODES = [
  'usage', // an option or argument that cannot be used, or an object that is no longer in use
  'not-found', // a file or folder that is not there
  'unreadable', // a file or folder that is there and cannot be read
  'unwritable', // a file or folder that cannot be written
  'locked', // a folder that another process is using
  'format', // bytes that are not what the format says
  'checksum', // a file whose SHA-256 is not the published one
  'shape', // sizes that do not fit together
  'range', // a value outside what is allowed
  'data', // a dataset that cannot be trained on
  'network', // a download that failed
  'engine', // a JavaScript engine that lacks what treadle needs
  'diverged', // a loss, weight or running statistic that became NaN or infinite
  'worker', // a worker thread that died
  'interrupted', // stopped by the user
] as const;

/** What went wrong, as one of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The parts of an error that a program may want to read. */
export interface ErrorDetails {
  /** The file, option or quantity that is wrong. */
  subject?: string;
  /** What was found. */
  found?: unknown;
  /** What was expected. */
  expected?: unknown;
  cause?: unknown;
}

/**
 * Every error treadle throws on purpose: one sentence that names the subject, what was found and what was expected.
 *
 * @example if (error instanceof TreadleError && error.code === 'diverged') retryWith(rate / 2);
 */
export class TreadleError extends Error {
  override readonly name = 'TreadleError';
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly found: unknown;
  readonly expected: unknown;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.subject = details.subject;
    this.found = details.found;
    this.expected = details.expected;
  }
}
