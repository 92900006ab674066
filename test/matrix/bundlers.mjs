// Bundlers, with no configuration beyond what every project has, and then with the line that they need.
import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { once, project, run, start, versionOf } from './project.mjs';
import { ISOLATED, serve } from './serve.mjs';
import { visit } from './visit.mjs';

const POLICY = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const STRICT = { headers: { 'Content-Security-Policy': POLICY } };

/** Ways to train (app/src/index.js) on a plain page and on an isolated one. */
const ALL = {
  plain: ['page', 'worker', 'own'],
  isolated: ['page', 'worker', 'threads', 'own', 'ownThreads'],
};
const WITHOUT_OWN = { plain: ['page', 'worker'], isolated: ['page', 'worker', 'threads'] };

/** What came of each way to train on the pages of a folder or a server. */
async function outcomes(from, { headers = {}, ways = ALL } = {}) {
  const found = [];
  for (const [page, isolation] of [
    ['plain', {}],
    ['isolated', ISOLATED],
  ]) {
    if (ways[page] === undefined) continue;
    const address = await serve(from, { ...headers, ...isolation });
    const outcome = await visit(`${address}/?ways=${ways[page]}`);
    for (const way of ways[page]) found.push({ page, way, outcome: outcome[way] });
  }
  return found;
}

function fail(version, found) {
  throw Object.assign(
    new Error(found.map(({ page, way, outcome }) => `${page}, ${way}: ${outcome}`).join('; ')),
    {
      version,
    },
  );
}

/** The result of a cell all of whose ways have to work. */
async function works(version, from, remark, options) {
  const failed = (await outcomes(from, options)).filter(({ outcome }) => outcome !== 'ok');
  if (failed.length > 0) fail(version, failed);
  return { version, result: 'works', remark };
}

/** The result of a cell none of whose ways can work: each has to say so in a sentence that names what to give. */
async function refuses(version, found, remark) {
  const unclear = found.filter(({ outcome }) => !CLEAR.test(outcome));
  if (unclear.length > 0) fail(version, unclear);
  return { version, result: 'says what is missing', remark };
}

/** The sentences that name what to give. */
const CLEAR = /^not-found: .*loadCore\(\{ wasm \}\) or treadle\/inline|^worker: .*openWorker\(\{ start \}\)/;

const app = (...folders) => once(() => project('bundlers/app', ...folders.map((name) => `bundlers/${name}`)));
const vite = app('vite');
const webpack = app('webpack');
const rollup = app('rollup');
const esbuild = app('esbuild');

const viteBuild = once(async () => {
  await run(await vite(), 'npx vite build');
  return join(await vite(), 'dist');
});

/** An installed project with other sources over its own. */
function overlaid(folder, ...names) {
  const other = mkdtempSync(`${folder}-`);
  cpSync(folder, other, { recursive: true, verbatimSymlinks: true });
  for (const name of names) cpSync(new URL(`bundlers/${name}`, import.meta.url), other, { recursive: true });
  return other;
}

async function built(folder, command) {
  await run(folder, `${command} && cp page.html dist/index.html`);
  return join(folder, 'dist');
}

const ROLLUP = 'npx rollup -p node-resolve -d dist -i main=src/index.js';
const ESBUILD = 'npx esbuild --bundle --minify --outdir=dist main=src/index.js';
/** What a project adds that gives the core and the worker's script. */
const GIVEN = 'cp node_modules/treadle/build/simd*.wasm dist/';
const GIVEN_REMARK =
  '`treadle/worker` as a second entry and `build/simd*.wasm` copied; `loadCore({ wasm })`, `openWorker({ start })`';

/** A bundle for Node, run in a folder without the package: what it printed. */
async function onNode(sources, format) {
  const folder = overlaid(await esbuild(), 'node', ...sources);
  const file = `alone/app.${format === 'esm' ? 'mjs' : 'cjs'}`;
  await run(folder, `npx esbuild src/index.js --bundle --platform=node --format=${format} --outfile=${file}`);
  const alone = mkdtempSync(join(folder, '../node-'));
  cpSync(join(folder, 'alone'), alone, { recursive: true });
  return (await run(alone, `node ${file.split('/')[1]}`)).trim();
}

