import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchRanges } from '../../dist/train/batches.js';
import { failure } from '../support/errors.js';

describe('batchRanges', () => {
  it('cuts an epoch that divides evenly', () => {
    expect(batchRanges(6, 3)).toEqual([
      { first: 0, rows: 3 },
      { first: 3, rows: 3 },
    ]);
  });

  it('keeps a smaller last batch', () => {
    expect(batchRanges(8, 3)).toEqual([
      { first: 0, rows: 3 },
      { first: 3, rows: 3 },
      { first: 6, rows: 2 },
    ]);
  });

  it('joins a last batch of one sample to the one before', () => {
    expect(batchRanges(7, 3)).toEqual([
      { first: 0, rows: 3 },
      { first: 3, rows: 4 },
    ]);
    expect(batchRanges(3, 2)).toEqual([{ first: 0, rows: 3 }]);
  });

  it('takes one batch when the batch size is larger than the samples', () => {
    expect(batchRanges(2, 100)).toEqual([{ first: 0, rows: 2 }]);
  });

  it('covers every sample once, in order, with batches of two or more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5000 }),
        fc.integer({ min: 2, max: 600 }),
        (samples, batchSize) => {
          let next = 0;
          for (const { first, rows } of batchRanges(samples, batchSize)) {
            expect(first).toBe(next);
            expect(rows).toBeGreaterThanOrEqual(2);
            expect(rows).toBeLessThanOrEqual(batchSize + 1);
            next += rows;
          }
          expect(next).toBe(samples);
        },
      ),
    );
  });

  it('refuses fewer than two samples and batch sizes below two', async () => {
    const tooFew = await failure('data', () => batchRanges(1, 4));
    expect(tooFew.message).toContain('samples is 1 (BatchNorm needs a variance)');
    await failure('data', () => batchRanges(0, 4));
    const tooSmall = await failure('range', () => batchRanges(10, 1));
    expect(tooSmall.subject).toBe('batchSize');
    await failure('range', () => batchRanges(10, 2.5));
    await failure('range', () => batchRanges(10, Number.NaN));
  });
});
