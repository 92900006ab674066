import { rangeError } from '#bindings';
import { expectMatrix } from './matrix.js';

/** A point of a curve: x, then y. */
export type Point = readonly [x: number, y: number];

/** Samples by falling score, equal scores together: how many of each kind have at least a score. */
function* fromTheTop(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
): Generator<{ positives: number; negatives: number }> {
  const rows = expectMatrix('targets', targets, scores, 1);
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => scores[b]! - scores[a]!);
  let [positives, negatives] = [0, 0];
  for (let at = 0; at < rows; at++) {
    if (targets[order[at]!]! === 0) negatives++;
    else positives++;
    const isLast = at + 1 === rows || scores[order[at + 1]!] !== scores[order[at]!];
    if (isLast) yield { positives, negatives };
  }
}

function totals(targets: ArrayLike<number>): { positives: number; negatives: number } {
  let positives = 0;
  for (let row = 0; row < targets.length; row++) if (targets[row]! !== 0) positives++;
  return { positives, negatives: targets.length - positives };
}

/**
 * The ROC curve of scores against 0/1 targets: false-positive rate and true-positive rate at every threshold, from (0, 0) to
 * (1, 1) (scikit-learn's roc_curve). Empty where only one of the two occurs. Throws `shape` or `range` for lists that do not fit
 * together or are empty.
 *
 * @example rocCurve([0, 1], [0.2, 0.7]); // [[0, 0], [0, 1], [1, 1]]
 */
export function rocCurve(targets: ArrayLike<number>, scores: ArrayLike<number>): Point[] {
  const all = totals(targets);
  const points: Point[] = [[0, 0]];
  for (const { positives, negatives } of fromTheTop(targets, scores)) {
    points.push([negatives / all.negatives, positives / all.positives]);
  }
  return all.positives === 0 || all.negatives === 0 ? [] : points;
}

/**
 * The precision-recall curve of scores against 0/1 targets: recall and precision at every threshold, from the highest score to
 * the lowest, and from recall 0 with the first precision (scikit-learn's precision_recall_curve, which ends there with 1). Empty
 * where no target is 1. Throws as {@link rocCurve}.
 *
 * @example precisionRecallCurve([0, 1], [0.2, 0.7]); // [[0, 1], [1, 1], [1, 0.5]]
 */
export function precisionRecallCurve(targets: ArrayLike<number>, scores: ArrayLike<number>): Point[] {
  const all = totals(targets);
  const points: Point[] = [];
  for (const { positives, negatives } of fromTheTop(targets, scores)) {
    const precision = positives / (positives + negatives);
    if (points.length === 0) points.push([0, precision]);
    points.push([positives / all.positives, precision]);
  }
  return all.positives === 0 ? [] : points;
}

/**
 * The mean precision over the recall of {@link precisionRecallCurve}, in steps (scikit-learn's average_precision_score). NaN where
 * no target is 1.
 */
export function averagePrecision(targets: ArrayLike<number>, scores: ArrayLike<number>): number {
  return stepArea(precisionRecallCurve(targets, scores));
}

/** The area under a curve that is level up to each point; NaN without points. */
export function stepArea(points: readonly Point[]): number {
  if (points.length === 0) return Number.NaN;
  let sum = 0;
  for (let at = 1; at < points.length; at++) sum += (points[at]![0] - points[at - 1]![0]) * points[at]![1];
  return sum;
}

/** Samples of about one probability. */
export interface CalibrationBin {
  /** Mean of the probabilities. */
  readonly predicted: number;
  /** Share of the samples whose target is 1. */
  readonly observed: number;
  readonly samples: number;
}

/**
 * How often what was said to be probable is so: samples by probability in bins of equal width, empty ones left out (scikit-learn's
 * calibration_curve). Throws `shape` or `range` for lists that do not fit together or are empty, and for probabilities that are
 * none.
 *
 * @example calibration([0, 1], [0.15, 0.85])[1]; // { predicted: 0.85, observed: 1, samples: 1 }
 */
export function calibration(
  targets: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  bins = 10,
): CalibrationBin[] {
  const rows = expectMatrix('targets', targets, probabilities, 1);
  const found = Array.from({ length: bins }, () => ({ predicted: 0, observed: 0, samples: 0 }));
  for (let row = 0; row < rows; row++) {
    const probability = probabilities[row]!;
    if (!(probability >= 0 && probability <= 1)) {
      throw rangeError(`probabilities[${row}]`, probability, 'a number from 0 to 1');
    }
    // What lies between two bins is of the lower one.
    const bin = found[Math.max(0, Math.ceil(probability * bins) - 1)]!;
    bin.predicted += probability;
    bin.observed += targets[row]! === 0 ? 0 : 1;
    bin.samples++;
  }
  return found
    .filter(({ samples }) => samples > 0)
    .map(({ predicted, observed, samples }) => ({
      predicted: predicted / samples,
      observed: observed / samples,
      samples,
    }));
}

/** At most so many of a curve's points, its ends among them, at equal distances along the list. */
export function thinned(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  return Array.from(
    { length: most },
    (_, at) => points[Math.round((at * (points.length - 1)) / (most - 1))]!,
  );
}
