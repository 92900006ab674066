import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** Debian's browser; TREADLE_CHROMIUM names another. */
export const CHROMIUM = process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium';

const ROOT = new URL('../../', import.meta.url);

/** All that a page may ask for of this project. */
const SERVED = /^\/(dist|build|test\/support)\//;

const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.csv': 'text/csv',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The headers that isolate a page, so that it may share memory between threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** A server of the files in a folder whose paths match, for this machine alone. */
function folderServer(folder: URL, served: RegExp, isolated: boolean): Server {
  return createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const file = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const content = served.test(pathname)
      ? await readFile(new URL(`.${file}`, folder)).catch(() => null)
      : null;
    response.writeHead(content === null ? 404 : 200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      ...(isolated ? ISOLATION : {}),
    });
    response.end(content);
  });
}

/** Serves this project's compiled files until the running test ends, and returns the server's origin. */
export function serveProject({ isolated = false } = {}): Promise<string> {
  return listening(folderServer(ROOT, SERVED, isolated));
}

/** Serves a folder, to isolated pages if not told otherwise, until the running test ends, and returns the server's origin. */
export function serveFolder(folder: string, { isolated = true } = {}): Promise<string> {
  return listening(folderServer(pathToFileURL(`${folder}/`), /^\//, isolated));
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts Chromium without a window; the caller closes it. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
