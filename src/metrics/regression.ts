import { expectMatrix } from './matrix.js';

/** Scores of predicted numbers, with scikit-learn's definitions; means over the outputs where there are several. */
export interface RegressionScores {
  /** Mean absolute error. */
  mae: number;
  /** Root of the mean squared error of each output, averaged (scikit-learn's root_mean_squared_error). */
  rmse: number;
  /**
   * 1 - residual sum of squares / total sum of squares, averaged over the outputs (r2_score). An output whose targets are
   * all equal scores 1 where it is predicted exactly and 0 otherwise.
   */
  r2: number;
}

/**
 * Scores of predictions (rows, outputs) against targets, both row-major, each row counting as much as its weight.
 * Throws `shape` or `range` for matrices that do not fit together or have no rows.
 *
 * @example regressionScores([1, 2, 3], [1.1, 1.9, 3.2], 1).r2; // 0.97
 */
export function regressionScores(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
  outputs: number,
  weights?: ArrayLike<number>,
): RegressionScores {
  const rows = expectMatrix('targets', targets, predictions, outputs, weights);
  const total = { mae: 0, rmse: 0, r2: 0 };
  for (let column = 0; column < outputs; column++) {
    const scores = scoresOf(column);
    total.mae += scores.mae / outputs;
    total.rmse += scores.rmse / outputs;
    total.r2 += scores.r2 / outputs;
  }
  return total;

  function scoresOf(column: number): RegressionScores {
    let weight = 0;
    let sum = 0;
    let absolute = 0;
    let squared = 0;
    for (let row = 0; row < rows; row++) {
      const w = weights?.[row] ?? 1;
      const target = targets[row * outputs + column]!;
      const error = target - predictions[row * outputs + column]!;
      weight += w;
      sum += w * target;
      absolute += w * Math.abs(error);
      squared += w * error * error;
    }
    const mean = weight === 0 ? 0 : sum / weight;
    let spread = 0;
    for (let row = 0; row < rows; row++) {
      const difference = targets[row * outputs + column]! - mean;
      spread += (weights?.[row] ?? 1) * difference * difference;
    }
    const r2 = spread > 0 ? 1 - squared / spread : squared === 0 ? 1 : 0;
    // Of samples that all weigh nothing there is no error, as in a loss.
    const share = weight === 0 ? 1 : weight;
    return { mae: absolute / share, rmse: Math.sqrt(squared / share), r2 };
  }
}
