/** Takes the picture of a report that the README shows: `node scripts/report-picture.js RUN_FOLDER [PNG]`. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [run, target = 'docs/report.png'] = process.argv.slice(2);
if (run === undefined) {
  console.error('usage: node scripts/report-picture.js RUN_FOLDER [PNG]');
  process.exit(2);
}

// Without a window there are no scroll bars either.
const browser = await chromium.launch({
  executablePath: process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1180, height: 1000 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(join(resolve(run), 'report.html')).href);
  await page.locator('#best').evaluate((section) => {
    section.style.padding = '24px';
  });
  await page.locator('#best').screenshot({ path: target });
} finally {
  await browser.close();
}
