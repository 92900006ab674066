import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { type BuildName, readWasm, TreadleError } from '#bindings';
import { ensureWritableFolder, listFolder, readFileBounded, writeFileAtomic } from '../node/files.js';
import { isInProject } from '../node/paths.js';
import type { DatasetRecord, RunConfig } from '../results/records.js';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { checkConfig, resolveConfig } from './config.js';
import { SETTINGS } from './settings.js';

/** A run folder's `run.json`: what resuming needs besides the settings, which are in `config.json`. */
export interface RunRecord {
  /** 1 is treadle 0.1.0's: its folders are absolute, and it has nothing in `replaceable`. */
  schema: 1 | 2;
  /** The build that was chosen, and the SHA-256 (hex) of its binary. */
  build: string;
  core: string;
  /** Identity of the data, and the folder it was asked for from, as `recordedPath` gives it; null for the usual places. */
  dataset: Pick<DatasetRecord, 'name' | 'hash'>;
  data: string | null;
  verify: boolean;
  /** Folder of the weights, as `recordedPath` gives it. */
  weights: string;
  /** What its models started from: the path as it was given, and each architecture's SHA-256 (hex); null for fresh weights. */
  from: { path: string; digests: Record<string, string> } | null;
  /**
   * SHA-256 (hex) of the files that it may replace among the weights: those it has saved itself, noted before they are
   * written, and those it was allowed to replace.
   */
  replaceable: string[];
  /** True once everything is trained and reported: then nothing is left to resume. */
  finished: boolean;
}

/** A run that was begun: its folder, its settings as they were resolved, and its record. */
export interface BegunRun {
  folder: string;
  config: RunConfig;
  record: RunRecord;
}

const StoredRun = v.object({
  schema: v.picklist([1, 2], 'version 1 or 2'),
  build: v.string('a text'),
  core: v.string('a text'),
  dataset: v.object({ name: v.string('a text'), hash: v.string('a text') }, 'an object'),
  data: v.nullable(v.string('a text')),
  verify: v.boolean('true or false'),
  weights: v.string('a text'),
  from: v.optional(
    v.nullable(
      v.object(
        { path: v.string('a text'), digests: v.record(v.string('a text'), v.string('a text'), 'an object') },
        'an object',
      ),
    ),
    null,
  ),
  replaceable: v.optional(v.array(v.string('a text'), 'a list of SHA-256 digests'), []),
  finished: v.boolean('true or false'),
});

/** Larger than the settings of any run. */
const MAX_BYTES = 1 << 24;
const LIMITS: JsonLimits = { depth: 4, values: 1_000_000 };

/** Folder of checkpoints in a run's folder, until the run is finished. */
export function checkpointsOf(folder: string): string {
  return join(folder, 'checkpoints');
}

/** Makes a run's folder with its settings and record, ready for checkpoints. Throws `unwritable`. */
export async function beginRun({ folder, config, record }: BegunRun): Promise<void> {
  await ensureWritableFolder(checkpointsOf(folder));
  await writeJson(join(folder, 'config.json'), config);
  // Last: a folder with a record is a run that can be resumed.
  await writeRecord({ folder, record });
}

/** Writes a run's record anew. Throws `unwritable`. */
export async function writeRecord({ folder, record }: Omit<BegunRun, 'config'>): Promise<void> {
  await writeJson(join(folder, 'run.json'), record);
}

/** Notes that a run is finished and removes its checkpoints. Throws `unwritable`. */
export async function finishRun({ folder, record }: Omit<BegunRun, 'config'>): Promise<void> {
  await writeRecord({ folder, record: { ...record, finished: true } });
  await rm(checkpointsOf(folder), { recursive: true, force: true });
}

async function writeJson(path: string, value: RunConfig | RunRecord): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * A run to resume: by its folder, by its id among those in `out`, or the newest unfinished one there.
 * Throws `not-found` when there is none, `usage` for one that is finished, and `format` or `range` for one whose
 * record is broken.
 */
export async function openRun(run: string | null, out: string): Promise<BegunRun> {
  const folder = run === null ? await newestUnfinished(out) : await folderOf(run, out);
  const record = await readRecord(folder);
  if (record.finished) {
    throw new TreadleError('usage', `Run ${idOf(folder)} is finished; an unfinished run is expected.`, {
      subject: folder,
      found: 'a finished run',
      expected: 'an unfinished run',
    });
  }
  const file = join(folder, 'config.json');
  const config = checkConfig(await readJson(file), file);
  return { folder, config, record };
}

