// Serves a folder, or what another server answers, with the headers that are asked for.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { atEnd } from './project.mjs';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** A server for this machine alone: its address. `from` is a folder or the address of another server. */
export async function serve(from, headers = {}) {
  const answer = from.startsWith('http') ? fetched : read;
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    const { status, type, body } = await answer(from, pathname, search);
    response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
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
