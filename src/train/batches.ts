import { TreadleError } from '#bindings';

/** Samples `[first, first + rows)` of an epoch's order. */
export interface BatchRange {
  first: number;
  rows: number;
}

/** The batch size that memory is planned for: no batch holds more samples than there are. */
export function plannedBatch(samples: number, batchSize: number): number {
  return Math.min(samples, batchSize);
}

/**
 * Cuts an epoch into batches. The last, smaller batch is trained on too, unless it holds one sample
 * (BatchNorm has no variance there): then it is joined to the one before.
 * Throws a `data` error for fewer than 2 samples and a `range` error for a batch size below 2.
 */
export function batchRanges(samples: number, batchSize: number): BatchRange[] {
  if (samples < 2) {
    throw new TreadleError(
      'data',
      `The training set has ${samples} samples; at least 2 are expected, because BatchNorm needs a variance.`,
      { subject: 'training set', found: samples, expected: 'at least 2 samples' },
    );
  }
  if (!Number.isInteger(batchSize) || batchSize < 2) {
    throw new TreadleError('range', `batchSize is ${batchSize}; a whole number from 2 up is expected.`, {
      subject: 'batchSize',
      found: batchSize,
      expected: 'a whole number from 2 up',
    });
  }
  const ranges: BatchRange[] = [];
  for (let first = 0; first < samples; first += batchSize) {
    ranges.push({ first, rows: Math.min(batchSize, samples - first) });
  }
  const tail = ranges.at(-1)!;
  if (tail.rows === 1) {
    ranges.pop();
    ranges.at(-1)!.rows += 1;
  }
  return ranges;
}
