import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { serveFolder } from '../support/chromium.js';
import { PAGE } from './built.js';
import { openRoom, train, withPage } from './open.js';

withPage();

const ROOM = 'playground?points=60&epochs=5';

describe('the built page', () => {
  it('is isolated by its service worker where the host does not, and works without a network', async () => {
    const page = await openRoom(ROOM, { isolated: false, serviceWorkers: 'allow' });
    await page.waitForFunction(() => crossOriginIsolated && navigator.serviceWorker.controller !== null);
    await page.context().setOffline(true);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Playground' }).waitFor();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await train(page);
    await page.locator('.panels svg').first().waitFor();
    await page.getByRole('link', { name: 'Your table' }).click();
    await page.getByRole('button', { name: 'Iris flowers' }).click();
    await page.getByText('It is one of 3 classes.').waitFor();
  });

  it('is not loaded anew under the hand of a visitor: the next visit is isolated', async () => {
    const script = `addEventListener('DOMContentLoaded', () => dispatchEvent(new Event('pointerdown')))`;
    const page = await openRoom(ROOM, { isolated: false, serviceWorkers: 'allow', script });
    await page.evaluate(() => Object.assign(window, { isFirst: true }));
    await page.waitForFunction(() => navigator.serviceWorker.ready);
    await page.waitForTimeout(500);
    expect(await page.evaluate(() => [crossOriginIsolated, 'isFirst' in window])).toEqual([false, true]);
    await train(page);
    await page.reload();
    await page.waitForFunction(() => crossOriginIsolated);
  });

  it('hands on what its service worker has no room to keep', async () => {
    const page = await openRoom(ROOM, { serviceWorkers: 'allow' });
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage! + 100 });
    // The one file that the service worker has not kept from the start.
    expect(await page.evaluate(async () => (await (await fetch('./sw.js')).text()).length)).toBeGreaterThan(
      1000,
    );
  });

  it('says that a room could not be fetched', async () => {
    const page = await openRoom(ROOM);
    await page.route('**/assets/TableRoom*.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: 'throw new Error("gone")' }),
    );
    await page.getByRole('link', { name: 'Your table' }).click();
    await page.getByRole('alert').waitFor();
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Load the page again' }).click();
    await page.getByRole('heading', { level: 1, name: 'Your table' }).waitFor();
  });

  it('trains with one thread where nothing isolates it', async () => {
    const page = await openRoom(ROOM, { isolated: false });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByText('Threads: one, as this page is not isolated.').waitFor();
    await train(page);
  });

  it('trains on in a hidden tab', async () => {
    const page = await openRoom('playground?points=60&epochs=100');
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true });
      window.requestAnimationFrame = () => 0;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await train(page);
  });

  it('asks its own host alone, and for no more than 250 KB before there is data', async () => {
    const origin = await serveFolder(PAGE);
    const page = await openRoom('clothes', { origin });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${origin}/?again#/playground`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    const paths = asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url));
    expect(paths.every((url) => url.origin === origin)).toBe(true);
    const bytes = paths.reduce((sum, { pathname }) => {
      const file = pathname === '/' ? 'index.html' : pathname;
      return sum + gzipSync(readFileSync(join(PAGE, file))).length;
    }, 0);
    expect(paths.length).toBeGreaterThan(3);
    expect(bytes).toBeLessThan(250_000);
  });

  it('has a policy that lets nothing out', () => {
    const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
    expect(html).toContain('default-src &#39;self&#39;');
    const files = readdirSync(join(PAGE, 'assets'));
    const named = readFileSync(join(PAGE, 'sw.js'), 'utf8');
    expect(files.filter((name) => !named.includes(`assets/${name}`))).toEqual([]);
  });
});
