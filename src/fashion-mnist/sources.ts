import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type AbortSignalLike, TreadleError } from '#bindings';
import { ensureWritableFolder } from '../node/files.js';
import { throwIfAborted } from '../strict/abort.js';
import { systemCode } from '../strict/words.js';
import { cacheFolder, type Environment, type FetchedFiles, storeInCache } from './cache.js';
import { fetchDebianFiles, type Run, runCommand } from './debian.js';
import { downloadFiles, type Fetch } from './download.js';
import { DEBIAN_FOLDER, DEBIAN_PACKAGE, DOWNLOAD_ROOT, FASHION_MNIST, IDX_FILES } from './identity.js';

/** The longest that a download, or one command of the package manager, may take. */
const TIMEOUT_MS = 10 * 60 * 1000;

/** What an abort interrupts. */
export const LOADING = 'Loading the data';

/** Where to look for the data. All but `data` and `log` have the machine's own as default. */
export interface SourceOptions {
  /** `--data DIR`. */
  data?: string | undefined;
  /** Told what is being fetched, and which stored files were refused, a line each. */
  log?: ((line: string) => void) | undefined;
  env?: Environment | undefined;
  systemFolder?: string | undefined;
  fetch?: Fetch | undefined;
  run?: Run | undefined;
  timeoutMs?: number | undefined;
  /** Ends the search: what is being fetched is stopped, and nothing else is tried. */
  signal?: AbortSignalLike | undefined;
}

/** What the first usable source held, and where that was in words. */
export interface Sourced<T> {
  source: string;
  value: T;
}

/**
 * Loads from the first source that has the data: `--data`, `$TREADLE_DATA`, the user's cache, the system's folder,
 * the official HTTPS addresses, Debian's package; the last two by way of the cache. A folder that was asked for must
 * load; one that was not is passed over when it is absent, and reported and passed over when `load` refuses it.
 * Throws what `load` throws for a folder that was asked for, `usage` for an empty `--data`, `network` when every source
 * has failed, and `interrupted` when the signal aborts: what was being fetched is then stopped and nothing is cached.
 */
export async function fromFirstSource<T>(
  options: SourceOptions,
  load: (folder: string) => Promise<T>,
): Promise<Sourced<T>> {
  const env = options.env ?? process.env;
  if (options.data !== undefined) return askedFor('data', options.data, load);
  if (env.TREADLE_DATA) return askedFor('TREADLE_DATA', env.TREADLE_DATA, load);

  const cache = cacheFolder(env);
  const failures: string[] = [];
  for (const folder of [cache, options.systemFolder ?? DEBIAN_FOLDER]) {
    if (!(await hasData(folder))) {
      failures.push(`${folder}: no data`);
      continue;
    }
    const value = await attempt(() => load(folder), failures, options);
    if (value) return { source: folder, value: value.result };
  }
  const fetched = await fetchIntoCache(cache, options, failures);
  return { source: fetched, value: await load(cache) };
}

async function askedFor<T>(
  subject: string,
  folder: string,
  load: (folder: string) => Promise<T>,
): Promise<Sourced<T>> {
  if (folder === '') {
    throw new TreadleError('usage', `${subject} is empty; a folder is expected.`, {
      subject,
      found: '',
      expected: 'a folder',
    });
  }
  const value = await load(resolve(folder));
  return { source: `${resolve(folder)} (${subject})`, value };
}

/** Whether a folder holds at least one of the four files; one that cannot be listed is left to the loader to refuse. */
async function hasData(folder: string): Promise<boolean> {
  try {
    const entries = await readdir(folder);
    return IDX_FILES.some((name) => entries.includes(name) || entries.includes(`${name}.gz`));
  } catch (error) {
    const code = systemCode(error);
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

/** Fills the cache from the network and says from where; throws `network` with all `failures` when nothing works. */
async function fetchIntoCache(cache: string, options: SourceOptions, failures: string[]): Promise<string> {
  const { fetch = globalThis.fetch, run = runCommand, timeoutMs = TIMEOUT_MS, log, signal } = options;
  const origins: { name: string; files: () => Promise<FetchedFiles> }[] = [
    { name: DOWNLOAD_ROOT, files: () => downloadFiles(fetch, timeoutMs, signal) },
    { name: `Debian's package ${DEBIAN_PACKAGE}`, files: () => fetchDebianFiles(run, timeoutMs, signal) },
  ];
  if (await attempt(() => ensureWritableFolder(cache), failures, { signal })) {
    for (const { name, files } of origins) {
      log?.(`Fetching ${FASHION_MNIST} (31 MB) from ${name} into ${cache}.`);
      const fetchAndStore = async (): Promise<void> => {
        const fetched = await files();
        throwIfAborted(signal, LOADING);
        await storeInCache(cache, fetched);
      };
      const stored = await attempt(fetchAndStore, failures, options);
      if (stored) return `${cache} (fetched from ${name})`;
    }
  }
  throw new TreadleError(
    'network',
    `${FASHION_MNIST} was not found and could not be fetched (${failures.join('; ')}); offline, a folder that has its files is expected.`,
    { subject: FASHION_MNIST, found: failures, expected: 'a folder that has its files' },
  );
}

/**
 * Runs an action; an error that treadle foresaw becomes a noted failure, any other is thrown on. Throws `interrupted`
 * when the signal has aborted.
 */
async function attempt<T>(
  action: () => Promise<T>,
  failures: string[],
  { log, signal }: Pick<SourceOptions, 'log' | 'signal'>,
): Promise<{ result: T } | undefined> {
  throwIfAborted(signal, LOADING);
  try {
    return { result: await action() };
  } catch (error) {
    throwIfAborted(signal, LOADING);
    if (!(error instanceof TreadleError)) throw error;
    failures.push(`${error.subject}: ${error.found}`);
    log?.(error.message);
    return undefined;
  }
}
