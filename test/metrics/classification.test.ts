import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classificationScores } from '../../dist/metrics/classification.js';
import { failure } from '../support/errors.js';

interface PublishedTest {
  model: string;
  learningRate: number;
  accuracy: number;
  precision?: number;
  recall?: number;
  f1?: number;
  confusion: number[][];
}

const fixture = new URL('published-tests.json', import.meta.url);
const published: { tests: PublishedTest[] } = JSON.parse(readFileSync(fixture, 'utf8'));
const rounded = (value: number) => Number(value.toFixed(4));

describe('the published confusion matrices', () => {
  it.each(published.tests)('give the printed figures of $model at $learningRate', (test) => {
    const { accuracy, macro, classes } = classificationScores(test.confusion);
    expect(rounded(accuracy)).toBe(test.accuracy);
    if (test.precision !== undefined) {
      expect(rounded(macro.precision)).toBe(test.precision);
      expect(rounded(macro.recall)).toBe(test.recall);
      expect(rounded(macro.f1)).toBe(test.f1);
    }
    expect(classes.map(({ support }) => support)).toEqual(Array(10).fill(1000));
  });

  it('are four, one of them with precision, recall and F1', () => {
    expect(published.tests).toHaveLength(4);
    expect(published.tests.filter(({ f1 }) => f1 !== undefined)).toHaveLength(1);
  });
});

describe('small matrices worked by hand', () => {
  it('scores two classes', () => {
    // Class 0: TP 6, FN 2, FP 4. Class 1: TP 8, FN 4, FP 2.
    const { accuracy, classes, macro } = classificationScores([
      [6, 2],
      [4, 8],
    ]);
    expect(accuracy).toBeCloseTo(14 / 20, 15);
    expect(classes[0]).toEqual({ precision: 6 / 10, recall: 6 / 8, f1: 12 / 18, support: 8 });
    expect(classes[1]).toEqual({ precision: 8 / 10, recall: 8 / 12, f1: 16 / 22, support: 12 });
    expect(macro.precision).toBeCloseTo(0.7, 15);
    expect(macro.recall).toBeCloseTo((3 / 4 + 2 / 3) / 2, 15);
    expect(macro.f1).toBeCloseTo((2 / 3 + 8 / 11) / 2, 15);
  });

  it('takes the macro F1 from the F1 of the classes, not from macro precision and recall', () => {
    const { macro } = classificationScores([
      [1, 9],
      [0, 10],
    ]);
    // F1: 2/11 and 20/29; the harmonic mean of macro precision (29/38) and recall (11/20) would be 0.639.
    expect(macro.f1).toBeCloseTo((2 / 11 + 20 / 29) / 2, 15);
  });

  it('gives 0 for the precision of a class that is never predicted, and averages over it', () => {
    const { classes, macro } = classificationScores([
      [4, 0, 0],
      [2, 2, 0],
      [0, 2, 0],
    ]);
    expect(classes[2]).toEqual({ precision: 0, recall: 0, f1: 0, support: 2 });
    expect(macro.precision).toBeCloseTo((4 / 6 + 2 / 4 + 0) / 3, 15);
    expect(macro.recall).toBeCloseTo((1 + 1 / 2 + 0) / 3, 15);
    expect(macro.f1).toBeCloseTo((8 / 10 + 4 / 8 + 0) / 3, 15);
  });

  it('averages over a class that is predicted though no sample is of it', () => {
    const { classes, macro } = classificationScores([
      [3, 1],
      [0, 0],
    ]);
    expect(classes[1]).toEqual({ precision: 0, recall: 0, f1: 0, support: 0 });
    expect(macro.recall).toBeCloseTo((3 / 4 + 0) / 2, 15);
    expect(macro.precision).toBeCloseTo(1 / 2, 15);
  });

  it('leaves a class out of the averages that is neither actual nor predicted', () => {
    const { classes, macro, accuracy } = classificationScores([
      [3, 0, 1],
      [0, 0, 0],
      [0, 0, 4],
    ]);
    expect(classes[1]).toEqual({ precision: 0, recall: 0, f1: 0, support: 0 });
    expect(accuracy).toBeCloseTo(7 / 8, 15);
    expect(macro.precision).toBeCloseTo((1 + 4 / 5) / 2, 15);
    expect(macro.recall).toBeCloseTo((3 / 4 + 1) / 2, 15);
    expect(macro.f1).toBeCloseTo((6 / 7 + 8 / 9) / 2, 15);
  });

  it('gives zeros for a matrix of zeros', () => {
    const { accuracy, macro } = classificationScores([
      [0, 0],
      [0, 0],
    ]);
    expect(accuracy).toBe(0);
    expect(macro).toEqual({ precision: 0, recall: 0, f1: 0 });
  });
});

describe('what is not a confusion matrix', () => {
  it.each([
    ['an empty one', [], 'shape', 'The confusion matrix is empty; one row per class is expected.'],
    [
      'one with a long row',
      [
        [1, 2],
        [3, 4, 5],
      ],
      'shape',
      'Row 1 of the confusion matrix has 3 columns; 2, as many',
    ],
    ['one with a short row', [[1], [3, 4]], 'shape', 'Row 0 of the confusion matrix has 1 columns'],
    [
      'a negative count',
      [
        [1, -2],
        [3, 4],
      ],
      'range',
      'confusion[0][1] is -2; a whole number from 0 up is expected.',
    ],
    [
      'a share',
      [
        [1, 2],
        [0.5, 4],
      ],
      'range',
      'confusion[1][0] is 0.5;',
    ],
    [
      'no number',
      [
        [1, 2],
        [3, Number.NaN],
      ],
      'range',
      'confusion[1][1] is NaN;',
    ],
  ] as [string, number[][], string, string][])('refuses %s', async (_, confusion, code, sentence) => {
    const error = await failure(code, () => classificationScores(confusion));
    expect(error.message).toContain(sentence);
  });
});
