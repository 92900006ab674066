import { TreadleError } from '#bindings';

/** A float32 array with its shape, row-major. */
export interface FloatTensor {
  dtype: 'F32';
  shape: number[];
  data: Float32Array;
}

/** An array of 64-bit integers: PyTorch's counters. */
export interface CountTensor {
  dtype: 'I64';
  shape: number[];
  data: BigInt64Array;
}

/** A tensor of a weight file. */
export type Tensor = FloatTensor | CountTensor;

/** Number of elements of a shape (1 for `[]`), or null when it exceeds a safe integer. */
export function elementCount(shape: readonly number[]): number | null {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) return null;
  }
  return count;
}

/** A `format` error: one sentence from the file's name, what was found in it and what was expected. */
export function formatError(source: string, found: string, expected: string): TreadleError {
  return new TreadleError('format', `${source}: ${found}; ${expected} is expected.`, {
    subject: source,
    found,
    expected,
  });
}
