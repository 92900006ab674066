import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../dist/experiment/config.js';
import { exportModel } from '../../dist/formats/export/formats.js';
import { storeMetadata } from '../../dist/formats/metadata.js';
import { encodeModel } from '../../dist/formats/model-bytes.js';
import { toNumpy, toStateDict } from '../../dist/formats/naming.js';
import { encodePickle } from '../../dist/formats/pickle.js';
import { encodeSafetensors } from '../../dist/formats/safetensors.js';
import { exportTable } from '../../dist/table/export/export.js';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('run.mjs', import.meta.url));
const FOUND = fileURLToPath(new URL('found', import.meta.url));
const READERS = [
  'idx',
  'gzip',
  'safetensors',
  'pickle',
  'inspect',
  'import',
  'keras',
  'config',
  'results',
  'csv',
  'parquet',
  'encoder',
  'png',
  'jpeg',
];
const encoders = {
  defaultConfig,
  encodeModel,
  exportModel,
  exportTable,
  encodePickle,
  encodeSafetensors,
  storeMetadata,
  toNumpy,
  toStateDict,
};

/** Seconds for all readers together; the continuous integration gives more. */
const SECONDS = process.env.TREADLE_FUZZ_SECONDS ?? '8';

/** What the fuzzer says of a reader. */
interface Outcome {
  reader: string;
  tried: number;
  read: number;
  refused: number;
}

/** The JSON that a run of the fuzzer prints, whether it found a failure or not. */
async function fuzz(...options: string[]) {
  const { stdout } = await run(process.execPath, [SCRIPT, ...options]).catch((error) => error);
  return JSON.parse(stdout);
}

test('every reader reads or refuses what it is given, in time and in bounds', async () => {
  const { outcomes, failures } = await fuzz('--json', '--seconds', SECONDS);
  expect(failures).toEqual([]);
  expect(outcomes.map(({ reader }: Outcome) => reader)).toEqual(READERS);
  for (const { reader, tried, read, refused } of outcomes as Outcome[]) {
    // The corpus alone has files that are read and files that are refused.
    const isBoth = read > 0 && refused > 0 && tried === read + refused;
    expect({ reader, isBoth }).toEqual({ reader, isBoth: true });
  }
}, 600_000);

test.each(READERS)(
  'an input of %s follows from its seed and number, whatever came before',
  async (reader) => {
    const load = (file: string) => import(new URL(file, import.meta.url).href);
    const { corpusOf } = await load('corpus.mjs');
    const { inputOf } = await load('inputs.mjs');
    const { tapeOf } = await load('tape.mjs');
    const corpus = corpusOf(reader, encoders);
    const inputAt = (index: number) => inputOf(reader, corpus, tapeOf(reader, 5, index)).toString('base64');
    const numbers = Array.from({ length: 600 }, (_, index) => index);
    const forward = numbers.map(inputAt);
    const backward = numbers.toReversed().map(inputAt).toReversed();
    expect(backward.every((input, index) => input === forward[index])).toBe(true);
    expect(new Set(forward).size).toBeGreaterThan(300);
  },
);

test.each(readdirSync(FOUND))('%s, found by fuzzing, is refused or read as promised', async (name) => {
  expect((await fuzz('--replay', `${FOUND}/${name}`)).problem).toBeNull();
});
