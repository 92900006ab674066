import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { CLI, type Finished, smallRun, treadle } from './treadle.js';

const WITHOUT_DATA = new URL('../support/without-data.mjs', import.meta.url).href;

const has = (command: string): boolean => {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs a command on a machine without the data, whose apt-get never ends, and interrupts it once it fetches. */
async function interruptFetch(args: string[], hang: 'fetch' | 'apt', folder: string): Promise<Finished> {
  const [bin, cache, temporary] = ['bin', 'cache', 'tmp'].map((name) => join(folder, name));
  for (const name of [bin!, temporary!]) await mkdir(name);
  await writeFile(join(bin!, 'apt-get'), `#!/bin/sh\necho $$ >> ${folder}/apt-pids\nsleep 1000\n`);
  await chmod(join(bin!, 'apt-get'), 0o755);
  return treadle(args, {
    cwd: folder,
    env: {
      NODE_OPTIONS: `--import ${WITHOUT_DATA}`,
      PATH: `${bin}:${process.env.PATH}`,
      XDG_CACHE_HOME: cache!,
      TMPDIR: temporary!,
      TREADLE_DATA: '',
      HANG: hang,
    },
    onStart(child) {
      const isFetching = async () =>
        hang === 'apt'
          ? existsSync(join(folder, 'apt-pids'))
          : existsSync(join(cache!, 'treadle', 'fashion-mnist'));
      void until(isFetching).then(async () => {
        // The download begins when the folder for it has been tried.
        if (hang === 'fetch') await until(async () => said.includes('Fetching'));
        child.kill('SIGINT');
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (said += chunk));
    },
  });
}

describe('SIGINT ends a command that fetches the data', () => {
  it.each([
    ['fetch', ['run-all']],
    ['fetch', ['data', 'fetch']],
    ['fetch', ['bench']],
    ['apt', ['run-all']],
    ['apt', ['data', 'info']],
  ] as const)('in its %s: %s', async (hang, args) => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await interruptFetch([...args], hang, folder);
    expect(stderr).toMatch(/^error: Loading the data was interrupted before it was finished\.$/m);
    expect(code).toBe(130);
    const origins = `${stdout}${stderr}`.match(/^Fetching .+? from \S+/gm);
    expect(origins).toHaveLength(hang === 'fetch' ? 1 : 2);
    expect(await readdir(join(folder, 'cache', 'treadle', 'fashion-mnist'))).toEqual([]);
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    if (hang === 'fetch') return expect(existsSync(join(folder, 'apt-pids'))).toBe(false);
    const pids = (await readFile(join(folder, 'apt-pids'), 'utf8')).trim().split('\n').map(Number);
    expect(pids).toHaveLength(1);
    // The system takes a moment to end what was killed; by itself it would go on for a quarter of an hour.
    await expect.poll(() => isAlive(pids[0]!)).toBe(false);
  });
});

describe('SIGINT ends the writing of a report', () => {
  const GRID = { architectures: { a: [8], b: [4], c: [6] }, learningRates: [0.01, 0.005], epochs: 1 };
  /** Interrupts a command when the file is there; before, it must not be. */
  const interruptAt = (file: () => Promise<string | undefined>) => ({
    onStart(child: { kill: (signal: 'SIGINT') => void }) {
      void until(async () => {
        const path = await file();
        return path !== undefined && existsSync(path);
      }).then(() => child.kill('SIGINT'));
    },
  });

  it('of run-all, and of report', async () => {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID, { report: true });
    const runs = join(folder, 'runs');
    const firstChart = async () => {
      const [id] = await readdir(runs).catch(() => []);
      return id && join(runs, id, 'figures', 'comparison.svg');
    };
    const run = await treadle(['run-all', ...options], { cwd: folder, ...interruptAt(firstChart) });
    expect(run.stderr).toContain('error: the run was interrupted; 6 of 6 models are trained');
    expect(run.stderr).toContain('To go on: treadle run-all --resume');
    expect(run.code).toBe(130);
    await rm((await firstChart())!);
    const again = await treadle(['report', (await readdir(runs))[0]!], {
      cwd: folder,
      ...interruptAt(firstChart),
    });
    expect(again.stderr).toBe('error: The report was interrupted before it was finished.\n');
    expect(again.code).toBe(130);
    expect((await treadle(['run-all', '--resume'], { cwd: folder })).code).toBe(0);
  });
});

