import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { classifierModel, createModel, exportModel, type ModelSpec, mlp } from '../../dist/index.js';
import { jsonLines, treadle } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { realDataFolder } from '../support/real-data.js';
import { ROOT } from './built.js';
import { fingerAndPen, openRoom, overhang, printed, saved, train, violations, withPage } from './open.js';

withPage();
beforeEach(({ skip }) => skip(realDataFolder === undefined, 'Fashion-MNIST is not on this machine'));

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

/** The origin of what `npm run web` serves until the running test ends. */
async function served(env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, ['scripts/web.js'], { cwd: ROOT, env: { ...process.env, ...env } });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill();
    await closed;
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += stripVTControlCharacters(String(chunk));
    });
  }
  const address = () => /http:\/\/localhost:\d+/.exec(text)?.[0];
  await expect.poll(() => address() ?? text, { timeout: 30_000 }).toMatch(/^http/);
  return address()!;
}

/** A small classifier's weights. */
const weights = (inputs = 784) =>
  weightsOf(classifierModel({ inputs, hidden: [8], classes: 10, dropout: 0.5 }));

async function weightsOf(spec: ModelSpec): Promise<Uint8Array> {
  const model = await createModel(spec, { seed: 1 });
  try {
    return await model.save();
  } finally {
    model.dispose();
  }
}

/** The greys that the network sees. */
const greys = (page: Page) =>
  page
    .getByLabel(/as the network sees it/)
    .evaluate((canvas: HTMLCanvasElement) =>
      Array.from(canvas.getContext('2d')!.getImageData(0, 0, 28, 28).data).filter((_, at) => at % 4 === 0),
    );

