import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '#bindings';
import { ensureWritableFolder, listFolder, unwritable, writeFileAtomic } from '../node/files.js';
import { versionRecord } from './events.js';

const OWN = /^events\.out\.tfevents\.\d+\.treadle$/;
const ANY = /tfevents/;

/**
 * A file of events that grows while a training goes on. Where `replaces` is true the files that treadle left in the folder
 * before are removed once the new one is there; else a folder that has event files is refused with `usage`, since
 * TensorBoard would show two trainings as one. Rejects with `unwritable`.
 */
export async function openEventFile(
  folder: string,
  first: readonly Uint8Array[],
  replaces: boolean,
): Promise<EventFile> {
  await ensureWritableFolder(folder);
  const before = (await listFolder(folder, 'a folder')).filter((name) => ANY.test(name));
  if (before.length > 0 && !replaces) {
    const expected = 'a folder without event files, one for each training,';
    throw problem('usage', { subject: 'folder', found: folder, because: `it has ${before[0]}`, expected });
  }
  const name = `events.out.tfevents.${Date.now()}.treadle`;
  await writeFileAtomic(join(folder, name), [versionRecord(Date.now()), ...first]);
  for (const old of before) if (OWN.test(old) && old !== name) await rm(join(folder, old), { force: true });
  return new EventFile(join(folder, name));
}

/** Made by {@link openEventFile}. */
export class EventFile {
  constructor(readonly path: string) {}

  /** Adds records at the end. Rejects with `unwritable`; a reader passes over a record that is not whole. */
  async add(records: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(records);
    try {
      await appendFile(this.path, bytes);
    } catch (cause) {
      throw unwritable(this.path, bytes.length, cause);
    }
  }
}
