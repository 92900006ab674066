import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TreadleError } from '#bindings';

/** What an error's code says, in words. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name is in the way',
  EFBIG: 'the file is larger than the system allows',
  EIO: 'the device reported an error',
  EISDIR: 'a folder of that name is in the way',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'the folder it belongs in does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EPERM: 'the operation is not permitted',
  EPIPE: 'nobody reads it any more',
  EROFS: 'the file system is read-only',
  ERR_ACCESS_DENIED: "Node's permission model forbids it",
};

/** Error codes of platforms that cannot flush a folder. */
const NO_FOLDER_SYNC = new Set(['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOSYS', 'ENOTSUP', 'EPERM']);

/**
 * Writes a file so that a reader sees the old content or the new, never a part: a temporary file in the same
 * folder is written, flushed to the disk and renamed.
 * Throws `unwritable`, naming the path, the bytes needed and the reason; no temporary file is left behind.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const parts = typeof data === 'string' ? [Buffer.from(data)] : data instanceof Uint8Array ? [data] : data;
  const temporary = temporaryName(dirname(path), basename(path));
  try {
    await writeAndSync(temporary, parts);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(
      path,
      parts.reduce((sum, part) => sum + part.length, 0),
      cause,
    );
  }
}

/** The `unwritable` error of a file of `size` bytes: path, bytes needed, and the system's reason in words. */
export function unwritable(path: string, size: number, cause: unknown): TreadleError {
  const reason = reasonOf(cause);
  return new TreadleError('unwritable', `${path} (${size} bytes) cannot be written: ${reason}.`, {
    subject: path,
    found: reason,
    expected: `a path that ${size} bytes can be written to`,
    cause,
  });
}

/** Removes the temporary files that a process left in a folder when it was killed; nobody else may be writing there. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (TEMPORARY.test(name)) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Whether there is anything of a name. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/**
 * Creates a folder, with those above it, and proves that a file can be written in it and removed. Returns the folders that it has
 * made, the outermost first. Throws `unwritable`, naming the folder and the reason, and leaves none then.
 */
export async function ensureWritableFolder(path: string): Promise<string[]> {
  const made: string[] = [];
  try {
    await createFolder(resolve(path), made);
    const probe = temporaryName(path, 'probe');
    try {
      await writeAndSync(probe, [Buffer.from('probe')]);
    } finally {
      await rm(probe, { force: true });
    }
    return made;
  } catch (cause) {
    await removeEmptyFolders(made);
    const reason = reasonOf(cause);
    throw new TreadleError('unwritable', `Folder ${path} cannot be written to: ${reason}.`, {
      subject: path,
      found: reason,
      expected: 'a folder that files can be written in',
      cause,
    });
  }
}

/**
 * Proves that a file can be written at a path, whose folder is made: before work of hours, whose result would be lost. Throws
 * `unwritable` as {@link ensureWritableFolder} does, and for a path that is a folder.
 */
export async function ensureWritableFile(path: string): Promise<void> {
  if (await isFolder(path)) {
    throw new TreadleError('unwritable', `${path} is a folder; the path of a file is expected.`, {
      subject: path,
      found: 'a folder',
      expected: 'the path of a file',
    });
  }
  await ensureWritableFolder(dirname(path));
}

/** Removes folders in which there is nothing, the last ones first; others are left. */
export async function removeEmptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) await rmdir(folder).catch(() => undefined);
}

/** Makes a folder and those above it. mkdir's recursive form is no use: it never returns below Linux's /proc. */
async function createFolder(path: string, made: string[]): Promise<void> {
  const make = async (): Promise<void> => {
    await mkdir(path);
    made.push(path);
    await syncFolder(dirname(path));
  };
  try {
    await make();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && dirname(path) !== path) {
      await createFolder(dirname(path), made);
      await make();
    } else if (!(await isFolder(path))) {
      throw cause;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/**
 * The content of a file of at most `maxBytes` bytes; the size is checked before memory is taken.
 * Throws `not-found`, `unreadable` (no permission, a folder, a file that shrinks meanwhile) or `format` (too large).
 */
export async function readFileBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    await expectFile(path);
    return await readOpened(path, maxBytes);
  } catch (cause) {
    throw cause instanceof TreadleError ? cause : readFailure(path, cause);
  }
}

