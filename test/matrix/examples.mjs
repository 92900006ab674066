// The projects of examples/, each installed from the tarball and run as its README says.
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start, tarball, temporary, versionOf } from './project.mjs';
import { existing, TOOLS } from './runtimes/tools.mjs';
import { ISOLATED, serve } from './serve.mjs';
import { press } from './visit.mjs';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** An example as somebody would have it: copied and installed. */
async function installed(name) {
  const folder = temporary();
  cpSync(join(EXAMPLES, name), folder, { recursive: true });
  const path = join(folder, 'package.json');
  const manifest = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { private: true };
  manifest.dependencies = { ...manifest.dependencies, treadle: `file:${await tarball()}` };
  writeFileSync(path, JSON.stringify(manifest));
  await run(folder, 'npm install --no-audit --no-fund --loglevel error');
  return folder;
}

function works(version, printed, pattern) {
  if (!pattern.test(printed))
    throw Object.assign(new Error(`it says ${JSON.stringify(printed)}`), { version });
  return { version, result: 'works', remark: '' };
}

/** A program of Node: what it prints has to match. */
const program = (name, pattern) => ({
  name: `Example ${name}`,
  run: async () => works(process.version, await run(await installed(name), 'npm start --silent'), pattern),
});

/** A page with a button "Train" and an output, which has to match in the end; `build` gives what is served. */
const page = (name, build, pattern) => ({
  name: `Example ${name}`,
  run: async () => {
    const folder = await installed(name);
    const { from, version = '' } = await build(folder);
    return works(version, await press(await serve(from, ISOLATED), 'Train', pattern), pattern);
  },
});

/** 7 sin(7) is 4.60. */
const CURVE = /^f\(7\) = 4\.[3-9]\d, and 7 sin\(7\) = 4\.60/;

export const cells = [
  program('node', /accuracy on new points: 1 /),
  program('embeddings', /weather +fog[\s\S]*kitchen +fry/),
  program('worker', /ended: interrupted[\s\S]*this thread was free [1-9]/),
  program('federated', /round 10: accuracy 0\.9/),
  page(
    'page',
    async (folder) => {
      cpSync(join(folder, 'node_modules/treadle/dist/bundle.js'), join(folder, 'bundle.js'));
      return { from: folder };
    },
    /^Epoch 200: (9\d|100) %/,
  ),
  page(
    'vite',
    async (folder) => {
      await run(folder, 'npm run build --silent');
      return { from: join(folder, 'dist'), version: versionOf(folder, 'vite') };
    },
    CURVE,
  ),
  page(
    'webpack',
    async (folder) => {
      await run(folder, 'npm run build --silent');
      return { from: join(folder, 'dist'), version: versionOf(folder, 'webpack') };
    },
    CURVE,
  ),
  page(
    'next',
    async (folder) => {
      await run(folder, 'npm run build --silent');
      const from = await start(folder, 'npx next start -p 5307', 'http://localhost:5307');
      return { from, version: versionOf(folder, 'next') };
    },
    CURVE,
  ),
  {
    name: 'Example deno',
    run: async () => {
      const folder = await installed('deno');
      const deno = join(TOOLS, 'node_modules/@deno/linux-x64-glibc/deno');
      try {
        existing(deno, 'npm install --force --prefix build/matrix @deno/linux-x64-glibc');
      } catch (error) {
        return { version: '', result: 'skipped', remark: `needs ${error.message}` };
      }
      // The tarball stands in for the registry's package.
      const source = join(folder, 'main.ts');
      writeFileSync(source, readFileSync(source, 'utf8').replace('npm:treadle', 'treadle'));
      const flags = '--allow-read --node-modules-dir=manual';
      const printed = await run(folder, `${deno} run ${flags} main.ts`);
      const version = (await run(folder, `${deno} --version`)).split(' ')[1];
      return works(version, printed, /"?even"?, "?odd"?, "?odd"?, "?even"?/);
    },
  },
];
