import { chmod, mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newestCheckpoint, saveCheckpoint } from '../../dist/experiment/checkpoint-store.js';
import type { Job } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { checkpointOf, jobOf } from './checkpoints.js';

const job = jobOf();

/** Saves a job's checkpoint after so many epochs and batches, and returns its file. */
async function save(folder: string, epochs: number, batches = 0, of: Job = job): Promise<string> {
  const before = new Set(await readdir(folder));
  await saveCheckpoint(folder, of, checkpointOf(of, epochs, batches));
  return (await readdir(folder)).find((name) => !before.has(name))!;
}

/** Epochs and batches of what is found, and the problems. */
async function newest(folder: string, of: Job = job) {
  const { checkpoint, problems } = await newestCheckpoint(folder, of);
  const place = checkpoint && [checkpoint.epochs.length, checkpoint.stopped?.batches ?? 0];
  return { place, problems };
}

describe('saveCheckpoint', () => {
  it('saves what newestCheckpoint finds', async () => {
    const folder = await temporaryFolder();
    const checkpoint = checkpointOf(job, 2, 3);
    await saveCheckpoint(folder, job, checkpoint);
    expect(await newestCheckpoint(folder, job)).toEqual({ checkpoint, problems: [] });
  });

  it('names the file by job, place and digest, and leaves no other', async () => {
    const folder = await temporaryFolder();
    await save(folder, 2, 3);
    const names = await readdir(folder);
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^tiny_0\.1-e2-b3-[0-9a-f]{16}\.safetensors$/);
  });

  it('keeps the newest two of the job, counted as numbers, and nothing of another is removed', async () => {
    const folder = await temporaryFolder();
    const others = [await save(folder, 1, 0, jobOf({ id: 'tiny_0.11' })), 'notes.txt'];
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const kept: string[] = [];
    for (const [epochs, batches] of [
      [8, 0],
      [9, 9],
      [9, 10],
      [10, 0],
      [11, 2],
    ] as const) {
      kept.push(await save(folder, epochs, batches));
      expect((await readdir(folder)).sort()).toEqual([...kept.slice(-2), ...others].sort());
    }
  });

  it('is no trouble when the same checkpoint is saved twice', async () => {
    const folder = await temporaryFolder();
    const first = await save(folder, 1);
    const second = await save(folder, 2);
    await saveCheckpoint(folder, job, checkpointOf(job, 2));
    expect((await readdir(folder)).sort()).toEqual([first, second].sort());
  });

  // The digests decide which of two files of one place comes first: of eight, both happen.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'keeps the one before although a newer file was broken (%i s)',
    async (seconds) => {
      const folder = await temporaryFolder();
      await save(folder, 1);
      await truncate(join(folder, await save(folder, 2)), 100);
      expect(await newest(folder)).toMatchObject({ place: [1, 0] });
      // The run goes on from epoch 1 and saves 2 and 3 anew; should 3 break, 2 is there.
      const again = checkpointOf(job, 2);
      again.epochs[1] = { ...again.epochs[1]!, seconds };
      await saveCheckpoint(folder, job, again);
      await truncate(join(folder, await save(folder, 3)), 100);
      expect(await newest(folder)).toMatchObject({ place: [2, 0] });
    },
  );

  it('keeps the one before although broken files are of later epochs', async () => {
    const folder = await temporaryFolder();
    for (const epochs of [8, 9]) await truncate(join(folder, await save(folder, epochs)), 100);
    const { place, problems } = await newest(folder);
    expect(place).toBeNull();
    expect(problems).toHaveLength(2);
    expect(await readdir(folder)).toEqual([]);
    await save(folder, 1);
    await truncate(join(folder, await save(folder, 2)), 100);
    expect(await newest(folder)).toMatchObject({ place: [1, 0] });
  });

  it('says which file cannot be written', async () => {
    const folder = join(await temporaryFolder(), 'none');
    const error = await failure('unwritable', () => saveCheckpoint(folder, job, checkpointOf(job, 1)));
    expect(error.message).toContain(join(folder, 'tiny_0.1-e1-b0-'));
  });
});

