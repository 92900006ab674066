import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Called as soon as the process is there. */
  onStart?: (child: ChildProcess) => void;
  /** Called with all of stdout so far whenever there is more. */
  onOutput?: (stdout: string, child: ChildProcess) => void;
}

/** Runs the compiled command line and waits for its end. */
export function treadle(args: string[], options: RunOptions = {}): Promise<Finished> {
  return finished(process.execPath, [CLI, ...args], options);
}

/** Runs it on a terminal by way of `script`; what is typed goes to the child's stdin. */
export function onTerminal(
  args: string[],
  cwd: string,
  onOutput: NonNullable<RunOptions['onOutput']>,
): Promise<Finished> {
  const line = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  return finished('script', ['-qefc', line, '/dev/null'], { cwd, onOutput });
}

function finished(
  program: string,
  args: string[],
  { cwd, env, onStart, onOutput }: RunOptions,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
    onStart?.(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, child);
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const MANY = fileURLToPath(new URL('../support/command-lines.mjs', import.meta.url));

/** Runs command lines that end at once, all in one process, which costs less than one each. */
export async function treadleEach(lines: string[][]): Promise<Finished[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MANY, JSON.stringify(lines)]);
  return JSON.parse(stdout);
}

/** The objects of an output that has one on each line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

/** Leaves out what takes longest of a small run. */
export const NO_REPORT = '--no-report';

/**
 * Options that make a run small: data of 3 classes and 6 x 5 pixels in `folder/data`, a grid in `folder/grid.json`, and no
 * report where none is asked for.
 */
export async function smallRun(folder: string, grid: object, { report = false } = {}): Promise<string[]> {
  await writeIdxDataset(
    join(folder, 'data'),
    syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 }),
  );
  await writeFile(join(folder, 'grid.json'), JSON.stringify(grid));
  const options = ['--data', 'data', '--no-verify', '--validation-size', '60', '--config', 'grid.json'];
  return report ? options : [...options, NO_REPORT];
}
