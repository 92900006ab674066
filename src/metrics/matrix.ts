import { problem, rangeError } from '#bindings';

/** The number of rows of two matrices of the same size; throws `shape` or `range` for others, and for none. */
export function expectMatrix(
  subject: string,
  targets: ArrayLike<number>,
  outputs: ArrayLike<number>,
  columns: number,
  weights?: ArrayLike<number>,
): number {
  const rows = targets.length / columns;
  if (!Number.isInteger(rows) || outputs.length !== targets.length) {
    throw problem('shape', {
      subject: `${subject}.length`,
      found: targets.length,
      expected: `${outputs.length}, rows of ${columns},`,
    });
  }
  if (rows === 0) throw rangeError('The number of samples', 0, 'at least one');
  if (weights !== undefined && weights.length !== rows) {
    throw problem('shape', { subject: 'weights.length', found: weights.length, expected: String(rows) });
  }
  return rows;
}
