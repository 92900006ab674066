import type { ConfusionMatrix } from '../metrics/classification.js';
import { whole } from '../results/format.js';

/** Above this number of classes a matrix is no table: a page has a chart, a terminal the largest confusions. */
export const MOST_CLASSES_IN_A_TABLE = 64;

/** Images of one class that were taken for another. */
export interface Confusion {
  actual: number;
  predicted: number;
  count: number;
  /** Share of the actual class's images. */
  share: number;
}

/** All confusions, the largest count first. */
export function confusionsOf(confusion: ConfusionMatrix): Confusion[] {
  return confusion
    .flatMap((row, actual) => {
      const support = row.reduce((total, count) => total + count, 0);
      return row.map((count, predicted) => ({ actual, predicted, count, share: count / support }));
    })
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

/** The title of a list of the `shown` largest of `all` confusions. */
export function confusionsTitle(shown: number, all: number, classes: number): string {
  if (all === 0) return `None of the ${classes} classes was taken for another.`;
  const what = shown === all ? `All ${whole(all)}` : `The ${shown} largest of the ${whole(all)}`;
  return all === 1
    ? `The only confusion among ${classes} classes`
    : `${what} confusions among ${classes} classes`;
}
