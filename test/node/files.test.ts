import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import {
  ensureWritableFolder,
  listFolder,
  readFileBounded,
  removeTemporaries,
  writeFileAtomic,
} from '../../dist/node/files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'treadle-files-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** The methods every open file shares, to let one of them fail. */
async function fileHandlePrototype() {
  const handle = await open(folder, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle);
}

const systemError = (code: string) => Object.assign(new Error(`${code}: of the test`), { code });

async function failure(promise: Promise<unknown>): Promise<TreadleError> {
  const error = await promise.then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TreadleError);
  return error as TreadleError;
}

describe('writeFileAtomic', () => {
  test('writes bytes and text, replaces what was there, and leaves no other file', async () => {
    const path = join(folder, 'a.bin');
    await writeFileAtomic(path, Uint8Array.of(1, 2, 255));
    expect([...(await readFile(path))]).toEqual([1, 2, 255]);
    await writeFileAtomic(path, 'Größe');
    expect(await readFile(path, 'utf8')).toBe('Größe');
    expect(await readdir(folder)).toEqual(['a.bin']);
  });

  test('writes parts one after the other, none, and views of a larger array', async () => {
    const path = join(folder, 'a.bin');
    const all = Uint8Array.of(0, 1, 2, 3, 4, 5);
    await writeFileAtomic(path, [all.subarray(4), new Uint8Array(0), all.subarray(1, 3)]);
    expect([...(await readFile(path))]).toEqual([4, 5, 1, 2]);
    await writeFileAtomic(path, []);
    expect(await readFile(path)).toHaveLength(0);
    expect(await readdir(folder)).toEqual(['a.bin']);
  });

  test('a part that cannot be written keeps the old file, and the bytes needed are those of all parts', async () => {
    const path = join(folder, 'a.bin');
    await writeFile(path, 'old');
    const prototype = await fileHandlePrototype();
    const write = prototype.writeFile;
    const calls = vi.spyOn(prototype, 'writeFile');
    calls.mockImplementationOnce(function (this: unknown, data: unknown) {
      return write.call(this, data);
    });
    calls.mockRejectedValueOnce(systemError('ENOSPC'));
    const error = await failure(writeFileAtomic(path, [new Uint8Array(10), new Uint8Array(7)]));
    expect(error.message).toBe(`${path} (17 bytes) cannot be written: the disk is full.`);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.bin']);
  });

  test('many writers at once leave one whole content', async () => {
    const path = join(folder, 'a.txt');
    const contents = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(5000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['a.txt']);
  });

  test.each([
    ['ENOSPC', 'the disk is full'],
    ['EDQUOT', 'the disk quota is used up'],
    ['EACCES', 'permission is denied'],
    ['EROFS', 'the file system is read-only'],
  ])('%s while writing keeps the old file, removes the temporary one and says why', async (code, reason) => {
    const path = join(folder, 'a.txt');
    await writeFile(path, 'old');
    vi.spyOn(await fileHandlePrototype(), 'writeFile').mockRejectedValue(systemError(code));
    const error = await failure(writeFileAtomic(path, 'longer than before'));
    expect(error.code).toBe('unwritable');
    expect(error.subject).toBe(path);
    expect(error.message).toBe(`${path} (18 bytes) cannot be written: ${reason}.`);
    expect(await readdir(folder)).toEqual(['a.txt']);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  test('a flush that fails is a failed write', async () => {
    vi.spyOn(await fileHandlePrototype(), 'sync').mockRejectedValue(systemError('ENOSPC'));
    const error = await failure(writeFileAtomic(join(folder, 'a.txt'), 'x'));
    expect(error.message).toContain('the disk is full');
    expect(await readdir(folder)).toEqual([]);
  });

  test('a platform that cannot flush folders still writes', async () => {
    const prototype = await fileHandlePrototype();
    const sync = prototype.sync;
    const calls = vi.spyOn(prototype, 'sync');
    calls.mockImplementationOnce(function (this: unknown) {
      return sync.call(this);
    });
    calls.mockRejectedValueOnce(systemError('EINVAL'));
    await writeFileAtomic(join(folder, 'a.txt'), 'x');
    expect(calls).toHaveBeenCalledTimes(2);
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('x');
  });

  test('names a missing folder, a file in the place of a folder, and a folder in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    await mkdir(join(folder, 'taken'));
    const missing = await failure(writeFileAtomic(join(folder, 'none', 'a.txt'), 'abc'));
    expect(missing.message).toMatch(/none.a\.txt \(3 bytes\) .* the folder it belongs in does not exist\.$/);
    const notAFolder = await failure(writeFileAtomic(join(folder, 'file', 'a.txt'), 'abc'));
    expect(notAFolder.message).toContain('a part of its path is a file, not a folder');
    const taken = await failure(writeFileAtomic(join(folder, 'taken'), 'abc'));
    expect(taken.code).toBe('unwritable');
    expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
  });

  test('a reason without words of its own is given in the system’s', async () => {
    vi.spyOn(await fileHandlePrototype(), 'writeFile').mockRejectedValue(systemError('EWEIRD'));
    const error = await failure(writeFileAtomic(join(folder, 'a.txt'), 'x'));
    expect(error.message).toContain('EWEIRD: of the test');
  });
});

describe('removeTemporaries', () => {
  /** What writing a file leaves when it is cut off: the rename does not happen, nor what would tidy up. */
  async function leaveTemporary(name: string): Promise<string> {
    const before = await readdir(folder);
    const sync = vi.spyOn(await fileHandlePrototype(), 'sync');
    let left = '';
    sync.mockImplementationOnce(async () => {
      left = (await readdir(folder)).find((entry) => !before.includes(entry))!;
    });
    await writeFileAtomic(join(folder, name), 'x');
    sync.mockRestore();
    await rm(join(folder, name));
    await writeFile(join(folder, left), 'half');
    return left;
  }

  test('removes what a killed process left of files it was writing', async () => {
    const left = [
      await leaveTemporary('results.json'),
      await leaveTemporary('tiny_0.1-e1-b0-0123456789abcdef.safetensors'),
      await leaveTemporary('a'),
    ];
    expect(new Set(left).size).toBe(3);
    expect((await readdir(folder)).sort()).toEqual(left.sort());
    await removeTemporaries(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  test('leaves locks that are being taken, and everything else', async () => {
    const names = [
      '.treadle-lock.json',
      '.treadle-lock.json.4711.0123456789ab.tmp',
      '.hidden.4711.0123456789ab.tmp',
      'a.tmp',
      'a.0123456789ab.tmp',
      'a.4711.0123456789.tmp',
      'a.4711.0123456789abc.tmp',
      'a.4711.0123456789AB.tmp',
      'a.4711x.0123456789ab.tmp',
      'a.4711.0123456789ab.tmp.txt',
      'a.4711.0123456789ab',
      'a.safetensors',
    ];
    for (const name of names) await writeFile(join(folder, name), name);
    await removeTemporaries(folder);
    expect((await readdir(folder)).sort()).toEqual(names.sort());
  });

  test('leaves a folder of such a name, and what is in folders', async () => {
    const name = 'a.4711.0123456789ab.tmp';
    await mkdir(join(folder, name, 'inner'), { recursive: true });
    await writeFile(join(folder, name, 'inner', name), '');
    await removeTemporaries(folder);
    expect(await readdir(join(folder, name, 'inner'))).toEqual([name]);
  });

  test('does nothing in a folder that is not there', async () => {
    await removeTemporaries(join(folder, 'none'));
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('ensureWritableFolder', () => {
  test('creates the folder with those above it, twice without harm, and leaves it empty', async () => {
    const path = join(folder, 'a', 'b');
    await ensureWritableFolder(path);
    await ensureWritableFolder(path);
    expect(await readdir(path)).toEqual([]);
  });

  test('refuses a file in its place and a file above it', async () => {
    await writeFile(join(folder, 'file'), '');
    const inPlace = await failure(ensureWritableFolder(join(folder, 'file')));
    expect(inPlace.code).toBe('unwritable');
    expect(inPlace.message).toBe(
      `Folder ${join(folder, 'file')} cannot be written to: a file of that name is in the way.`,
    );
    const above = await failure(ensureWritableFolder(join(folder, 'file', 'b')));
    expect(above.message).toContain('a part of its path is a file, not a folder');
  });

  test('a file system that makes no folders is refused, not tried for ever', async () => {
    const error = await failure(ensureWritableFolder('/proc/treadle/weights'));
    expect(error.message).toContain('the folder it belongs in does not exist');
  });

  test('a folder that is there and cannot be written to is found out, and the probe removed', async () => {
    vi.spyOn(await fileHandlePrototype(), 'writeFile').mockRejectedValue(systemError('ENOSPC'));
    const error = await failure(ensureWritableFolder(folder));
    expect(error.code).toBe('unwritable');
    expect(error.message).toContain('the disk is full');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('readFileBounded', () => {
  test('reads a file of exactly the limit, an empty one and one behind a link', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'abcd');
    expect(Buffer.from(await readFileBounded(path, 4)).toString()).toBe('abcd');
    await symlink(path, join(folder, 'link'));
    expect(Buffer.from(await readFileBounded(join(folder, 'link'), 4)).toString()).toBe('abcd');
    await writeFile(path, '');
    expect(await readFileBounded(path, 0)).toHaveLength(0);
  });

  test('refuses a larger file before it takes memory', async () => {
    const path = join(folder, 'a');
    await writeFile(path, '');
    await truncate(path, 2 ** 40);
    const error = await failure(readFileBounded(path, 1000));
    expect(error.code).toBe('format');
    expect(error.message).toBe(`${path} has 1099511627776 bytes; at most 1000 are expected.`);
  });

  test('tells a missing file, a folder and a file that cannot be read', async () => {
    const missing = await failure(readFileBounded(join(folder, 'none'), 10));
    expect([missing.code, missing.subject]).toEqual(['not-found', join(folder, 'none')]);
    const inside = join(folder, 'file', 'x');
    await writeFile(join(folder, 'file'), 'abc');
    expect((await failure(readFileBounded(inside, 10))).code).toBe('not-found');
    const isFolder = await failure(readFileBounded(folder, 10));
    expect(isFolder.message).toBe(`${folder} is not a file; a regular file is expected.`);
    expect(isFolder.code).toBe('unreadable');

    vi.spyOn(await fileHandlePrototype(), 'read').mockRejectedValue(systemError('EACCES'));
    const denied = await failure(readFileBounded(join(folder, 'file'), 10));
    expect(denied.code).toBe('unreadable');
    expect(denied.message).toContain('cannot be read: permission is denied');
  });

  test('a file that shrinks while it is read is refused', async () => {
    await writeFile(join(folder, 'file'), 'abc');
    vi.spyOn(await fileHandlePrototype(), 'read').mockResolvedValue({ bytesRead: 0 });
    const error = await failure(readFileBounded(join(folder, 'file'), 10));
    expect(error.code).toBe('unreadable');
    expect(error.message).toContain('ended at byte 0; 3 bytes are expected');
  });
});

describe('listFolder', () => {
  test('gives the names, sorted', async () => {
    for (const name of ['b', 'a', 'c']) await writeFile(join(folder, name), '');
    expect(await listFolder(folder, 'a folder')).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['none', 'not-found', 'does not exist'],
    ['file', 'unreadable', 'is a file'],
    [join('file', 'below'), 'not-found', 'does not exist'],
  ])('refuses %s in words', async (name, code, found) => {
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, name);
    const error = await failure(listFolder(path, 'a folder with weights files'));
    expect([error.code, error.message]).toEqual([
      code,
      `${path} ${found}; a folder with weights files is expected.`,
    ]);
  });

  test('says in words why a folder cannot be listed', async () => {
    const path = join(folder, 'x'.repeat(300));
    const error = await failure(listFolder(path, 'a folder'));
    expect([error.code, error.message]).toEqual([
      'unreadable',
      `${path} cannot be listed (the name is too long); a folder is expected.`,
    ]);
  });
});
