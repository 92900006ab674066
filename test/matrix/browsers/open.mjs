// The browsers, each behind the same few calls: `{ version, visit, close }`, where `visit(url)` gives a page with
// `evaluate(expression)`, whose promise is awaited, `again()`, which goes there once more, and `close()`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { existing, tool } from '../runtimes/tools.mjs';

const CHROMIUM = process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.TREADLE_FIREFOX ?? '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = '/usr/bin/WebKitWebDriver';
const WEBKIT = process.env.TREADLE_WEBKIT ?? '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

/** Longest that an expression may take, in milliseconds. */
const LONGEST = 300_000;

async function openChromium() {
  const browser = await chromium.launch({
    executablePath: existing(CHROMIUM, "Debian's chromium"),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  return {
    version: browser.version(),
    async visit(url) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      return {
        evaluate: (expression) => page.evaluate(expression),
        again: () => page.goto(url),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}

async function openFirefox() {
  const executablePath = existing(FIREFOX, "Debian's firefox-esr");
  const manifest = tool('puppeteer-core/package.json', 'puppeteer-core');
  const { default: puppeteer } = await import(
    pathToFileURL(createRequire(pathToFileURL(manifest)).resolve('puppeteer-core'))
  );
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    protocolTimeout: LONGEST,
  });
  return {
    version: (await browser.version()).replace(/^\D*/, ''),
    async visit(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return {
        evaluate: (expression) => page.evaluate(expression),
        again: () => page.goto(url),
        close: () => page.close(),
      };
    },
    close: () => browser.close(),
  };
}

/** Asks a WebDriver; rejects with what it says is wrong. */
async function ask(origin, method, path, body) {
  const response = await fetch(origin + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** Starts a virtual display; `display` is its name. */
async function startDisplay() {
  const command = existing('/usr/bin/Xvfb', "Debian's xvfb");
  const server = spawn(command, ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [number] = await once(server.stdio[3].setEncoding('utf8'), 'data');
  return { display: `:${number.trim()}`, close: () => end(server) };
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

/** A port that nothing listens on. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** With `sharedMemory`, as Safari: WebKitGTK leaves SharedArrayBuffer out unless its engine is told otherwise. */
async function openWebKit({ sharedMemory = false } = {}) {
  existing(WEBKIT_DRIVER, "Debian's webkit2gtk-driver");
  existing(WEBKIT, "MiniBrowser of Debian's libwebkit2gtk-4.1-0");
  const { display, close: closeDisplay } = await startDisplay();
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), 'treadle-'));
  const driver = spawn(WEBKIT_DRIVER, [`--port=${port}`], {
    stdio: 'ignore',
    env: {
      ...process.env,
      DISPLAY: display,
      HOME: home,
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_DATA_HOME: join(home, 'data'),
      GDK_BACKEND: 'x11',
      // Its sandbox needs user namespaces, which a container often has not; it opens pages of this machine only.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      ...(sharedMemory && { JSC_useSharedArrayBuffer: '1' }),
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  for (let left = 100; left > 0; left--) {
    if (await ask(origin, 'GET', '/status').catch(() => null)) break;
    await wait(100);
  }
  const { sessionId, capabilities } = await ask(origin, 'POST', '/session', {
    capabilities: {
      alwaysMatch: {
        'webkitgtk:browserOptions': { binary: WEBKIT, args: ['--automation'] },
        timeouts: { script: LONGEST },
      },
    },
  });
  const session = `/session/${sessionId}`;
  return {
    version: capabilities.browserVersion,
    /** One page at a time. */
    async visit(url) {
      await ask(origin, 'POST', `${session}/url`, { url });
      return {
        async evaluate(expression) {
          const script = `const done = arguments[arguments.length - 1];
            Promise.resolve().then(() => (${expression})).then((value) => done({ value }), (error) => done({ error: String(error) }));`;
          const { value, error } = await ask(origin, 'POST', `${session}/execute/async`, {
            script,
            args: [],
          });
          if (error !== undefined) throw new Error(error);
          return value;
        },
        again: () => ask(origin, 'POST', `${session}/url`, { url }),
        close: () => ask(origin, 'POST', `${session}/url`, { url: 'about:blank' }),
      };
    },
    async close() {
      await ask(origin, 'DELETE', session);
      await end(driver);
      await closeDisplay();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export const BROWSERS = {
  chromium: openChromium,
  firefox: openFirefox,
  webkit: openWebKit,
  'webkit-shared': () => openWebKit({ sharedMemory: true }),
};
