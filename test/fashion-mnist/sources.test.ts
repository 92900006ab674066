import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { cacheFolder } from '../../dist/fashion-mnist/cache.js';
import { type Run, runCommand } from '../../dist/fashion-mnist/debian.js';
import { downloadFiles } from '../../dist/fashion-mnist/download.js';
import { fromFirstSource, type SourceOptions } from '../../dist/fashion-mnist/sources.js';
import { ensureWritableFolder } from '../../dist/node/files.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { idxBytes, syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { realDataFolder } from '../support/real-data.js';

const toy = syntheticDataset({ classes: 2, height: 2, width: 2, train: 4, test: 2, seed: 1 });
const NAMES = ['t10k-images', 't10k-labels', 'train-images', 'train-labels'].map(
  (name) => `${name}-idx${name.endsWith('images') ? 3 : 1}-ubyte.gz`,
);

/** A machine of its own: no data anywhere, no network, no apt-get. */
async function machine(): Promise<{
  options: SourceOptions & { log: (line: string) => void };
  root: string;
  cache: string;
  lines: string[];
}> {
  const root = await temporaryFolder();
  const lines: string[] = [];
  const options = {
    env: { XDG_CACHE_HOME: root },
    systemFolder: join(root, 'system'),
    fetch: async () => {
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND example') });
    },
    run: async () => {
      throw Object.assign(new Error('spawn apt-get ENOENT'), { code: 'ENOENT' });
    },
    log: (line: string) => lines.push(line),
  };
  return { options, root, cache: join(root, 'treadle', 'fashion-mnist'), lines };
}

/** A loader that returns the folder's name, and refuses folders that hold a file called `bad`. */
async function load(folder: string): Promise<string> {
  if (existsSync(join(folder, 'bad'))) {
    throw new TreadleError('format', `${folder}/bad is damaged.`, {
      subject: `${folder}/bad`,
      found: 'damage',
    });
  }
  return folder;
}

/** `fetch` that serves the files of a folder, by name. */
function serve(folder: string): typeof globalThis.fetch {
  return async (address) => new Response(await readFile(join(folder, String(address).split('/').at(-1)!)));
}

