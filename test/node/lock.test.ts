import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LOCK_FILE, lockFolder } from '../../dist/node/lock.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

/** What `link` fails with; null while it works. */
const links = vi.hoisted(() => ({ fail: null as string | null }));
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof import('node:fs/promises')>();
  return {
    ...actual,
    link: (...paths: Parameters<typeof actual.link>) =>
      links.fail === null
        ? actual.link(...paths)
        : Promise.reject(Object.assign(new Error('of the test'), { code: links.fail })),
  };
});

afterEach(() => {
  links.fail = null;
});

/** A node process that runs a script with `lockFolder` in it; it is ended with the test. */
function node(script: string, ...args: string[]): ChildProcess {
  const module = new URL('../../dist/node/lock.js', import.meta.url);
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { lockFolder } from ${JSON.stringify(module.href)};\n${script}`,
    ...args,
  ]);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The first line that a process prints; rejects with what it says instead. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let [printed, said] = ['', ''];
    child.stderr!.on('data', (data) => {
      said += data;
    });
    child.stdout!.on('data', (data) => {
      printed += data;
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')));
    });
    child.on('close', () => reject(new Error(said)));
  });
}

/** Kills a process as a power cut would, and waits until it is no more. */
function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** Locks a folder and stays. */
const LOCK_AND_STAY = `
  await lockFolder(process.argv[1]);
  console.log('locked');
  setInterval(() => {}, 1000);
`;

/** The pid of a process that was, and is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await kill(child);
  return child.pid!;
}

const SINCE = '2001-02-03T04:05:06.789Z';

async function writeLock(folder: string, content: object | string): Promise<void> {
  await writeFile(
    join(folder, LOCK_FILE),
    typeof content === 'string' ? content : `${JSON.stringify(content)}\n`,
  );
}

async function readLock(folder: string): Promise<{ pid: number; since: string }> {
  return JSON.parse(await readFile(join(folder, LOCK_FILE), 'utf8'));
}

/** Tries to lock a folder that is free or whose lock is to be taken over, and leaves it as it was found. */
async function expectFree(folder: string): Promise<void> {
  const unlock = await lockFolder(folder);
  expect(await readdir(folder)).toEqual([LOCK_FILE]);
  expect((await readLock(folder)).pid).toBe(process.pid);
  await unlock();
  expect(await readdir(folder)).toEqual([]);
}

describe('a folder that is locked', () => {
  it('is free again when it is unlocked, and nothing is left in it', async () => {
    const folder = await temporaryFolder();
    await expectFree(folder);
    await expectFree(folder);
  });

  it('is refused to the same process, by folder, process and time', async () => {
    const folder = await temporaryFolder();
    const unlock = await lockFolder(folder);
    const { since } = await readLock(folder);
    expect(Math.abs(Date.parse(since) - Date.now())).toBeLessThan(3_600_000);
    const error = await failure('locked', () => lockFolder(folder));
    expect(error.message).toBe(
      `Folder ${folder} is in use by process ${process.pid} since ${since}; a folder that no other run is using is expected (its lock is ${join(folder, LOCK_FILE)}, to be removed only when that process is gone).`,
    );
    expect(error.subject).toBe(folder);
    expect(await readdir(folder)).toEqual([LOCK_FILE]);
    await unlock();
    await expectFree(folder);
  });

  it('is refused to another process, and free when its owner was killed', async () => {
    const folder = await temporaryFolder();
    const child = node(LOCK_AND_STAY, folder);
    expect(await firstLine(child)).toBe('locked');
    const error = await failure('locked', () => lockFolder(folder));
    for (const part of [folder, `process ${child.pid} `, (await readLock(folder)).since]) {
      expect(error.message).toContain(part);
    }
    await kill(child);
    await expectFree(folder);
  });

  it('is refused in a process that did not start it', async () => {
    const folder = await temporaryFolder();
    await lockFolder(folder);
    const child = node(
      `console.log(await lockFolder(process.argv[1]).then(() => 'locked', ({ code, message }) => code + ': ' + message));`,
      folder,
    );
    const line = await firstLine(child);
    expect(line).toMatch(/^locked: /);
    expect(line).toContain(`process ${process.pid} since`);
  });

  it('does not lock those in it or above it', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'inner'));
    const outer = await lockFolder(folder);
    await expectFree(join(folder, 'inner'));
    await outer();
  });
});

describe('a lock that was left behind', () => {
  it('by a process that is no more is taken over', async () => {
    const folder = await temporaryFolder();
    await writeLock(folder, { pid: await deadPid(), host: hostname(), started: null, since: SINCE });
    await expectFree(folder);
  });

  it('by a process whose number another one has now is taken over', async () => {
    const folder = await temporaryFolder();
    await writeLock(folder, { pid: process.pid, host: hostname(), started: 'then', since: SINCE });
    await expectFree(folder);
  });

  it.each([
    '',
    '\0\0\0\0',
    '{',
    'null',
    '[]',
    '{}',
    '{"pid":1}',
    `{"pid":0,"host":"${hostname()}","started":null,"since":"${SINCE}"}`,
    `{"pid":-1,"host":"${hostname()}","started":null,"since":"${SINCE}"}`,
    `{"pid":"1","host":"${hostname()}","started":null,"since":"${SINCE}"}`,
  ])('broken, as %j, is taken over', async (content) => {
    const folder = await temporaryFolder();
    await writeLock(folder, content);
    await expectFree(folder);
  });

  it('by another machine is respected', async () => {
    const folder = await temporaryFolder();
    const lock = { pid: await deadPid(), host: 'another-host', started: null, since: SINCE };
    await writeLock(folder, lock);
    const error = await failure('locked', () => lockFolder(folder));
    expect(error.message).toContain(
      `process ${lock.pid} on the machine "another-host" since ${SINCE}; a folder`,
    );
    expect(await readLock(folder)).toEqual(lock);
    expect(await readdir(folder)).toEqual([LOCK_FILE]);
  });

  it('is respected while its process lives, though it may not be ours to signal', async () => {
    const folder = await temporaryFolder();
    await writeLock(folder, { pid: 1, host: hostname(), started: null, since: SINCE });
    const error = await failure('locked', () => lockFolder(folder));
    expect(error.message).toContain('process 1 since');
  });
});

describe('unlocking', () => {
  it('twice does no harm', async () => {
    const folder = await temporaryFolder();
    const unlock = await lockFolder(folder);
    await unlock();
    await unlock();
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves a lock that somebody else has taken since', async () => {
    const folder = await temporaryFolder();
    const unlock = await lockFolder(folder);
    const other = { pid: 1, host: hostname(), started: null, since: SINCE };
    await writeLock(folder, other);
    await unlock();
    expect(await readLock(folder)).toEqual(other);
  });

  it('does no harm when the folder is gone', async () => {
    const folder = join(await temporaryFolder(), 'gone');
    await mkdir(folder);
    const unlock = await lockFolder(folder);
    await rm(folder, { recursive: true });
    await unlock();
  });
});

describe('many at once', () => {
  /** Locks a folder twenty times at once and returns how many had it. */
  async function winners(folder: string): Promise<number> {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'locked' });
    }
    return results.filter(({ status }) => status === 'fulfilled').length;
  }

  it('one has the folder', async () => {
    for (let round = 0; round < 10; round++) {
      const folder = await temporaryFolder();
      expect(await winners(folder)).toBe(1);
      expect(await readdir(folder)).toEqual([LOCK_FILE]);
    }
  });

  it('one has the folder when a stale lock lies there', async () => {
    const pid = await deadPid();
    for (let round = 0; round < 20; round++) {
      const folder = await temporaryFolder();
      await writeLock(folder, { pid, host: hostname(), started: null, since: SINCE });
      expect(await winners(folder)).toBe(1);
      expect(await readdir(folder)).toEqual([LOCK_FILE]);
    }
  });

  it('one of several processes has the folder when a stale lock lies there', async () => {
    const [processes, rounds, pid] = [4, 40, await deadPid()];
    const outer = await temporaryFolder();
    for (let round = 0; round < rounds; round++) {
      const folder = join(outer, `${round}`);
      await mkdir(folder);
      await writeLock(folder, { pid, host: hostname(), started: null, since: SINCE });
    }
    // Each tries folder after folder, all at the same moments, keeps what it has locked, and prints which.
    const script = `
      const [, outer, begin, rounds] = process.argv;
      const won = [];
      for (let round = 0; round < Number(rounds); round++) {
        while (Date.now() < Number(begin) + 10 * round) {}
        await lockFolder(outer + '/' + round).then(() => won.push(round), ({ code }) => {
          if (code !== 'locked') throw new Error(code);
        });
      }
      console.log(JSON.stringify(won));
      setInterval(() => {}, 1000);
    `;
    const begin = Date.now() + 1500;
    const children = Array.from({ length: processes }, () => node(script, outer, `${begin}`, `${rounds}`));
    const won = await Promise.all(children.map(async (child) => JSON.parse(await firstLine(child))));
    expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: rounds }, (_, round) => round));
  });
});

describe('where it cannot be written', () => {
  it('a folder that is missing is told', async () => {
    const folder = join(await temporaryFolder(), 'none');
    const error = await failure('unwritable', () => lockFolder(folder));
    expect(error.message).toContain(join(folder, LOCK_FILE));
    expect(error.message).toContain('the folder it belongs in does not exist');
  });

  it.skipIf(process.getuid?.() === 0)('a folder that is read-only is told', async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o555);
    const error = await failure('unwritable', () => lockFolder(folder));
    expect(error.message).toContain('permission is denied');
    await chmod(folder, 0o755);
  });

  it('a link that fails is told, and leaves nothing', async () => {
    const folder = await temporaryFolder();
    links.fail = 'ENOSPC';
    const error = await failure('unwritable', () => lockFolder(folder));
    expect(error.message).toContain('the disk is full');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['ENOTSUP', 'ENOSYS', 'EPERM'])('a file system without links (%s) has locks too', async (code) => {
    const folder = await temporaryFolder();
    links.fail = code;
    const unlock = await lockFolder(folder);
    expect((await failure('locked', () => lockFolder(folder))).message).toContain(`process ${process.pid} `);
    await unlock();
    await writeLock(folder, { pid: await deadPid(), host: hostname(), started: null, since: SINCE });
    await expectFree(folder);
  });
});
