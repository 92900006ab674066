import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-web';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { EXPORT_FORMATS, exportModel, loadModel } from '../../dist/index.js';
import { treadle } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { ROOT } from './built.js';
import { fingerAndPen, openRoom, overhang, printed, saved, train, violations, withPage } from './open.js';

ort.env.logLevel = 'error';
withPage();

const SHORT = 'playground?points=60&epochs=12';

const latest = (page: Page) => page.locator('.latest dd').allTextContents();

/** The points that the page measures on, as its own code for Node has them. */
async function testPoints(page: Page) {
  const [, text] = /validation = read\('(.*)'\)/.exec((await page.locator('pre').textContent())!)!;
  return text!.split(' ').map((point) => point.split(',').map(Number) as [number, number, number]);
}

describe('the playground', () => {
  it('goes from opening to saved models that say the same', async () => {
    const page = await openRoom(SHORT);
    const plane = page.getByRole('img', { name: '60 points in the plane.' });
    const before = await plane.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    await train(page);
    expect(await plane.evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())).not.toBe(before);
    await expect.poll(() => page.locator('.tile').count()).toBe(16);
    await page.locator('.panels svg').nth(2).waitFor();
    const save = page.getByRole('button', { name: 'Save as a file' });
    const own = await saved(page, () => save.click());
    expect(own.name).toBe('Moons.safetensors');
    const model = await loadModel(own.bytes);
    expect(model.predict([[-0.6, 0.3]])).toHaveLength(1);
    for (const format of ['onnx', 'npz', 'js'] as const) {
      await page.getByLabel('Format').selectOption(format);
      const { name, bytes } = await saved(page, () => save.click());
      expect(name).toBe(`Moons${EXPORT_FORMATS[format].extension}`);
      expect(bytes.equals(exportModel(own.bytes, format))).toBe(true);
    }

    // onnxruntime comes to the figures that the page shows, by the file that the command line writes as well.
    const folder = await temporaryFolder();
    await writeFile(join(folder, own.name), own.bytes);
    const exported = await treadle(['export', own.name, '--format', 'onnx'], { cwd: folder });
    expect([exported.code, exported.stderr]).toEqual([0, '']);
    const onnx = await readFile(join(folder, 'Moons.onnx'));
    expect(onnx.equals(exportModel(own.bytes, 'onnx'))).toBe(true);
    const points = await testPoints(page);
    const session = await ort.InferenceSession.create(onnx);
    const x = Float32Array.from(points.flatMap((point) => point.slice(0, 2)));
    const { probabilities } = await session.run({ x: new ort.Tensor('float32', x, [points.length, 2]) });
    const shares = probabilities!.data as Float32Array;
    const right = points.filter(([, , target], at) => shares[2 * at + target]! > 0.5).length;
    const losses = points.map(([, , target], at) => -Math.log(shares[2 * at + target]!));
    const loss = losses.reduce((sum, one) => sum + one, 0) / points.length;
    await page.getByText('Dot: the epoch whose weights are kept (12).').waitFor();
    const [, valLoss, valAccuracy] = await latest(page);
    expect(valAccuracy).toBe(`${((100 * right) / points.length).toFixed(1)} %`);
    expect(Number(valLoss)).toBeCloseTo(loss, 3);
  });

  it('trains beside another page, each with its own figures', async () => {
    const one = await openRoom('playground?points=60&epochs=30');
    const other = await openRoom('playground?set=circles&points=80&epochs=30&layers=5-relu', { beside: one });
    for (const page of [one, other]) {
      await page.bringToFront();
      await page.getByRole('button', { name: 'Train' }).click();
      await page.getByRole('button', { name: 'Pause' }).click();
    }
    // Both go on from here at the same time.
    for (const page of [one, other]) {
      await page.bringToFront();
      await page.getByRole('button', { name: 'Resume' }).click();
    }
    const together: string[][] = [];
    for (const page of [one, other]) {
      await page.bringToFront();
      await page.getByText('Trained', { exact: true }).waitFor();
      await page.getByText('epoch 30 of 30').waitFor();
      together.push(await latest(page));
    }
    expect(together[0]).not.toEqual(together[1]);
    // By itself, each comes to what it came to beside the other.
    for (const [at, page] of [one, other].entries()) {
      await page.bringToFront();
      await page.getByRole('button', { name: 'Train anew' }).click();
      await page.getByText('Green: the run before.').waitFor();
      await page.getByText('Trained', { exact: true }).waitFor();
      expect(await latest(page)).toEqual(together[at]);
    }
  });

  it('shows code that trains the same model in Node, but for what relaxed operations leave open', async () => {
    const page = await openRoom(`${SHORT}&layers=6-norm-relu-20_4-tanh`);
    await train(page);
    const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules/treadle'));
    await writeFile(join(folder, 'train.mjs'), (await page.locator('pre').textContent())!);
    await promisify(execFile)(process.execPath, ['train.mjs'], { cwd: folder });
    const [here, there] = await Promise.all([
      loadModel(bytes),
      loadModel(await readFile(join(folder, 'model.safetensors'))),
    ]);
    expect(there.spec).toEqual(here.spec);
    const other = there.tensors();
    for (const [key, values] of here.tensors()) {
      for (const [at, value] of values.entries()) {
        expect(Math.abs(value - other.get(key)![at]!)).toBeLessThan(1e-4);
      }
    }
  });

  it('is paused, resumed and stopped, and then has the model of that moment', async () => {
    const page = await openRoom('playground?points=60&epochs=100000');
    await page.getByRole('button', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    const epoch = () => page.locator('.training .progress').textContent();
    await page.getByText('Paused', { exact: true }).waitFor();
    // What was on its way is shown; then nothing changes any more.
    let paused = await epoch();
    for (let before: typeof paused = null; before !== paused; paused = await epoch()) {
      before = paused;
      await page.waitForTimeout(300);
    }
    await page.waitForTimeout(300);
    expect(await epoch()).toBe(paused);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Training', { exact: true }).waitFor();
    await page.waitForFunction(
      (before) => document.querySelector('.training .progress')!.textContent !== before,
      paused,
    );
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped', { exact: true }).waitFor();
    const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save as a file' }).click());
    expect((await loadModel(bytes)).parameters).toBe(114);
  });

  it('says that the browser has ended its worker, and trains in another', async () => {
    const page = await openRoom('playground?points=60&epochs=5000');
    await page.getByRole('button', { name: 'Train' }).click();
    await page.locator('.tile').first().waitFor();
    const threads = () => page.workers().filter((worker) => /\/entry-/.test(worker.url()));
    expect(threads().length).toBeGreaterThan(0);
    await threads()[0]!.evaluate('self.close()');
    const alert = page.locator('.training').getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toBe(
      'The worker has died: the browser has ended it; a running worker is expected.',
    );
    await page.getByRole('button', { name: 'Train anew' }).click();
    await page.getByText('Training', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped', { exact: true }).waitFor();
  });

  it('lays an earlier run over the next, and keeps models in the browser', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    await page.getByRole('button', { name: 'Take layer 2 away' }).click();
    await page.getByRole('button', { name: 'Train anew' }).click();
    await page.getByText('Green: the run before.').waitFor();
    await page.getByText('Trained', { exact: true }).waitFor();
    expect(page.url()).toContain('layers=8-tanh');
    await page.getByLabel('Name').fill('one layer');
    await page.getByRole('button', { name: 'Keep in this browser' }).click();
    await page.getByText('one layer is kept in this browser').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('heading', { name: 'one layer' }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
    await page.getByRole('link', { name: 'Open one layer' }).click();
    await page.getByText('Trained', { exact: true }).waitFor();
    await expect.poll(() => page.locator('.tile').count()).toBe(8);
    expect(await page.getByLabel(/^Width of layer/).count()).toBe(1);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('one layer');
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByRole('button', { name: 'Delete one layer' }).click();
    await page.getByText('None yet').waitFor();
  });

  it('is painted on by pointer and keyboard, and what is painted can be shared', async () => {
    const page = await openRoom('playground?set=own&epochs=5');
    const plane = page.getByRole('application');
    const { x, y, width } = (await plane.boundingBox())!;
    await page.mouse.move(x + width * 0.2, y + width * 0.3);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.4, y + width * 0.3, { steps: 8 });
    await page.mouse.up();
    await page.getByLabel('Orange').check();
    await plane.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Space');
    // The address follows in a moment: five letters for each point, the last of them its colour.
    await expect.poll(() => /own=(\w*)/.exec(page.url())?.[1]).toMatch(/^(?:\w{4}0){3,}(?:\w{4}1){2}$/);
    const label = (await plane.getAttribute('aria-label'))!;
    const settings = page.url().split('#/')[1]!;
    const other = await openRoom(settings);
    expect(await other.getByRole('application').getAttribute('aria-label')).toBe(label);
    await train(other);
  });

  it('is painted on by finger and pen, and does not scroll meanwhile', async () => {
    const page = await openRoom('playground?set=own', {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
    });
    const count = async () =>
      Number.parseInt((await page.getByRole('application').getAttribute('aria-label'))!, 10);
    const { finger, pen } = await fingerAndPen(page, page.getByRole('application'));
    const top = await page.evaluate(() => scrollY);
    await finger([0.3, 0.2], [0.3, 0.7]);
    await expect.poll(count).toBeGreaterThan(4);
    const before = await count();
    await pen([0.7, 0.2], [0.7, 0.7]);
    await expect.poll(count).toBeGreaterThan(before + 4);
    expect(await page.evaluate(() => scrollY)).toBe(top);
  });

  it('is printed light, whole and without what only a screen can do', async () => {
    const page = await openRoom(SHORT, { colorScheme: 'dark' });
    await train(page);
    await page.locator('.panels svg').nth(2).waitFor();
    await page.getByText('Dot: the epoch').waitFor();
    const shown = await latest(page);
    const { lost, ground, figures } = await printed(page);
    expect(figures).toEqual(shown);
    expect(lost).toEqual([]);
    expect(ground).toBeGreaterThan(200);
    const pictures = () =>
      page
        .locator('.plane, .tile canvas')
        .evaluateAll((all) => all.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
    const onPaper = await pictures();
    await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
    expect(onPaper).toEqual(await pictures());
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(pictures).not.toEqual(onPaper);
  });

  it('moves nothing for those who want that', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    const moving = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('*')]
          .filter((element) => {
            const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
            return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior !== 'auto';
          })
          .map(({ tagName, className }) => `${tagName} ${className}`),
      );
    expect(await moving()).toEqual([]);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await moving()).not.toEqual([]);
  });

  it('says what is wrong beside the button that was pressed', async () => {
    const page = await openRoom('playground?set=hill&points=60&layers=64-relu&optimizer=sgd&rate=100');
    await page.getByRole('button', { name: 'Train' }).click();
    const problem = page.locator('.controls').getByRole('alert');
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/ is expected, so try a lower learning rate\.$/);
    await page.getByText('Could not be trained').waitFor();
    const { bottom } = await problem.evaluate((element) => element.getBoundingClientRect());
    expect(bottom).toBeLessThan(900);
  });

  it('offers no training while there is nothing to learn from', async () => {
    const page = await openRoom('playground?set=own');
    const button = page.getByRole('button', { name: 'Train' });
    expect(await button.isDisabled()).toBe(true);
    await page.getByRole('application').press('Space');
    await expect.poll(() => button.isDisabled()).toBe(false);
  });

  it('shows every point that is painted, and says what is coloured once something is', async () => {
    const own = 'aaaa0bbbb0cccc0dddd0eeee1ffff1gggg1hhhh1';
    const page = await openRoom(`playground?set=own&epochs=2&own=${own}`);
    await page.getByLabel(/^8 points in the plane/).waitFor();
    expect(await page.getByText('decision surface').count()).toBe(0);
    const inks = (point: string) =>
      page.getByRole('application').evaluate((canvas: HTMLCanvasElement, text) => {
        const at = (part: string) => (Number.parseInt(part, 36) / 1295) * 2 - 1;
        const scale = canvas.width / 2.2;
        const [x, y] = [at(text.slice(0, 2)), at(text.slice(2, 4))] as const;
        const side = canvas.width / 50;
        const { data } = canvas
          .getContext('2d')!
          .getImageData((x + 1.1) * scale - side / 2, (1.1 - y) * scale - side / 2, side, side);
        return new Set(new Uint32Array(data.buffer)).size;
      }, point);
    for (const point of ['cccc', 'dddd', 'hhhh']) await expect.poll(() => inks(point)).toBeGreaterThan(3);
    await train(page);
    await page.getByText('decision surface').waitFor();
  });

  it('paints within the plane, by the main button alone, and trains on what the address has', async () => {
    const page = await openRoom('playground?set=own&epochs=1');
    const { x, y, width } = (await page.getByRole('application').boundingBox())!;
    await page.mouse.move(x + width / 2, y + width / 3);
    await page.mouse.down({ button: 'right' });
    await page.mouse.move(x + width / 3, y + width / 3, { steps: 5 });
    await page.mouse.up({ button: 'right' });
    expect(await page.getByRole('application').getAttribute('aria-label')).toMatch(/^0 points/);
    await page.mouse.move(x + width * 0.811, y + width * 0.3);
    await page.mouse.down();
    await page.mouse.move(x + width * 1.6, y + width * 0.377, { steps: 30 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toContain('own=');
    const code = () => page.locator('pre').textContent();
    const painted = await code();
    const numbers = [...painted!.matchAll(/(-?[\d.]+),(-?[\d.]+),0/g)].flatMap(([, a, b]) => [+a!, +b!]);
    expect(numbers.length).toBeGreaterThan(4);
    expect(Math.max(...numbers)).toBe(1);
    await page.waitForTimeout(300);
    await page.reload();
    expect(await code()).toBe(painted);
  });

  it('leaves painted points out of classes that there are not, and has them again', async () => {
    const page = await openRoom('playground?set=own&epochs=2&classes=2&own=aaaa0bbbb1cccc2dddd4');
    await page.getByLabel(/^2 points in the plane/).waitFor();
    await train(page);
    await page.getByLabel('Classes').selectOption('5');
    await page.getByLabel(/^4 points in the plane/).waitFor();
    await train(page);
  });

  it.each(['light', 'dark'] as const)('is accessible, and fits a phone: %s', async (colorScheme) => {
    const page = await openRoom(SHORT, { colorScheme, viewport: { width: 360, height: 740 } });
    await train(page);
    for (let press = 0; press < 3; press++) await page.locator('.one-step .main').click();
    expect(await overhang(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    // The room's links and the layers' fields are within the margins; what was chosen can be read in full.
    await page.getByLabel('Activation of layer 1').selectOption('leakyRelu');
    await page.getByLabel('Dropout of layer 1').selectOption('0.5');
    const cut = await page.evaluate(() => {
      const context = document.createElement('canvas').getContext('2d')!;
      const selects = [...document.querySelectorAll<HTMLSelectElement>('.layers select, .saving select')];
      const right = document.documentElement.clientWidth - 16;
      return [
        ...selects.filter((select) => {
          context.font = getComputedStyle(select).font;
          return context.measureText(select.selectedOptions[0]!.text).width + 20 > select.clientWidth;
        }),
        ...[...document.querySelectorAll('nav a, .layers td, .formula')].filter(
          (element) => element.getBoundingClientRect().right > right,
        ),
      ].map(({ outerHTML }) => outerHTML.slice(0, 80));
    });
    expect(cut).toEqual([]);
    await page.getByRole('button', { name: 'What is Schedule' }).click();
    expect(await page.getByText('How the learning rate changes during training').isVisible()).toBe(true);
    expect(await overhang(page)).toBe(0);
  });
});
