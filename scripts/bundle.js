// Makes single files, after vendor.js. Of the portable library: dist/inline.js, with the core inside, for tools that copy no
// assets, and dist/bundle.js, with the core and its own worker inside, for a page without tools. And dist/experiment/worker.js
// in its own place: every training thread reads it, and one file is read in a third of the time of a hundred.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');

/** In place of bindings/open/files.ts: the builds themselves. */
function builds(names) {
  const texts = names.map((name) => [
    name,
    readFileSync(join(ROOT, 'build', `${name}.wasm`)).toString('base64'),
  ]);
  return `
    const texts = ${JSON.stringify(Object.fromEntries(texts))};
    export const AVAILABLE = ${JSON.stringify(names)};
    export const locate = (build) => Uint8Array.from(atob(texts[build]), (letter) => letter.charCodeAt(0));
  `;
}

/** In place of src/threads/workers.ts, where there is no file that a worker could be started from. */
const NO_WORKERS = `
  import { problem } from '../bindings/host.js';
  const refuse = () => {
    const because = 'treadle/inline is one file';
    throw problem('usage', {
      subject: 'worker',
      found: 'asked for',
      because,
      expected: 'a model in this thread, or openWorker({ start })',
    });
  };
  export { refuse as startWebWorker, refuse as startNodeWorker };
`;

/** In its place where the file itself is the worker, told by its name. */
const OWN_WORKERS = `
  export const startWebWorker = () => new Worker(import.meta.url, { type: 'module', name: 'treadle' });
  export const startNodeWorker = ({ Worker }) =>
    new Worker(new URL(import.meta.url), { execArgv: [], workerData: 'treadle' });
`;

const LIBRARY = `export * from '${join(DIST, 'index.js')}';`;
const WORKER = `
  import { listen } from '${join(DIST, 'worker/listen.js')}';
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (node ? node.workerData === 'treadle' : globalThis.name === 'treadle' && !('document' in globalThis)) listen();
`;

const OUTPUTS = {
  inline: { entry: LIBRARY, files: builds(['simd', 'relaxed']), workers: NO_WORKERS },
  bundle: {
    entry: LIBRARY + WORKER,
    files: builds(['simd', 'relaxed', 'simd-mt', 'relaxed-mt']),
    workers: OWN_WORKERS,
  },
};

for (const [name, { entry, files, workers }] of Object.entries(OUTPUTS)) {
  const replaced = new Map([
    [join(DIST, 'bindings/open/files.js'), files],
    [join(DIST, 'threads/workers.js'), workers],
  ]);
  const build = await rolldown({
    input: 'entry',
    platform: 'browser',
    plugins: [
      {
        name: 'single file',
        resolveId: (id) => (id === 'entry' ? join(DIST, `${name}-entry.js`) : null),
        load: (id) => (id.endsWith(`${name}-entry.js`) ? entry : (replaced.get(id) ?? null)),
      },
    ],
  });
  await build.write({
    file: join(DIST, `${name}.js`),
    format: 'esm',
    minify: true,
    codeSplitting: false,
    comments: false,
    banner:
      '/* treadle; for what it has of others, and their licences, see vendor/LICENSES.txt of the package */',
  });
  await build.close();
  writeFileSync(join(DIST, `${name}.d.ts`), "export * from './index.js';\n");
}

const worker = await rolldown({ input: join(DIST, 'experiment/worker.js'), platform: 'node' });
await worker.write({
  file: join(DIST, 'experiment/worker.js'),
  format: 'esm',
  codeSplitting: false,
  comments: false,
});
await worker.close();
