import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { writeFileAtomic } from '../node/files.js';
import { IDX_FILES, type IdxFileName } from './identity.js';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The four files as they are stored: gzip bytes by name, already verified. */
export type FetchedFiles = Readonly<Record<IdxFileName, Uint8Array>>;

/**
 * Where fetched data is kept: `$XDG_CACHE_HOME/treadle/fashion-mnist`, else below `~/.cache`. A relative
 * XDG_CACHE_HOME is ignored, as the XDG Base Directory Specification asks.
 */
export function cacheFolder(env: Environment): string {
  const xdg = env.XDG_CACHE_HOME;
  const root = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.cache');
  return join(root, 'treadle', 'fashion-mnist');
}

/**
 * Puts verified files into the cache, so that a reader never sees half of one. A file stored without `.gz` is removed,
 * as it would be read first. Throws `unwritable`.
 */
export async function storeInCache(folder: string, files: FetchedFiles): Promise<void> {
  for (const name of IDX_FILES) {
    await writeFileAtomic(join(folder, `${name}.gz`), files[name]);
    await rm(join(folder, name), { force: true });
  }
}
