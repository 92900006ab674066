// Serves a folder, or what another server answers, to a browser on this machine.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** The headers that isolate a page, so that it may share memory between threads. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Starts a server; `from` is a folder or the address of another server. With `cached` a browser may keep the files. */
export async function openServer(from, { headers = {}, cached = false } = {}) {
  const answer = from.startsWith('http') ? fetched : read;
  const server = createServer(async (request, response) => {
    // A URL's path has no '..' left.
    const { pathname, search } = new URL(request.url, 'http://localhost');
    const { status, type, body } = await answer(from, pathname, search);
    const keeping = { 'Cache-Control': cached ? 'max-age=3600' : 'no-store' };
    response.writeHead(status, { 'Content-Type': type, ...keeping, ...headers });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function read(folder, pathname) {
  const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  const body = await readFile(join(folder, path)).catch(() => null);
  if (body === null) return { status: 404, type: 'text/html', body: '<!doctype html><title>404</title>' };
  return { status: 200, type: TYPES[extname(path)] ?? 'application/octet-stream', body };
}

async function fetched(origin, pathname, search) {
  const answer = await fetch(`${origin}${pathname}${search}`);
  const type = answer.headers.get('content-type') ?? 'application/octet-stream';
  return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) };
}
