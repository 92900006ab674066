import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CLI, jsonLines, smallRun, treadle } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_REDIS, NO_REDIS, type RedisServer, startRedis } from '../support/redis.js';

const GRID = { architectures: { tiny: [8] }, learningRates: [0.01, 0.005], epochs: 3, batchSize: 32 };

interface Started {
  child: ChildProcess;
  ended: Promise<[code: number | null, signal: string | null]>;
  stdout: () => string;
  stderr: () => string;
}

/** A command whose process can be killed. */
function start(cwd: string, args: string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { ...process.env, ...env } });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const ended = once(child, 'close') as Started['ended'];
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, stdout: () => said.stdout, stderr: () => said.stderr };
}

/** The bytes of all weights of a folder. */
async function weightsIn(folder: string): Promise<string> {
  const names = (await readdir(join(folder, 'weights'))).filter((name) => /\.(safetensors|pkl)$/.test(name));
  const files = await Promise.all(names.sort().map((name) => readFile(join(folder, 'weights', name))));
  return Buffer.concat(files).toString('latin1');
}

describe.skipIf(!HAS_REDIS)(`a run that another process owns${HAS_REDIS ? '' : `: ${NO_REDIS}`}`, () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  /** What the run gives without a queue. */
  async function expected(): Promise<string> {
    const folder = await temporaryFolder();
    const options = await smallRun(folder, GRID);
    expect((await treadle(['run-all', '--strict', ...options], { cwd: folder })).code).toBe(0);
    return weightsIn(folder);
  }

  /** A run in the queue that one process owns and a second follows, and a worker for it. */
  async function followed() {
    const folder = await temporaryFolder();
    const temporary = join(folder, 'tmp');
    await mkdir(temporary);
    const options = await smallRun(folder, GRID);
    const owner = start(folder, ['run-all', '--json', '--strict', '--queue', redis.url, ...options]);
    await expect.poll(owner.stdout, { timeout: 60_000 }).toContain('\n');
    const id = String(jsonLines(owner.stdout().split('\n')[0]!)[0]!.id);
    const line = ['run-all', '--json', '--queue', redis.url, '--resume', id];
    const follower = start(folder, line, { TMPDIR: temporary });
    const says = `Run ${id} belongs to another process: it is followed, and written by that.`;
    await expect.poll(follower.stderr, { timeout: 60_000 }).toContain(says);
    await expect.poll(follower.stdout, { timeout: 60_000 }).toContain('"type":"run"');
    const work = () =>
      start(folder, ['worker', '--queue', redis.url, '--cache', join(folder, 'cache'), '--lock', '5']);
    return { folder, temporary, owner, follower, id, work };
  }

  it('is followed to its end, and written by its owner alone', async () => {
    const { folder, temporary, owner, follower, id, work } = await followed();
    work();
    expect(await owner.ended).toEqual([0, null]);
    expect(await follower.ended).toEqual([0, null]);
    const told = ({ stdout }: Started) =>
      jsonLines(stdout()).flatMap(({ type, job, epoch, valLoss, weights, results }) =>
        type === 'step' || type === 'run' ? [] : [[type, job, epoch, valLoss, weights, results].join()],
      );
    expect(told(follower).sort()).toEqual(told(owner).sort());
    expect(await weightsIn(folder)).toBe(await expected());
    expect(await readdir(temporary)).toEqual([]);
    expect(JSON.parse(await readFile(join(folder, 'runs', id, 'run.json'), 'utf8')).finished).toBe(true);
  });

  it('is gone on with by its follower where the owner dies', async () => {
    const { folder, temporary, owner, follower, id, work } = await followed();
    owner.child.kill('SIGKILL');
    await owner.ended;
    work();
    expect(await follower.ended).toEqual([0, null]);
    expect(await weightsIn(folder)).toBe(await expected());
    expect(await readdir(temporary)).toEqual([]);
    const files = await readdir(join(folder, 'runs', id));
    expect(files).toEqual(expect.arrayContaining(['results.json', 'report.html']));
    expect(JSON.parse(await readFile(join(folder, 'runs', id, 'run.json'), 'utf8')).finished).toBe(true);
  });

  it('is left by a follower that is stopped', async () => {
    const { temporary, owner, follower, id, work } = await followed();
    follower.child.kill('SIGINT');
    expect(await follower.ended).toEqual([130, null]);
    expect(follower.stderr()).toContain(`To go on: treadle run-all --resume ${id} --queue`);
    expect(await readdir(temporary)).toEqual([]);
    work();
    expect(await owner.ended).toEqual([0, null]);
  });

  it('cannot be gone on with without the queue', async () => {
    const { folder, id } = await followed();
    const { code, stderr } = await treadle(['run-all', '--resume', id], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Folder .+ is in use by process \d+/);
  });
});
