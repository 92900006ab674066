import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseResults } from '../../dist/results/results.js';
import { temporaryFolder } from '../support/folder.js';
import { realDataFolder } from '../support/real-data.js';
import { treadle } from './treadle.js';

it.skipIf(realDataFolder === undefined)(
  'the twelve models end to end on the real data, each for an epoch of 5,000 images',
  async () => {
    const folder = await temporaryFolder();
    const options = [
      '--data',
      realDataFolder!,
      '--epochs',
      '1',
      '--train-samples',
      '5000',
      '--batch-size',
      '64',
    ];
    const { code, stdout, stderr } = await treadle(['run-all', ...options], { cwd: folder });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('Best model: ');
    const [id] = await readdir(join(folder, 'runs'));
    const file = join(folder, 'runs', id!, 'results.json');
    const { models, best, dataset } = parseResults(await readFile(file, 'utf8'), file);
    expect(dataset).toMatchObject({ name: 'Fashion-MNIST', validationSamples: 10_000, testSamples: 10_000 });
    expect(models).toHaveLength(12);
    expect(await readdir(join(folder, 'weights'))).toHaveLength(24);
    for (const { test } of models) {
      // A thousand test images of each class.
      expect(test!.confusion.map((row) => row.reduce((sum, count) => sum + count))).toEqual(
        Array(10).fill(1000),
      );
    }
    const { test } = models.find(({ id }) => id === best)!;
    // Four epochs of a tenth of the images, the last at the lowest rate: far above the 0.1 of guessing.
    expect(test!.accuracy).toBeGreaterThan(0.8);
    expect(test!.macroF1).toBeGreaterThan(0.79);
  },
);
