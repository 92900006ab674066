import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { ensureWritableFolder } from '../node/files.js';
import { isInProject } from '../node/paths.js';
import {
  differs,
  expectUnfinished,
  findRun,
  idOf,
  RECORD_FILE,
  readRecordFile,
  writeRecordFile,
} from '../node/run-folders.js';
import type { DatasetRecord, RunConfig } from '../results/records.js';
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

/** Folder of checkpoints in a run's folder, until the run is finished. */
export function checkpointsOf(folder: string): string {
  return join(folder, 'checkpoints');
}

/** Makes a run's folder with its settings and record, ready for checkpoints. Throws `unwritable`. */
export async function beginRun({ folder, config, record }: BegunRun): Promise<void> {
  await ensureWritableFolder(checkpointsOf(folder));
  await writeRecordFile(join(folder, 'config.json'), config);
  // Last: a folder with a record is a run that can be resumed.
  await writeRecord({ folder, record });
}

/** Writes a run's record anew. Throws `unwritable`. */
export async function writeRecord({ folder, record }: Omit<BegunRun, 'config'>): Promise<void> {
  await writeRecordFile(join(folder, RECORD_FILE), record);
}

/** Notes that a run is finished and removes its checkpoints. Throws `unwritable`. */
export async function finishRun({ folder, record }: Omit<BegunRun, 'config'>): Promise<void> {
  await writeRecord({ folder, record: { ...record, finished: true } });
  await rm(checkpointsOf(folder), { recursive: true, force: true });
}

/** Whether a run is finished. Throws `not-found`, `unreadable` or `format`. */
export async function isFinished(folder: string): Promise<boolean> {
  return (await readRecord(folder)).finished;
}

/**
 * A run to resume: by its folder, by its id among those in `out`, or the newest unfinished one there.
 * Throws `not-found` when there is none, `usage` for one that is finished, and `format` or `range` for one whose
 * record is broken.
 */
export async function openRun(run: string | null, out: string): Promise<BegunRun> {
  const folder = await findRun(run, out, async (folder) => !(await readRecord(folder)).finished);
  const record = await readRecord(folder);
  expectUnfinished(folder, record.finished);
  const file = join(folder, 'config.json');
  const config = checkConfig(await readRecordFile(file), file);
  return { folder, config, record };
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

/** Throws `not-found`, `unreadable` or `format`. */
async function readRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, RECORD_FILE);
  const parsed = v.safeParse(StoredRun, await readRecordFile(file));
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
