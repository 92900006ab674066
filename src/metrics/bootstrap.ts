import { below, wordStream } from '../data/random.js';

/** Where a figure lies with a probability of 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Random streams of the draws; splits and epochs use others. */
const BOOTSTRAP_STREAM = 2 ** 44;

/** Rows that are drawn in all, and times that all rows are drawn, at least and at most. */
const DRAWS = 2_500_000;
const LEAST_REPEATS = 40;
const MOST_REPEATS = 1000;

/** From so many repeats on their percentiles are taken; below, their deviation. */
const ENOUGH_FOR_PERCENTILES = 200;

/**
 * Confidence intervals of figures by the bootstrap (Efron, 1979): as many rows as there are are drawn with replacement, again and
 * again, and the figures of each draw computed. The interval holds the middle 95 % of them; with more than 12,500 rows, which are
 * drawn fewer than 200 times, it is 1.96 of their standard deviations to each side of their mean. `figuresOf` is given how often
 * each row was drawn. The same seed gives the same intervals. Figures that are NaN in some draw have none.
 *
 * @example bootstrap(3, (counts) => ({ mean: (counts[0] * 1 + counts[1] * 2 + counts[2] * 3) / 3 }), 0).mean;
 */
export function bootstrap<K extends string>(
  rows: number,
  figuresOf: (counts: Uint32Array) => Readonly<Record<K, number>>,
  seed: number,
): Partial<Record<K, Interval>> {
  const repeats = Math.min(MOST_REPEATS, Math.max(LEAST_REPEATS, Math.floor(DRAWS / rows)));
  const found = new Map<K, number[]>();
  const counts = new Uint32Array(rows);
  const next = wordStream(seed, BOOTSTRAP_STREAM);
  for (let repeat = 0; repeat < repeats; repeat++) {
    counts.fill(0);
    for (let draw = 0; draw < rows; draw++) counts[below(rows, next)]! += 1;
    for (const [name, value] of Object.entries(figuresOf(counts)) as [K, number][]) {
      const values = found.get(name) ?? [];
      found.set(name, values);
      values.push(value);
    }
  }
  const intervals = [...found]
    .filter(([, values]) => values.every(Number.isFinite))
    .map(([name, values]) => [name, intervalOf(values)]);
  return Object.fromEntries(intervals) as Partial<Record<K, Interval>>;
}

function intervalOf(values: number[]): Interval {
  if (values.length < ENOUGH_FOR_PERCENTILES) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    const half = 1.96 * Math.sqrt(variance);
    return { low: mean - half, high: mean + half };
  }
  values.sort((a, b) => a - b);
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** The quantile of sorted values, between two of them in proportion (NumPy's default). */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const first = Math.floor(at);
  const next = sorted[Math.min(first + 1, sorted.length - 1)]!;
  return sorted[first]! + (at - first) * (next - sorted[first]!);
}
