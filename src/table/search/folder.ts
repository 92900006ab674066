import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { checkpointParts, decodeCheckpoint } from '../../formats/checkpoint-bytes.js';
import {
  ensureWritableFolder,
  readFileBounded,
  readFileInPieces,
  removeTemporaries,
  writeFileAtomic,
} from '../../node/files.js';
import {
  differs,
  expectUnfinished,
  findRun,
  idOf,
  RECORD_FILE,
  readRecordFile,
  writeRecordFile,
} from '../../node/run-folders.js';
import type { TrialRecord } from './records.js';
import type { TrialStore } from './store.js';

/** What a search was begun with, and a file of a table that it reads. Paths are as `recordedPath` gives them. */
export interface SearchRecord {
  kind: 'search';
  schema: 1;
  /** The build that was chosen, and the SHA-256 (hex) of its binary. */
  build: string;
  core: string;
  /** Files that it reads, with their SHA-256 (hex); null for one that was not asked for. */
  table: { path: string; hash: string };
  test: { path: string; hash: string } | null;
  /** Where the model goes. */
  model: string;
  /** True once the model is saved and everything reported. */
  finished: boolean;
}

const text = v.string('a text');
const file = v.object({ path: text, hash: text }, 'an object');
const StoredSearch = v.object({
  kind: v.literal('search', 'search'),
  schema: v.literal(1, 'version 1'),
  build: text,
  core: text,
  table: file,
  test: v.nullable(file),
  model: text,
  finished: v.boolean('true or false'),
});

/** As much of a training's record as is read before its search is done. */
const StoredTrial = v.looseObject({
  id: text,
  candidate: text,
  rows: v.looseObject({}),
  epochs: v.array(v.looseObject({ epoch: v.number() })),
  ended: v.picklist(['epochs', 'patience', 'halved', 'failed']),
  scores: v.nullable(v.looseObject({ task: text })),
});

/** Least time between two checkpoints of a training, in milliseconds: what is lost at most when the process is killed. */
const EVERY = 5000;

/** The largest checkpoint that is read. */
const MAX_BYTES = 2 ** 33;
const DIGEST_BYTES = 32;

/** A search's folder, its settings and its record. */
export interface BegunSearch {
  folder: string;
  config: object;
  record: SearchRecord;
}

/** Folder of what a search goes on from, until it is finished. */
function trialsOf(folder: string): string {
  return join(folder, 'trials');
}

/** Makes a search's folder, which has been locked, ready to begin or to go on. Throws `unwritable`. */
export async function beginSearch({ folder, config, record }: BegunSearch): Promise<void> {
  await ensureWritableFolder(trialsOf(folder));
  await removeTemporaries(folder);
  await removeTemporaries(trialsOf(folder));
  await writeRecordFile(join(folder, 'config.json'), config);
  // Last: a folder with a record is one that can be resumed.
  await writeRecordFile(join(folder, RECORD_FILE), record);
}

/** Notes that a search is finished and removes what it would go on from. Throws `unwritable`. */
export async function finishSearch({ folder, record }: BegunSearch): Promise<void> {
  await writeRecordFile(join(folder, RECORD_FILE), { ...record, finished: true });
  await rm(trialsOf(folder), { recursive: true, force: true });
}

/**
 * A search to go on with: by its folder, by its id among the runs in `out`, or, for null, the newest unfinished one there.
 * Throws `not-found` when there is none, `usage` for one that is finished, and `format` for one whose record is broken.
 */
export async function openSearch(run: string | null, out: string): Promise<BegunSearch> {
  const folder = await findRun(run, out, async (folder) => !(await readSearch(folder)).finished);
  const begun = await readBegun(folder);
  expectUnfinished(folder, begun.record.finished);
  return begun;
}

/** The settings and the record in a search's folder. Throws `format` for a broken record. */
export async function readBegun(folder: string): Promise<BegunSearch> {
  const record = await readSearch(folder);
  return { folder, config: await readRecordFile(join(folder, 'config.json')), record };
}

/** Throws `usage` when a search would go on with another build, another binary of it or other rows. */
export function expectSameSearch(
  { folder, record }: BegunSearch,
  found: Pick<SearchRecord, 'build' | 'core' | 'table' | 'test'>,
): void {
  if (found.build !== record.build) differs(folder, 'the build', found.build, record.build);
  if (found.core !== record.core) differs(folder, "the core's SHA-256", found.core, record.core);
  for (const name of ['table', 'test'] as const) {
    const [is, was] = [found[name]?.hash ?? 'none', record[name]?.hash ?? 'none'];
    if (is !== was)
      differs(folder, `the SHA-256 of the ${name === 'table' ? 'table' : 'rows to test on'}`, is, was);
  }
}

/** SHA-256 (hex) of a file. Throws `not-found` and `unreadable`. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readFileInPieces(path)) hash.update(piece);
  return hash.digest('hex');
}

/**
 * Keeps a search's trainings as files of its folder, each written whole. One that is torn or damaged counts as none, and its
 * training begins anew.
 */
export function folderStore(folder: string): TrialStore {
  const recordFile = (name: string) => join(trialsOf(folder), `${name}.json`);
  const checkpointFile = (trial: string) => join(trialsOf(folder), `${trial}.checkpoint`);
  return {
    every: EVERY,
    async record(name) {
      const parsed = v.safeParse(StoredTrial, await unlessBroken(readRecordFile(recordFile(name))));
      return parsed.success ? (parsed.output as unknown as TrialRecord) : null;
    },
    keepRecord: (name, record) => writeRecordFile(recordFile(name), record),
    async checkpoint(trial) {
      const path = checkpointFile(trial);
      const bytes = await unlessBroken(readFileBounded(path, MAX_BYTES));
      if (bytes === null) return null;
      const end = Math.max(0, bytes.length - DIGEST_BYTES);
      if (!digestOf([bytes.subarray(0, end)]).equals(bytes.subarray(end))) return null;
      return unlessBroken((async () => decodeCheckpoint(bytes.subarray(0, end), path))());
    },
    async keepCheckpoint(trial, { model, statistics, training }) {
      const parts = checkpointParts(model, model, statistics, training);
      await writeFileAtomic(checkpointFile(trial), [...parts, digestOf(parts)]);
    },
    dropCheckpoint: (trial) => rm(checkpointFile(trial), { force: true }),
  };
}

/** What is read, or null where it is not there or is no such file. */
async function unlessBroken<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof TreadleError && ['not-found', 'format'].includes(error.code)) return null;
    throw error;
  }
}

function digestOf(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Throws `format` for a record that is none of a search. */
async function readSearch(folder: string): Promise<SearchRecord> {
  const path = join(folder, RECORD_FILE);
  const parsed = v.safeParse(StoredSearch, await readRecordFile(path));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const subject = v.getDotPath(issue) ?? 'the content';
  const found = issue.input === undefined ? 'missing' : issue.received;
  const expected = `${issue.message}, as run ${idOf(folder)} of a search has,`;
  throw new TreadleError('format', `${path}: ${subject} is ${found}; ${expected} is expected.`, {
    subject: path,
    found,
    expected,
  });
}