describe('the room of clothes', () => {
  it('chooses a file by a button like the others, by keyboard too', async () => {
    const page = await openRoom('clothes');
    const input = page.getByLabel('Choose a photograph or weights');
    const look = page.locator('.files .button');
    const outline = () => look.evaluate((element) => getComputedStyle(element).outlineStyle);
    expect(await outline()).toBe('none');
    await page.getByRole('button', { name: 'Wipe' }).focus();
    await page.keyboard.press('Tab');
    expect(await input.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await outline()).toBe('solid');
    for (const press of [() => page.keyboard.press('Space'), () => look.click()]) {
      const choosing = page.waitForEvent('filechooser');
      await press();
      await choosing;
    }
  });

  it('trains, counts what is mixed up, shows the images of a cell and names what is drawn', async () => {
    const page = await openRoom('clothes?layers=16-norm-relu-20&epochs=1');
    await train(page);
    const cells = page.locator('.matrix td');
    await page.getByRole('button', { name: 'Save as a file' }).click();
    await page.getByText('.safetensors is saved.').waitFor();
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
    await expect.poll(() => images.count()).toBe(Math.min(48, right[most]!));
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

    // The command line says the same of it, by the model's file.
    const folder = await temporaryFolder();
    const own = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    await writeFile(join(folder, own.name), own.bytes);
    const data = Uint8Array.from(await greys(page));
    await writeFile(join(folder, 'board.png'), encode({ width: 28, height: 28, data, channels: 1 }));
    const said = await treadle(['predict', '--weights', own.name, '--json', 'board.png'], { cwd: folder });
    expect(said.code, said.stderr).toBe(0);
    const [{ probabilities }] = jsonLines(said.stdout) as [{ probabilities: { probability: number }[] }];
    expect(probabilities.map(({ probability }) => `${(100 * probability).toFixed(1)} %`)).toEqual(
      await page.locator('.probabilities .share').allTextContents(),
    );

    // Other weights have nothing of this training, and no cell is white that counts nothing.
    await page.getByLabel(/^Choose a photograph/).setInputFiles(file('mine.safetensors', await weights()));
    await page.getByText('The model of mine.safetensors is opened.').waitFor();
    expect(await page.locator('.training > .controls').textContent()).not.toMatch(/epoch|rows a second/);
    expect(await page.getByText('.safetensors is saved.').count()).toBe(0);
    await expect.poll(() => cells.allTextContents()).not.toEqual(counts.map(String));
    const grounds = await page
      .locator('.matrix td.none')
      .evaluateAll((all) => [...new Set(all.map((cell) => getComputedStyle(cell).backgroundColor))]);
    expect(grounds).toHaveLength(1);
    expect((await printed(page)).lost).toEqual([]);
  });

  it('predicts with weights that are dropped, and turns a photograph over as the network sees clothes', async () => {
    const page = await openRoom('clothes');
    const chooser = page.getByLabel(/^Choose a photograph/);
    await chooser.setInputFiles(file('mine.safetensors', await weights()));
    await page.getByText('The model of mine.safetensors is opened.').waitFor();
    // What is drawn up, and the code, are of this network now.
    await expect.poll(() => page.getByLabel('Width of layer 1').inputValue()).toBe('8');
    expect(await page.getByLabel(/^Width of layer/).count()).toBe(1);
    expect(await page.getByLabel('Dropout of layer 1').inputValue()).toBe('0.5');
    expect(await page.locator('pre').textContent()).toMatch(/units: 8\b[\s\S]*batchNorm[\s\S]*rate: 0\.5/);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('mine');
    expect(sum((await page.locator('.matrix td').allTextContents()).map(Number))).toBe(500);

    // A dark square in the middle of a wide, light picture.
    const [width, height] = [120, 80];
    const data = Uint8Array.from({ length: width * height }, (_, at) => {
      const [x, y] = [at % width, Math.floor(at / width)];
      return x >= 40 && x < 80 && y >= 20 && y < 60 ? 30 : 230;
    });
    await chooser.setInputFiles(file('shirt.png', encode({ width, height, data, channels: 1 })));
    await page.getByText('shirt.png is on the board').waitFor();
    const middle = (await greys(page)).slice(14 * 28, 15 * 28);
    expect(middle[0]).toBe(0);
    expect(middle[14]).toBe(255);
    expect(sum(middle) / 255).toBeCloseTo(14, 0);
    await expect.poll(async () => sum(await shares(page))).toBeCloseTo(100, 0);
  });

  it('opens weights of layers that cannot be drawn up, and says so', async () => {
    const page = await openRoom('clothes');
    const other = await weightsOf({
      input: { features: 784, type: 'u8' },
      layers: [
        { type: 'dense', units: 8, bias: false },
        { type: 'batchNorm' },
        { type: 'relu' },
        { type: 'dense', units: 10 },
      ],
    });
    await page.getByLabel(/^Choose a photograph/).setInputFiles(file('other.safetensors', other));
    await page.getByText('those below are of the next network.').waitFor();
    expect(await page.getByLabel('Width of layer 1').inputValue()).toBe('128');
  });

  it('opens models of other programs, and gives them numbers where they take numbers', async () => {
    const page = await openRoom('clothes');
    const chooser = page.getByLabel(/^Choose a photograph/);
    const model = await createModel(mlp({ inputs: 784, hidden: [12], outputs: 10, standardize: false }), {
      seed: 3,
    });
    await chooser.setInputFiles(file('other.onnx', exportModel(model, 'onnx')));
    await page.getByText('The model of other.onnx is opened. It takes numbers: pixels are').waitFor();
    await draw(page);
    await expect.poll(() => shares(page)).toHaveLength(10);
    expect(sum(await shares(page))).toBeCloseTo(100, 0);
    const keras = await readFile(join(ROOT, 'test/formats/keras/images.keras'));
    await chooser.setInputFiles(file('images.keras', keras));
    const alert = page.getByLabel('Files').getByRole('alert');
    await expect.poll(() => alert.textContent()).toMatch(/^images\.keras takes 12 values and gives 1; /);
  });

  it('says beside the files what is wrong with them', async () => {
    const page = await openRoom('clothes');
    const alert = page.getByLabel('Files').getByRole('alert');
    for (const [name, content, sentence] of [
      ['notes.txt', Buffer.from('no picture'), /^notes\.txt is no picture; a photograph .* expected\.$/],
      [
        'nine.safetensors',
        await weights(9),
        /^nine\.safetensors takes 9 values and gives 10; .* expected\.$/,
      ],
      ['bad.safetensors', Buffer.from('nothing'), /^bad\.safetensors.* expected\.$/],
    ] as const) {
      await page.getByLabel(/^Choose a photograph/).setInputFiles(file(name, content));
      await expect.poll(() => alert.textContent()).toMatch(sentence);
    }
  });

  it('looks as it did after a visit to another room', async () => {
    const page = await openRoom('clothes');
    const look = () =>
      page.locator('.training *').evaluateAll((all) =>
        all.map((element) => {
          const { left, width, height } = element.getBoundingClientRect();
          return [element.tagName, element.className, left, width, height].join(' ');
        }),
      );
    const before = await look();
    await page.getByRole('link', { name: 'Your table' }).click();
    await page.getByRole('button', { name: 'Iris flowers' }).waitFor();
    await page.getByRole('link', { name: 'Clothes' }).click();
    await board(page).waitFor();
    expect(await look()).toEqual(before);
  });

  it('says when all images do not lie beside this page', async () => {
    const page = await openRoom('clothes');
    // Some hosts answer with their first page for what they do not have.
    await page.route('**/fashion-mnist/*', (route) => route.fulfill({ body: '<!doctype html>' }));
    await page.getByLabel('Images').selectOption('all');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /fashion-mnist\/.* beside this page is (no file|another kind of file); an IDX file .* expected\./,
    );
  });

  it('is served by npm run web with all images, from where the command line has them', async () => {
    const origin = await served();
    const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    for (const name of ['train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz']) {
      const response = await fetch(`${origin}/fashion-mnist/${name}`);
      expect(response.status).toBe(200);
      const published = gunzipSync(await readFile(join(realDataFolder!, name)));
      expect(sha(new Uint8Array(await response.arrayBuffer()))).toBe(sha(published));
    }
    const few = await fetch(`${origin}/fashion-mnist-small/t10k-images-idx3-ubyte.gz`);
    expect((await few.arrayBuffer()).byteLength).toBe(16 + 500 * 784);

    const page = await openRoom('clothes?images=all', { origin });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.getByLabel(/^Choose a photograph/).setInputFiles(file('mine.safetensors', await weights()));
    await page.getByText('of 10,000 images are named rightly').waitFor();
  });

  it('says why it has no images, where the command line finds none', async () => {
    const origin = await served({ TREADLE_DATA: join(await temporaryFolder(), 'none') });
    const response = await fetch(`${origin}/fashion-mnist/train-labels-idx1-ubyte.gz`);
    expect(response.status).toBe(404);
    expect(await response.text()).toMatch(/none .*expected/);
  });

  it('is accessible, no wider than a phone, and drawn on by keys, finger and pen', async () => {
    const page = await openRoom('clothes', {
      viewport: { width: 360, height: 800 },
      colorScheme: 'dark',
      hasTouch: true,
    });
    expect(await overhang(page)).toBe(0);
    // With the board at the lower edge of the window, nothing lies over it.
    await board(page).evaluate((canvas) => canvas.scrollIntoView({ block: 'end' }));
    const isFree = await board(page).evaluate((canvas) => {
      const { left, bottom, width } = canvas.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, bottom - 8) === canvas;
    });
    expect(isFree).toBe(true);
    const middle = async () => (await greys(page))[14 * 28 + 14];
    expect(await middle()).toBe(0);
    await board(page).press('Space');
    await expect.poll(middle).toBe(200);
    expect(await violations(page)).toEqual([]);

    const wipe = page.getByRole('button', { name: 'Wipe' });
    const ink = async () => sum(await greys(page));
    await wipe.press('Enter');
    await expect.poll(ink).toBe(0);
    const { finger, pen } = await fingerAndPen(page, board(page));
    const top = await page.evaluate(() => scrollY);
    await finger([0.5, 0.2], [0.5, 0.8]);
    await expect.poll(middle).toBe(200);
    expect(await page.evaluate(() => scrollY)).toBe(top);
    // A pen that is pressed draws a wider line than one that is not.
    const drawn: number[] = [];
    for (const force of [0.2, 0.9]) {
      await wipe.press('Enter');
      await expect.poll(ink).toBe(0);
      await pen([0.5, 0.2], [0.5, 0.8], force);
      await expect.poll(middle).toBe(200);
      drawn.push(await ink());
    }
    expect(drawn[1]).toBeGreaterThan(2 * drawn[0]!);
  });
});
