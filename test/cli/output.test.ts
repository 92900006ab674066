import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { CLI, jsonLines, smallRun, treadle } from './treadle.js';

const GRID = { architectures: { a: [8], b: [4] }, learningRates: [0.01], epochs: 2 };
const ALL_WEIGHTS = ['a', 'b'].flatMap((name) =>
  ['pkl', 'safetensors'].map((end) => `${name}_weights_0.01.${end}`),
);

/** Runs the command line with /dev/full as one of its streams, and returns what it wrote to the other. */
function onFullDisk(stream: 'stdout' | 'stderr', args: string[], cwd: string) {
  const full = openSync('/dev/full', 'w');
  const stdio =
    stream === 'stdout' ? (['ignore', full, 'pipe'] as const) : (['ignore', 'pipe', full] as const);
  const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: [...stdio] });
  let text = '';
  for (const other of [child.stdout, child.stderr]) other?.on('data', (chunk) => (text += chunk));
  return new Promise<{ code: number | null; text: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, text })),
  );
}

/** The run is whole: weights and report are there, and no lock is. */
async function expectFinished(folder: string): Promise<void> {
  expect((await readdir(join(folder, 'weights'))).sort()).toEqual(ALL_WEIGHTS);
  const [id] = await readdir(join(folder, 'runs'));
  const names = await readdir(join(folder, 'runs', id!));
  expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
  expect(names).toContain('report.html');
  expect(names).not.toContain('checkpoints');
}

describe('a run does not end with its messages', () => {
  it.skipIf(!existsSync('/dev/full'))('when the disk of its log is full', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID, { report: true });
    const { code, text } = await onFullDisk('stdout', ['run-all', ...options], folder);
    expect(text).toBe(
      'error: stdout cannot be written: the disk is full; the training goes on without it.\n',
    );
    expect(code).toBe(1);
    await expectFinished(folder);
  });

  it('when nobody reads them any more', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID, { report: true });
    const { code, stderr } = await treadle(['run-all', ...options], {
      cwd: folder,
      onOutput: (_, child) => child.stdout!.destroy(),
    });
    expect(stderr).toBe(
      'error: stdout cannot be written: nobody reads it any more; the training goes on without it.\n',
    );
    expect(code).toBe(1);
    await expectFinished(folder);
  });

  it('when nobody reads stderr, and JSON stays JSON', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID, { report: true });
    const { code, stdout } = await treadle(['run-all', '--json', ...options], {
      cwd: folder,
      onStart: (child) => child.stderr!.destroy(),
    });
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'done' });
    expect(code).toBe(1);
    await expectFinished(folder);
  });
});

describe.skipIf(!existsSync('/dev/full'))('a full disk is told on the other stream', () => {
  it('of stdout', async () => {
    const folder = await temporaryFolder();
    await smallRun(folder, GRID, { report: true });
    const { code, text } = await onFullDisk(
      'stdout',
      ['data', 'info', '--data', 'data', '--no-verify'],
      folder,
    );
    expect(text).toBe('error: stdout cannot be written: the disk is full.\n');
    expect(code).toBe(1);
  });

  it('of stderr', async () => {
    const { code, text } = await onFullDisk('stderr', ['report', 'none'], await temporaryFolder());
    expect(text).toBe('error: stderr cannot be written: the disk is full.\n');
    expect(code).toBe(1);
  });
});

it('a command that prints ends without a word when its reader has gone', async () => {
  const { code, stderr } = await treadle(['doctor', '--help'], {
    onStart: (child) => child.stdout!.destroy(),
  });
  expect(stderr).toBe('');
  expect(code).toBe(1);
});
