import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { reportHtml } from '../../dist/report/html.js';
import type { RunResults } from '../../dist/results/records.js';
import { buildResults } from '../../dist/results/results.js';
import { CHROMIUM, startChromium } from '../support/chromium.js';
import { temporaryFolder } from '../support/folder.js';
import { ensembleResults, failedModel, publishedLikeResults, randomResults } from '../support/results.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A4 without the page's margins of 12 mm, at 96 pixels an inch. */
const A4 = { width: Math.floor(((210 - 24) / 25.4) * 96), height: Math.floor(((297 - 24) / 25.4) * 96) };

const LONG = 'n'.repeat(64);

function longNames(): RunResults {
  const results = randomResults(12, {
    architectures: [
      { name: LONG, hidden: [32, 16] },
      { name: 'tiny', hidden: [8] },
    ],
    mode: 'independent',
    learningRates: [0.1, 0.01],
    epochs: 3,
  });
  results.dataset.classNames[0] = LONG;
  results.models[3] = failedModel('tiny', 0.01);
  return results;
}

/** Four of the twelve models: a test of each cell takes its time. */
function fewModels(): RunResults {
  const { environment, config, dataset, models } = publishedLikeResults();
  return buildResults({ environment, config, dataset, models: models.slice(0, 4) });
}

const CASES = {
  'published models': fewModels(),
  '24 classes': randomResults(24, { learningRates: [0.1], epochs: 2 }),
  '80 classes': randomResults(80, { learningRates: [0.1], epochs: 2 }),
  'names of 64 letters': longNames(),
  'several seeds': ensembleResults(),
} as const;

/** What axe-core finds that depends on colours and widths. */
const OF_STYLE = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

let browser: Browser;
beforeAll(async () => {
  if (existsSync(CHROMIUM)) browser = await startChromium();
});
afterAll(() => browser?.close());
beforeEach(({ skip }) => skip(!existsSync(CHROMIUM), `there is no ${CHROMIUM}`));

/** Opens a report as its reader does, with everything in it unfolded. */
async function open(results: RunResults, options: BrowserContextOptions = {}): Promise<Page> {
  const file = join(await temporaryFolder(), 'report.html');
  await writeFile(file, reportHtml(results));
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(pathToFileURL(file).href);
  if (options.javaScriptEnabled !== false) {
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
  }
  return page;
}

describe.each(Object.entries(CASES))('the page of %s', (_, results) => {
  // Colours are by style alone, as widths are: each of both with each of the other would find nothing more.
  it.each([
    [1280, 'light', ''],
    [320, 'dark', `runOnly: ${JSON.stringify(OF_STYLE)}, `],
  ] as const)(
    'is accessible and no wider than its window: %d pixels, %s',
    async (width, colorScheme, rules) => {
      const page = await open(results, { viewport: { width, height: 800 }, colorScheme });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await page.evaluate(AXE);
      const { passes, violations } = await page.evaluate<AxeResults>(
        `axe.run({ ${rules}resultTypes: ["violations"] })`,
      );
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(passes.map(({ id }) => id)).toContain(rules === '' ? 'landmark-unique' : 'color-contrast');
    },
  );
});

describe.each([
  ...Object.entries(CASES),
  ['twelve models', publishedLikeResults()],
  ['64 classes', randomResults(64, { learningRates: [0.1], epochs: 2 })],
] as const)('the page of %s', (_, results) => {
  it('loses nothing on paper', async () => {
    const page = await open(results, { viewport: A4 });
    await page.emulateMedia({ media: 'print' });
    const lost = await page.evaluate(() => {
      const clipped = [...document.querySelectorAll('.scroll, pre')].filter(
        (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight,
      );
      const beyond = [...document.querySelectorAll('td, th')].filter(
        (cell) => cell.getBoundingClientRect().right > innerWidth + 0.5,
      );
      const pale = [...document.querySelectorAll('.matrix td')].filter(
        (cell) => getComputedStyle(cell).printColorAdjust !== 'exact',
      );
      return [clipped, beyond, pale].map((elements) =>
        elements.map((element) => element.outerHTML.slice(0, 99)),
      );
    });
    expect(lost).toEqual([[], [], []]);
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-');
  });
});

describe('the page', () => {
  const results = randomResults(3, { learningRates: [0.1, 0.01, 0.001] });

  it('sorts a table by the heading that is pressed', async () => {
    const page = await open(results);
    expect(await page.getByText('Press a heading to sort by it.').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Rate' }).click();
    await page.getByRole('button', { name: 'Rate' }).click();
    const rates = page.locator('table[data-sortable] tbody td:nth-child(2)');
    expect(await rates.allTextContents()).toEqual(['0.001', '0.01', '0.1']);
    expect(await page.getByRole('columnheader', { name: 'Rate' }).first().getAttribute('aria-sort')).toBe(
      'ascending',
    );
  });

  it('has no buttons where no script runs', async () => {
    const page = await open(results, { javaScriptEnabled: false });
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.getByText('Press a heading to sort by it.').isVisible()).toBe(false);
    expect(await page.getByRole('columnheader', { name: 'Training time' }).isVisible()).toBe(true);
  });

  it('keeps the colours of its legend and its matrix where colours are forced', async () => {
    const page = await open(results, { forcedColors: 'active' });
    const colors = await page.evaluate(() => {
      const style = (selector: string) => getComputedStyle(document.querySelector(selector)!);
      return [
        style('.legend li:nth-child(2) path').stroke,
        style('.matrix td.hit').forcedColorAdjust,
        style('.matrix td.hit').backgroundColor,
      ];
    });
    // series2.
    expect(colors.slice(0, 2)).toEqual(['rgb(204, 82, 0)', 'none']);
    expect(colors[2]).toMatch(/^color\(srgb /);
  });
});
