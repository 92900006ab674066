import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode } from 'fast-png';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { classifierModel, createModel } from '../../dist/index.js';
import { CHROMIUM, serveFolder, startChromium } from '../support/chromium.js';
import { realDataFolder } from '../support/real-data.js';

const CONFIG = fileURLToPath(new URL('../../web/vite.config.ts', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../build/web-test/clothes', import.meta.url));
const IS_POSSIBLE = existsSync(CHROMIUM) && realDataFolder !== undefined;

let browser: Browser;

beforeAll(async () => {
  if (!IS_POSSIBLE) return;
  const building = build({
    configFile: CONFIG,
    mode: 'production',
    logLevel: 'error',
    build: { outDir: FOLDER },
  });
  [browser] = await Promise.all([startChromium(), building]);
});
afterAll(() => browser?.close());
beforeEach(({ skip }) => skip(!IS_POSSIBLE, 'there is no Chromium, or no Fashion-MNIST'));

/** The room as a visitor opens it; what the page could not catch makes the test fail. */
async function openRoom(settings: string, options: BrowserContextOptions = {}): Promise<Page> {
  const origin = await serveFolder(FOLDER);
  const context = await browser.newContext({ ...options, serviceWorkers: 'block' });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  onTestFinished(async () => {
    await context.close();
    expect(errors).toEqual([]);
  });
  await page.goto(`${origin}/#/clothes?${settings}`);
  await page.getByRole('heading', { level: 1, name: 'Clothes' }).waitFor();
  return page;
}

const board = (page: Page) => page.getByLabel(/^Drawing board/);
const shares = async (page: Page) =>
  (await page.locator('.probabilities .share').allTextContents()).map(Number.parseFloat);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Draws a line down the board with the mouse. */
async function draw(page: Page): Promise<void> {
  await board(page).scrollIntoViewIfNeeded();
  const { x, y, width } = (await board(page).boundingBox())!;
  await page.mouse.move(x + width / 2, y + width / 5);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + (4 * width) / 5, { steps: 5 });
  await page.mouse.up();
}

const file = (name: string, content: Uint8Array) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content),
});

/** A small classifier's weights, as run-all writes them. */
async function weights(inputs = 784): Promise<Uint8Array> {
  const spec = classifierModel({ inputs, hidden: [8], classes: 10, dropout: 0.5 });
  const model = await createModel(spec, { seed: 1 });
  try {
    return await model.save();
  } finally {
    model.dispose();
  }
}

describe('the room of clothes', () => {
  it('trains, counts what is mixed up, shows the images of a cell and names what is drawn', async () => {
    const page = await openRoom('layers=16-norm-relu&epochs=1');
    await page.getByRole('button', { name: 'Train' }).click();
    await page.getByText('Trained', { exact: true }).waitFor();
    const cells = page.locator('.matrix td');
    await cells.first().waitFor();
    const counts = (await cells.allTextContents()).map(Number);
    expect(counts).toHaveLength(100);
    expect(sum(counts)).toBe(500);
    const right = counts.filter((_, at) => at % 11 === 0);
    await page.getByText(`${sum(right)} of 500 images are named rightly`).waitFor();

    const most = right.indexOf(Math.max(...right));
    await cells
      .nth(11 * most)
      .getByRole('button')
      .press('Enter');
    const images = page.locator('.images li');
    await images.first().waitFor();
    expect(await images.count()).toBe(Math.min(48, right[most]!));
    const sure = (await images.allTextContents()).map(Number.parseFloat);
    expect(sure).toEqual([...sure].sort((a, b) => b - a));

    expect(await shares(page)).toEqual(new Array(10).fill(Number.NaN));
    await draw(page);
    await expect.poll(async () => sum(await shares(page))).toBeCloseTo(100, 0);
    const drawn = await shares(page);
    await images.first().getByRole('button').click();
    await expect.poll(() => shares(page)).not.toEqual(drawn);
    // The image on the board is named as it is in the cell.
    await expect.poll(async () => (await shares(page))[most]).toBeCloseTo(sure[0]!, 1);
  });

  it('predicts with weights that are dropped, and turns a photograph over as the network sees clothes', async () => {
    const page = await openRoom('');
    const chooser = page.getByLabel(/^Drop a photograph/);
    await chooser.setInputFiles(file('mine.safetensors', await weights()));
    await page.getByText('The model of mine.safetensors is opened.').waitFor();
    expect(sum((await page.locator('.matrix td').allTextContents()).map(Number))).toBe(500);

    // A dark square in the middle of a wide, light picture.
    const [width, height] = [120, 80];
    const data = Uint8Array.from({ length: width * height }, (_, at) => {
      const [x, y] = [at % width, Math.floor(at / width)];
      return x >= 40 && x < 80 && y >= 20 && y < 60 ? 30 : 230;
    });
    await chooser.setInputFiles(file('shirt.png', encode({ width, height, data, channels: 1 })));
    await page.getByText('shirt.png is on the board').waitFor();
    const greys = await page
      .getByLabel(/as the network sees it/)
      .evaluate((canvas: HTMLCanvasElement) =>
        Array.from(canvas.getContext('2d')!.getImageData(0, 14, 28, 1).data).filter((_, at) => at % 4 === 0),
      );
    expect(greys[0]).toBe(0);
    expect(greys[14]).toBe(255);
    expect(sum(greys) / 255).toBeCloseTo(14, 0);
    await expect.poll(async () => sum(await shares(page))).toBeCloseTo(100, 0);
  });

  it.each([
    [
      'notes.txt',
      async () => Buffer.from('no picture'),
      /^notes\.txt is no picture; a photograph .* expected\.$/,
    ],
    [
      'other.safetensors',
      () => weights(9),
      /^other\.safetensors takes 9 values and gives 10; a model of 784 and 10 is expected\.$/,
    ],
    ['bad.safetensors', async () => Buffer.from('nothing'), /expected/],
  ])('says beside the files what is wrong with %s', async (name, content, sentence) => {
    const page = await openRoom('');
    await page.getByLabel(/^Drop a photograph/).setInputFiles(file(name, await content()));
    const alert = page.getByLabel('Files').getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(sentence);
  });

  it('says that all images do not lie beside this page', async () => {
    const page = await openRoom('images=all');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /fashion-mnist\/.* beside this page is no file; an IDX file .* expected\./,
    );
  });

  it('is no wider than a phone, and drawn on by keys', async () => {
    const page = await openRoom('', { viewport: { width: 360, height: 800 }, colorScheme: 'dark' });
    const overhang = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overhang()).toBe(0);
    const greys = () =>
      page
        .getByLabel(/as the network sees it/)
        .evaluate((canvas: HTMLCanvasElement) =>
          Math.max(...canvas.getContext('2d')!.getImageData(14, 14, 1, 1).data.slice(0, 3)),
        );
    expect(await greys()).toBe(0);
    await board(page).press('Space');
    await expect.poll(greys).toBe(200);
  });
});
