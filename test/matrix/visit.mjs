// Visits a page of the matrix in Chromium.
import { chromium } from 'playwright-core';
import { atEnd, once } from './project.mjs';

const PATIENCE = 60_000;

const browser = once(async () => {
  const started = await chromium.launch({
    executablePath: process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  atEnd(() => started.close());
  return started;
});

/** What the page leaves in `globalThis.outcome`; where it leaves nothing, rejects with its errors. */
export async function visit(address) {
  const page = await (await browser()).newPage();
  const errors = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  try {
    await page.goto(address);
    for (const until = performance.now() + PATIENCE; performance.now() < until; ) {
      // Asked again and again, as a strict policy allows no polling from within; a page may be loaded anew meanwhile.
      const outcome = await page.evaluate('globalThis.outcome').catch(() => undefined);
      if (outcome !== undefined) return outcome;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(errors.join('; ') || `${address} has no outcome`);
  } finally {
    await page.close();
  }
}

/** Presses a page's button and gives what its output says once that matches, or in the end. */
export async function press(address, name, pattern) {
  const page = await (await browser()).newPage();
  try {
    await page.goto(address);
    await page.getByRole('button', { name }).click();
    const output = page.locator('output');
    for (const until = performance.now() + PATIENCE; performance.now() < until; ) {
      const said = (await output.textContent()) ?? '';
      if (pattern.test(said)) return said;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return (await output.textContent()) ?? '';
  } finally {
    await page.close();
  }
}
