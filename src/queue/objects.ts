import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJobCheckpoint, encodeJobCheckpoint } from '../experiment/job-checkpoint.js';
import { joinParts } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import { readFileBounded } from '../node/files.js';
import { MAX_FILE_BYTES } from '../node/model-file.js';
import { epochRecord } from '../results/epochs.js';
import type { Job, TrainedModel } from '../results/records.js';
import { LIFE_SECONDS } from './keys.js';
import type { Store } from './store.js';

// The objects of a run: `runs/RUN/...`. Attempts stand in their names with leading zeros, so that a later attempt's sort
// behind an earlier one's, and a worker that was given up can never replace what a later one has stored.

const LIFE_MS = LIFE_SECONDS * 1000;

/** The largest checkpoint that is fetched, as the largest that is read from a folder. */
const MAX_CHECKPOINT = 2 ** 33;

/** Checkpoints kept of a job: the newest, and one before it should that be unreadable. */
const KEPT = 2;

/** What the names of all objects of a run begin with. */
export const objectsOf = (run: string) => `runs/${run}/`;

/** What the names of files of data begin with. */
export const DATA = 'data/';

const checkpointsAt = (run: string, job: string) => `${objectsOf(run)}checkpoints/${job}/`;
const resultAt = (run: string, job: string, attempt: number) =>
  `${objectsOf(run)}results/${job}/${padded(attempt)}`;
const startAt = (run: string, digest: string) => `${objectsOf(run)}starts/${digest}`;
const dataAt = (digest: string) => DATA + digest;

const padded = (attempt: number) => String(attempt).padStart(8, '0');

/** A checkpoint's file: its place in the training orders those of one attempt. */
const FILE = /-e(\d+)-b(\d+)-[0-9a-f]{16}\.safetensors$/;

function placeOf(file: string): [epochs: number, batches: number] {
  const [, epochs, batches] = FILE.exec(file)!;
  return [Number(epochs), Number(batches)];
}

/** The newest of a job's files in a folder of checkpoints; null where there is none. */
async function newestFile(folder: string): Promise<string | null> {
  const files = (await readdir(folder)).filter((file) => FILE.test(file));
  return files.sort((a, b) => order(placeOf(b), placeOf(a)))[0] ?? null;
}

const order = (a: number[], b: number[]) => a[0]! - b[0]! || a[1]! - b[1]!;

/**
 * Copies a job's newest checkpoint out of a folder into the store, and removes all but the newest two there. Returns whether
 * it did: that of the last epoch stays, as the result follows at once.
 */
export async function pushCheckpoint(
  store: Store,
  run: string,
  job: Job,
  attempt: number,
  folder: string,
): Promise<boolean> {
  const file = await newestFile(folder);
  if (file === null || placeOf(file)[0] >= job.epochs) return false;
  const bytes = await readFileBounded(join(folder, file), MAX_CHECKPOINT);
  const at = checkpointsAt(run, job.id);
  await store.put(`${at}${padded(attempt)}/${file}`, bytes, LIFE_MS);
  for (const name of (await checkpoints(store, run, job)).slice(KEPT)) await store.delete(name);
  return true;
}

/** Names of a job's checkpoints, newest first: by attempt, then by place. */
async function checkpoints(store: Store, run: string, job: Job): Promise<string[]> {
  const at = checkpointsAt(run, job.id);
  const pattern = /^(\d{8})\/([\w.+-]+)$/;
  const found = (await store.list(at)).flatMap((name) => {
    const [, attempt, file] = pattern.exec(name.slice(at.length)) ?? [];
    return file === undefined || !FILE.test(file)
      ? []
      : [{ name, rank: [Number(attempt), ...placeOf(file)] }];
  });
  return found
    .sort(({ rank: a }, { rank: b }) => b[0]! - a[0]! || order(b.slice(1), a.slice(1)))
    .map(({ name }) => name);
}

