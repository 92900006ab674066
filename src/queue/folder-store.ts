import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { TreadleError } from '#bindings';
import { ensureWritableFolder, readFileBounded, writeFileAtomic } from '../node/files.js';
import type { Store } from './store.js';

/** The first bytes of a file: when its life ends, in milliseconds since 1970. */
const HEADER = 8;

/** A store in a folder that all machines share. What has expired is removed by whoever meets it. */
export function folderStore(folder: string): Store {
  const pathOf = (name: string) => join(folder, ...name.split('/'));

  async function read(name: string, maxBytes: number): Promise<Uint8Array | null> {
    const path = pathOf(name);
    try {
      const bytes = await readFileBounded(path, maxBytes + HEADER);
      if (bytes.length < HEADER) return bytes;
      const ends = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
      if (ends > Date.now()) return bytes.subarray(HEADER);
      await rm(path, { force: true });
      return null;
    } catch (error) {
      if (error instanceof TreadleError && error.code === 'not-found') return null;
      throw error;
    }
  }

  return {
    location: `file:${folder}`,
    async put(name, bytes, lifeMs) {
      const header = new Uint8Array(HEADER);
      new DataView(header.buffer).setFloat64(0, Date.now() + lifeMs, true);
      await ensureWritableFolder(dirname(pathOf(name)));
      await writeFileAtomic(pathOf(name), [header, bytes]);
    },
    get: read,
    async list(prefix) {
      // Names that begin so lie in one folder, or below it.
      const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      const root = start === '' ? folder : pathOf(start.slice(0, -1));
      if ((await stat(root).catch(() => null)) === null) return [];
      const entries = await readdir(root, { withFileTypes: true, recursive: true });
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
        .map((entry) =>
          join(entry.parentPath, entry.name)
            .slice(folder.length + 1)
            .split(sep)
            .join('/'),
        )
        .filter((name) => name.startsWith(prefix))
        .sort();
    },
    async delete(name) {
      await rm(pathOf(name), { force: true });
    },
    async close() {},
  };
}
