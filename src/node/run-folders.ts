import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type BuildName, readWasm, TreadleError } from '#bindings';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { listFolder, readFileBounded, writeFileAtomic } from './files.js';

/** The file in a run's folder that makes it one. */
export const RECORD_FILE = 'run.json';

/** Larger than the settings of any run. */
const MAX_BYTES = 1 << 24;
const LIMITS: JsonLimits = { depth: 4, values: 1_000_000 };

/** A unique name that sorts by time: UTC time stamp and a random suffix. */
export function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}

/** A run's id: the name of its folder, however that was given. */
export function idOf(folder: string): string {
  return basename(resolve(folder));
}

/**
 * The folder of a run: by its path, by its id among those in `out`, or, for null, the newest there that `isUnfinished` says so
 * of; where that throws, there is no run. Throws `not-found` when there is none.
 */
export async function findRun(
  run: string | null,
  out: string,
  isUnfinished: (folder: string) => Promise<boolean>,
): Promise<string> {
  return run === null ? newestUnfinished(out, isUnfinished) : folderOf(run, out);
}

/** Run folders begin with the time: the last by name is the newest. */
async function newestUnfinished(
  out: string,
  isUnfinished: (folder: string) => Promise<boolean>,
): Promise<string> {
  for (const name of (await listFolder(out, 'a folder of runs')).reverse()) {
    const folder = join(out, name);
    if (await isUnfinished(folder).catch(() => false)) return folder;
  }
  throw new TreadleError('not-found', `${out} has no unfinished run; a run that was stopped is expected.`, {
    subject: out,
    found: 'no unfinished run',
    expected: 'a run that was stopped',
  });
}

async function folderOf(run: string, out: string): Promise<string> {
  for (const folder of [run, join(out, run)]) {
    if ((await stat(join(folder, RECORD_FILE)).catch(() => null)) !== null) return folder;
  }
  throw new TreadleError(
    'not-found',
    `${run} is no run, nor is one of that name in ${out}; a run's folder or id is expected.`,
    { subject: run, found: 'no run', expected: "a run's folder or id" },
  );
}

/** Throws `usage` for a run that has nothing left to do. */
export function expectUnfinished(folder: string, isFinished: boolean): void {
  if (!isFinished) return;
  throw new TreadleError('usage', `Run ${idOf(folder)} is finished; an unfinished run is expected.`, {
    subject: folder,
    found: 'a finished run',
    expected: 'an unfinished run',
  });
}

/** Throws `usage`: a run would go on with something else than it was begun with. */
export function differs(folder: string, subject: string, found: unknown, expected: unknown): never {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  throw new TreadleError(
    'usage',
    `Run ${idOf(folder)} cannot be resumed: ${subject} is ${text(found)}; ${text(expected)} is expected, as the run was begun with.`,
    { subject, found, expected },
  );
}

/** Writes a record. Throws `unwritable`. */
export async function writeRecordFile(path: string, value: object): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Reads the object of a record. Throws `not-found`, `unreadable` and `format`. */
export async function readRecordFile(path: string): Promise<object> {
  const text = Buffer.from(await readFileBounded(path, MAX_BYTES)).toString('utf8');
  const expected = "a JSON object, a run's record,";
  const fail = (found: string, cause?: unknown): never => {
    throw new TreadleError('format', `${path} ${found}; ${expected} is expected.`, {
      subject: path,
      found,
      expected,
      cause,
    });
  };
  const problem = structureProblem(text, LIMITS);
  if (problem !== null) return fail(problem);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return fail('is not JSON', cause);
  }
  return typeof json === 'object' && json !== null ? json : fail('holds no object');
}

/** SHA-256 (hex) of a build's binary. Throws `not-found`. */
export async function coreDigest(build: string): Promise<string> {
  return createHash('sha256')
    .update(await readWasm(build as BuildName))
    .digest('hex');
}
