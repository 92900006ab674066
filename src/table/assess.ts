import { bootstrap, type Interval } from '../metrics/bootstrap.js';
import { classificationScores } from '../metrics/classification.js';
import { lossOf, rankedAuc } from '../metrics/ranking.js';
import {
  type CalibrationBin,
  calibration,
  type Point,
  precisionRecallCurve,
  rocCurve,
  stepArea,
  thinned,
} from '../metrics/thresholds.js';
import { argmax, type ClassificationEvaluation, type RegressionEvaluation } from '../model/evaluation.js';
import { asTable, dataOf } from './data.js';
import type { Table, TableRow } from './table.js';
import type { TableModel } from './table-model.js';

/** All that can be said of how well a model of a table does on rows that have targets. */
export type Assessment = ClassAssessment | NumberAssessment;

interface Common {
  readonly rows: number;
  /** 95 % confidence intervals of figures, by the bootstrap. */
  readonly intervals: Readonly<Partial<Record<string, Interval>>>;
}

/** Of a model of classes. */
export interface ClassAssessment extends Common {
  readonly task: 'classification';
  readonly classes: readonly string[];
  readonly scores: ClassificationEvaluation;
  /** Of two classes: how often the second is so where it is said to be probable. Of more: how often what is said is so. */
  readonly calibration: readonly CalibrationBin[];
  /** Of two classes, the second against the first. */
  readonly binary: BinaryCurves | null;
}

/** Curves over all thresholds of a probability, of at most 400 points. */
export interface BinaryCurves {
  /** False-positive and true-positive rate. */
  readonly roc: readonly Point[];
  /** Recall and precision. */
  readonly precisionRecall: readonly Point[];
  readonly averagePrecision: number;
}

/** Of a model of numbers. */
export interface NumberAssessment extends Common {
  readonly task: 'regression';
  readonly scores: RegressionEvaluation;
  readonly outputs: readonly OutputAssessment[];
}

/** One number that is predicted. */
export interface OutputAssessment {
  readonly name: string;
  /** True and predicted number of rows at equal distances, at most 1,500. */
  readonly sample: readonly Point[];
  /** How many residuals (true less predicted) lie in bins of equal width between the two ends. */
  readonly residuals: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
}

const MOST_POINTS = 400;
const MOST_ROWS_DRAWN = 1000;
const RESIDUAL_BINS = 40;

/**
 * Says all that can be said of how well a model does on rows that have targets and were not trained on: scores with confidence
 * intervals, calibration, ROC and precision-recall curves, residuals. Plain JSON. Throws `data` as `TableModel.evaluate`.
 *
 * @example const { scores, intervals } = assess(model, held);
 */
export function assess(
  model: TableModel,
  rows: Table | readonly TableRow[],
  { seed = 0 }: { seed?: number } = {},
): Assessment {
  const table = asTable(rows);
  const { x, y } = dataOf(table, model.encoder, 'The table');
  const scores = model.network.evaluate({ x, y });
  const outputs = model.network.probabilities(x);
  const { target } = model.encoder;
  if (target.task === 'classification') {
    const places = new Map(target.classes.map((name, at) => [name, at]));
    const labels = Uint32Array.from(y as string[], (name) => places.get(name)!);
    return ofClasses(scores as ClassificationEvaluation, target.classes, labels, outputs, seed);
  }
  return ofNumbers(scores as RegressionEvaluation, target.names, y as Float64Array, outputs, seed);
}

function ofClasses(
  scores: ClassificationEvaluation,
  classes: readonly string[],
  labels: Uint32Array,
  probabilities: ArrayLike<number>,
  seed: number,
): ClassAssessment {
  const rows = labels.length;
  const width = classes.length;
  const own = Array.from({ length: rows }, (_, row) =>
    Float64Array.from({ length: width }, (_, at) => probabilities[row * width + at]!),
  );
  const said = Uint32Array.from(own, argmax);
  const losses = Float64Array.from(own, (values, row) => lossOf(values[labels[row]!]!));
  const isBinary = width === 2;
  const positive = Float64Array.from(own, (values) => values[1]!);
  const confidence = isBinary ? positive : Float64Array.from(own, (values, row) => values[said[row]!]!);
  const isSo = isBinary ? labels : Uint32Array.from(said, (label, row) => (label === labels[row] ? 1 : 0));
  const ranked = isBinary ? rankedAuc(labels, positive) : null;
  const intervals = bootstrap(
    rows,
    (counts): Readonly<Record<string, number>> => {
      const confusion = Array.from({ length: width }, () => new Array<number>(width).fill(0));
      let loss = 0;
      for (let row = 0; row < rows; row++) {
        confusion[labels[row]!]![said[row]!]! += counts[row]!;
        loss += counts[row]! * losses[row]!;
      }
      const { accuracy, macro } = classificationScores(confusion);
      return { accuracy, macroF1: macro.f1, logLoss: loss / rows, ...(ranked && { rocAuc: ranked(counts) }) };
    },
    seed,
  );
  const recalled = isBinary ? precisionRecallCurve(labels, positive) : [];
  return {
    task: 'classification',
    rows,
    classes,
    scores,
    intervals,
    calibration: calibration(isSo, confidence),
    binary: isBinary
      ? {
          roc: thinned(rocCurve(labels, positive), MOST_POINTS),
          precisionRecall: thinned(recalled, MOST_POINTS),
          averagePrecision: stepArea(recalled),
        }
      : null,
  };
}

function ofNumbers(
  scores: RegressionEvaluation,
  names: readonly string[],
  targets: Float64Array,
  predicted: ArrayLike<number>,
  seed: number,
): NumberAssessment {
  const width = names.length;
  const rows = targets.length / width;
  const intervals = bootstrap(
    rows,
    (counts) => {
      const total = { r2: 0, rmse: 0, mae: 0 };
      for (let column = 0; column < width; column++) {
        let [sum, squares, errors, absolute] = [0, 0, 0, 0];
        for (let row = 0; row < rows; row++) {
          const target = targets[row * width + column]!;
          const error = target - predicted[row * width + column]!;
          const count = counts[row]!;
          sum += count * target;
          squares += count * target * target;
          errors += count * error * error;
          absolute += count * Math.abs(error);
        }
        total.r2 += (1 - errors / (squares - (sum * sum) / rows)) / width;
        total.rmse += Math.sqrt(errors / rows) / width;
        total.mae += absolute / rows / width;
      }
      return total;
    },
    seed,
  );
  return {
    task: 'regression',
    rows,
    scores,
    intervals,
    outputs: names.map((name, column) => {
      const pairs = Array.from(
        { length: rows },
        (_, row): Point => [targets[row * width + column]!, predicted[row * width + column]!],
      );
      const residuals = Float64Array.from(pairs, ([target, value]) => target - value);
      return { name, sample: thinned(pairs, MOST_ROWS_DRAWN), residuals: histogram(residuals) };
    }),
  };
}

/** Counts in bins of equal width over the middle 99 % of values; what lies beyond is in the first and the last bin. */
function histogram(values: Float64Array): OutputAssessment['residuals'] {
  const sorted = values.slice().sort();
  const from = sorted[Math.floor(0.005 * (sorted.length - 1))]!;
  const to = sorted[Math.ceil(0.995 * (sorted.length - 1))]!;
  const counts = new Array<number>(RESIDUAL_BINS).fill(0);
  const width = (to - from) / RESIDUAL_BINS || 1;
  for (const value of values) {
    counts[Math.min(RESIDUAL_BINS - 1, Math.max(0, Math.floor((value - from) / width)))]! += 1;
  }
  return { from, to, counts };
}
