import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, serveProject, startChromium } from './support/chromium.js';
import { temporaryFolder } from './support/folder.js';

// Every program of docs/guide runs as it stands: in Node, or in a page where the guide says so.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const GUIDE = join(ROOT, 'docs/guide');
const pages = readdirSync(GUIDE).filter((name) => name.endsWith('.md'));
const read = (name: string) => readFileSync(join(GUIDE, name), 'utf8');

interface Program {
  name: string;
  kind: string;
  text: string;
}

/** The fenced blocks of the guide; `kind` is what stands behind the fence. */
const blocks = pages.flatMap((page) =>
  [...read(page).matchAll(/^```([\w ]*)\n([\s\S]*?)^```$/gm)].map(
    ([, kind, text], index): Program => ({ name: `${page}, block ${index + 1}`, kind: kind!, text: text! }),
  ),
);
const of = (kind: string) => blocks.filter((block) => block.kind === kind);

it('the guide has blocks of these kinds alone', () => {
  expect(new Set(blocks.map(({ kind }) => kind))).toEqual(
    new Set(['js', 'js page', 'js config', 'html', 'text', 'py', 'c', '']),
  );
});

describe('in Node', () => {
  it.each(of('js'))('$name', async ({ text }) => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules', 'treadle'));
    await copyFile(join(GUIDE, 'iris.csv'), join(folder, 'iris.csv'));
    await writeFile(join(folder, 'program.mjs'), text);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
    expect(stdout).not.toMatch(/\bNaN\b|undefined/);
  });
});

describe('in a page', () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (existsSync(CHROMIUM)) browser = await startChromium();
  });
  afterAll(() => browser?.close());

  const programs = [
    ...of('js page').map(({ name, text }) => ({ name, text, entry: 'index' })),
    ...of('html').map(({ name, text }) => ({
      name,
      text: `${text.replace(/<\/?script[^>]*>/g, '')}\nconsole.log(document.body.textContent)`,
      entry: 'bundle',
    })),
  ];
  it.each(programs)('$name', async ({ text, entry }) => {
    if (browser === undefined) return;
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    const failed: string[] = [];
    page.on('pageerror', (error) => failed.push(String(error)));
    await page.goto(`${await serveProject({ isolated: true })}/test/support/library-in-browser.html`);
    const origin = new URL(page.url()).origin;
    const linked = text.replace(/from '(treadle|\.\/bundle\.js)'/g, `from '${origin}/dist/${entry}.js'`);
    await page.addScriptTag({ type: 'module', content: `${linked}\nglobalThis.finished = true;` });
    await page.waitForFunction('globalThis.finished');
    expect(failed).toEqual([]);
    expect(said.join('\n')).not.toMatch(/\bNaN\b|undefined|^$/);
  });
});

describe('the guide', () => {
  it('leads to files that there are', () => {
    for (const page of pages) {
      for (const [, target] of read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g))
        expect(existsSync(join(GUIDE, target!)), `${page}: ${target}`).toBe(true);
    }
  });

  it('is listed in the README, page by page', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    for (const page of pages) expect(readme).toContain(`(docs/guide/${page})`);
  });
});
