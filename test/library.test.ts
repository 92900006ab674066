import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/folder.js';
import { syntheticDataset, writeIdxDataset } from './support/idx.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CHILD = fileURLToPath(new URL('./support/library-child.mjs', import.meta.url));

/** What belongs to the program that uses a library, and never to the library. */
const FORBIDDEN = [
  /\bconsole\b/,
  /\bprocess\s*\??\.\s*(?!(?:argv|arch|cwd|env|getBuiltinModule|pid|platform|versions)\b|kill\(pid, 0\))\w+/,
  /(?:[=(]|globalThis\.)\s*process\b(?!\s*\??\.\w)/,
  /['"]node:(?:process|console|readline|repl|tty)['"]/,
];

/** Source without comments; text in quotes stays, for a library has no use for these words there either. */
function code(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*/g, '$1');
}

it('the sources outside the command line neither print, end the process nor listen to it', () => {
  const files = ['src', 'bindings'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const ofLibrary = files.filter((file) => !/^src\/cli(\.ts$|\/)/.test(relative(ROOT, file)));
  const offenders = (list: string[]) =>
    list
      .filter((file) => FORBIDDEN.some((pattern) => pattern.test(code(file))))
      .map((file) => relative(ROOT, file));
  expect(ofLibrary.length).toBeGreaterThan(80);
  expect(offenders(ofLibrary)).toEqual([]);
  // The command line does all three, so the patterns find what they look for.
  expect(offenders(files)).toEqual(
    expect.arrayContaining(['src/cli.ts', 'src/cli/signals.ts', 'src/cli/terminal.ts']),
  );
});

it('the calls of the library leave the process alone, end well or not, and leave no thread behind', async () => {
  const folder = await temporaryFolder();
  const dataset = syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 });
  await writeIdxDataset(join(folder, 'data'), dataset);
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toHaveLength(1);
  // It ended by itself: a thread left behind would have kept it alive until the test's time was up.
  expect(status).toBe(0);
  const { calls, exitCode, listenedTo } = JSON.parse(stdout);
  expect(calls.length).toBeGreaterThan(20);
  for (const { name, expected, ended, offences, threads } of calls) {
    expect({ name, ended, offences, threads }).toEqual({ name, ended: expected, offences: [], threads: [] });
  }
  expect(exitCode).toBeNull();
  expect(listenedTo).toEqual([]);
});
