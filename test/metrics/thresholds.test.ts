import { describe, expect, it } from 'vitest';
import { bootstrap } from '../../dist/metrics/bootstrap.js';
import { rocAuc } from '../../dist/metrics/ranking.js';
import {
  averagePrecision,
  calibration,
  precisionRecallCurve,
  rocCurve,
  thinned,
} from '../../dist/metrics/thresholds.js';
import { failure } from '../support/errors.js';

const TARGETS = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0];
const SCORES = [0.1, 0.4, 0.35, 0.8, 0.9, 0.35, 0.2, 0.7, 0.55, 0.5, 0.95, 0.05];

const close = (found: readonly (readonly number[])[], expected: readonly (readonly number[])[]) => {
  expect(found).toHaveLength(expected.length);
  for (const [at, point] of expected.entries()) {
    for (const [axis, value] of point.entries()) expect(found[at]![axis]).toBeCloseTo(value, 12);
  }
};

describe('curves over thresholds', () => {
  it("are scikit-learn's", () => {
    const [a, b, c, d] = [1 / 6, 1 / 3, 2 / 3, 5 / 6];
    // roc_curve(..., drop_intermediate=False) and precision_recall_curve of scikit-learn 1.9.1, the latter from its end.
    const roc = [
      [0, 0],
      [0, a],
      [0, b],
      [a, b],
      [a, 0.5],
      [a, c],
      [b, c],
      [b, d],
    ];
    close(rocCurve(TARGETS, SCORES), [...roc, [0.5, 1], [c, 1], [d, 1], [1, 1]]);
    const recalls = [
      [0, 1],
      [a, 1],
      [b, 1],
      [b, c],
      [0.5, 0.75],
      [c, 0.8],
      [c, c],
      [d, 5 / 7],
    ];
    close(precisionRecallCurve(TARGETS, SCORES), [...recalls, [1, c], [1, 0.6], [1, 6 / 11], [1, 0.5]]);
    expect(averagePrecision(TARGETS, SCORES)).toBeCloseTo(0.8218253968253967, 14);
  });

  it('are none where only one kind occurs', () => {
    expect(rocCurve([1, 1], [0.1, 0.2])).toEqual([]);
    expect(precisionRecallCurve([0, 0], [0.1, 0.2])).toEqual([]);
    expect(averagePrecision([0, 0], [0.1, 0.2])).toBeNaN();
  });

  it('are refused for lists that do not fit together', async () => {
    await failure('shape', () => rocCurve([0, 1], [0.5]));
    await failure('range', () => precisionRecallCurve([], []));
    await failure('range', () => calibration([0, 1], [0.5, 1.5]));
  });

  it('keep their ends when they are thinned', () => {
    const points = Array.from({ length: 1001 }, (_, at) => [at, at * at] as const);
    const few = thinned(points, 11);
    expect(few).toHaveLength(11);
    expect([few[0], few[5], few[10]]).toEqual([
      [0, 0],
      [500, 250_000],
      [1000, 1_000_000],
    ]);
    expect(thinned(points, 2000)).toEqual(points);
  });
});

it("calibration is scikit-learn's", () => {
  // calibration_curve(..., n_bins=5) of scikit-learn 1.9.1.
  const found = calibration(TARGETS, SCORES, 5);
  const points = [
    [7 / 60, 0],
    [11 / 30, 2 / 3],
    [0.525, 0.5],
    [0.75, 0.5],
    [0.925, 1],
  ];
  close(
    found.map(({ predicted, observed }) => [predicted, observed]),
    points,
  );
  expect(found.map(({ samples }) => samples)).toEqual([3, 3, 2, 2, 2]);
});

describe('the bootstrap', () => {
  const values = Array.from({ length: 400 }, (_, at) => ((at * 7919) % 400) / 400);
  const mean = (counts: Uint32Array) =>
    values.reduce((sum, value, row) => sum + value * counts[row]!, 0) / values.length;

  it('draws as many rows as there are, and gives the interval of a mean that its standard error gives', () => {
    const found = bootstrap(
      400,
      (counts) => {
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400);
        return { mean: mean(counts) };
      },
      3,
    );
    // Uniform on [0, 1): a standard error of 0.2887 / 20.
    expect(found.mean!.low).toBeCloseTo(0.49875 - 1.96 * 0.01443, 2);
    expect(found.mean!.high).toBeCloseTo(0.49875 + 1.96 * 0.01443, 2);
    expect(bootstrap(400, (counts) => ({ mean: mean(counts) }), 3)).toEqual(found);
    expect(bootstrap(400, (counts) => ({ mean: mean(counts) }), 4)).not.toEqual(found);
  });

  it('of many rows is of their deviation', () => {
    const { share } = bootstrap(
      40_000,
      (counts) => ({ share: counts.subarray(0, 10_000).reduce((sum, count) => sum + count, 0) / 40_000 }),
      0,
    );
    expect(share!.high - share!.low).toBeCloseTo(2 * 1.96 * Math.sqrt((0.25 * 0.75) / 40_000), 2);
    expect(share!.low).toBeLessThan(0.25);
    expect(share!.high).toBeGreaterThan(0.25);
  });

  it('has no interval of what is not always a number', () => {
    const area = (counts: Uint32Array) => {
      const rows = [...counts].flatMap((count, row) => new Array<number>(count).fill(row));
      return {
        auc: rocAuc(
          rows.map((row) => row % 2),
          rows,
        ),
      };
    };
    expect(bootstrap(3, area, 0)).toEqual({});
  });
});
