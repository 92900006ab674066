import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../dist/index.js';
import { openRoom, saved, train, violations, withPage } from './open.js';

withPage();

const SHORT = 'playground?points=60&epochs=8';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const save = (page: Page) => saved(page, () => press(page, 'Save as a file'));

/** The button, link or field in focus; the page itself has no name. */
const focused = (page: Page) => page.evaluate(() => document.activeElement!.textContent!.slice(0, 20));

describe('what all rooms share', () => {
  it('says that there is no room to keep a model in', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage! + 1000 });
    await press(page, 'Keep in this browser');
    await page.getByText('This browser has no room for the model').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByText('None yet').waitFor();
  });

  it('has the model before again where another was stopped before its first step', async () => {
    // Messages reach the worker late, so that there is time to stop.
    const page = await openRoom(SHORT, {
      script: `
        const slow = { on: false };
        window.slow = slow;
        const { postMessage } = Worker.prototype;
        Worker.prototype.postMessage = function (message, ...others) {
          if (!slow.on) return postMessage.call(this, message, ...others);
          setTimeout(() => postMessage.call(this, message, ...others), 1200);
        };`,
    });
    await train(page);
    await page.getByText('Dot: the epoch').waitFor();
    const figures = () => page.locator('.latest dd').allTextContents();
    const [before, shown] = [await save(page), await figures()];
    for (const state of ['Getting ready', 'Training']) {
      await page.evaluate('slow.on = true');
      await press(page, 'Train anew');
      await page.getByText(state, { exact: true }).waitFor();
      await press(page, 'Stop');
      await page.getByText('Stopped', { exact: true }).waitFor();
      await page.evaluate('slow.on = false');
      expect(await figures()).toEqual(shown);
      expect((await save(page)).bytes.equals(before.bytes)).toBe(true);
    }
  });

  it('keeps what was learnt of a first epoch that was stopped within', async () => {
    const page = await openRoom('playground?points=1000&epochs=3&batch=1&layers=1024-tanh_1024-tanh');
    await press(page, 'Train');
    await page.getByText('rows a second').waitFor();
    await press(page, 'Stop');
    await page.getByText('Stopped', { exact: true }).waitFor();
    expect((await loadModel((await save(page)).bytes)).parameters).toBeGreaterThan(1_000_000);
  });

  it('keeps a model with the set-up that it was trained with, under a name', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    await page.getByLabel('Width of layer 1').fill('3');
    await page.getByLabel('Width of layer 1').press('Tab');
    await page.getByLabel('Name', { exact: true }).fill('   ');
    await press(page, 'Keep in this browser');
    await page.getByText('Moons is kept in this browser').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('link', { name: 'Open Moons' }).click();
    await page.getByText('Trained', { exact: true }).waitFor();
    await expect.poll(() => page.getByLabel('Width of layer 1').inputValue()).toBe('8');
    expect(page.url()).not.toContain('layers=');
  });

  it('opens a kept model again when the page is loaded anew, with what was set since', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    await press(page, 'Keep in this browser');
    await page.getByText('Moons is kept in this browser').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('link', { name: 'Open Moons' }).click();
    await page.getByText('Trained', { exact: true }).waitFor();
    const figures = await page.locator('.latest').textContent();
    await page.getByLabel('Width of layer 1').fill('3');
    await page.getByLabel('Width of layer 1').press('Tab');
    await expect.poll(() => page.url()).toMatch(/layers=3-.*kept=\d+/);
    for (let load = 0; load < 2; load++) {
      await page.reload();
      await page.getByText('Trained', { exact: true }).waitFor();
      expect(await page.locator('.latest').textContent()).toBe(figures);
      expect(await page.getByLabel('Width of layer 1').inputValue()).toBe('3');
      await page.waitForTimeout(300);
    }
    await train(page);
    await expect.poll(() => page.url()).not.toContain('kept=');
  });

  it('says of a model that is not in this browser where those are that are', async () => {
    const page = await openRoom(`${SHORT}&kept=77`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe(
      'Model 77 is not kept in this browser; one of those under “Kept models” is expected.',
    );
    await page.waitForTimeout(300);
    for (const setting of ['points=60', 'epochs=8', 'kept=77']) expect(page.url()).toContain(setting);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'See the kept models' }).click();
    await page.getByText('None yet').waitFor();
    await page.goBack();
    await page.getByRole('alert').waitFor();
    await train(page);
    expect(await page.getByRole('alert').count()).toBe(0);
    await expect.poll(() => page.url()).not.toContain('kept=');
  });

  it('draws curves that are off the screen once a second', async () => {
    const page = await openRoom('playground?points=60&epochs=100000');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.locator('.panels svg').first().waitFor({ state: 'attached' });
    /** Drawings in three seconds. */
    const drawings = () =>
      page.evaluate(async () => {
        let count = 0;
        const watcher = new MutationObserver(() => count++);
        watcher.observe(document.querySelector('.panels figure')!, { childList: true });
        await new Promise((resolve) => setTimeout(resolve, 3000));
        watcher.disconnect();
        return count;
      });
    await page.evaluate(() => scrollTo(0, 0));
    const unseen = await drawings();
    expect(unseen).toBeGreaterThan(0);
    expect(unseen).toBeLessThanOrEqual(3);
    await page.locator('.panels').scrollIntoViewIfNeeded();
    expect(await drawings()).toBeGreaterThan(unseen);
  });

  it('leaves the focus on what takes the place of a button', async () => {
    const page = await openRoom('playground?points=60&epochs=100000');
    const main = page.locator('.controls .main').first();
    await main.focus();
    await page.keyboard.press('Enter');
    await page.getByText('Training', { exact: true }).waitFor();
    expect(await focused(page)).toBe('Pause');
    await page.getByRole('button', { name: 'Stop' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Stopped', { exact: true }).waitFor();
    expect(await focused(page)).toBe('Train anew');
    await page.getByRole('button', { name: 'Take layer 2 away' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('8', { exact: true }).first().waitFor();
    expect(await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe(
      'Take layer 1 away',
    );
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Add a layer');

    for (const name of ['one', 'two']) {
      await page.getByLabel('Name', { exact: true }).fill(name);
      await press(page, 'Keep in this browser');
      await page.getByText(`${name} is kept`).waitFor();
    }
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('button', { name: 'Delete one' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Delete two');
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('Kept models');
  });

  it('asks before the page is left while it trains, and goes on where its own link is pressed', async () => {
    const page = await openRoom('playground?points=60&epochs=100000');
    await press(page, 'Train');
    await page.getByText('Training', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Playground' }).click();
    await page.getByRole('link', { name: 'treadle' }).click();
    await page.waitForTimeout(300);
    await page.getByText('Training', { exact: true }).waitFor();
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await page.reload();
    expect(asked).toEqual(['beforeunload']);
    await page.getByText('Ready', { exact: true }).waitFor();
    await page.reload();
    expect(asked).toHaveLength(1);
  });

  it('writes the widths of a deep network beside one another', async () => {
    const page = await openRoom(`playground?layers=${new Array(12).fill('4096-relu').join('_')}`);
    const overlaps = await page.locator('.picture text').evaluateAll((all) => {
      const boxes = all.map((text) => text.getBoundingClientRect());
      return boxes.flatMap((one, at) =>
        boxes
          .slice(at + 1)
          .filter(
            (other) => other.left < one.right && other.top < one.bottom - 3 && one.top < other.bottom - 3,
          ),
      ).length;
    });
    expect(overlaps).toBe(0);
  });
});
