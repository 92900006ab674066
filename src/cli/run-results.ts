import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { readFileBounded } from '../node/files.js';

/** Larger than the results of any run. */
const MAX_BYTES = 1 << 28;

/** The results' file in a run's folder. */
const FILE = 'results.json';

/** The results of a run, by its folder or its id in the folder of runs, as text. Throws `not-found` and `unreadable`. */
export async function readRunResults(
  run: string,
  out: string,
): Promise<{ folder: string; file: string; text: string }> {
  const folder = await folderOf(run, out);
  const file = join(folder, FILE);
  return { folder, file, text: Buffer.from(await readFileBounded(file, MAX_BYTES)).toString('utf8') };
}

/** The folder itself when it holds results, else the one of that name among the runs. Throws `not-found`. */
async function folderOf(run: string, out: string): Promise<string> {
  for (const folder of [run, join(out, run)]) if (await hasResults(folder)) return folder;
  const places = `${join(run, FILE)} nor ${join(out, run, FILE)}`;
  throw new TreadleError(
    'not-found',
    `${run} is no run: neither ${places} is there; a run's folder or id is expected.`,
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
