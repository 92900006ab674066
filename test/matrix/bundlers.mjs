// Bundlers, with no configuration beyond what every project has, and then with the line that they need.
import { once, project, run, start, versionOf } from './project.mjs';
import { ISOLATED, serve } from './serve.mjs';
import { visit } from './visit.mjs';

const STRICT = { 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" };

/** What is served, visited on a plain page and on an isolated one: the ways to train that fail, with why. */
async function failures(from, { headers = {}, ways = ['page', 'worker'], isolatedWays = [...ways, 'threads'] } = {}) {
  const failed = [];
  for (const [page, tried, extra] of [
    ['plain page', ways, {}],
    ['isolated page', isolatedWays, ISOLATED],
  ]) {
    if (tried.length === 0) continue;
    const outcome = await visit(`${await serve(from, { ...headers, ...extra })}/?ways=${tried}`);
    for (const way of tried) if (outcome[way] !== 'ok') failed.push(`${page}, ${way}: ${outcome[way]}`);
  }
  return failed;
}

/** The result of a cell all of whose ways have to work. */
async function works(version, from, remark, options) {
  const failed = await failures(from, options);
  if (failed.length > 0) throw Object.assign(new Error(failed.join('; ')), { version });
  return { version, result: 'works', remark };
}

const vite = once(() => project('bundlers/app', 'bundlers/vite'));
const webpack = once(() => project('bundlers/app', 'bundlers/webpack'));
const rollup = once(() => project('bundlers/app', 'bundlers/rollup'));
const esbuild = once(() => project('bundlers/app', 'bundlers/esbuild'));
const parcel = once(() => project('bundlers/app', 'bundlers/parcel'));
const next = once(() => project('bundlers/app', 'bundlers/next'));

const viteBuild = once(async () => {
  await run(await vite(), 'npx vite build');
  return `${await vite()}/dist`;
});

export const cells = [
  {
    name: 'Vite, dev',
    run: async () => {
      const folder = await vite();
      const address = await start(folder, 'npx vite --port 5301 --strictPort', 'http://localhost:5301/');
      return works(versionOf(folder, 'vite'), address.slice(0, -1), 'none');
    },
  },
  {
    name: 'Vite, build',
    run: async () => works(versionOf(await vite(), 'vite'), await viteBuild(), 'none'),
  },
  {
    name: 'Vite, build, strict CSP',
    run: async () =>
      works(versionOf(await vite(), 'vite'), await viteBuild(), `\`${Object.values(STRICT)[0]}\``, { headers: STRICT }),
  },
  {
    name: 'webpack',
    run: async () => {
      const folder = await webpack();
      await run(folder, 'npx webpack --mode production && cp page.html dist/index.html');
      return works(versionOf(folder, 'webpack'), `${folder}/dist`, 'none');
    },
  },
  {
    name: 'Rollup',
    run: async () => {
      const folder = await rollup();
      await run(folder, 'npx rollup src/index.js -p node-resolve -d dist --entryFileNames main.js && cp page.html dist/index.html');
      return works(versionOf(folder, 'rollup'), `${folder}/dist`, 'none');
    },
  },
  {
    name: 'esbuild',
    run: async () => {
      const folder = await esbuild();
      await run(folder, 'npx esbuild src/index.js --bundle --format=esm --minify --outfile=dist/main.js && cp page.html dist/index.html');
      return works(versionOf(folder, 'esbuild'), `${folder}/dist`, 'none');
    },
  },
  {
    name: 'Parcel',
    run: async () => {
      const folder = await parcel();
      await run(folder, 'npx parcel build index.html');
      return works(versionOf(folder, 'parcel'), `${folder}/dist`, 'none');
    },
  },
  {
    name: 'Next, Turbopack',
    run: async () => {
      const folder = await next();
      await run(folder, 'npx next build');
      const address = await start(folder, 'npx next start -p 5302', 'http://localhost:5302/');
      return works(versionOf(folder, 'next'), address.slice(0, -1), 'none');
    },
  },
];
