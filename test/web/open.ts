import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Download, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { CHROMIUM, serveFolder, startChromium } from '../support/chromium.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the page is built for a file of tests; each file has its own, as files run beside each other. */
export const folderOf = (name: string) => join(ROOT, 'build/web-test', name);

let browser: Browser;
let folder: string;

/** Builds the page once and starts a browser, for all tests of a file; they are skipped where there is none. */
export function withPage(name: string): void {
  folder = folderOf(name);
  beforeAll(async () => {
    if (!existsSync(CHROMIUM)) return;
    [browser] = await Promise.all([
      startChromium(),
      promisify(execFile)(process.execPath, ['scripts/web.js', 'build', folder], {
        cwd: ROOT,
        env: { ...process.env, NODE_ENV: 'production' },
      }),
    ]);
  });
  afterAll(() => browser?.close());
  beforeEach(({ skip }) => skip(!existsSync(CHROMIUM), `there is no ${CHROMIUM}`));
}

/** A room as a visitor opens it, from a server of its own; what the page could not catch makes the test fail. */
export async function openRoom(
  room: string,
  {
    isolated = true,
    origin,
    ...options
  }: BrowserContextOptions & { isolated?: boolean; origin?: string } = {},
): Promise<Page> {
  const server = origin ?? (await serveFolder(folder, { isolated }));
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    serviceWorkers: 'block',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  onTestFinished(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  await page.goto(`${server}/#/${room}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** Presses Train and waits for the end. */
export async function train(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Train/ }).click();
  await page.getByText('Trained', { exact: true }).waitFor();
}

/** The bytes of what a press makes the browser save. */
export async function saved(
  page: Page,
  press: () => Promise<void>,
): Promise<{ name: string; bytes: Buffer }> {
  const coming = page.waitForEvent('download');
  await press();
  const download: Download = await coming;
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** What axe-core has against the page as it is. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** How far the page is wider than its window. */
export const overhang = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
