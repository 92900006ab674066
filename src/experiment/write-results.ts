import { join } from 'node:path';
import { writeFileAtomic } from '../node/files.js';
import type { RunResults } from '../results/records.js';
import { epochsCsv } from '../results/results.js';
import { readableJson } from '../strict/json.js';

/**
 * Writes a run's `results.json` and `epochs.csv` into its folder, and returns the path of `results.json`.
 * Throws `unwritable`.
 */
export async function writeResults(folder: string, results: RunResults): Promise<string> {
  const file = join(folder, 'results.json');
  await writeFileAtomic(join(folder, 'epochs.csv'), epochsCsv(results));
  await writeFileAtomic(file, readableJson(results));
  return file;
}
