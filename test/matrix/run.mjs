// Runs the cells of the compatibility matrix that are named, or all, and prints a table.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cells as browsers } from './browsers.mjs';
import { cells as runtimes } from './runtimes.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folders = [];
const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), 'treadle-'));
  folders.push(folder);
  return folder;
};

const place = temporary();
const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], {
  cwd: ROOT,
});
const tarball = join(place, packed.toString().trim().split('\n').at(-1));
const wanted = process.argv.slice(2);
let failed = 0;
console.log('| cell | version | result | remark |\n|---|---|---|---|');
for (const { name, run } of [...runtimes, ...browsers]) {
  if (wanted.length > 0 && !wanted.some((part) => name.startsWith(part))) continue;
  const failure = ({ version = '', message }) => ({ result: 'fails', version, remark: message });
  const { result, version, remark } = await run({ tarball, temporary }).catch(failure);
  if (result === 'fails') failed++;
  console.log(`| ${name} | ${version} | ${result} | ${remark.replaceAll('\n', ' ')} |`);
}
for (const folder of folders) rmSync(folder, { recursive: true, force: true });
process.exitCode = failed > 0 ? 1 : 0;
