import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { readFileBounded } from '../node/files.js';

/** Larger than the results of any run. */
const MAX_BYTES = 1 << 28;

/** The results' file in a run's folder. */
const FILE = 'results.json';

/** The results of a run, by its folder or its id in one of the folders of runs, as text. Throws `not-found` and `unreadable`. */
export async function readRunResults(
  run: string,
  outs: readonly string[],
): Promise<{ folder: string; file: string; text: string }> {
  const folder = await folderOf(run, outs);
  const file = join(folder, FILE);
  return { folder, file, text: Buffer.from(await readFileBounded(file, MAX_BYTES)).toString('utf8') };
}

/** The folder itself when it holds results, else the first of that name among the runs. Throws `not-found`. */
async function folderOf(run: string, outs: readonly string[]): Promise<string> {
  const folders = [run, ...new Set(outs.map((out) => join(out, run)))];
  for (const folder of folders) if (await hasResults(folder)) return folder;
  const files = folders.map((folder) => join(folder, FILE));
  const places = files.length === 2 ? `neither ${files.join(' nor ')}` : `none of ${files.join(', ')}`;
  throw new TreadleError(
    'not-found',
    `${run} is no run: ${places} is there; a run's folder or id is expected.`,
    { subject: run, found: 'no run', expected: "a run's folder or id" },
  );
}

async function hasResults(folder: string): Promise<boolean> {
  try {
    await access(join(folder, FILE));
    return true;
  } catch {
    return false;
  }
}
