import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCore, Network, readWasm } from '../../dist/bindings/host.js';
import { small } from '../model/support.js';
import { failure } from '../support/errors.js';

// Where a core comes from: the package's own files, or what the caller has.

const bytes = await readWasm('simd');
let origin: string;
const server = createServer((request, response) => {
  const [status, type, body] = {
    '/simd.wasm': [200, 'application/wasm', bytes],
    '/plain.wasm': [200, 'application/octet-stream', bytes],
    '/page.wasm': [200, 'text/html', '<h1>Not here</h1>'],
    '/half.wasm': [200, 'application/wasm', bytes.subarray(0, 500)],
  }[request.url!] ?? [404, 'text/html', '<h1>Not found</h1>'];
  response.writeHead(status as number, { 'Content-Type': type as string });
  response.end(body);
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe('loadCore takes the build from', () => {
  const file = new URL('../../build/simd.wasm', import.meta.url);
  it.each<[string, () => unknown]>([
    ['a Uint8Array', () => bytes],
    ['a part of a larger one', () => new Uint8Array([9, ...bytes, 9]).subarray(1, bytes.length + 1)],
    ['an ArrayBuffer', () => bytes.slice().buffer],
    ['a promise of bytes', () => Promise.resolve(bytes)],
    ['a module', () => WebAssembly.compile(bytes as BufferSource)],
    ['a URL of a file', () => file],
    ['its text', () => file.href],
    ['an address', () => new URL('/simd.wasm', origin)],
    ['its text', () => `${origin}/simd.wasm`],
    ['an answer of fetch', () => fetch(`${origin}/simd.wasm`)],
    ['an answer of another type', () => fetch(`${origin}/plain.wasm`)],
  ])('%s', async (_, wasm) => {
    const core = await loadCore({ wasm: wasm() as never, kernels: { tileHeight: 4, sparseWidth: 16 } });
    expect(core).toMatchObject({
      build: 'simd',
      kernels: { tileHeight: 4, sparseWidth: 16 },
      kernelsForced: true,
    });
    const network = new Network(core, small(2), { seed: 1 });
    expect(network.predict(new Float32Array(2))).toHaveLength(2);
    network.dispose();
  });

  it('any build, and finds out which', async () => {
    for (const build of ['simd', 'relaxed', 'simd-mt', 'relaxed-mt'] as const) {
      const wasm = await readWasm(build);
      const found = await loadCore({ wasm, kernels: { tileHeight: 6, sparseWidth: 32 } }).catch(
        (error) => error,
      );
      // Node 20 compiles no relaxed operations without a flag.
      if (found instanceof Error) expect(found).toMatchObject({ code: 'engine' });
      else expect(found.build).toBe(build);
    }
  });

  it('a page, whose addresses may be relative to it', async () => {
    vi.stubGlobal('location', { href: `${origin}/some/page.html` });
    expect((await loadCore({ wasm: '../simd.wasm' })).build).toBe('simd');
  });
});

describe('loadCore refuses', () => {
  it.each<[string, string, () => unknown, string | RegExp]>([
    [
      'not-found',
      'a page that says that nothing is there',
      () => `${origin}/none.wasm`,
      /none\.wasm cannot be loaded \(status 404\); /,
    ],
    [
      'not-found',
      'an answer that says so',
      () => fetch(`${origin}/none.wasm`),
      /none\.wasm cannot be loaded \(status 404\); /,
    ],
    [
      'not-found',
      'a page in place of it',
      () => `${origin}/page.wasm`,
      /\(no WebAssembly, but text\/html\); /,
    ],
    [
      'not-found',
      'a file that is not there',
      () => new URL('none.wasm', import.meta.url),
      /none\.wasm cannot be loaded \(ENOENT/,
    ],
    [
      'not-found',
      'nobody who answers',
      () => 'http://127.0.0.1:9/simd.wasm',
      /cannot be loaded \(fetch failed\)|cannot be loaded \(.*\)/,
    ],
    ['engine', 'half a file', () => `${origin}/half.wasm`, /^The core cannot be compiled \(/],
    ['engine', 'bytes that are none', () => new Uint8Array([1, 2, 3]), /^The core cannot be compiled \(/],
    [
      'engine',
      'another module',
      () => WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
      'The module given as wasm is no build of the core.',
    ],
    [
      'usage',
      'a number',
      () => 7,
      'wasm is 7; bytes, a URL, a Response or a WebAssembly.Module is expected.',
    ],
    ['usage', 'what is no URL', () => 'no url', /^wasm is 'no url'/],
  ])('%s: %s', async (code, _, wasm, words) => {
    const error = await failure(code, async () => loadCore({ wasm: (await wasm()) as never }));
    if (typeof words === 'string') expect(error.message).toBe(words);
    else expect(error.message).toMatch(words);
    expect(error.message).not.toContain('npm run build');
  });

  it('says that what was fetched failed, or was read before', async () => {
    const nobody = await failure('not-found', () => loadCore({ wasm: Promise.reject(new Error('offline')) }));
    expect(nobody.message).toMatch(/^The core given as wasm cannot be loaded \(offline\); /);
    const read = new Response('');
    await read.text();
    expect((await failure('not-found', () => loadCore({ wasm: read }))).message).toContain(
      'cannot be loaded (',
    );
  });

  it('a name beside what is given, and unknown options', async () => {
    const both = await failure('usage', () => loadCore({ wasm: bytes, build: 'simd' }));
    expect(both.message).toBe('build is simd (wasm is given); no name is expected.');
    await failure('usage', () => loadCore({ biuld: 'simd' } as never));
  });
});

describe('a core is loaded', () => {
  it('once for all who ask for the same', async () => {
    const [one, other, strict] = await Promise.all([
      loadCore({ build: 'simd' }),
      loadCore({ build: 'simd' }),
      loadCore({ build: 'strict' }),
    ]);
    expect(other).toBe(one);
    expect(strict).not.toBe(one);
    expect(await loadCore({ build: 'simd', kernels: { tileHeight: 4, sparseWidth: 64 } })).not.toBe(one);
    expect((await loadCore({ build: 'simd' })).module).toBe(one.module);
  });

  it('without a look at the environment in Deno, which would ask for leave', async () => {
    vi.stubEnv('TREADLE_BUILD', 'debug');
    expect((await loadCore()).build).toBe('debug');
    vi.stubGlobal('Deno', {});
    expect((await loadCore()).build).not.toBe('debug');
  });

  it('at once in a page, which finds its kernels while it is idle and keeps them', async () => {
    const kept = new Map<string, string>();
    vi.stubGlobal('document', {});
    vi.stubGlobal('navigator', { userAgent: 'a browser' });
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
    let idle = 0;
    vi.stubGlobal('requestIdleCallback', (then: () => void) => {
      idle++;
      setTimeout(then, 0);
    });
    const core = await loadCore({ wasm: bytes });
    expect(core.kernels).toEqual({ tileHeight: 6, sparseWidth: 32 });
    await vi.waitFor(() => expect(kept.size).toBe(1), { timeout: 20_000 });
    expect(idle).toBeGreaterThan(10);
    const { browser, simd } = JSON.parse([...kept.values()][0]!);
    expect([browser, simd]).toEqual([
      'a browser',
      `${core.kernels.tileHeight}x8/${core.kernels.sparseWidth}`,
    ]);
    // The next page has them at once; another version of the browser looks anew; garbage is passed over.
    kept.set([...kept.keys()][0]!, JSON.stringify({ browser: 'a browser', simd: '4x8/64' }));
    expect((await loadCore({ wasm: bytes })).kernels).toEqual({ tileHeight: 4, sparseWidth: 64 });
    for (const garbage of ['{', '7', 'null', JSON.stringify({ browser: 'a browser', simd: '9x9/9' })]) {
      kept.set([...kept.keys()][0]!, garbage);
      expect((await loadCore({ wasm: bytes })).kernels).toEqual({ tileHeight: 6, sparseWidth: 32 });
    }
    vi.stubGlobal('navigator', { userAgent: 'a newer browser' });
    kept.set([...kept.keys()][0]!, JSON.stringify({ browser: 'a browser', simd: '4x8/64' }));
    expect((await loadCore({ wasm: bytes })).kernels).toEqual({ tileHeight: 6, sparseWidth: 32 });
  });
});