describe('newestCheckpoint', () => {
  it('finds none in an empty folder and among files that are no checkpoints', async () => {
    const folder = await temporaryFolder();
    expect(await newestCheckpoint(folder, job)).toEqual({ checkpoint: null, problems: [] });
    const digest = '0123456789abcdef';
    for (const name of [
      'tiny_0.1.safetensors',
      'tiny_0.1-e1-b0.safetensors',
      `tiny_0.1-e1-b0-${digest}.safetensors.77.0123456789ab.tmp`,
      `tiny_0.1-e1-b0-${digest}0.safetensors`,
      `tiny_0.1-e1-${digest}.safetensors`,
      `tiny_0.1-e-1-b0-${digest}.safetensors`,
      `xtiny_0.1-e1-b0-${digest}.safetensors`,
    ]) {
      await writeFile(join(folder, name), '');
    }
    expect(await newestCheckpoint(folder, job)).toEqual({ checkpoint: null, problems: [] });
  });

  it('takes the newest by epochs, then batches, as numbers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.tuple(fc.constantFrom(1, 2, 9, 10, 11, 19), fc.constantFrom(0, 1, 9, 10, 100, 99)),
          { minLength: 1, maxLength: 5, selector: String },
        ),
        async (places) => {
          const folder = await temporaryFolder();
          // Each in a folder of its own first: saving removes older ones.
          for (const [epochs, batches] of places) {
            const own = await temporaryFolder();
            const name = await save(own, epochs, batches);
            await rename(join(own, name), join(folder, name));
          }
          const [last] = places.toSorted((a, b) => b[0] - a[0] || b[1] - a[1]);
          expect(await newest(folder)).toEqual({ place: last, problems: [] });
        },
      ),
      { numRuns: 30 },
    ));

  it('takes the one before a file that was cut anywhere, and says so', async () => {
    const folder = await temporaryFolder();
    await save(folder, 1);
    const path = join(folder, await save(folder, 2));
    const whole = await readFile(path);
    for (const left of [whole.length - 1, whole.length >> 1, 8, 3, 0]) {
      await writeFile(path, whole.subarray(0, left));
      const { place, problems } = await newest(folder);
      expect(place).toEqual([1, 0]);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(path);
    }
  });

  it('takes the one before a file of which any bit is wrong', async () => {
    const folder = await temporaryFolder();
    await save(folder, 1);
    const path = join(folder, await save(folder, 2));
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * whole.length - 1), async (bit) => {
        const bytes = Buffer.from(whole);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        await writeFile(path, bytes);
        const { place, problems } = await newest(folder);
        expect(place).toEqual([1, 0]);
        expect(problems).toHaveLength(1);
      }),
      { numRuns: 50 },
    );
  });

  /** Spoils a checkpoint in one way. */
  const spoilings: [string, (path: string) => Promise<void>, string][] = [
    ['cut', (path) => truncate(path, 200), 'its SHA-256 begins with'],
    ['empty', (path) => truncate(path, 0), 'its SHA-256 begins with'],
    ['longer than any network', (path) => truncate(path, 2 ** 33 + 1), 'at most'],
    [
      'a folder',
      async (path) => {
        await rename(path, `${path}.moved`);
        await mkdir(path);
      },
      'is not a file',
    ],
    [
      'a link to nothing',
      async (path) => {
        await rename(path, `${path}.moved`);
        await symlink('nowhere', path);
      },
      'does not exist',
    ],
  ];

  it.each(spoilings)('says in one sentence that a file is %s', async (_, spoil, words) => {
    const folder = await temporaryFolder();
    await save(folder, 1);
    const path = join(folder, await save(folder, 2));
    await spoil(path);
    const { place, problems } = await newest(folder);
    expect(place).toEqual([1, 0]);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.startsWith(path)).toBe(true);
    expect(problems[0]).toContain(words);
    expect(problems[0]!.slice(path.length)).toMatch(/^[^\n]*\.$/);
  });

  it.skipIf(process.getuid?.() === 0)('says that a file may not be read', async () => {
    const folder = await temporaryFolder();
    await save(folder, 1);
    const path = join(folder, await save(folder, 2));
    await chmod(path, 0);
    const { place, problems } = await newest(folder);
    expect(place).toEqual([1, 0]);
    expect(problems).toEqual([`${path} cannot be read: permission is denied.`]);
  });

  it('says that a file of this name is of another job', async () => {
    const folder = await temporaryFolder();
    await save(folder, 1);
    const own = await temporaryFolder();
    const other = jobOf({ seed: 9 });
    const name = await save(own, 2, 0, other);
    await rename(join(own, name), join(folder, name));
    const { place, problems } = await newest(folder);
    expect(place).toEqual([1, 0]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(JSON.stringify(other));
  });

  it('says it of each, newest first, and finds none when all are broken', async () => {
    const folder = await temporaryFolder();
    const names = [await save(folder, 1), await save(folder, 2)];
    for (const name of names) await truncate(join(folder, name), 10);
    const { place, problems } = await newest(folder);
    expect(place).toBeNull();
    expect(problems.map((problem) => names.findIndex((name) => problem.includes(name)))).toEqual([1, 0]);
  });

  it('keeps jobs apart whose names begin or end alike', async () => {
    const folder = await temporaryFolder();
    const ids = [
      'a_0.01',
      'a_0.01-e1',
      'a_0.01-e5-b0',
      'a_0.01-e5-b0-0123456789abcdef',
      'aa_0.01',
      'a_0.011',
      'a-e1-b2-0123456789abcdef_0.01',
      '-_1e-7',
      `${'n'.repeat(64)}_1e-10`,
      'a_1e+21',
      'A_0.01',
    ];
    const jobs = ids.map((id) => jobOf({ id }));
    for (const [index, of] of jobs.entries()) {
      await save(folder, index + 1, 0, of);
      await save(folder, index + 2, index, of);
    }
    for (const [index, of] of jobs.entries()) {
      expect(await newest(folder, of)).toEqual({ place: [index + 2, index], problems: [] });
    }
    expect(await newest(folder, jobOf({ id: 'a' }))).toEqual({ place: null, problems: [] });
    expect(await newest(folder, jobOf({ id: 'a.0.01' }))).toEqual({ place: null, problems: [] });
  });

  it('tells a folder that is missing, and one that is none', async () => {
    const folder = await temporaryFolder();
    const missing = await failure('not-found', () => newestCheckpoint(join(folder, 'none'), job));
    expect(missing.message).toBe(
      `${join(folder, 'none')} does not exist; a folder of checkpoints is expected.`,
    );
    await writeFile(join(folder, 'file'), '');
    await failure('unreadable', () => newestCheckpoint(join(folder, 'file'), job));
  });
});