/** Bytes of a piece of {@link readFileInPieces}. */
const PIECE = 2 ** 20;

/** The content of a file of any size, piece by piece. Throws as {@link readFileBounded}. */
export async function* readFileInPieces(path: string): AsyncGenerator<Uint8Array, void> {
  let handle: FileHandle | null = null;
  try {
    await expectFile(path);
    handle = await open(path, 'r');
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(PIECE), 0, PIECE);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    throw cause instanceof TreadleError ? cause : readFailure(path, cause);
  } finally {
    await handle?.close();
  }
}

/** The first bytes of a file, at most 1 MiB; null where there is none. Throws as {@link readFileBounded}. */
export async function beginningOf(path: string): Promise<Uint8Array | null> {
  if (!(await exists(path))) return null;
  for await (const piece of readFileInPieces(path)) return piece;
  return new Uint8Array(0);
}

/** Checked before opening: opening a named pipe would wait for its writer. */
async function expectFile(path: string): Promise<void> {
  if ((await stat(path)).isFile()) return;
  throw new TreadleError('unreadable', `${path} is not a file; a regular file is expected.`, {
    subject: path,
    found: 'no file',
    expected: 'a regular file',
  });
}

/** Names in a folder, sorted. Throws `not-found` or `unreadable`; `expected` says what should be there. */
export async function listFolder(path: string, expected: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (cause) {
    const { isMissing, found } = await whyUnlisted(path, cause);
    throw new TreadleError(
      isMissing ? 'not-found' : 'unreadable',
      `${path} ${found}; ${expected} is expected.`,
      { subject: path, found, expected, cause },
    );
  }
}

/** Why a folder could not be listed, in words that follow its name. */
async function whyUnlisted(path: string, cause: unknown): Promise<{ isMissing: boolean; found: string }> {
  if (codeOf(cause) === 'ENOTDIR' && (await stat(path).catch(() => null)) !== null)
    return { isMissing: false, found: 'is a file' };
  const isMissing = ['ENOENT', 'ENOTDIR'].includes(codeOf(cause));
  return { isMissing, found: isMissing ? 'does not exist' : `cannot be listed (${reasonOf(cause)})` };
}

async function readOpened(path: string, maxBytes: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new TreadleError('format', `${path} has ${size} bytes; at most ${maxBytes} are expected.`, {
        subject: path,
        found: size,
        expected: maxBytes,
      });
    }
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, Math.min(size - filled, 1 << 30), filled);
      if (bytesRead === 0) {
        throw new TreadleError('unreadable', `${path} ended at byte ${filled}; ${size} bytes are expected.`, {
          subject: path,
          found: filled,
          expected: size,
        });
      }
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

function readFailure(path: string, cause: unknown): TreadleError {
  const code = codeOf(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new TreadleError('not-found', `${path} does not exist; a file is expected there.`, {
      subject: path,
      found: 'nothing',
      expected: 'a file',
      cause,
    });
  }
  const reason = reasonOf(cause);
  return new TreadleError('unreadable', `${path} cannot be read: ${reason}.`, {
    subject: path,
    found: reason,
    expected: 'a readable file',
    cause,
  });
}

/** Names that {@link temporaryName} gives, but for drafts of lock files, which begin with a dot. */
const TEMPORARY = /^[^.].*\.\d+\.[0-9a-f]{12}\.tmp$/;

function temporaryName(folder: string, stem: string): string {
  return join(folder, `${stem}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
}

async function writeAndSync(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Flushes a folder's list of names, so that a rename survives a power cut; some platforms cannot. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (!NO_FOLDER_SYNC.has(codeOf(cause))) throw cause;
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** Why the operating system, or Node, said no, in words. */
export function reasonOf(cause: unknown): string {
  return REASONS[codeOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause));
}