describe.skipIf(!has('tmux'))('on a terminal', () => {
  /** A shell on a terminal of its own. */
  async function terminal(columns: number, rows: number) {
    const folder = await temporaryFolder();
    const tmux = async (...args: string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)('tmux', [
        '-S',
        join(folder, 'socket'),
        '-f',
        '/dev/null',
        ...args,
      ]);
      return stdout;
    };
    await tmux(
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      `cd ${folder} && exec bash --norc`,
    );
    onTestFinished(async () => void (await tmux('kill-server').catch(() => undefined)));
    return {
      folder,
      type: (text: string) => tmux('send-keys', text, 'Enter'),
      press: (key: string) => tmux('send-keys', key),
      lines: async () =>
        (await tmux('capture-pane', '-p', '-S', '-')).split('\n').map((line) => line.trimEnd()),
      raw: () => tmux('capture-pane', '-p', '-e', '-S', '-'),
      hasCursor: async () => (await tmux('display', '-p', '#{cursor_flag}')).trim() === '1',
      close: () => tmux('kill-server'),
    };
  }
  const command = (...args: string[]) => `${process.execPath} ${CLI} ${args.join(' ')}; echo "ended: $?"`;
  const GRID = { architectures: { large: [64, 32] }, learningRates: [0.01], epochs: 100_000 };

  it('Ctrl-Z gives the shell its cursor back, fg goes on, and Ctrl-C says how to', async () => {
    const shell = await terminal(100, 30);
    const options = await smallRun(shell.folder, GRID);
    const shows = (pattern: RegExp) => async () => (await shell.lines()).some((line) => pattern.test(line));
    await shell.type(command('run-all', ...options));
    await until(shows(/^0 of 1 models done/));
    expect(await shell.hasCursor()).toBe(false);
    await shell.press('C-z');
    await until(shows(/^\[1\]\+ {2}Stopped/));
    expect(await shell.hasCursor()).toBe(true);
    expect(await shows(/^0 of 1 models done/)()).toBe(false);
    await shell.type('fg');
    await until(shows(/^0 of 1 models done/));
    expect(await shell.hasCursor()).toBe(false);
    await shell.press('C-c');
    await until(shows(/^To go on: treadle run-all --resume/));
    await until(shell.hasCursor);
  });

  it('a terminal that is closed leaves a run that can be resumed, and no lock', async () => {
    const shell = await terminal(100, 30);
    const { folder } = shell;
    const options = await smallRun(folder, GRID);
    await shell.type(command('run-all', ...options));
    await until(async () => (await shell.lines()).some((line) => /epoch +\d\d+\/100000/.test(line)));
    await shell.close();
    const [id] = await readdir(join(folder, 'runs'));
    await until(() => existsSync(join(folder, 'runs', id!, 'results.json')));
    await until(async () => !(await readdir(join(folder, 'weights'))).some((name) => name.startsWith('.')));
    expect(await readdir(join(folder, 'runs', id!, 'checkpoints'))).not.toEqual([]);
  });

  it('a dumb one gets plain lines without colour', async () => {
    const shell = await terminal(80, 50);
    const options = await smallRun(shell.folder, { ...GRID, epochs: 2 });
    await shell.type(`TERM=dumb ${command('run-all', ...options)}`);
    await until(async () => (await shell.lines()).some((line) => /^ended: 0/.test(line)));
    expect(await shell.raw()).not.toContain('\u001b');
    const text = (await shell.lines()).join('');
    expect(text).toContain('large 0.01  epoch 2/2');
  });
});

it('a process that is stopped and goes on ends as any other', async () => {
  const folder = await temporaryFolder();
  const options = await smallRun(folder, { architectures: { a: [8] }, learningRates: [0.01], epochs: 400 });
  // A shell with job control gives it a process group that may be stopped.
  const line = `set -m; "$0" "$@" & echo "pid $!"; until wait -f $!; do kill -0 $! 2> /dev/null || exit 1; done`;
  const shell = spawn('bash', ['-c', line, process.execPath, CLI, 'run-all', '--json', ...options], {
    cwd: folder,
  });
  let text = '';
  shell.stdout.on('data', (chunk) => (text += chunk));
  const ended = new Promise((resolve) => shell.on('close', resolve));
  await until(() => text.includes('"type":"epoch"'));
  const pid = Number(/^pid (\d+)$/m.exec(text)![1]);
  process.kill(pid, 'SIGTSTP');
  await until(async () => / T /.test(await readFile(`/proc/${pid}/stat`, 'utf8')));
  process.kill(pid, 'SIGCONT');
  expect(await ended).toBe(0);
  expect(text).toContain('"type":"done"');
}, 120_000);
