// Makes pictures of every room, light, dark and as on a phone, of the built page: build/web-screenshots. Those of the window alone,
// `-window` and `-window-dark`, are what the README shows.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'build/web-screenshots');

/** What is done in a room before its picture is taken. */
const trained = async (page) => {
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await page.getByText('Trained', { exact: true }).waitFor({ timeout: 120_000 });
  await page.locator('.panels svg').first().waitFor();
};
const ROOMS = {
  playground: ['playground?set=spiral&classes=3&layers=16-tanh_16-tanh&epochs=150&noise=0.05', trained],
  'playground-empty': ['playground?set=own', async () => {}],
  'table-empty': ['table', async () => {}],
  table: [
    'table?sample=customers&target=left&epochs=30',
    async (page) => {
      await trained(page);
      await page.getByRole('heading', { name: 'What if?' }).waitFor();
      await page.locator('.panels svg').nth(4).waitFor();
    },
  ],
  'clothes-empty': ['clothes', async () => {}],
  clothes: [
    'clothes?epochs=15',
    async (page) => {
      await trained(page);
      await page.locator('.matrix td').nth(64).getByRole('button').click();
      await page.locator('.images li').first().waitFor();
      await page.evaluate(() => scrollTo(0, 0));
    },
  ],
  kept: ['kept', async () => {}],
};
const FORMS = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  window: { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  'window-dark': { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  phone: { colorScheme: 'light', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
};

mkdirSync(FOLDER, { recursive: true });
const server = await preview({ configFile: join(ROOT, 'web/vite.config.ts'), logLevel: 'error' });
const browser = await chromium.launch({
  executablePath: process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const only = process.argv.slice(2);
for (const [name, [room, act]] of Object.entries(ROOMS)) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const [form, options] of Object.entries(FORMS)) {
    const context = await browser.newContext({ ...options, serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.goto(`${server.resolvedUrls.local[0]}#/${room}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await act(page);
    const isWindow = form.startsWith('window');
    // A picture of the whole page has no lower edge to stick to.
    if (!isWindow)
      await page.addStyleTag({ content: '.training > .controls { position: static !important }' });
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(FOLDER, `${name}-${form}.png`), fullPage: !isWindow });
    await context.close();
  }
}
await browser.close();
await server.close();
process.exit();
