// The compatibility matrix: `node test/matrix/run.mjs [--write] [name…]` packs the package, installs it in a project for
// each environment, builds and runs that, and prints what came of it. With --write the rows go into docs/compatibility.md.
// A cell is `{ name, run(context) }`, where context has the path of the tarball and makes folders; run resolves to `{ version, result, remark }`, or rejects where the environment does not do
// what is said of it. Names choose the cells whose names begin so.
import { readFileSync, writeFileSync } from 'node:fs';
import { cells as browsers } from './browsers.mjs';
import { cells as bundlers } from './bundlers.mjs';
import { cells as examples } from './examples.mjs';
import { cleanUp, tarball, temporary } from './project.mjs';
import { cells as runtimes } from './runtimes.mjs';
import { cells as tools } from './tools.mjs';
import { cells as types } from './types.mjs';

const PAGE = new URL('../../docs/compatibility.md', import.meta.url);
const HEADER = `# Where treadle runs

\`npm run test:matrix -- --write\` writes this table: each row is a project with the packed package installed, built and run.
Pages train XOR in Chromium unless it says otherwise: on the page's thread, in a worker (\`worker: true\`) and, where the page
is cross-origin isolated, in a worker with a helper (\`threads: 2\`); the predictions are checked.

| environment | version | result | configuration, remarks |
|---|---|---|---|
`;

/** The rows that are written already, by name. */
function writtenRows() {
  try {
    const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| (.+?) \| .*\|$/gm);
    return new Map([...rows].map(([row, name]) => [name, row]));
  } catch {
    return new Map();
  }
}

const isWriting = process.argv.includes('--write');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--write');
const cells = [...bundlers, ...types, ...tools, ...runtimes, ...browsers, ...examples];
const rows = writtenRows();
for (const { name, run } of cells) {
  if (wanted.length > 0 && !wanted.some((begin) => name.startsWith(begin))) continue;
  const begin = performance.now();
  const { version, result, remark } = await run({ tarball: await tarball(), temporary }).catch((error) => {
    process.exitCode = 1;
    return {
      version: error.version ?? '',
      result: '**fails**',
      remark: error.message.split('\n', 1)[0],
      error,
    };
  });
  const row = `| ${[name, version, result, remark ?? ''].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  rows.set(name, row);
  console.log(`${row}  ${((performance.now() - begin) / 1000).toFixed(0)} s`);
}
if (isWriting) {
  const known = cells.flatMap(({ name }) => rows.get(name) ?? []);
  writeFileSync(PAGE, `${HEADER}${known.join('\n')}\n`);
}
await cleanUp();