describe('the order of sources', () => {
  it('takes --data before TREADLE_DATA, that before the cache, and the cache before the system', async () => {
    const { options, root, cache } = await machine();
    const [given, named] = [join(root, 'given'), join(root, 'named')];
    for (const folder of [given, named, cache, options.systemFolder!]) await writeIdxDataset(folder, toy);
    const env = { ...options.env, TREADLE_DATA: named };
    expect(await fromFirstSource({ ...options, env, data: given }, load)).toEqual({
      source: `${given} (data)`,
      value: given,
    });
    expect(await fromFirstSource({ ...options, env }, load)).toEqual({
      source: `${named} (TREADLE_DATA)`,
      value: named,
    });
    expect(await fromFirstSource(options, load)).toEqual({ source: cache, value: cache });
  });

  it('passes over an absent or empty cache to the system folder, without a word', async () => {
    const { options, cache, lines } = await machine();
    await writeIdxDataset(options.systemFolder!, { ...toy, gzip: true });
    expect((await fromFirstSource(options, load)).source).toBe(options.systemFolder);
    await mkdir(cache, { recursive: true });
    expect((await fromFirstSource(options, load)).source).toBe(options.systemFolder);
    expect(lines).toEqual([]);
  });

  it('reports a cache that does not load and passes it over', async () => {
    const { options, cache, lines } = await machine();
    for (const folder of [cache, options.systemFolder!]) await writeIdxDataset(folder, toy);
    await writeFile(join(cache, 'bad'), '');
    expect((await fromFirstSource(options, load)).source).toBe(options.systemFolder);
    expect(lines).toEqual([`${cache}/bad is damaged.`]);
  });

  it.each(['data', 'TREADLE_DATA'])('does not look elsewhere when %s does not load', async (subject) => {
    const { options, root, cache } = await machine();
    const wrong = join(root, 'wrong');
    for (const folder of [wrong, cache]) await writeIdxDataset(folder, toy);
    await writeFile(join(wrong, 'bad'), '');
    const asked = subject === 'data' ? { data: wrong } : { env: { ...options.env, TREADLE_DATA: wrong } };
    const error = await failure('format', () => fromFirstSource({ ...options, ...asked }, load));
    expect(error.message).toBe(`${wrong}/bad is damaged.`);
  });

  it('refuses an empty --data, and takes an empty TREADLE_DATA as unset', async () => {
    const { options, cache } = await machine();
    await writeIdxDataset(cache, toy);
    const error = await failure('usage', () => fromFirstSource({ ...options, data: '' }, load));
    expect(error.message).toBe('data is empty; a folder is expected.');
    const env = { ...options.env, TREADLE_DATA: '' };
    expect((await fromFirstSource({ ...options, env }, load)).source).toBe(cache);
  });

  it('throws on what the loader did not foresee', async () => {
    const { options, cache } = await machine();
    await writeIdxDataset(cache, toy);
    const defect = async () => {
      throw new TypeError('a defect');
    };
    await expect(fromFirstSource(options, defect)).rejects.toThrow('a defect');
  });

  it('says in one sentence what was tried when nothing works', async () => {
    const { options, cache, root } = await machine();
    const error = await failure('network', () => fromFirstSource(options, load));
    expect(error.message).toBe(
      `Fashion-MNIST was not found and could not be fetched (${cache}: no data; ${root}/system: no data; ` +
        'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/train-images-idx3-ubyte.gz: ' +
        'getaddrinfo ENOTFOUND example; dataset-fashion-mnist: apt-get or dpkg-deb is not there); ' +
        'offline, a folder that has its files is expected.',
    );
  });

  it('fetches nothing when the cache cannot be written', async () => {
    const { options, root } = await machine();
    await writeFile(join(root, 'treadle'), 'a file where a folder is needed');
    const unused = async () => {
      throw new TypeError('must not be called');
    };
    const error = await failure('network', () =>
      fromFirstSource({ ...options, fetch: unused, run: unused }, load),
    );
    expect(error.message).toContain(`${root}/treadle/fashion-mnist: a part of its path is a file`);
  });
});

describe('the cache', () => {
  it('follows XDG_CACHE_HOME, then HOME, then the system', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/treadle/fashion-mnist');
    expect(cacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/h' })).toBe('/h/.cache/treadle/fashion-mnist');
    expect(cacheFolder({ XDG_CACHE_HOME: '', HOME: '/h' })).toBe('/h/.cache/treadle/fashion-mnist');
    expect(cacheFolder({})).toBe(join(homedir(), '.cache/treadle/fashion-mnist'));
  });

  it('is refused when it cannot be created', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const error = await failure('unwritable', () => ensureWritableFolder(join(file, 'cache')));
    expect(error.message).toBe(
      `Folder ${file}/cache cannot be written to: a part of its path is a file, not a folder.`,
    );
  });

  it.skipIf(process.getuid?.() === 0)('is refused when it is read-only', async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o555);
    await failure('unwritable', () => ensureWritableFolder(folder));
  });
});

