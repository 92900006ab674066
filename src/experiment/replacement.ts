import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TreadleError } from '#bindings';
import { shown } from '../node/paths.js';
import { listed } from '../strict/text.js';

/** Whether weights that another run has saved may be replaced, or who is asked that with their paths. */
export type Replace = boolean | ((files: string[]) => boolean | Promise<boolean>);

/**
 * Makes sure that a run which saves files of these names replaces none that it may not. Files whose SHA-256 is in
 * `replaceable` are its own. Returns the SHA-256 of the others that it may replace; throws `usage` when it may not.
 */
export async function leaveToReplace(
  folder: string,
  names: readonly string[],
  replaceable: readonly string[],
  replace: Replace,
): Promise<string[]> {
  const present = new Set(await readdir(folder));
  const others: { path: string; digest: string | null }[] = [];
  for (const path of names.filter((name) => present.has(name)).map((name) => join(folder, name))) {
    const digest = await fileDigest(path);
    if (digest === null || !replaceable.includes(digest)) others.push({ path, digest });
  }
  if (others.length === 0) return [];
  const files = others.map(({ path }) => shown(path));
  if (!(typeof replace === 'boolean' ? replace : await replace(files))) throw refusal(shown(folder), files);
  return others.flatMap(({ digest }) => digest ?? []);
}

/** SHA-256 (hex) of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 (hex) of a file; null for what is no file or cannot be read. */
async function fileDigest(path: string): Promise<string | null> {
  try {
    // Checked before opening: opening a named pipe would wait for its writer.
    if (!(await stat(path)).isFile()) return null;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest('hex');
  } catch {
    return null;
  }
}

function refusal(folder: string, files: readonly string[]): TreadleError {
  const found = `files that this run would replace (${listed(files.map((file) => basename(file)))})`;
  const expected = 'another folder (--weights), or leave to replace them (--force),';
  return new TreadleError('usage', `Folder ${folder} has ${found}; ${expected} is expected.`, {
    subject: folder,
    found: files,
    expected,
  });
}