/** A run's id: the name of its folder, however that was given. */
export function idOf(folder: string): string {
  return basename(resolve(folder));
}

/**
 * Where a run to resume saves its weights. Throws `usage` for a record of treadle 0.1.0 that names a folder outside the
 * run's project: that may be the original of a copy, or what a moved project has left.
 */
export function weightsFolderOf({ folder, record }: BegunRun): string {
  const path = resolve(folder, record.weights);
  if (record.schema === 2 || isInProject(path, folder)) return path;
  throw new TreadleError(
    'usage',
    `Run ${idOf(folder)} was begun with the weights folder ${path}, which may belong to another copy of it; the folder where its weights go now is expected.`,
    { subject: 'the weights folder', found: path, expected: 'the folder where its weights go now' },
  );
}

/** Run folders begin with the time: the last by name is the newest. A folder without a whole record is no run. */
async function newestUnfinished(out: string): Promise<string> {
  for (const name of (await listFolder(out, 'a folder of runs')).reverse()) {
    const folder = join(out, name);
    const record = await readRecord(folder).catch(() => null);
    if (record?.finished === false) return folder;
  }
  throw new TreadleError('not-found', `${out} has no unfinished run; a run that was stopped is expected.`, {
    subject: out,
    found: 'no unfinished run',
    expected: 'a run that was stopped',
  });
}

async function folderOf(run: string, out: string): Promise<string> {
  for (const folder of [run, join(out, run)]) {
    if ((await stat(join(folder, 'run.json')).catch(() => null)) !== null) return folder;
  }
  throw new TreadleError(
    'not-found',
    `${run} is no run, nor is one of that name in ${out}; a run's folder or id is expected.`,
    { subject: run, found: 'no run', expected: "a run's folder or id" },
  );
}

/** Throws `not-found`, `unreadable` or `format`. */
async function readRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, 'run.json');
  const parsed = v.safeParse(StoredRun, await readJson(file));
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const subject = v.getDotPath(issue) ?? 'the content';
  const missing = issue.input === undefined;
  const found = missing ? 'missing' : issue.received;
  const expected = missing ? 'a whole record' : issue.message;
  throw new TreadleError('format', `${file}: ${subject} is ${found}; ${expected} is expected.`, {
    subject: file,
    found,
    expected,
  });
}

async function readJson(path: string): Promise<object> {
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

/**
 * The settings of a resumed run: its own, but as given for those that change no byte.
 * Throws `usage` for any other setting given that differs from the run's.
 */
export function resumedConfig({ folder, config, record }: BegunRun, given: Partial<RunConfig>): RunConfig {
  const names = (Object.keys(given) as (keyof RunConfig)[]).filter((name) => given[name] !== undefined);
  for (const name of names) {
    const isSame = isDeepStrictEqual(given[name], config[name]);
    const isBuild = name === 'build' && given.build === record.build;
    if (SETTINGS[name].changesBytes && !isSame && !isBuild) differs(folder, name, given[name], config[name]);
  }
  const free = names.filter((name) => !SETTINGS[name].changesBytes);
  return resolveConfig({ ...config, ...Object.fromEntries(free.map((name) => [name, given[name]])) });
}

/** Throws `usage` when a run would go on with another build, another binary of it or other data. */
export function expectSame(
  { folder, record }: BegunRun,
  found: Pick<RunRecord, 'build' | 'core' | 'dataset'>,
): void {
  if (found.build !== record.build) differs(folder, 'the build', found.build, record.build);
  if (found.core !== record.core) differs(folder, "the core's SHA-256", found.core, record.core);
  if (found.dataset.hash !== record.dataset.hash) {
    const named = ({ name, hash }: RunRecord['dataset']) => `${name} (SHA-256 ${hash})`;
    differs(folder, 'the data', named(found.dataset), named(record.dataset));
  }
}

function differs(folder: string, subject: string, found: unknown, expected: unknown): never {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  throw new TreadleError(
    'usage',
    `Run ${idOf(folder)} cannot be resumed: ${subject} is ${text(found)}; ${text(expected)} is expected, as the run was begun with.`,
    { subject, found, expected },
  );
}

/** SHA-256 (hex) of a build's binary. Throws `not-found`. */
export async function coreDigest(build: string): Promise<string> {
  return createHash('sha256')
    .update(await readWasm(build as BuildName))
    .digest('hex');
}
