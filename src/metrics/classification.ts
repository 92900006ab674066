import { TreadleError } from '#bindings';

/** Counts of a classifier's answers: `confusion[actual][predicted]`, one row and one column per class. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Precision, recall and their harmonic mean. */
export interface Scores {
  precision: number;
  recall: number;
  f1: number;
}

/** Scores of one class. */
export interface ClassScores extends Scores {
  /** Samples that are of this class: the sum of its row. */
  support: number;
}

/** Everything that a confusion matrix says about a classifier. */
export interface ClassificationScores {
  /** Samples on the diagonal over all samples. */
  accuracy: number;
  /** One per class, in the order of the rows. */
  classes: ClassScores[];
  /** Unweighted means over the classes that occur. */
  macro: Scores;
}

/**
 * Accuracy, per-class and macro scores with scikit-learn's definitions (`classification_report`) and
 * `zero_division=0`:
 *
 * - precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN); 0 where the divisor is 0;
 * - the macro averages run over the classes that occur among the actual or the predicted labels, as in
 *   scikit-learn when no `labels` are given: a class without any sample and any prediction is left out, one that
 *   is only predicted (or only actual) counts with its zeros;
 * - the macro F1 is the mean of the classes' F1, not the F1 of the mean precision and recall.
 *
 * A matrix of zeros has accuracy and averages 0. Throws `shape` for a matrix that is empty or not square, and
 * `range` for an entry that is not a count.
 *
 * @example classificationScores([[8, 2], [1, 9]]).macro.f1; // 0.8496...
 */
export function classificationScores(confusion: ConfusionMatrix): ClassificationScores {
  checkConfusion(confusion);
  const actual = confusion.map(sum);
  const predicted = confusion.map((_, column) => sum(confusion.map((row) => row[column]!)));
  const hits = confusion.map((row, index) => row[index]!);

  const classes = hits.map((hit, index) => ({
    precision: ratio(hit, predicted[index]!),
    recall: ratio(hit, actual[index]!),
    f1: ratio(2 * hit, predicted[index]! + actual[index]!),
    support: actual[index]!,
  }));
  const present = classes.filter((_, index) => actual[index]! + predicted[index]! > 0);
  const mean = (score: keyof Scores) => ratio(sum(present.map((scores) => scores[score])), present.length);
  return {
    accuracy: ratio(sum(hits), sum(actual)),
    classes,
    macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
  };
}

function checkConfusion(confusion: ConfusionMatrix): void {
  const classes = confusion.length;
  if (classes === 0) {
    throw new TreadleError('shape', 'The confusion matrix is empty; one row per class is expected.', {
      subject: 'confusion',
      found: 0,
      expected: 'one row per class',
    });
  }
  confusion.forEach((row, actual) => {
    if (row.length !== classes) {
      const found = `${row.length} columns`;
      const expected = `${classes}, as many as there are rows`;
      throw new TreadleError(
        'shape',
        `Row ${actual} of the confusion matrix has ${found}; ${expected}, are expected.`,
        {
          subject: `confusion[${actual}]`,
          found: row.length,
          expected: classes,
        },
      );
    }
    row.forEach((count, predicted) => {
      if (Number.isSafeInteger(count) && count >= 0) return;
      const subject = `confusion[${actual}][${predicted}]`;
      const expected = 'a whole number from 0 up';
      throw new TreadleError('range', `${subject} is ${count}; ${expected} is expected.`, {
        subject,
        found: count,
        expected,
      });
    });
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Division with scikit-learn's `zero_division=0`. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
