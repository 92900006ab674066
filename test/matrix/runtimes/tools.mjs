// What the cells of the matrix are run with: tools, commands, and a folder with the packed library.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Where the tools that the registry has are installed, out of the project's own way. */
export const TOOLS = process.env.TREADLE_MATRIX ?? join(ROOT, 'build/matrix');

/** What every program of a cell is made of. */
const PROGRAM = ['test/matrix/runtimes/program.mjs', 'test/support/train-digest.mjs'];

/** The one digest of the strict training. */
export const DIGESTS = JSON.parse(readFileSync(join(ROOT, 'test/support/digests.json'), 'utf8'));

/** A file of an installed tool's package; throws `Missing` where it is not installed. */
export function tool(path, install) {
  return existing(join(TOOLS, 'node_modules', path), `npm install --force --prefix build/matrix ${install}`);
}

/** A file of the system; throws `Missing` where it is not there. */
export function existing(path, install) {
  if (!existsSync(path)) throw new Missing(install);
  return path;
}

/** Says how what is missing is installed. */
export class Missing extends Error {}

/**
 * A cell: `attempt` gives `{ version, remark }`, or rejects with what failed. It is skipped where something of it is not
 * installed.
 */
export function cell(name, attempt) {
  return {
    name,
    async run(context) {
      try {
        return { result: 'works', ...(await attempt(context)) };
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        return { version: '', result: 'skipped', remark: `needs ${error.message}` };
      }
    },
  };
}

/** Runs a command to its end and gives its output. Rejects when it fails, or has not ended after two minutes. */
export async function run(command, args, { cwd, env = {}, seconds = 120 } = {}) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  if (code === 0) return output;
  const said = output.stderr.trim() || output.stdout.trim();
  throw new Error(`${basename(command)} ended with ${signal ?? code}: ${said.slice(0, 2000)}`);
}

/** A temporary folder that depends on the packed library, with programs of this folder; nothing is installed yet. */
export function newApp({ tarball, temporary }, programs = []) {
  const app = temporary();
  const files = [...PROGRAM, ...programs.map((name) => `test/matrix/runtimes/${name}`)];
  for (const file of files) copyFileSync(join(ROOT, file), join(app, basename(file)));
  const manifest = { private: true, dependencies: { treadle: `file:${tarball}` } };
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest));
  return app;
}

/** The same, with the library installed by npm. */
export async function installedApp(context, programs) {
  const app = newApp(context, programs);
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: app });
  return app;
}

/** What a program's outcome (program.mjs) comes to in the table. Throws where a part of it is wrong. */
export function judge(version, { build, strictBuild, places, digests }, remark = '') {
  const wrong = places
    .filter(({ error }) => error !== null)
    .map(({ place, error }) => `in ${place}: ${error}`);
  for (const [name, digest] of Object.entries(DIGESTS)) {
    if (digests[name] !== digest) wrong.push(`strict ${name} ${digests[name]}`);
  }
  if (wrong.length > 0) throw Object.assign(new Error(wrong.join('; ')), { version });
  const where = places.map(({ place }) => place).join('; ');
  const strict = `strict (${strictBuild}) ${digests.weights.slice(0, 8)}`;
  return { version, remark: [`${build} in ${where}`, strict, remark].filter(Boolean).join('. ') };
}
