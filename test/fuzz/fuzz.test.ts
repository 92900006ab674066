import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('run.mjs', import.meta.url));
const FOUND = fileURLToPath(new URL('found', import.meta.url));

/** Seconds for all readers together; the continuous integration gives more. */
const SECONDS = process.env.TREADLE_FUZZ_SECONDS ?? '8';

/** What the fuzzer says of a reader. */
interface Outcome {
  reader: string;
  tried: number;
  read: number;
  refused: number;
}

async function fuzz(...options: string[]): Promise<{ outcomes: Outcome[]; failures: unknown[] }> {
  const { stdout } = await run(process.execPath, [SCRIPT, '--json', ...options]).catch((error) => error);
  return JSON.parse(stdout);
}

describe('fuzzing', () => {
  test('every reader reads or refuses what it is given, in time and in bounds', {
    timeout: 600_000,
  }, async () => {
    const { outcomes, failures } = await fuzz('--seconds', SECONDS);
    expect(failures).toEqual([]);
    expect(outcomes.map(({ reader }) => reader)).toEqual([
      'idx',
      'gzip',
      'safetensors',
      'pickle',
      'config',
      'results',
      'png',
      'jpeg',
    ]);
    for (const { reader, tried, read, refused } of outcomes) {
      // The corpus alone has files that are read and files that are refused.
      expect({ reader, isTried: read > 0 && refused > 0 && tried === read + refused }).toEqual({
        reader,
        isTried: true,
      });
    }
  });

  test.each(readdirSync(FOUND))('%s, found by fuzzing, is refused or read as promised', async (name) => {
    const { stdout } = await run(process.execPath, [SCRIPT, '--replay', `${FOUND}/${name}`]).catch(
      (error) => error,
    );
    expect(JSON.parse(stdout).problem).toBeNull();
  });
});
