import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/folder.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = ['dist/cli.js', 'build/simd.wasm'];

/** A checkout with these files beside the scripts and their settings: what an installation has left there. */
async function checkout(files: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  await cp(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true });
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await writeFile(join(folder, 'asconfig.json'), '{"targets":{"simd":{"outFile":"build/simd.wasm"}}}');
  for (const file of files) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), 'console.log(process.argv.slice(2).join(" "));');
  }
  return folder;
}

function npm(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('npm', ['--silent', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('npm start', () => {
  it('hands its arguments on to run-all', async () => {
    const { status, stdout } = npm(await checkout(BUILT), 'start', '--', '--epochs', '3');
    expect(stdout).toBe('run-all --epochs 3\n');
    expect(status).toBe(0);
  });

  it.each(BUILT)('says in a sentence that %s is not there', async (missing) => {
    const compilers = ['assemblyscript', 'typescript', 'rolldown'].map(
      (name) => `node_modules/${name}/package.json`,
    );
    const rest = BUILT.filter((file) => file !== missing);
    const built = npm(await checkout([...rest, ...compilers]), 'start');
    expect(built.stderr).toBe(
      `error: treadle is not built: ${missing} is not there; npm run build is expected first.\n`,
    );
    expect(built.status).toBe(1);
    const bare = npm(await checkout(rest), 'start');
    expect(bare.stderr).toContain(
      'npm ci --include=dev --ignore-scripts && npm run build is expected first.\n',
    );
  });
});

describe('without the compilers', () => {
  it('prepare says in a sentence what is needed', async () => {
    const folder = await checkout([]);
    const { status, stderr } = npm(folder, 'run', 'prepare');
    expect(stderr).toMatch(
      /^error: treadle cannot be built: assemblyscript is not installed, .+ npm ci --include=dev is expected.+\n$/,
    );
    expect(status).toBe(1);
  });

  it('prepare leaves a build as it is', async () => {
    const folder = await checkout(BUILT);
    const { status, stdout, stderr } = npm(folder, 'run', 'prepare');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe('treadle is left as it was built: assemblyscript is not installed.\n');
    await rm(join(folder, BUILT[1]!));
    expect(npm(folder, 'run', 'prepare').status).toBe(1);
  });

  it('build says in a sentence what is needed', async () => {
    const { status, stderr } = npm(await checkout(BUILT), 'run', 'build');
    expect(stderr).toBe(
      'error: treadle cannot be built: assemblyscript is not installed; npm ci --include=dev is expected first.\n',
    );
    expect(status).toBe(1);
  });
});
