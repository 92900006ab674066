// `npm run web` serves the live page of web/; `npm run web:build` makes it a static folder that any host can serve, build/web if
// no other is named.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, createServer } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the page imports: the library as it is published. */
const NEEDED = ['dist/index.js', 'dist/report/charts.js', 'build/relaxed-mt.wasm'];

const missing = NEEDED.find((file) => !existsSync(join(ROOT, file)));
if (missing !== undefined) {
  console.error(`${missing} is missing; run npm run build first.`);
  process.exit(1);
}

const options = { configFile: join(ROOT, 'web/vite.config.ts') };
const [, , command, folder] = process.argv;
if (command === 'build') {
  const outDir = resolve(folder ?? join(ROOT, 'build/web'));
  // The folder is emptied first: never one that holds anything but an earlier page.
  if (existsSync(outDir) && readdirSync(outDir).length > 0 && !existsSync(join(outDir, 'sw.js'))) {
    console.error(`${outDir} holds other files; a new folder, or one with an earlier page, is expected.`);
    process.exit(1);
  }
  await build({ ...options, build: { outDir } });
} else {
  const server = await createServer(options);
  await server.listen();
  server.printUrls();
}
