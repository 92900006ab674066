import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { treadle } from './treadle.js';

/** A folder with a dataset of 3 classes and 6 x 5 pixels in `data`, 300 of them for training. */
async function smallData(): Promise<string> {
  const folder = await temporaryFolder();
  const dataset = syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 });
  await writeIdxDataset(join(folder, 'data'), dataset);
  return folder;
}

const ON_SMALL_DATA = ['bench', '--data', 'data', '--no-verify', '--batch-size', '20', '--samples', '130'];

const positive = expect.toSatisfy((value) => typeof value === 'number' && value > 0 && value < Infinity);

describe('bench', () => {
  it('has help with an example and every default', async () => {
    const { code, stdout } = await treadle(['bench', '--help'], { env: { COLUMNS: '200' } });
    expect(code).toBe(0);
    expect(stdout).toContain('Example:\n  treadle bench');
    const text = stdout.replace(/\s+/g, ' ');
    for (const option of [
      /--model <names> [^(]*\(default: large1,large2,small\)/,
      /--batch-size <n> [^(]*\(default: 256\)/,
      /--threads <n> [^(]*\(default: 1\)/,
      /--samples <n> [^(]*\(default: 12800\)/,
      /--build <name> [^)]*default: "auto"/,
      /--data <dir> /,
      /--no-verify /,
      /--json /,
    ]) {
      expect(text).toMatch(option);
    }
  });

  it('prints one JSON object with epochs, products and the machine', async () => {
    const cwd = await smallData();
    const { code, stdout, stderr } = await treadle([...ON_SMALL_DATA, '--model', 'small', '--json'], { cwd });
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toEqual({
      epochs: [{ model: 'small', batchSize: 20, threads: 1, samples: 130, seconds: positive }],
      gemm: expect.any(Array),
      peakGflops: positive,
      machine: expect.stringMatching(/, \d+ cores$/),
      node: process.versions.node,
      v8: process.versions.v8,
      build: expect.stringMatching(/^(simd|relaxed)(-mt)?$/),
      kernels: expect.stringMatching(/^\d+x\d+\/\d+$/),
      revectorized: expect.any(Boolean),
    });
    // The products of small alone, on 6 x 5 pixels and 3 classes: three a layer, two in the first.
    const shapes = report.gemm.map(({ form, m, n, k }: Record<string, unknown>) => `${form} ${m} ${n} ${k}`);
    expect(shapes).toEqual([
      'NN 20 128 30',
      'TN 30 128 20',
      'NN 20 64 128',
      'TN 128 64 20',
      'NT 20 128 64',
      'NN 20 3 64',
      'TN 64 3 20',
      'NT 20 64 3',
    ]);
    for (const figure of report.gemm) {
      expect(Object.keys(figure)).toEqual(['form', 'm', 'n', 'k', 'gflops', 'peakFraction']);
      expect(figure.gflops / report.peakGflops).toBeCloseTo(figure.peakFraction, 10);
      expect(figure.gflops).toEqual(positive);
    }
  });

  it.runIf(availableParallelism() > 1)('trains with helper threads and ends them, in tables', async () => {
    const cwd = await smallData();
    const args = [...ON_SMALL_DATA, '--model', 'small,large2', '--threads', '2', '--build', 'simd-mt'];
    const { code, stdout } = await treadle(args, { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^build +simd-mt, kernels /m);
    expect(stdout).toMatch(/^small +20 +2 +130 +\d+\.\d+ +\d+$/m);
    expect(stdout).toMatch(/^large2 +20 +2 +130 +\d+\.\d+ +\d+$/m);
    expect(stdout).toMatch(/^NN +20 x 512 x 30 +\d+\.\d +\d+ %$/m);
  });
});

describe('bench refuses with one sentence', () => {
  const cores = availableParallelism();
  it.each([
    ['an unknown model', ['--model', 'huge'], '--model is "huge"; names out of large1, large2, small'],
    ['an empty list of models', ['--model', ''], '--model is ""; names out of'],
    ['a model twice', ['--model', 'small,small'], '--model is "small,small"; names out of'],
    ['a batch of one', ['--batch-size', '1'], '--batch-size is "1"; a whole number from 2'],
    ['no threads', ['--threads', '0'], `--threads is "0"; a whole number from 1 to ${cores} is expected.`],
    ['more threads than cores', ['--threads', String(cores + 1)], `a whole number from 1 to ${cores} `],
    ['no samples', ['--samples', '0'], '--samples is "0"; a whole number from 2'],
    [
      'fewer than four batches',
      ['--batch-size', '64', '--samples', '255'],
      '--samples is "255"; at least 256, for four batches of 64, is expected.',
    ],
    ['an unknown build', ['--build', 'fast'], "'--build <name>' argument 'fast' is invalid"],
  ])('%s', async (_, args, part) => {
    const { code, stdout, stderr } = await treadle(['bench', ...args]);
    expect(stderr).toContain(part);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  it('more samples than the data has', async () => {
    const args = ['bench', '--data', 'data', '--no-verify', '--batch-size', '20', '--samples', '301'];
    const { code, stderr } = await treadle(args, { cwd: await smallData() });
    expect(stderr).toContain('error: --samples is 301; at most 300, the training images that there are, is');
    expect(code).toBe(2);
  });

  it.runIf(cores > 1)('threads in a build without threads', async () => {
    const args = [...ON_SMALL_DATA, '--model', 'small', '--threads', '2', '--build', 'simd'];
    const { code, stdout, stderr } = await treadle(args, { cwd: await smallData() });
    expect(stderr).toContain('error: --threads is 2, but the build simd has no threads; 1 is expected');
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});
