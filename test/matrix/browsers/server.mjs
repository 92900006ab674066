// Serves a folder to a browser on this machine.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = {
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

/** Starts a server of a folder's files. With `cached` a browser may keep them. */
export async function serve(folder, { isolated = false, cached = false } = {}) {
  const server = createServer(async (request, response) => {
    // A URL's path has no '..' left.
    const { pathname } = new URL(request.url, 'http://localhost');
    const content = await readFile(join(folder, pathname)).catch(() => null);
    response.writeHead(content === null ? 404 : 200, {
      'Content-Type': TYPES[extname(pathname)] ?? 'application/octet-stream',
      'Cache-Control': cached ? 'max-age=3600' : 'no-store',
      ...(isolated ? ISOLATION : {}),
    });
    response.end(content);
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
