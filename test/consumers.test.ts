import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';
import { CHROMIUM, serveFolder, startChromium } from './support/chromium.js';
import { temporaryFolder } from './support/folder.js';

// The short form of test/matrix: projects that have the packed package installed.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const call = promisify(execFile);

/** A folder with the packed package in node_modules, and the contents of these folders of test/matrix. */
async function project(...sources: string[]): Promise<string> {
  const folder = await temporaryFolder();
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await call('npm', pack, { cwd: ROOT });
  const place = join(folder, 'node_modules/treadle');
  await mkdir(place, { recursive: true });
  const [{ filename }] = JSON.parse(stdout);
  await call('tar', ['xzf', join(folder, filename), '-C', place, '--strip-components=1']);
  for (const source of sources) await cp(join(ROOT, 'test/matrix', source), folder, { recursive: true });
  return folder;
}

it.each([
  ['neither the DOM nor Node', ['ES2022'], ['portable.ts']],
  ['the DOM', ['ES2022', 'DOM'], ['portable.ts', 'browser.ts']],
])('the declarations compile with the types of %s', async (_, lib, files) => {
  const folder = await project('types/consumer');
  const compilerOptions = {
    target: 'ES2022',
    module: 'nodenext',
    lib,
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const printed = await call(process.execPath, [compiler, '-p', '.'], { cwd: folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  expect(printed).toBe('');
});

it('a bundle trains in a page, with the core and the worker given', async () => {
  if (!existsSync(CHROMIUM)) return;
  const folder = await project('bundlers/app', 'bundlers/given');
  const bundle = await rolldown({ cwd: folder, input: { main: 'src/index.js', worker: 'treadle/worker' } });
  await bundle.write({ dir: join(folder, 'dist') });
  await bundle.close();
  await cp(join(folder, 'page.html'), join(folder, 'dist/page.html'));
  for (const name of ['simd.wasm', 'simd-mt.wasm'])
    await cp(join(folder, 'node_modules/treadle/build', name), join(folder, 'dist', name));
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${await serveFolder(join(folder, 'dist'))}/page.html?ways=page,worker,threads`);
    const outcome = await page.waitForFunction('globalThis.outcome');
    expect(await outcome.jsonValue()).toEqual({ page: 'ok', worker: 'ok', threads: 'ok' });
  } finally {
    await browser.close();
  }
});
