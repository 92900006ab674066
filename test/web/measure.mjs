// Measures the built page in Chromium, from this checkout: `node test/web/measure.mjs [load|speed|tasks|stroke|table...]`.
// `--rounds N` (3). The page is served as from a host without headers, so that it trains with one thread; with `--isolated` as
// from one that allows threads.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { ARCHITECTURES, defaultConfig } from '../../dist/experiment/index.js';
import { ISOLATED, openServer } from '../matrix/server.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'build/web-measured';
/** The hidden widths of large1, and how it is written into an address. */
const { hidden: WIDTHS } = ARCHITECTURES.large1;
const { dropout: DROPOUT, batchSize: BATCH } = defaultConfig();
const LARGE1 = `layers=${WIDTHS.map((width) => `${width}-norm-relu-${100 * DROPOUT}`).join('_')}`;
const DATASET = '/usr/share/datasets/fashion-mnist';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, isolated: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const shown = (numbers, digits = 1) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;

let browser;
let origin;

/** A room, in a browser that has not been here before, whose own thread is watched. */
async function open(room) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    serviceWorkers: 'block',
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.seen = { long: [], frames: [], last: performance.now() };
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.seen.long.push(Math.round(duration));
    }).observe({ type: 'longtask' });
    const frame = (now) => {
      globalThis.seen.frames.push(now - globalThis.seen.last);
      globalThis.seen.last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await page.goto(`${origin}/${PAGE}/#/${room}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

const pressTrain = (page) => page.getByRole('button', { name: /^Train/ }).click();
const trained = (page) => page.getByText('Trained', { exact: true }).waitFor({ timeout: 600_000 });

/** What was seen of the page's own thread since it was last asked. */
const looked = (page) =>
  page.evaluate(() => {
    const { long, frames } = globalThis.seen;
    globalThis.seen.long = [];
    globalThis.seen.frames = [];
    return { long, frames };
  });

/** Bytes of the first load, and the time until the heading is there. */
async function load() {
  const times = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    const page = await open('playground');
    await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
    times.push(performance.now() - begin);
    const names = await page.evaluate(() => [
      location.pathname,
      ...performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    ]);
    bytes = 0;
    for (const name of new Set(names)) {
      const file = join(ROOT, name.endsWith('/') ? `${name}index.html` : name);
      bytes += spawnSync('gzip', ['-9c', file], { maxBuffer: 1 << 28 }).stdout.length;
    }
    await page.context().close();
  }
  console.log(
    `first load: ${(bytes / 1000).toFixed(0)} KB in gzip; the button is there after ${shown(times, 0)} ms, browser tab included`,
  );
}

/** Epochs of large1 on all of Fashion-MNIST, in the room of clothes and by the library alone, in turn. */
async function speed() {
  const EPOCHS = 3;
  const ratios = [];
  const seconds = { page: [], library: [] };
  for (let round = 0; round < rounds; round++) {
    const page = await open(`clothes?${LARGE1}&images=all&epochs=${EPOCHS}`);
    await page.evaluate(() => {
      globalThis.epochs = [];
      new MutationObserver(() => {
        const [, epoch] =
          /epoch ([\d,]+) of/.exec(document.querySelector('.progress')?.textContent ?? '') ?? [];
        if (epoch !== undefined && globalThis.epochs[epoch] === undefined)
          globalThis.epochs[epoch] = performance.now();
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await pressTrain(page);
    await trained(page);
    const at = await page.evaluate('globalThis.epochs');
    const inPage = (at[EPOCHS] - at[1]) / 1000 / (EPOCHS - 1);
    await page.context().close();

    const plain = await open('kept');
    const alone = await plain.evaluate(libraryAlone, {
      epochs: EPOCHS,
      address: `/${PAGE}/fashion-mnist`,
      widths: WIDTHS,
      dropout: DROPOUT,
      batch: BATCH,
    });
    await plain.context().close();
    seconds.page.push(inPage);
    seconds.library.push(alone.seconds);
    ratios.push(alone.seconds / inPage);
    console.log(
      `  round ${round + 1}: ${inPage.toFixed(2)} s in the page, ${alone.seconds.toFixed(2)} s alone (${alone.build})`,
    );
  }
  console.log(
    `an epoch of large1 on 50,000 images, measured on 10,000: ${shown(seconds.page, 2)} s in the page, ${shown(seconds.library, 2)} s by the library alone: ${shown(ratios, 2)} times its speed`,
  );
}

/** Runs in a page: the same training without the page around it. */
async function libraryAlone({ epochs, address, widths, dropout, batch }) {
  const { createModel, classifierModel } = await import('/dist/index.js');
  const idx = async (name, head) => {
    const { body } = await fetch(`${address}/${name}.gz`);
    const bytes = new Response(body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
    return new Uint8Array(await bytes).subarray(head);
  };
  const [x, y] = await Promise.all([idx('train-images-idx3-ubyte', 16), idx('train-labels-idx1-ubyte', 8)]);
  const spec = classifierModel({ inputs: 784, hidden: widths, classes: 10, dropout });
  const model = await createModel(spec, { seed: 0, worker: true, threads: 'auto' });
  const learnt = 50_000;
  const at = [];
  await model.fit(
    { x: x.subarray(0, 784 * learnt), y: y.subarray(0, learnt) },
    {
      validation: { x: x.subarray(784 * learnt), y: y.subarray(learnt) },
      epochs,
      batchSize: batch,
      learningRate: 0.003,
      optimizer: { type: 'adam' },
      onEpoch: () => at.push(performance.now()),
    },
  );
  model.dispose();
  return {
    seconds: (at.at(-1) - at[0]) / 1000 / (epochs - 1),
    build: crossOriginIsolated ? 'threads' : 'one thread',
  };
}

/** The longest tasks of the page's own thread while each room trains, and its frames while there is drawn and painted. */
async function tasks() {
  const rooms = {
    clothes: 'clothes?epochs=40',
    table: 'table?sample=customers&target=left&epochs=300',
    playground: 'playground?epochs=3000&points=300',
  };
  for (const [name, room] of Object.entries(rooms)) {
    const page = await open(room);
    if (name === 'table') await page.getByText('It is one of').waitFor();
    await page.waitForTimeout(1500);
    await looked(page);
    await pressTrain(page);
    if (name === 'clothes') await stroke(page, '.board canvas', 6000);
    else await page.waitForTimeout(6000);
    const { long, frames } = await looked(page);
    report(`${name}, training`, long, frames);
    await page.context().close();
  }
  const page = await open('playground?set=own');
  await page.waitForTimeout(1000);
  await looked(page);
  await stroke(page, 'canvas.plane', 4000);
  const { long, frames } = await looked(page);
  report('playground, painting', long, frames);
  await page.context().close();
}

function report(title, long, frames) {
  const rate = (1000 * frames.length) / frames.reduce((sum, time) => sum + time, 0);
  const late = frames.filter((time) => time > 25).length;
  console.log(
    `${title}: tasks of 50 ms and more: ${long.length === 0 ? 'none' : long.join(', ')}; ${rate.toFixed(1)} frames a second, ${late} of ${frames.length} late`,
  );
}

/** Draws on a canvas for so long. */
async function stroke(page, canvas, time) {
  const board = page.locator(canvas).first();
  await board.scrollIntoViewIfNeeded();
  const { x, y, width } = await board.boundingBox();
  await page.mouse.move(x + width / 2, y + width / 2);
  await page.mouse.down();
  const end = performance.now() + time;
  for (let step = 0; performance.now() < end; step++) {
    const angle = step / 9;
    const reach = width * (0.1 + 0.25 * Math.abs(Math.sin(step / 70)));
    await page.mouse.move(x + width / 2 + reach * Math.cos(angle), y + width / 2 + reach * Math.sin(angle));
    await page.waitForTimeout(8);
  }
  await page.mouse.up();
}

/** From a stroke to the probabilities of large1, as the page says it. */
async function strokes() {
  const page = await open(`clothes?${LARGE1}&epochs=1`);
  await pressTrain(page);
  await trained(page);
  const drawing = stroke(page, '.board canvas', 5000);
  const took = [];
  for (const end = performance.now() + 5000; performance.now() < end; ) {
    const said = /in ([\d.]+) ms/.exec(await page.locator('.probabilities .note').textContent());
    if (said !== null) took.push(Number(said[1]));
    await page.waitForTimeout(40);
  }
  await drawing;
  took.sort((a, b) => a - b);
  console.log(
    `stroke to probabilities, large1: median ${median(took)} ms, nine of ten below ${took[Math.floor(0.9 * took.length)]} ms`,
  );
  await page.context().close();
}

/** A table of 20,000 rows and 20 columns with texts and gaps: from the drop to the first epoch. */
async function table() {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const page = await open('table?epochs=5');
    await page.waitForTimeout(500);
    await page.evaluate(() => {
      document.querySelector('input[type=file]').addEventListener(
        'change',
        () => {
          globalThis.dropped = performance.now();
        },
        { capture: true },
      );
      new MutationObserver(() => {
        const button = [...document.querySelectorAll('button.main')].find(
          ({ textContent }) => textContent === 'Train',
        );
        if (button && !button.disabled && !globalThis.isPressed) {
          globalThis.isPressed = true;
          button.click();
        }
        if (/epoch [1-9]/.test(document.querySelector('.progress')?.textContent ?? ''))
          globalThis.first ??= performance.now();
      }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    });
    const buffer = Buffer.from(madeTable(20_000));
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'made.csv', mimeType: 'text/csv', buffer });
    await trained(page);
    times.push(await page.evaluate('(globalThis.first - globalThis.dropped) / 1000'));
    await page.context().close();
  }
  console.log(`20,000 x 20 with texts and gaps, drop to first epoch: ${shown(times, 2)} s`);
}

function madeTable(rows) {
  let word = 1;
  const next = () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 32;
  };
  const lines = [`${Array.from({ length: 19 }, (_, at) => `c${at}`).join(',')},y`];
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    const cells = Array.from({ length: 14 }, (_, at) => {
      const value = next();
      sum += value * ((at % 3) - 1);
      return next() < 0.03 ? '' : value.toFixed(4);
    });
    for (let at = 0; at < 5; at++) cells.push(next() < 0.02 ? '' : `city ${Math.floor(next() * 40)}`);
    lines.push(`${cells.join(',')},${sum > 0 ? 'yes' : 'no'}`);
  }
  return lines.join('\n');
}

const ALL = { load, speed, tasks, stroke: strokes, table };
mkdirSync(join(ROOT, 'build'), { recursive: true });
const built = spawnSync(process.execPath, ['scripts/web.js', 'build', PAGE], { cwd: ROOT, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);
cpSync(DATASET, join(ROOT, PAGE, 'fashion-mnist'), { recursive: true });
const server = await openServer(ROOT, { headers: values.isolated ? ISOLATED : {}, cached: true });
origin = server.origin;
browser = await chromium.launch({
  executablePath: process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
console.log(
  `${cpus()[0].model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, Chromium ${browser.version()}`,
);
for (const name of positionals.length > 0 ? positionals : Object.keys(ALL)) await ALL[name]();
console.log(`load ${loadavg()[0].toFixed(1)}`);
await browser.close();
await server.close();