describe('the download', () => {
  const respond =
    (make: () => Response): typeof globalThis.fetch =>
    async () =>
      make();
  const address =
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/train-images-idx3-ubyte.gz';

  it('says which address failed and how', async () => {
    const missing = await failure('network', () =>
      downloadFiles(
        respond(() => new Response('', { status: 404 })),
        1e4,
      ),
    );
    expect(missing.message).toBe(`${address} could not be downloaded (HTTP status 404); a file is expected.`);
    const { options } = await machine();
    const offline = await failure('network', () => downloadFiles(options.fetch!, 1e4));
    expect(offline.found).toBe('getaddrinfo ENOTFOUND example');
  });

  it('stops reading a body that is larger than the file can be', async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 2 ** 22;
        controller.enqueue(new Uint8Array(2 ** 22));
      },
    });
    const error = await failure('network', () =>
      downloadFiles(
        respond(() => new Response(endless)),
        6e4,
      ),
    );
    // The published 47,040,016 bytes, and 64 KiB for gzip's own.
    expect(error.found).toBe('more than 47,105,552 bytes');
    expect(sent).toBeLessThan(2 ** 26);
  });

  it('gives up on an address that does not answer in time', async () => {
    const silent: typeof globalThis.fetch = (_, init) =>
      new Promise((_, reject) => {
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason));
      });
    expect((await failure('network', () => downloadFiles(silent, 20))).found).toBe('too slow');
  });

  it.each([
    ['checksum', gzipSync(idxBytes([60000, 28, 28], new Uint8Array(60000 * 784)))],
    ['checksum', gzipSync(idxBytes([1, 28, 28], new Uint8Array(784)))],
    ['format', Buffer.from('<html>Log in to this network</html>')],
    ['format', gzipSync(idxBytes([60000], new Uint8Array(60000)))],
  ])('refuses other content: %s', async (code, body) => {
    const error = await failure(code, () =>
      downloadFiles(
        respond(() => new Response(body)),
        6e4,
      ),
    );
    expect(error.subject).toBe(address);
  });

  it('leaves the cache as it was when a file is wrong', async () => {
    const { options, cache } = await machine();
    const page = respond(() => new Response('<html></html>'));
    const error = await failure('network', () => fromFirstSource({ ...options, fetch: page }, load));
    expect(error.message).toContain('train-images-idx3-ubyte.gz: begins with 0x3c68746d;');
    expect(await readdir(cache)).toEqual([]);
  });

  it.skipIf(!realDataFolder)('fills the cache, replacing what was damaged', async () => {
    const { options, cache, lines } = await machine();
    await writeIdxDataset(cache, toy);
    const refuseToy = async (folder: string) => {
      const entries = await readdir(folder);
      if (entries.includes('train-images-idx3-ubyte'))
        throw new TreadleError('checksum', 'The cache is damaged.');
      return entries.sort();
    };
    const loaded = await fromFirstSource({ ...options, fetch: serve(realDataFolder!) }, refuseToy);
    expect(loaded.value).toEqual(NAMES);
    expect(loaded.source).toBe(
      `${cache} (fetched from https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/)`,
    );
    expect(lines[0]).toBe('The cache is damaged.');
    expect(lines[1]).toMatch(/^Fetching Fashion-MNIST \(31 MB\) from https:/);
    for (const name of NAMES) {
      const original = await readFile(join(realDataFolder!, name));
      expect(original.equals(await readFile(join(cache, name)))).toBe(true);
    }
  });
});

