import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { exportModel, loadModel } from '../../dist/index.js';
import { temporaryFolder } from '../support/folder.js';
import { openRoom, overhang, ROOT, saved, train, violations, withPage } from './open.js';

withPage('playground');

const SHORT = 'playground?points=60&epochs=12';

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
      const { bytes } = await saved(page, () => save.click());
      expect(bytes.equals(exportModel(own.bytes, format))).toBe(true);
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
    await page.waitForTimeout(150);
    const paused = await epoch();
    await page.waitForTimeout(150);
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
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Open one layer' }).click();
    await page.getByText('Trained', { exact: true }).waitFor();
    await expect.poll(() => page.locator('.tile').count()).toBe(8);
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
    const label = (await plane.getAttribute('aria-label'))!;
    const count = Number(/^(\d+) points/.exec(label)![1]);
    expect(count).toBeGreaterThan(4);
    // The address follows in a moment: five letters for each point.
    await expect.poll(() => /own=(\w*)/.exec(page.url())?.[1]).toHaveLength(5 * count);
    const settings = page.url().split('#/')[1]!;
    const other = await openRoom(settings);
    expect(await other.getByRole('application').getAttribute('aria-label')).toBe(label);
    await train(other);
  });

  it('says what is wrong beside the button that was pressed', async () => {
    const page = await openRoom('playground?set=own');
    await page.getByRole('button', { name: 'Train' }).click();
    const problem = page.getByRole('alert');
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/expected\.$/);
    await page.getByText('Could not be trained').waitFor();
  });

  it.each(['light', 'dark'] as const)('is accessible, and fits a phone: %s', async (colorScheme) => {
    const page = await openRoom(SHORT, { colorScheme, viewport: { width: 360, height: 740 } });
    await train(page);
    for (let press = 0; press < 3; press++) await page.locator('.one-step .main').click();
    expect(await overhang(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'What is Schedule' }).click();
    expect(await page.getByText('How the learning rate changes during training').isVisible()).toBe(true);
    expect(await overhang(page)).toBe(0);
  });
});
