import { describe, expect, it } from 'vitest';
import { gemmShapes, shapeName } from '../../dist/bench/shapes.js';
import { checkLosses } from '../../dist/experiment/time-epochs.js';
import { failure } from '../support/errors.js';

describe('gemmShapes', () => {
  it('has forward and both gradients of every layer, but no input gradient of the first', () => {
    const shapes = gemmShapes([{ inputs: 7, hidden: [5], classes: 3 }], 2);
    expect(shapes.map(shapeName)).toEqual([
      'NN 2 x 5 x 7', // (2, 7) (7, 5)
      'TN 7 x 5 x 2', // (7, 2) (2, 5)
      'NN 2 x 3 x 5', // (2, 5) (5, 3)
      'TN 5 x 3 x 2', // (5, 2) (2, 3)
      'NT 2 x 5 x 3', // (2, 3) (3, 5)
    ]);
  });

  it('has a shape that two models share once', () => {
    const model = { inputs: 7, hidden: [5], classes: 3 };
    const other = { inputs: 9, hidden: [5], classes: 3 };
    expect(gemmShapes([model, model], 2)).toHaveLength(5);
    expect(gemmShapes([model, other], 2)).toHaveLength(7);
  });
});

describe('checkLosses', () => {
  it('takes finite losses that fall on the whole', () => {
    expect(() => checkLosses('tiny', [2, 3, 1, 2])).not.toThrow();
  });

  it.each([
    ['rise', [1, 2, 2, 3]],
    ['stay', [2, 2, 2, 2]],
    ['become NaN', [3, 2, Number.NaN, 1]],
    ['become infinite, however low', [3, 2, 1, Number.NEGATIVE_INFINITY]],
  ])('refuses losses that %s', async (_, losses) => {
    const error = await failure('diverged', () => checkLosses('tiny', losses));
    expect(error.message).toContain('Model tiny does not learn');
    expect(error.subject).toBe('tiny');
  });
});
