// Projects of the matrix: copied to a temporary folder, with the packed package installed.
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MATRIX = join(ROOT, 'test/matrix');

/** Longest that a command may take, in milliseconds. */
const PATIENCE = 300_000;

const work = mkdtempSync(join(tmpdir(), 'treadle-matrix-'));
const ends = [() => rmSync(work, { recursive: true, force: true })];

/** Has something done when all cells have run, the last first. */
export function atEnd(callback) {
  ends.push(callback);
}

export async function cleanUp() {
  for (const end of ends.reverse()) await end();
}

/** What a function of no arguments returned the first time. */
export function once(make) {
  let made;
  return () => (made ??= make());
}

/** Runs a command in a folder and resolves to what it printed. Rejects with that where it fails. */
export async function run(folder, command, { env } = {}) {
  const options = {
    cwd: folder,
    env: { ...process.env, CI: '1', NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined, ...env },
    timeout: PATIENCE,
    maxBuffer: 2 ** 26,
  };
  try {
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], options);
    return stripVTControlCharacters(stdout + stderr);
  } catch (error) {
    const printed = stripVTControlCharacters(`${error.stdout}${error.stderr}`).trim();
    throw new Error(`${command}: ${printed || error.message}`);
  }
}

/** Starts a server of a project and waits until its address answers; it is ended with the matrix. */
export async function start(folder, command, address) {
  const server = spawn('sh', ['-c', `exec ${command}`], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: 'ignore',
    detached: true,
  });
  // The whole group, as servers start processes of their own.
  atEnd(() => {
    if (server.exitCode === null) process.kill(-server.pid);
  });
  for (const until = performance.now() + 60_000; ; ) {
    const answer = await fetch(address).catch(() => null);
    if (answer !== null) return address;
    if (server.exitCode !== null || performance.now() > until) throw new Error(`${command} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The packed package. */
export const tarball = once(async () => {
  const printed = await run(ROOT, `npm pack --ignore-scripts --json --pack-destination ${work} 2>/dev/null`);
  return join(work, JSON.parse(printed)[0].filename);
});

/** A new folder that is removed with the matrix. */
export const temporary = () => mkdtempSync(join(work, 'app-'));

/**
 * A project: folders below test/matrix, copied over one another in this order, and installed with the package. Its
 * package.json is that of the last folder which has one.
 */
export async function project(...folders) {
  const folder = mkdtempSync(join(work, `${folders.at(-1).split('/').at(-1)}-`));
  for (const name of folders) cpSync(join(MATRIX, name), folder, { recursive: true });
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.dependencies = { ...manifest.dependencies, treadle: `file:${await tarball()}` };
  writeFileSync(path, JSON.stringify(manifest, null, 2));
  await run(folder, 'npm install --no-audit --no-fund --loglevel error');
  return folder;
}

/** The version of a package that is installed in a project. */
export function versionOf(folder, name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}
