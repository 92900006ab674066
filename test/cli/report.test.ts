import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runAll } from '../../dist/experiment/index.js';
import { writeResults } from '../../dist/experiment/write-results.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { randomResults } from '../support/results.js';
import { treadle } from './treadle.js';

const filesIn = (folder: string) => readdir(folder).catch((): string[] => []);

describe('report', () => {
  it('ends with 130 when SIGINT stops it between charts', async () => {
    const folder = await temporaryFolder();
    const learningRates = Array.from({ length: 40 }, (_, index) => 1 / (index + 1));
    await writeResults(folder, randomResults(30, { learningRates, epochs: 1 }));
    const { code, stdout, stderr } = await treadle(['report', folder], {
      onStart: async (child) => {
        while (!(await filesIn(join(folder, 'figures'))).includes('comparison.svg')) await setTimeout(5);
        child.kill('SIGINT');
      },
    });
    expect(stderr).toBe('error: The report was interrupted before it was finished.\n');
    expect([code, stdout]).toEqual([130, '']);
    expect(await filesIn(folder)).not.toContain('report.html');
    expect((await filesIn(join(folder, 'figures'))).length).toBeLessThan(2 * 42);
  });
});

describe('runAll', () => {
  it('is stopped in its report too, and goes on to it', async () => {
    const folder = await temporaryFolder();
    const paths = { data: join(folder, 'data'), weights: join(folder, 'weights'), out: join(folder, 'runs') };
    await mkdir(paths.out);
    await writeIdxDataset(
      paths.data,
      syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 }),
    );
    const settings = {
      architectures: [{ name: 'slim', hidden: [8] }],
      learningRates: [0.01],
      epochs: 1,
      validationSize: 60,
      jobs: 1,
      threads: 1,
    };
    const controller = new AbortController();
    const stopped = await runAll({
      ...paths,
      verify: false,
      settings,
      signal: controller.signal,
      // The only test is the last thing before the report.
      onEvent: ({ type }) => void (type === 'test' && controller.abort()),
    });
    expect(stopped).toMatchObject({ interrupted: true, resumable: true });
    expect(await filesIn(stopped.folder)).toContain('results.json');
    expect(await filesIn(stopped.folder)).not.toContain('report.html');
    const finished = await runAll({ ...paths, verify: false, resume: true });
    expect(finished).toMatchObject({ folder: stopped.folder, interrupted: false, resumable: false });
    expect(await filesIn(finished.folder)).toContain('report.html');
  });
});
