import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel, loadCore, mlp } from '../../dist/index.js';
import { CHROMIUM, serveProject, startChromium } from '../support/chromium.js';

// The library in a page of Chromium, unbundled and as one file: on the page's own thread, in a worker, with helpers.

interface Trained {
  build: string;
  threads: number;
  loss: number;
  digest: string;
  warnings: string[];
  /** Of the page's own thread, in milliseconds; 0 where no task took 50. */
  longest: number;
}

const WORK = { rows: 320, features: 64, hidden: [96, 40], epochs: 3 };

/** What Node trains the same to. */
async function expected(): Promise<string> {
  const x = Float32Array.from({ length: 320 * 64 }, (_, i) => ((i * 7919) % 256) / 255);
  const y = Array.from({ length: 320 }, (_, row) => row % 5);
  const core = await loadCore({ build: 'strict' });
  const spec = mlp({ inputs: 64, hidden: WORK.hidden, outputs: 5, norm: true, dropout: 0.2 });
  const model = await createModel(spec, { seed: 1, core });
  await model.fit({ x, y }, { epochs: 3, batchSize: 64 });
  return Buffer.from(await crypto.subtle.digest('SHA-256', model.save())).toString('hex');
}

let browser: Browser | undefined;
beforeAll(async () => {
  if (existsSync(CHROMIUM)) browser = await startChromium();
});
afterAll(() => browser?.close());

async function openPage(entry: string, isolated: boolean): Promise<Page> {
  const page = await browser!.newPage();
  await page.goto(`${await serveProject({ isolated })}/test/support/library-in-browser.html?entry=${entry}`);
  await page.waitForFunction('globalThis.ready');
  return page;
}

describe.each(['index', 'bundle'])('dist/%s.js', (entry) => {
  it.each([
    ['on the own thread', {}, 1],
    ['in a worker', { worker: true }, 1],
    ['in a worker with a helper', { worker: true, threads: 2 }, 2],
    ['in a worker with two', { worker: true, threads: 3 }, 3],
  ])('of an isolated page trains to the bytes of Node, %s', async (_, options, threads) => {
    if (browser === undefined) return;
    const page = await openPage(entry, true);
    for (const time of [1, 2]) {
      const work = JSON.stringify({ ...WORK, options });
      const trained = await page.evaluate<Trained>(`train(${work})`);
      expect(trained, `time ${time}`).toMatchObject({
        build: 'simd-mt',
        threads,
        warnings: [],
        digest: await expected(),
      });
    }
  });

  it('of a page that is not isolated trains with one thread, and says so once', async () => {
    if (browser === undefined) return;
    const page = await openPage(entry, false);
    const work = JSON.stringify({ ...WORK, options: { worker: true, threads: 'auto' } });
    const trained = await page.evaluate<Trained>(`train(${work})`);
    expect(trained).toMatchObject({ build: 'simd', threads: 1, digest: await expected() });
    expect(trained.warnings).toEqual([
      'The model trains with one thread: the build simd has none; 1, or an engine with shared memory (a page that is cross-origin isolated) is expected.',
    ]);
  });

  it('says that a worker could not be started', async () => {
    if (browser === undefined) return;
    const page = await openPage(entry, false);
    expect(await page.evaluate('deadWorker()')).toEqual({
      code: 'worker',
      message:
        'The worker has died: its script could not be loaded (a bundler that copies no workers has to be given openWorker({ start }); on an isolated page it needs the same headers); a running worker is expected.',
    });
  });

  it('says that a worker was ended by the browser in mid-training', async () => {
    if (browser === undefined) return;
    const page = await openPage(entry, false);
    const training = page.evaluate(`trainUntilDeath(${JSON.stringify({ rows: 320, features: 64 })})`);
    await page.waitForFunction('globalThis.epochs > 2');
    await page.workers()[0]!.evaluate('self.close()');
    expect(await training).toEqual({
      code: 'worker',
      message: 'The worker has died: the browser has ended it; a running worker is expected.',
    });
  });
});
