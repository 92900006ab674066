import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { unwritable } from './files.js';

/** The lock's file in the folder that is locked. */
export const LOCK_FILE = '.treadle-lock.json';

const Owner = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  host: v.string(),
  /** When the process began, as the system counts it: process ids are used again. */
  started: v.nullable(v.string()),
  /** When the lock was taken, in ISO 8601. */
  since: v.string(),
});

type Owner = v.InferOutput<typeof Owner>;

/** Error codes of file systems without hard links. */
const NO_LINKS = new Set(['ENOSYS', 'ENOTSUP', 'EPERM']);

/** Attempts to take a lock while other processes remove stale ones, and the milliseconds between them. */
const ATTEMPTS = 200;
const PAUSE = 5;

/** Milliseconds after which an empty lock counts as left by a power cut, and not as one just being written. */
const SETTLED = 500;

/**
 * Makes this process the only one that writes into an existing folder, and returns how to end that. The lock is a file
 * with the owner's process id. One whose process is no more is taken over; one from another machine cannot be checked
 * and is respected. Throws `locked` while another run has the folder, and `unwritable`.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  const mine: Owner = {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
    since: new Date().toISOString(),
  };
  const text = `${JSON.stringify(mine)}\n`;
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(draft, text, { flag: 'wx' });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await setTimeout(PAUSE);
      const owner = await take(path, draft, text);
      if (owner === 'me') return () => unlock(path, text);
      if (owner !== 'nobody') throw locked(folder, path, owner);
    }
  } catch (cause) {
    throw cause instanceof TreadleError ? cause : unwritable(path, text.length, cause);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
  throw locked(folder, path, 'processes that start again and again');
}

/**
 * Takes the lock if it is free and returns `me`. Else returns its living owner in words or, where it is stale or just
 * being written, `nobody`: then the caller tries again.
 */
async function take(path: string, draft: string, text: string): Promise<string> {
  if (await succeeds(place(draft, path, text), 'EEXIST')) return 'me';
  const seen = await content(path);
  if (seen === null || (await isBeingWritten(path, seen))) return 'nobody';
  const owner = parseOwner(seen);
  if (owner !== null && (await isAlive(owner))) {
    const where = owner.host === hostname() ? '' : ` on the machine ${JSON.stringify(owner.host)}`;
    return `process ${owner.pid}${where} since ${owner.since}`;
  }
  // A second lock guards the removal: without it, the lock removed could be a new one by then.
  const guard = `${path}.guard`;
  if ((await take(guard, draft, text)) === 'me') {
    try {
      if ((await content(path)) === seen) await rm(path, { force: true });
    } finally {
      await unlock(guard, text);
    }
  }
  return 'nobody';
}

/** A file's text; null where there is none. */
async function content(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether an empty file is so new that its owner may still be writing it (see {@link place}). */
async function isBeingWritten(path: string, text: string): Promise<boolean> {
  if (text !== '') return false;
  const written = (await stat(path).catch(() => null))?.mtimeMs ?? 0;
  return Math.abs(Date.now() - written) < SETTLED;
}

/** Makes the lock appear with its whole content, unless there is one: a link cannot replace a file. */
async function place(draft: string, path: string, text: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    // Some file systems have no links; what is left there is a lock that is empty for a moment.
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await writeFile(path, text, { flag: 'wx' });
  }
}

async function unlock(path: string, text: string): Promise<void> {
  if ((await content(path).catch(() => null)) === text) await rm(path, { force: true });
}

function parseOwner(text: string): Owner | null {
  try {
    return v.parse(Owner, JSON.parse(text));
  } catch {
    return null;
  }
}

async function isAlive({ pid, host, started }: Owner): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return started === null || started === (await startOf(pid));
}

/** When a process began, in the kernel's ticks since boot; null where the system does not tell. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name, in brackets, may hold spaces; the start is the 22nd field of all.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** True when it is done, false when it failed with the given code; any other failure is thrown on. */
async function succeeds(action: Promise<void>, code: string): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}

function locked(folder: string, path: string, owner: string): TreadleError {
  return new TreadleError(
    'locked',
    `Folder ${folder} is in use by ${owner}; a folder that no other run is using is expected (its lock is ${path}, to be removed only when that process is gone).`,
    { subject: folder, found: owner, expected: 'a folder that no other run is using' },
  );
}
