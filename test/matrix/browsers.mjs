// The library, installed from its tarball, in browsers, without a bundler: as its own files and as its one file, on a page
// that is isolated, so that it may share memory between threads, and on one that is not.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BROWSERS } from './browsers/open.mjs';
import { cell, installedApp, judge } from './runtimes/tools.mjs';
import { ISOLATED, openServer } from './server.mjs';

const PAGE = fileURLToPath(new URL('./browsers/page.html', import.meta.url));

/** The library's entries, by their names in a page. */
const ENTRIES = [
  ['index', 'treadle'],
  ['bundle', 'treadle/bundle'],
];

async function attempt({ browser: wanted, isolated, threads, remark = '' }, context) {
  const browser = await BROWSERS[wanted]();
  const { version } = browser;
  const app = await installedApp(context, []);
  copyFileSync(PAGE, join(app, 'page.html'));
  const server = await openServer(app, { headers: isolated ? ISOLATED : {} });
  try {
    const remarks = [];
    for (const [entry, name] of ENTRIES) {
      const page = await browser.visit(`${server.origin}/page.html`);
      await page.evaluate(READY);
      const outcome = await page.evaluate(`attempt('${entry}')`).catch((error) => {
        throw Object.assign(new Error(`${name}: ${error.message}`), { version });
      });
      if (outcome.strictBuild.endsWith('-mt') !== threads) {
        throw Object.assign(new Error(`${name}: the page got ${outcome.strictBuild}`), { version });
      }
      remarks.push(`${name}: ${judge(version, outcome).remark}`);
      await page.close();
    }
    return { version, remark: [...remarks, remark].filter(Boolean).join('. ') };
  } finally {
    await server.close();
    await browser.close();
  }
}

const READY = `new Promise((resolve) => {
  const timer = setInterval(() => globalThis.isReady && resolve(clearInterval(timer)), 5);
})`;

const PAGES = [
  { name: 'Chromium, isolated page', browser: 'chromium', isolated: true, threads: true },
  { name: 'Chromium, plain page', browser: 'chromium', isolated: false, threads: false },
  { name: 'Firefox, isolated page', browser: 'firefox', isolated: true, threads: true },
  { name: 'Firefox, plain page', browser: 'firefox', isolated: false, threads: false },
  {
    name: 'WebKitGTK with SharedArrayBuffer, isolated page',
    browser: 'webkit-shared',
    isolated: true,
    threads: true,
    remark: 'JSC_useSharedArrayBuffer=1: Safari has it by itself',
  },
  { name: 'WebKitGTK, isolated page', browser: 'webkit', isolated: true, threads: false },
  { name: 'WebKitGTK, plain page', browser: 'webkit', isolated: false, threads: false },
];

export const cells = PAGES.map(({ name, ...page }) => cell(name, (context) => attempt(page, context)));
