import { describe, expect, it } from 'vitest';
import { ARCHITECTURES, LEARNING_RATES } from '../../dist/fashion-mnist/architectures.js';
import { PUBLISHED_BEST, PUBLISHED_MODELS } from '../../dist/fashion-mnist/published.js';

describe('the published figures', () => {
  it('cover every architecture at every rate, in the order of run-all', () => {
    const expected = Object.keys(ARCHITECTURES).flatMap((model) =>
      LEARNING_RATES.map((rate) => [model, rate]),
    );
    expect(PUBLISHED_MODELS.map(({ model, learningRate }) => [model, learningRate])).toEqual(expected);
  });

  it('have ten epochs each, but nine of large2 at 0.005', () => {
    for (const { model, learningRate, epochs } of PUBLISHED_MODELS) {
      expect(epochs).toHaveLength(model === 'large2' && learningRate === 0.005 ? 9 : 10);
    }
  });

  it('add up to the sums of the printed columns', () => {
    // Sums over all 119 printed rows, worked out from the report's own table.
    const sums = [0, 1, 2, 3, 4].map((column) =>
      PUBLISHED_MODELS.flatMap(({ epochs }) => epochs).reduce((sum, epoch) => sum + epoch[column]!, 0),
    );
    expect(sums.map((sum) => sum.toFixed(4))).toEqual([
      '26.1711',
      '109.6391',
      '39.8982',
      '106.8247',
      '106.8728',
    ]);
  });

  it('have the four printed tests, each of 1,000 images per class with its printed accuracy', () => {
    const tests = PUBLISHED_MODELS.flatMap(({ model, learningRate, test }) =>
      test === null ? [] : [{ name: `${model} ${learningRate}`, ...test }],
    );
    expect(tests.map(({ name }) => name)).toEqual([
      'large1 0.001',
      'small 0.005',
      'small 0.004',
      'small 0.003',
    ]);
    for (const { accuracy, confusion } of tests) {
      expect(confusion.map((row) => row.reduce((a, b) => a + b))).toEqual(Array(10).fill(1000));
      const hits = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
      expect(hits).toBe(Math.round(accuracy * 10_000));
    }
  });

  it('name a best model that is tested', () => {
    const best = PUBLISHED_MODELS.find(
      ({ model, learningRate }) =>
        model === PUBLISHED_BEST.model && learningRate === PUBLISHED_BEST.learningRate,
    );
    expect(best?.test?.accuracy).toBe(0.9084);
  });
});
