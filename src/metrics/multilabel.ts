import type { ClassScores, Scores } from './classification.js';
import { expectMatrix } from './matrix.js';
import { rocAuc } from './ranking.js';

/** Scores of one label. */
export interface LabelScores extends ClassScores {
  /** NaN where the label is always or never given. */
  rocAuc: number;
}

/** Scores of several yes/no labels, with scikit-learn's definitions and zero_division=0. */
export interface MultilabelScores {
  /** Share of samples all of whose labels are right (accuracy_score). */
  subsetAccuracy: number;
  /** Share of labels that are right: 1 - hamming_loss. */
  accuracy: number;
  /** From the sums over all labels. */
  micro: Scores;
  /** Means over the labels. */
  macro: Scores;
  labels: LabelScores[];
}

/**
 * Scores of probabilities (rows, labels) against targets, both row-major; a label is predicted from 0.5 up and given from
 * 0.5 up. Throws `shape` or `range` for matrices that do not fit together or have no rows.
 *
 * @example multilabelScores([1, 0, 0, 1], [0.9, 0.2, 0.4, 0.7], 2).micro.f1; // 1
 */
export function multilabelScores(
  targets: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  labels: number,
): MultilabelScores {
  const rows = expectMatrix('targets', targets, probabilities, labels);
  const counts = Array.from({ length: labels }, () => ({ hits: 0, actual: 0, predicted: 0 }));
  let exact = 0;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    let same = 0;
    for (let label = 0; label < labels; label++) {
      const actual = targets[row * labels + label]! >= 0.5;
      const predicted = probabilities[row * labels + label]! >= 0.5;
      const count = counts[label]!;
      if (actual) count.actual++;
      if (predicted) count.predicted++;
      if (actual && predicted) count.hits++;
      if (actual === predicted) same++;
    }
    right += same;
    if (same === labels) exact++;
  }
  const scores = counts.map((count, label) => ({
    ...scoresOf(count),
    support: count.actual,
    rocAuc: rocAuc(columnOf(targets, label, labels, rows, 0.5), columnOf(probabilities, label, labels, rows)),
  }));
  const all = counts.reduce((sum, count) => ({
    hits: sum.hits + count.hits,
    actual: sum.actual + count.actual,
    predicted: sum.predicted + count.predicted,
  }));
  const mean = (score: keyof Scores) => scores.reduce((sum, each) => sum + each[score], 0) / labels;
  return {
    subsetAccuracy: exact / rows,
    accuracy: right / (rows * labels),
    micro: scoresOf(all),
    macro: { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') },
    labels: scores,
  };
}

function scoresOf({ hits, actual, predicted }: { hits: number; actual: number; predicted: number }): Scores {
  const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, actual),
    f1: ratio(2 * hits, predicted + actual),
  };
}

/** One column of a matrix, as 0 and 1 where a threshold is given. */
function columnOf(
  matrix: ArrayLike<number>,
  column: number,
  columns: number,
  rows: number,
  threshold?: number,
): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    const value = matrix[row * columns + column]!;
    return threshold === undefined ? value : Number(value >= threshold);
  });
}
