import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

// Random calls of the library, of which every one ends in a result or a TreadleError, and after which a model predicts.
// `npm run fuzz:library` makes more of them.

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../fuzz/run-calls.mjs', import.meta.url));

it('300 random sequences of calls go well or are refused', async () => {
  const { stdout } = await run(process.execPath, [SCRIPT, '--sequences', '300', '--seed', '1']).catch(
    (error) => error,
  );
  expect(stdout).toContain('Nothing was found.\n');
  const [, calls, sequences, refused] = /^(\d+) calls in (\d+) sequences, [\d.]+ s; (\d+) refused:/.exec(
    stdout,
  )!;
  expect(Number(sequences)).toBe(300);
  expect(Number(calls)).toBeGreaterThan(1200);
  // Neither all of them are right nor all of them wrong, and the refusals are of every kind.
  expect(Number(refused) / Number(calls)).toBeGreaterThan(0.2);
  expect(Number(refused) / Number(calls)).toBeLessThan(0.7);
  for (const code of ['usage', 'range', 'shape', 'format', 'data', 'interrupted']) {
    expect(stdout).toMatch(new RegExp(`^  ${code} \\d+$`, 'm'));
  }
});

it('the same seed makes the same calls', async () => {
  const outputs = await Promise.all(
    [5, 5].map(async (seed) => {
      const { stdout } = await run(process.execPath, [SCRIPT, '--sequences', '10', '--seed', String(seed)]);
      return stdout.replace(/, [\d.]+ s;/, '');
    }),
  );
  expect(outputs[1]).toBe(outputs[0]);
});

it.each(['--calls', '--seed', '--only'])('%s is a whole number', async (option) => {
  const failed = await run(process.execPath, [SCRIPT, option, 'many']).catch((error) => error);
  expect(failed).toMatchObject({
    code: 2,
    stderr: `error: ${option} is many; a whole number from 0 up is expected.\n`,
  });
});
