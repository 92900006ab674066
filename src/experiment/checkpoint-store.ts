import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { listFolder, readFileBounded, writeFileAtomic } from '../node/files.js';
import type { Job } from '../results/records.js';
import type { Checkpoint } from '../train/loop.js';
import { decodeJobCheckpoint, encodeJobCheckpoint } from './job-checkpoint.js';

/** The largest checkpoint that is read: no network that fits into WebAssembly's memory has a larger one. */
const MAX_BYTES = 2 ** 33;

/** Checkpoints kept of a job: the newest, and one before it should that be unreadable. */
const KEPT = 2;

/** The newest checkpoint of a folder that can be used, and why newer files cannot. */
export interface FoundCheckpoint {
  /** Null when the folder has none that can be used. */
  checkpoint: Checkpoint | null;
  /** One sentence for each newer file that could not be used. */
  problems: string[];
}

/** A checkpoint's file: `{job}-e{finished epochs}-b{batches of the next}-{first 16 hex digits of its SHA-256}.safetensors`. */
interface CheckpointFile {
  name: string;
  epochs: number;
  batches: number;
  digest: string;
}

/**
 * Writes a job's checkpoint into a folder, durably, and then removes all of the job's but the newest two.
 * Throws `unwritable`.
 *
 * @example await saveCheckpoint('runs/x/checkpoints', job, checkpoint);
 */
export async function saveCheckpoint(folder: string, job: Job, checkpoint: Checkpoint): Promise<void> {
  const parts = encodeJobCheckpoint(job, checkpoint);
  const place = `e${checkpoint.epochs.length}-b${checkpoint.stopped?.batches ?? 0}`;
  const name = `${job.id}-${place}-${digestOf(parts)}.safetensors`;
  await writeFileAtomic(join(folder, name), parts);
  const older = (await filesOf(folder, job)).filter((file) => file.name !== name).slice(KEPT - 1);
  // One that cannot be removed does no harm.
  for (const file of older) await rm(join(folder, file.name), { force: true }).catch(() => undefined);
}

/**
 * The newest of a job's checkpoints in a folder whose bytes are whole; a file that is torn, corrupt or of another job
 * is named in `problems` and removed, and the one before it taken. Throws `not-found` or `unreadable` for the folder.
 *
 * @example const found = await newestCheckpoint('runs/x/checkpoints', job);
 */
export async function newestCheckpoint(folder: string, job: Job): Promise<FoundCheckpoint> {
  const problems: string[] = [];
  for (const { name, digest } of await filesOf(folder, job)) {
    const path = join(folder, name);
    try {
      const bytes = await readFileBounded(path, MAX_BYTES);
      const found = digestOf([bytes]);
      if (found !== digest) throw formatError(path, `its SHA-256 begins with ${found}`, digest);
      return { checkpoint: decodeJobCheckpoint(bytes, job, path), problems };
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      problems.push(error.message);
      // Else it would count among those that are kept.
      if (error.code === 'format') await rm(path, { force: true }).catch(() => undefined);
    }
  }
  return { checkpoint: null, problems };
}

/** A job's files, newest first. */
async function filesOf(folder: string, job: Job): Promise<CheckpointFile[]> {
  const files = (await listFolder(folder, 'a folder of checkpoints')).flatMap((name) => {
    const match = /^(.+)-e(\d+)-b(\d+)-([0-9a-f]{16})\.safetensors$/.exec(name);
    if (match?.[1] !== job.id) return [];
    return [{ name, epochs: Number(match[2]), batches: Number(match[3]), digest: match[4]! }];
  });
  return files.sort((a, b) => b.epochs - a.epochs || b.batches - a.batches);
}

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}
