import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bench, describe, expect } from 'vitest';
import type { RunResults } from '../../dist/results/records.js';
import { parseResults } from '../../dist/results/results.js';
import { jsonLines, treadle } from '../cli/treadle.js';
import { MODELS, ONCE, openMachine, productWork } from './setup.js';

/** Helpers join from a job's second epoch on: with fewer than two there would be none. */
const EPOCHS = 2;
const THREADS = Math.min(2, availableParallelism());

/**
 * `treadle run-all` on Fashion-MNIST in a process and a folder of its own, up to the report. All twelve models must have
 * been trained and tested on every test image, and have learned.
 */
async function checkedRun(epochs: number): Promise<RunResults> {
  const folder = await mkdtemp(join(tmpdir(), 'treadle-bench-'));
  try {
    const options = ['--epochs', epochs, '--jobs', THREADS, '--threads', THREADS].map(String);
    const { code, stdout, stderr } = await treadle(['run-all', ...options, '--json'], { cwd: folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const file = join(folder, jsonLines(stdout).at(-1)!.results as string);
    const results = parseResults(await readFile(file, 'utf8'), file);
    expect(results.models).toHaveLength(12);
    for (const { error, epochs: figures, test } of results.models) {
      expect(error).toBeUndefined();
      expect(figures).toHaveLength(epochs);
      expect(test!.confusion.flat().reduce((sum, count) => sum + count)).toBe(results.dataset.testSamples);
      expect(test!.accuracy).toBeGreaterThan(0.7);
    }
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Floating-point operations of the run's matrix products, zeros included: for each model
 * epochs x (training steps over the training samples + forward over the validation samples) + forward over the test
 * samples. What is not a product, and start, files and report, count as nothing.
 */
function runWork({ trainSamples, validationSamples, testSamples }: RunResults['dataset']): number {
  const modelWork = MODELS.map(([, spec]) => {
    const epoch =
      productWork(spec, trainSamples, 'training') + productWork(spec, validationSamples, 'forward');
    return EPOCHS * epoch + productWork(spec, testSamples, 'forward');
  });
  return (12 / MODELS.length) * modelWork.reduce((sum, work) => sum + work, 0);
}

const { machine } = await openMachine();
const { dataset } = await checkedRun(1);
const name = `12 models, ${EPOCHS} epochs each, batch 256, ${dataset.trainSamples} samples, ${THREADS} threads`;
const group = { machine, threads: THREADS, work: { [name]: runWork(dataset) } };

describe('run-all on Fashion-MNIST, the whole process', { meta: { group } }, () => {
  bench(
    name,
    async () => {
      await checkedRun(EPOCHS);
    },
    ONCE,
  );
});