export const cells = [
  {
    name: 'Vite, dev',
    run: async () => {
      const address = await start(await vite(), 'npx vite --port 5301 --strictPort', 'http://localhost:5301');
      return works(versionOf(await vite(), 'vite'), address, 'none');
    },
  },
  {
    name: 'Vite, build',
    run: async () => works(versionOf(await vite(), 'vite'), await viteBuild(), 'none'),
  },
  {
    name: 'Vite, build, strict CSP',
    run: async () => works(versionOf(await vite(), 'vite'), await viteBuild(), `\`${POLICY}\``, STRICT),
  },
  {
    name: 'webpack',
    run: async () =>
      works(
        versionOf(await webpack(), 'webpack'),
        await built(await webpack(), 'npx webpack --mode production'),
        'none',
      ),
  },
  ...[
    [['without-own', 'parcel'], 'Parcel', WITHOUT_OWN, 'none'],
    [
      ['parcel-own'],
      "Parcel, a worker of the page's own too",
      ALL,
      'what worker and page both import is not found unless `disableSharedBundles` of `@parcel/bundler-default` is true',
    ],
  ].map(([sources, name, ways, remark]) => ({
    name,
    run: async () => {
      const folder = await app(...sources)();
      await run(folder, 'npx parcel build index.html');
      return works(versionOf(folder, 'parcel'), join(folder, 'dist'), remark, { ways });
    },
  })),
  {
    name: 'Next, Turbopack',
    run: async () => {
      const folder = await app('next')();
      await run(folder, 'npx next build');
      const address = await start(folder, 'npx next start -p 5302', 'http://localhost:5302');
      return works(versionOf(folder, 'next'), address, 'none; a component of the client');
    },
  },
  {
    name: 'Rollup',
    run: async () => {
      const found = await outcomes(await built(await rollup(), ROLLUP), { ways: WITHOUT_OWN });
      return refuses(versionOf(await rollup(), 'rollup'), found, 'with `@rollup/plugin-node-resolve` alone');
    },
  },
  {
    name: 'Rollup, treadle/inline',
    run: async () => {
      const folder = await built(overlaid(await rollup(), 'inline'), ROLLUP);
      return works(versionOf(await rollup(), 'rollup'), folder, "on the page's thread; no threads", {
        ways: { plain: ['page'], isolated: ['page'] },
      });
    },
  },
  {
    name: 'Rollup, core given',
    run: async () => {
      const folder = await built(
        overlaid(await rollup(), 'given'),
        `${ROLLUP} -i worker=treadle/worker && ${GIVEN}`,
      );
      return works(versionOf(await rollup(), 'rollup'), folder, GIVEN_REMARK, { ways: WITHOUT_OWN });
    },
  },
  {
    name: 'esbuild, ES modules',
    run: async () => {
      const folder = await built(await esbuild(), `${ESBUILD} --format=esm`);
      const found = await outcomes(folder, { ways: WITHOUT_OWN });
      return refuses(versionOf(await esbuild(), 'esbuild'), found, '');
    },
  },
  {
    name: 'esbuild, script',
    run: async () => {
      const folder = await built(overlaid(await esbuild(), 'script'), ESBUILD);
      const found = await outcomes(folder, { ways: WITHOUT_OWN });
      return refuses(versionOf(await esbuild(), 'esbuild'), found, '`format: iife`, its default');
    },
  },
  {
    name: 'esbuild, script, treadle/inline',
    run: async () => {
      const folder = await built(overlaid(await esbuild(), 'script', 'inline'), ESBUILD);
      return works(versionOf(await esbuild(), 'esbuild'), folder, "on the page's thread; no threads", {
        ways: { plain: ['page'], isolated: ['page'] },
      });
    },
  },
  {
    name: 'esbuild, treadle/inline, worker given',
    run: async () => {
      const folder = await built(
        overlaid(await esbuild(), 'inline', 'inline-worker'),
        `${ESBUILD} --format=esm worker=treadle/worker`,
      );
      const remark = '`treadle/worker` as a second entry; `openWorker({ start })`; no threads';
      return works(versionOf(await esbuild(), 'esbuild'), folder, remark, {
        ways: { plain: ['page', 'worker'], isolated: ['page', 'worker'] },
      });
    },
  },
  {
    name: 'esbuild, core given',
    run: async () => {
      const folder = await built(
        overlaid(await esbuild(), 'given'),
        `${ESBUILD} --format=esm worker=treadle/worker && ${GIVEN}`,
      );
      return works(versionOf(await esbuild(), 'esbuild'), folder, GIVEN_REMARK, { ways: WITHOUT_OWN });
    },
  },
  ...['esm', 'cjs'].flatMap((format) => [
    {
      name: `esbuild for Node, ${format}`,
      run: async () => {
        const found = [{ page: 'Node', way: format, outcome: await onNode([], format) }];
        return refuses(versionOf(await esbuild(), 'esbuild'), found, '');
      },
    },
    {
      name: `esbuild for Node, ${format}, treadle/inline`,
      run: async () => {
        const version = versionOf(await esbuild(), 'esbuild');
        const outcome = await onNode(['inline'], format);
        if (outcome !== 'ok') fail(version, [{ page: 'Node', way: format, outcome }]);
        return { version, result: 'works', remark: 'one file, run without the package' };
      },
    },
  ]),
  ...[
    ['bundle', '`<script type="module">`, treadle/bundle', 'one file; none'],
    ['unbundled', '`<script type="module">`, dist/index.js', 'no import map; none'],
  ].map(([sources, name, remark]) => ({
    name,
    run: async () => {
      const folder = await app('plain', sources)();
      await works('', folder, remark, STRICT);
      return works('', folder, `${remark}; a strict CSP too`);
    },
  })),
];
