import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { newestCheckpoint, saveCheckpoint } from '../../dist/experiment/checkpoint-store.js';
import { loadWeights } from '../../dist/node/model-file.js';
import type { Checkpoint } from '../../dist/train/loop.js';
import { jsonLines, smallRun, treadle } from '../cli/treadle.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import type { Operation } from './recorded-disk.js';
import { outcomeOf } from './runs.js';
import { smallJob } from './small-job.js';

const disk = vi.hoisted(() => ({
  operations: [] as Operation[],
  failAt: Number.POSITIVE_INFINITY,
  refused: [] as string[],
}));
vi.mock('node:fs/promises', async (original) => {
  const { recorded } = await import('./recorded-disk.js');
  const full = ({ type }: Operation) => {
    if (disk.operations.length === disk.failAt && type !== 'remove') {
      disk.refused.push(type);
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
  };
  return recorded(await original<typeof import('node:fs/promises')>(), disk.operations, full);
});

const { job, train } = smallJob([16], 3);

/** Trains the job with checkpoints in a folder, from the newest there. */
async function trainJob(folder: string) {
  return train({
    from: (await newestCheckpoint(folder, job)).checkpoint,
    save: (checkpoint: Checkpoint) => saveCheckpoint(folder, job, checkpoint),
  });
}

describe('a full disk', () => {
  it('at any operation is a clear error that loses no earlier epoch, and the training goes on after it', async () => {
    const whole = await temporaryFolder();
    disk.operations.length = 0;
    const { last } = await trainJob(whole);
    const count = disk.operations.length;
    expect(count).toBeGreaterThan(30);
    for (let at = 0; at < count; at++) {
      const folder = await temporaryFolder();
      disk.operations.length = 0;
      disk.failAt = at;
      const ended = await trainJob(folder).catch((error) => error);
      disk.failAt = Number.POSITIVE_INFINITY;
      const { checkpoint, problems } = await newestCheckpoint(folder, job);
      expect(problems).toEqual([]);
      if (ended instanceof Error) {
        const error = await failure('unwritable', () => Promise.reject(ended));
        expect(error.message).toMatch(
          /slim_0\.01-e\d-b0-\w+\.safetensors \(\d{4,} bytes\) cannot be written: the disk is full\.$/,
        );
        const epoch = Number(/-e(\d)-/.exec(error.message)![1]);
        expect(checkpoint?.epochs.length ?? 0).toBeGreaterThanOrEqual(epoch - 1);
      }
      expect((await trainJob(folder)).last).toEqual(last);
      expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
    expect([...new Set(disk.refused)].sort()).toEqual(['create', 'rename', 'sync', 'syncFolder', 'write']);
  });

  const mounts = process.platform === 'linux' && process.getuid?.() === 0;
  it.skipIf(!mounts)('of a small file system stops the run, which goes on when there is space', async () => {
    const grid = {
      architectures: { wide: [256, 128], slim: [16] },
      learningRates: [0.01, 0.005],
      epochs: 3,
      batchSize: 32,
    };
    const reference = await temporaryFolder();
    expect(
      (await treadle(['run-all', ...(await smallRun(reference, grid, { report: true }))], { cwd: reference }))
        .code,
    ).toBe(0);

    const folder = await temporaryFolder();
    const small = join(folder, 'small');
    await mkdir(small);
    const mount = (options: string) =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small]).status;
    // Without the right to mount, as in some containers, there is nothing to try.
    if (mount('size=1500k') !== 0) return;
    onTestFinished(() => void spawnSync('umount', [small]));
    const options = ['run-all', '--json', ...(await smallRun(small, grid, { report: true }))];
    const stopped = await treadle(options, { cwd: small });
    expect(stopped.code).toBe(1);
    const failed = jsonLines(stopped.stdout).filter(({ type }) => type === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    const told = [...failed.map(({ message }) => message), stopped.stderr].join('\n');
    expect(told).toMatch(/\(\d+ bytes\) cannot be written: the disk is full\./);
    expect(stopped.stderr).toMatch(/To go on: treadle run-all --resume \S+\n/);
    for (const name of await readdir(join(small, 'weights'))) await loadWeights(join(small, 'weights', name));

    expect(mount('remount,size=20m')).toBe(0);
    const resumed = await treadle(['run-all', '--resume'], { cwd: small });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await outcomeOf(small)).toEqual(await outcomeOf(reference));
  });
});
