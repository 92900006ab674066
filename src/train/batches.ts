import { expectWhole, problem } from '#bindings';

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
 * Cuts an epoch into batches. The last, smaller batch is trained on too, unless it holds fewer than `least` samples (2
 * where a BatchNorm needs a variance): then it is joined to the one before.
 * Throws a `data` error for fewer than `least` samples and a `range` error for a smaller batch size.
 *
 * @example batchRanges(100, 32, 2); // rows of each: 32, 32, 32, 4
 */
export function batchRanges(samples: number, batchSize: number, least = 2): BatchRange[] {
  if (samples < least) {
    const because = least > 1 ? 'BatchNorm needs a variance' : undefined;
    const subject = 'The number of training samples';
    throw problem('data', { subject, found: samples, because, expected: `at least ${least}` });
  }
  expectWhole('batchSize', batchSize, least);
  const ranges: BatchRange[] = [];
  for (let first = 0; first < samples; first += batchSize) {
    ranges.push({ first, rows: Math.min(batchSize, samples - first) });
  }
  const tail = ranges.at(-1)!;
  if (tail.rows < least) {
    ranges.pop();
    ranges.at(-1)!.rows += tail.rows;
  }
  return ranges;
}
