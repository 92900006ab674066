import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Download, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { CHROMIUM, serveFolder, startChromium } from '../support/chromium.js';
import { PAGE } from './built.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;

/** Starts a browser for the tests of a file, which are skipped where there is none. */
export function withPage(): void {
  beforeAll(async () => {
    if (existsSync(CHROMIUM)) browser = await startChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(({ skip }) => skip(!existsSync(CHROMIUM), `there is no ${CHROMIUM}`));
}

interface Opening extends BrowserContextOptions {
  isolated?: boolean;
  origin?: string;
  /** Run before the page's own scripts. */
  script?: string;
  /** Another page: the room is opened in the same browser, from the same server. */
  beside?: Page;
}

/** A room as a visitor opens it, from a server of its own; what the page could not catch makes the test fail. */
export async function openRoom(
  room: string,
  { isolated = true, origin, script, beside, ...options }: Opening = {},
): Promise<Page> {
  const server = origin ?? (beside ? new URL(beside.url()).origin : await serveFolder(PAGE, { isolated }));
  const context =
    beside?.context() ??
    (await browser.newContext({
      viewport: { width: 1280, height: 900 },
      serviceWorkers: 'block',
      reducedMotion: 'reduce',
      ...options,
    }));
  const page = await context.newPage();
  if (script !== undefined) await page.addInitScript(script);
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
  await page.getByRole('button', { name: /^Train( anew)?$/ }).click();
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
  const { violations: found } = await page.evaluate<AxeResults>(
    'axe.run({ resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })',
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** How far the page is wider than its window. */
export const overhang = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

type Place = readonly [x: number, y: number];

/** Strokes over an element by a finger and by a pen, as the system hands them to the browser; places are shares of its sides. */
export async function fingerAndPen(page: Page, element: Locator) {
  const session = await page.context().newCDPSession(page);
  await element.scrollIntoViewIfNeeded();
  const box = (await element.boundingBox())!;
  const between = ([fromX, fromY]: Place, [toX, toY]: Place) =>
    Array.from({ length: 9 }, (_, at) => ({
      x: box.x + box.width * (fromX + ((toX - fromX) * at) / 8),
      y: box.y + box.height * (fromY + ((toY - fromY) * at) / 8),
    }));
  return {
    async finger(from: Place, to: Place): Promise<void> {
      const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
        session.send('Input.dispatchTouchEvent', { type, touchPoints });
      const [first, ...others] = between(from, to);
      await send('touchStart', [first!]);
      for (const place of others) await send('touchMove', [place]);
      await send('touchEnd', []);
    },
    async pen(from: Place, to: Place, force = 0.5): Promise<void> {
      const send = (type: 'mousePressed' | 'mouseMoved' | 'mouseReleased', place: { x: number; y: number }) =>
        session.send('Input.dispatchMouseEvent', {
          type,
          ...place,
          button: 'left',
          buttons: type === 'mouseReleased' ? 0 : 1,
          force,
          pointerType: 'pen',
        });
      const places = between(from, to);
      await send('mousePressed', places[0]!);
      for (const place of places.slice(1)) await send('mouseMoved', place);
      await send('mouseReleased', places.at(-1)!);
    },
  };
}

/** What of a page is cut off or covered on paper of A4, the grey of its ground (255 is white), and the latest figures. */
export async function printed(page: Page): Promise<{ lost: string[]; ground: number; figures: string[] }> {
  await page.emulateMedia({ media: 'print' });
  // Between margins of 1 cm, at 96 dots an inch.
  await page.setViewportSize({ width: 718, height: 1047 });
  return page.evaluate(() => {
    const bar = document.querySelector('.training > .controls')!;
    const { top, bottom } = bar.getBoundingClientRect();
    const right = document.documentElement.clientWidth;
    const all = document.querySelectorAll(
      'button, input, select, output, canvas, svg, dd, td, figcaption, pre',
    );
    const lost = [...all].filter((element) => {
      if (!element.checkVisibility() || element.matches('.unseen') || bar.contains(element)) return false;
      const box = element.getBoundingClientRect();
      const isCut = box.left < 0 || box.right > right;
      return isCut || (box.top < bottom - 1 && box.bottom > top + 1);
    });
    const [ground] = /\d+/.exec(getComputedStyle(document.body).backgroundColor)!;
    const figures = [...document.querySelectorAll('.latest dd')].filter((element) =>
      element.checkVisibility(),
    );
    return {
      lost: lost.map(({ outerHTML }) => outerHTML.slice(0, 120)),
      ground: Number(ground),
      figures: figures.map(({ textContent }) => textContent),
    };
  });
}
