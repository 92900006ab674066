import { problem, rangeError } from '#bindings';
import { expectMatrix } from './matrix.js';

/**
 * Area under the ROC curve of scores against 0/1 targets: the share of pairs of a positive and a negative sample in which
 * the positive scores higher, ties counting half (scikit-learn's roc_auc_score). NaN where only one of the two occurs.
 * Throws `shape` or `range` for lists that do not fit together or are empty.
 *
 * @example rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]); // 0.75
 */
export function rocAuc(targets: ArrayLike<number>, scores: ArrayLike<number>): number {
  const rows = expectMatrix('targets', targets, scores, 1);
  const [positive, negative] = [1, 0].map((side) => {
    const own = new Float64Array(rows);
    let count = 0;
    for (let row = 0; row < rows; row++)
      if ((targets[row] === 0 ? 0 : 1) === side) own[count++] = scores[row]!;
    return own.subarray(0, count).sort();
  }) as [Float64Array, Float64Array];
  // For each positive in turn: the negatives below it, and those that are its equals. Numbers sort in half the time that
  // {@link rankedAuc} takes to sort rows by their scores.
  let [pairs, below, upTo] = [0, 0, 0];
  for (const score of positive) {
    while (below < negative.length && negative[below]! < score) below++;
    while (upTo < negative.length && negative[upTo]! <= score) upTo++;
    pairs += (below + upTo) / 2;
  }
  if (positive.length === 0 || negative.length === 0) return Number.NaN;
  return pairs / (positive.length * negative.length);
}

/**
 * The same of samples that count so often each, for one set of targets and scores and many counts: sorted once. NaN where none
 * of the two kinds counts.
 */
export function rankedAuc(
  targets: ArrayLike<number>,
  scores: ArrayLike<number>,
): (counts: ArrayLike<number>) => number {
  const rows = targets.length;
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  return (counts) => {
    let [positives, negatives, pairs] = [0, 0, 0];
    for (let first = 0; first < rows; ) {
      let [here, others] = [0, 0];
      let end = first;
      for (; end < rows && scores[order[end]!] === scores[order[first]!]; end++) {
        const count = counts[order[end]!]!;
        if (targets[order[end]!] === 0) others += count;
        else here += count;
      }
      // Of equal scores half the pairs count.
      pairs += here * (negatives + others / 2);
      positives += here;
      negatives += others;
      first = end;
    }
    return positives === 0 || negatives === 0 ? Number.NaN : pairs / (positives * negatives);
  };
}

/**
 * ROC AUC of a classifier's probabilities (rows, classes): of the second class where there are two, else the mean of every
 * class against the rest (scikit-learn's roc_auc_score with multi_class='ovr' and macro average). NaN where a class does
 * not occur, or nothing else does. Throws `shape` or `range` for labels and probabilities that do not fit together.
 *
 * @example classRocAuc([0, 1, 1], [0.8, 0.2, 0.3, 0.7, 0.4, 0.6], 2); // 1
 */
export function classRocAuc(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): number {
  const rows = expectProbabilities(labels, probabilities, classes);
  const of = (label: number) => {
    const targets = new Uint8Array(rows);
    const scores = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      targets[row] = labels[row] === label ? 1 : 0;
      scores[row] = probabilities[row * classes + label]!;
    }
    return rocAuc(targets, scores);
  };
  if (classes === 2) return of(1);
  let sum = 0;
  for (let label = 0; label < classes; label++) sum += of(label);
  return sum / classes;
}

/**
 * Mean of -ln of the probability of the actual class, probabilities kept 2^-23 away from 0 and 1 as scikit-learn's log_loss
 * does for f32. Throws as {@link classRocAuc}.
 *
 * @example logLoss([0, 1], [0.8, 0.2, 0.3, 0.7], 2); // 0.2899...
 */
export function logLoss(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): number {
  const rows = expectProbabilities(labels, probabilities, classes);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += lossOf(probabilities[row * classes + labels[row]!]!);
  return sum / rows;
}

/** The log loss of one sample, by the probability of its class. */
export function lossOf(probability: number): number {
  const epsilon = 2 ** -23;
  return -Math.log(Math.min(1 - epsilon, Math.max(epsilon, probability)));
}

/**
 * Share of samples whose class is among the k most probable; of equal probabilities the later class comes first
 * (scikit-learn's top_k_accuracy_score). Throws as {@link classRocAuc}.
 *
 * @example topKAccuracy([2, 0], [0.5, 0.2, 0.3, 0.1, 0.6, 0.3], 3, 2); // 0.5
 */
export function topKAccuracy(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
  k: number,
): number {
  const rows = expectProbabilities(labels, probabilities, classes);
  if (!Number.isInteger(k) || k < 1 || k > classes)
    throw rangeError('k', k, `a whole number from 1 to ${classes}`);
  let hits = 0;
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    const own = probabilities[row * classes + label]!;
    let before = 0;
    for (let other = 0; other < classes; other++) {
      const p = probabilities[row * classes + other]!;
      if (p > own || (p === own && other > label)) before++;
    }
    if (before < k) hits++;
  }
  return hits / rows;
}

/** The number of labels; throws `shape` or `range` unless they are classes of so many rows of probabilities. */
function expectProbabilities(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): number {
  const rows = labels.length;
  if (rows === 0) throw rangeError('The number of samples', 0, 'at least one');
  if (probabilities.length !== rows * classes) {
    throw problem('shape', {
      subject: 'probabilities.length',
      found: probabilities.length,
      expected: `${rows * classes}, rows of ${classes},`,
    });
  }
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    if (Number.isInteger(label) && label >= 0 && label < classes) continue;
    throw rangeError(`labels[${row}]`, label, `a class from 0 to ${classes - 1}`);
  }
  return rows;
}
