import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { CLI, smallRun } from './treadle.js';

const MODEL = process.versions.node.startsWith('20.') ? '--experimental-permission' : '--permission';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe("what Node's permission model forbids is told in one sentence", () => {
  it.each([
    [
      'the modules',
      [`--allow-fs-read=${ROOT}dist/*`],
      /forbids to read files \(.+\); --allow-fs-read is expected/,
    ],
    [
      'settings',
      [`--allow-fs-read=${ROOT}*`],
      /grid\.json cannot be read: Node's permission model forbids it/,
    ],
    [
      'to write',
      ['--allow-fs-read=*'],
      /Folder weights cannot be written to: Node's permission model forbids it/,
    ],
    [
      'threads',
      ['--allow-fs-read=*', '--allow-fs-write=*'],
      /Node's permission model forbids worker threads; --allow-worker is expected/,
    ],
  ])('%s', async (_, allowed, sentence) => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, { architectures: { a: [8] }, learningRates: [0.01], epochs: 1 });
    const args = ['--no-warnings', MODEL, ...allowed, CLI, 'run-all', ...options];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    const lines = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(sentence);
    expect(stderr).not.toMatch(/unexpected|^ +at /m);
    expect(status).toBe(1);
  });
});
