// `npm run web` serves the live page of web/; `npm run web:build` makes it a static folder, build/web, that any host can serve.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
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
if (process.argv[2] === 'build') await build(options);
else {
  const server = await createServer(options);
  await server.listen();
  server.printUrls();
}