describe('an abort', () => {
  /** A fetch or a command that goes on until its signal aborts; then it fails as such things do. */
  const endless = (signal: AbortSignal | undefined | null) =>
    new Promise<never>((_, reject) => {
      signal!.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const unused = async () => {
    throw new TypeError('must not be called');
  };

  it('stops the download, tries no other source and caches nothing', async () => {
    const { options, cache, lines } = await machine();
    const controller = new AbortController();
    const fetch: typeof globalThis.fetch = (_, init) => {
      setImmediate(() => controller.abort());
      return endless(init!.signal);
    };
    const asked = { ...options, fetch, run: unused, signal: controller.signal };
    await failure('interrupted', () => fromFirstSource(asked, load));
    expect(lines).toHaveLength(1);
    expect(await readdir(cache)).toEqual([]);
  });

  it('stops the command, runs no other and caches nothing', async () => {
    const { options, cache } = await machine();
    const controller = new AbortController();
    const commands: string[] = [];
    const run: Run = async (command, args, { signal }) => {
      commands.push(`${command} ${args[0]}`);
      setImmediate(() => controller.abort());
      return endless(signal as AbortSignal);
    };
    await failure('interrupted', () => fromFirstSource({ ...options, run, signal: controller.signal }, load));
    expect(commands).toEqual(['apt-get download']);
    expect(await readdir(cache)).toEqual([]);
  });

  it.skipIf(!realDataFolder)('after the last file has come caches nothing', async () => {
    const { options, cache } = await machine();
    const controller = new AbortController();
    const fetch: typeof globalThis.fetch = async (address) => {
      if (String(address).includes('t10k-labels')) controller.abort();
      return serve(realDataFolder!)(address);
    };
    await failure('interrupted', () =>
      fromFirstSource({ ...options, fetch, signal: controller.signal }, load),
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('before anything is begun begins nothing', async () => {
    const { options, cache } = await machine();
    await writeIdxDataset(cache, toy);
    const asked = { ...options, fetch: unused, run: unused, signal: AbortSignal.abort() };
    await failure('interrupted', () => fromFirstSource(asked, load));
  });
});

describe("Debian's package", () => {
  it.skipIf(!realDataFolder)('fills the cache, also on a machine without package lists', async () => {
    const { options, cache } = await machine();
    const commands: string[] = [];
    const workFolders = new Set<string>();
    const run: Run = async (command, args, { cwd }) => {
      const verb = args.find((arg) => ['download', 'update', '-x'].includes(arg));
      commands.push(`${command} ${verb}`);
      workFolders.add(cwd);
      if (args[0] === 'download') throw new Error('E: Unable to locate package dataset-fashion-mnist');
      if (verb === 'download') await writeFile(join(cwd, 'dataset-fashion-mnist_1_all.deb'), '');
      if (verb !== '-x') return;
      expect(args).toEqual(['-x', 'dataset-fashion-mnist_1_all.deb', 'unpacked']);
      const target = join(cwd, 'unpacked/usr/share/datasets/fashion-mnist');
      await mkdir(target, { recursive: true });
      for (const name of NAMES) await copyFile(join(realDataFolder!, name), join(target, name));
    };
    const loaded = await fromFirstSource({ ...options, run }, (folder) => readdir(folder));
    expect(loaded.value.sort()).toEqual(NAMES);
    expect(loaded.source).toBe(`${cache} (fetched from Debian's package dataset-fashion-mnist)`);
    expect(commands).toEqual(['apt-get download', 'apt-get update', 'apt-get download', 'dpkg-deb -x']);
    expect(workFolders.size).toBe(1);
    expect(existsSync([...workFolders][0]!)).toBe(false);
  });

  it.each([
    [
      'dataset-fashion-mnist: E: no such package',
      async () => Promise.reject(new Error('E: no such package')),
    ],
    ['dataset-fashion-mnist: no package arrived', async () => {}],
  ])('is reported when it fails: %s', async (message, run) => {
    const { options } = await machine();
    const error = await failure('network', () => fromFirstSource({ ...options, run }, load));
    expect(error.message).toContain(message);
  });

  it('is refused when its content is another', async () => {
    const { options } = await machine();
    const run: Run = async (_, args, { cwd }) => {
      if (args[0] === 'download') await writeFile(join(cwd, 'a.deb'), '');
      else
        await writeIdxDataset(join(cwd, 'unpacked/usr/share/datasets/fashion-mnist'), { ...toy, gzip: true });
    };
    const error = await failure('network', () => fromFirstSource({ ...options, run }, load));
    expect(error.message).toContain("dataset-fashion-mnist's train-images-idx3-ubyte.gz: 32 bytes");
  });
});

describe('runCommand', () => {
  const node = process.execPath;
  const options = { cwd: homedir(), timeoutMs: 30_000 };

  it('resolves when the command succeeds', async () => {
    await expect(runCommand(node, ['-e', ''], options)).resolves.toBeUndefined();
  });

  it('rejects with the last line of the error stream', async () => {
    const script = 'console.error("first"); console.error("E: last"); process.exit(1)';
    await expect(runCommand(node, ['-e', script], options)).rejects.toThrow(/^E: last$/);
  });

  it('rejects with ENOENT when the command is absent', async () => {
    await expect(runCommand('no-such-command', [], options)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('ends a command when the signal aborts, whatever its own children do', async () => {
    const controller = new AbortController();
    const marker = join(await temporaryFolder(), 'pid');
    // The child of the command holds its streams open.
    const script = `require('child_process').spawn('sleep', ['5'], { stdio: 'inherit' });
      require('fs').writeFileSync(${JSON.stringify(marker)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const running = runCommand(node, ['-e', script], { ...options, signal: controller.signal });
    while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    await failure('interrupted', () => running);
    const pid = Number(await readFile(marker, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('stops a command that takes too long', async () => {
    const late = runCommand(node, ['-e', 'setInterval(() => {}, 1000)'], { ...options, timeoutMs: 50 });
    await expect(late).rejects.toThrow('too slow');
  });
});