/**
 * Fetches the newest of a job's checkpoints that is whole into a folder, where training finds it. Returns a sentence for
 * each newer one that is not.
 */
export async function fetchCheckpoint(
  store: Store,
  run: string,
  job: Job,
  folder: string,
): Promise<string[]> {
  const problems: string[] = [];
  for (const name of await checkpoints(store, run, job)) {
    try {
      const bytes = await store.get(name, MAX_CHECKPOINT);
      if (bytes === null) continue;
      decodeJobCheckpoint(bytes, job, name);
      await writeFile(join(folder, name.slice(name.lastIndexOf('/') + 1)), bytes);
      return problems;
    } catch (error) {
      if ((error as { code?: string }).code !== 'format') throw error;
      problems.push((error as Error).message);
      await store.delete(name);
    }
  }
  return problems;
}

/** Keeps what a job's training gave: as a checkpoint of its last epoch that nothing can be trained on from. */
export async function pushResult(
  store: Store,
  run: string,
  job: Job,
  attempt: number,
  { epochs, kept, weights, last }: TrainedModel,
): Promise<void> {
  const parts = encodeJobCheckpoint(job, {
    epochs: epochs.map((figures) => ({ ...figures })),
    steps: 0,
    stopped: null,
    best: { epoch: kept.epoch, ...weights },
    state: {
      tensors: last.tensors,
      optimizer: { steps: 0, slots: [] },
      dropoutSteps: 0,
      batchesTracked: last.batchesTracked,
    },
  });
  await store.put(resultAt(run, job.id, attempt), joinParts(parts), LIFE_MS);
}

/** What a job's training gave. Throws `format` for what is no whole result of it, and for none. */
export async function fetchResult(
  store: Store,
  run: string,
  job: Job,
  attempt: number,
): Promise<TrainedModel> {
  const name = resultAt(run, job.id, attempt);
  const bytes = await store.get(name, MAX_CHECKPOINT);
  if (bytes === null) throw formatError(`The store ${store.location}`, `it has no ${name}`, "a job's result");
  const { epochs, best, state } = decodeJobCheckpoint(bytes, job, name);
  if (epochs.length !== job.epochs || best === null)
    throw formatError(name, `it has ${epochs.length} epochs`, `${job.epochs}`);
  const records = epochs.map(epochRecord);
  return {
    epochs: records,
    kept: { epoch: best.epoch, valMacroF1: records[best.epoch - 1]!.valMacroF1 },
    weights: { tensors: best.tensors, batchesTracked: best.batchesTracked },
    last: { tensors: state.tensors, batchesTracked: state.batchesTracked },
  };
}

/** Keeps the weights that jobs start from, by their SHA-256. */
export async function pushStart(store: Store, run: string, digest: string, bytes: Uint8Array): Promise<void> {
  await store.put(startAt(run, digest), bytes, LIFE_MS);
}

/** The bytes of weights that jobs start from. Throws `format` for any others. */
export async function fetchStart(store: Store, run: string, digest: string): Promise<Uint8Array> {
  return checked(store, startAt(run, digest), digest, MAX_FILE_BYTES);
}

/** Keeps a file of data by its SHA-256, unless it is there. */
export async function pushData(store: Store, digest: string, bytes: Uint8Array): Promise<void> {
  const name = dataAt(digest);
  if ((await store.list(name)).includes(name)) return;
  await store.put(name, bytes, LIFE_MS);
}

/** A file of data of so many bytes. Throws `format` for any other. */
export async function fetchData(store: Store, digest: string, bytes: number): Promise<Uint8Array> {
  return checked(store, dataAt(digest), digest, bytes);
}

async function checked(store: Store, name: string, digest: string, most: number): Promise<Uint8Array> {
  const bytes = await store.get(name, most);
  if (bytes === null) throw formatError(`The store ${store.location}`, `it has no ${name}`, 'that object');
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== digest) throw formatError(name, `its SHA-256 is ${found}`, digest);
  return bytes;
}
