// Times the library in browsers, from this checkout: `node test/bench/browsers/measure.mjs [epoch|threads|task|first...]`.
// What is compared is timed in turn, round by round; medians are printed, and the ratios of each round's two figures.
// `--rounds N` (9), `--samples N` (4096); a round begins when the processors have been idle for a moment, or after
// `--patience S` (0) seconds. `--browser NAME` leaves the others out. Browsers are found as in test/matrix; one that is not installed is left out.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BROWSERS } from '../../matrix/browsers/open.mjs';
import { Missing } from '../../matrix/runtimes/tools.mjs';
import { ISOLATED, openServer } from '../../matrix/server.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = '/test/bench/browsers/page.html';
const READY = `new Promise((resolve) => {
  const timer = setInterval(() => globalThis.bench && resolve(clearInterval(timer)), 5);
})`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    samples: { type: 'string', default: '4096' },
    patience: { type: 'string', default: '0' },
    browser: { type: 'string', default: '' },
  },
});
const rounds = Number(values.rounds);
const samples = Number(values.samples);

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const show = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;
const load = () => `load ${loadavg()[0].toFixed(1)}`;

/** Waits until the processors have been idle for a moment, at most as long as `--patience` says. */
async function idle() {
  const times = () =>
    cpus().reduce(
      ([free, all], { times: { idle, ...busy } }) => [
        free + idle,
        all + idle + Object.values(busy).reduce((sum, time) => sum + time, 0),
      ],
      [0, 0],
    );
  for (const end = performance.now() + Number(values.patience) * 1000; performance.now() < end; ) {
    const before = times();
    await wait(300);
    const [free, all] = times().map((time, which) => time - before[which]);
    if (free > 0.95 * all) return;
  }
}

/** Opens the bench's page in a browser; null where that is left out or not installed. */
async function openPage(name, { isolated = false } = {}) {
  if (!name.startsWith(values.browser)) return null;
  let browser;
  try {
    browser = await BROWSERS[name]();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.log(`${name}: left out, needs ${error.message}`);
    return null;
  }
  const server = await openServer(ROOT, { headers: isolated ? ISOLATED : {}, cached: true });
  const page = await browser.visit(server.origin + PAGE);
  await page.evaluate(READY);
  return {
    title: `${name} ${browser.version}`,
    evaluate: (expression) => page.evaluate(expression),
    async again() {
      await page.again();
      await page.evaluate(READY);
    },
    async close() {
      await page.close();
      await browser.close();
      await server.close();
    },
  };
}

/** Epochs in a process of the Node that runs this. */
async function openNode(build) {
  const child = fork(new URL('./node-epochs.mjs', import.meta.url), [String(samples), build]);
  const [opened] = await once(child, 'message');
  return {
    title: `Node ${opened.version}`,
    opened,
    async epoch() {
      child.send('epoch');
      return (await once(child, 'message'))[0].seconds;
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function openBrowserEpochs(name, build) {
  const page = await openPage(name);
  if (page === null) return null;
  const opened = await page.evaluate(`bench.open(${samples}, '${build}')`);
  return { title: page.title, opened, epoch: () => page.evaluate('bench.epoch()'), close: page.close };
}

/** One thread on a plain page against Node: in the build that each takes by itself, and in the one that all have. */
async function epoch() {
  for (const build of ['auto', 'simd']) {
    const opened = [
      await openNode(build === 'auto' ? 'relaxed' : build),
      await openBrowserEpochs('chromium', build),
      await openBrowserEpochs('firefox', build),
      await openBrowserEpochs('webkit', build),
    ];
    const engines = opened.filter((engine) => engine !== null);
    const seconds = engines.map(() => []);
    for (let round = 0; round < rounds; round++) {
      await idle();
      for (const [index, engine] of engines.entries()) seconds[index].push(await engine.epoch());
    }
    console.log(
      `An epoch of ${samples} samples of large1, build ${build}, ${rounds} rounds in turn, ${load()}`,
    );
    for (const [
      index,
      {
        title,
        opened: { build: got, kernels },
      },
    ] of engines.entries()) {
      const ratios = seconds[index].map((time, round) => seconds[0][round] / time);
      const best = Math.min(...seconds[0]) / Math.min(...seconds[index]);
      console.log(
        `  ${title}, ${got}, ${kernels.tileHeight}x8/${kernels.sparseWidth}: ${show(seconds[index], 3)} s; times Node's speed: ${show(ratios, 2)}, of the best rounds ${best.toFixed(2)}`,
      );
    }
    for (const engine of engines) await engine.close();
  }
}

/** Two threads against one, in workers of an isolated page. */
async function threads() {
  for (const name of ['chromium', 'firefox', 'webkit-shared']) {
    const page = await openPage(name, { isolated: true });
    if (page === null) continue;
    const seconds = { 1: [], 2: [] };
    for (let round = 0; round < rounds; round++) {
      await idle();
      for (const count of [1, 2]) {
        const epochs = await page.evaluate(`bench.fit(${samples}, { threads: ${count}, epochs: 3 })`);
        seconds[count].push(median(epochs));
      }
    }
    const ratios = seconds[1].map((one, round) => one / seconds[2][round]);
    const best = Math.min(...seconds[1]) / Math.min(...seconds[2]);
    console.log(
      `${page.title}, two threads on ${availableParallelism()} cores: ${show(seconds[1], 3)} s with one, ${show(seconds[2], 3)} s with two, ratio ${show(ratios, 2)}, of the best rounds ${best.toFixed(2)}; ${load()}`,
    );
    await page.close();
  }
}

/** The longest task of a page's own thread while large1 trains in its worker. Only Chromium tells of long tasks. */
async function task() {
  for (const isolated of [false, true]) {
    const page = await openPage('chromium', { isolated });
    if (page === null) return;
    const found = [];
    for (let round = 0; round < rounds; round++) {
      await idle();
      await page.again();
      found.push(await page.evaluate(`bench.longest(${samples}, { threads: 1, epochs: 3 })`));
    }
    console.log(
      `${page.title}, ${isolated ? 'isolated' : 'plain'} page: longest task ${show(
        found.map(({ longest }) => longest),
        0,
      )} ms (0: none of 50), longest time between two timers of 4 ms ${show(
        found.map(({ gap }) => gap),
        0,
      )} ms; ${load()}`,
    );
    await page.close();
  }
}

/** From the import to the first epoch, in a page that is loaded anew with its files cached. */
async function first() {
  for (const name of ['chromium', 'firefox', 'webkit']) {
    const page = await openPage(name);
    if (page === null) continue;
    for (const entry of ['index', 'bundle']) {
      for (const options of ['{}', '{ worker: true }']) {
        const times = [];
        for (let round = -1; round < rounds; round++) {
          await idle();
          await page.again();
          const time = await page.evaluate(`bench.first('${entry}', ${options})`);
          // The first time fills the cache.
          if (round >= 0) times.push(time);
        }
        console.log(
          `${page.title}, dist/${entry}.js, ${options}: first epoch after ${show(times, 0)} ms; ${load()}`,
        );
      }
    }
    await page.close();
  }
}

const ALL = { epoch, threads, task, first };
console.log(`${cpus()[0].model.trim()}, ${availableParallelism()} cores`);
for (const name of positionals.length > 0 ? positionals : Object.keys(ALL)) await ALL[name]();
