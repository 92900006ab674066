import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  classificationScores,
  classRocAuc,
  logLoss,
  multilabelScores,
  regressionScores,
  rocAuc,
  topKAccuracy,
} from '../../dist/index.js';
import { confusionOf, scoresOf } from '../../dist/model/evaluation.js';
import { failure } from '../support/errors.js';
import { points, small, smallModel, stripes } from './support.js';

// The figures of scikit-learn (reference/make_metrics.py), and that a model's evaluation has them.

type Scores = Record<'precision' | 'recall' | 'f1', number>;

interface Reference {
  classification: {
    name: string;
    classes: number;
    labels: number[];
    probabilities: number[];
    expected: {
      confusion: number[][];
      accuracy: number;
      macro: Scores;
      perClass: (Scores & { support: number })[];
      logLoss: number;
      logLossF32: number;
      rocAuc: number | null;
      topK: number[];
    };
  }[];
  multilabel: {
    name: string;
    outputs: number;
    targets: number[];
    probabilities: number[];
    expected: {
      subsetAccuracy: number;
      accuracy: number;
      micro: Scores;
      macro: Scores;
      labels: (Scores & { support: number; rocAuc: number | null })[];
    };
  }[];
  regression: {
    name: string;
    outputs: number;
    targets: number[];
    predictions: number[];
    weights: number[] | null;
    expected: { mae: number; rmse: number; r2: number };
  }[];
}

const file = new URL('reference/metrics.json', import.meta.url);
const reference: Reference = JSON.parse(readFileSync(file, 'utf8'));

/** Both trees have the same numbers to 1e-9 of them; what scikit-learn has not is NaN. */
function expectClose(found: unknown, expected: unknown, place = ''): void {
  if (expected === null) expect(found, place).toBeNaN();
  else if (typeof expected === 'number') {
    const difference = Math.abs((found as number) - expected);
    expect(difference, `${place}: ${found}, not ${expected}`).toBeLessThanOrEqual(
      1e-9 * Math.max(1, Math.abs(expected)),
    );
  } else {
    for (const [key, value] of Object.entries(expected as object)) {
      expectClose((found as Record<string, unknown>)[key], value, `${place}.${key}`);
    }
  }
}

/** The first of the most probable classes of each row. */
function predictedOf(probabilities: Float32Array, classes: number): number[] {
  return Array.from({ length: probabilities.length / classes }, (_, row) => {
    const values = [...probabilities.subarray(row * classes, (row + 1) * classes)];
    return values.indexOf(Math.max(...values));
  });
}

describe('classification has the figures of scikit-learn', () => {
  it.each(reference.classification)('$name', ({ classes, labels, probabilities, expected }) => {
    const p = Float32Array.from(probabilities);
    expect([...p]).toEqual(probabilities);
    const confusion = confusionOf(labels, predictedOf(p, classes), classes);
    expect(confusion).toEqual(expected.confusion);
    const scores = classificationScores(confusion);
    expectClose(scores.accuracy, expected.accuracy);
    expectClose(scores.macro, expected.macro);
    expectClose(scores.classes, expected.perClass);
    expectClose(logLoss(labels, p, classes), expected.logLoss);
    // scikit-learn's own sum is in f32 here.
    expect(Math.abs(logLoss(labels, p, classes) / expected.logLossF32 - 1)).toBeLessThan(1e-6);
    expectClose(classRocAuc(labels, p, classes), expected.rocAuc);
    expected.topK.forEach((share, index) => {
      expectClose(topKAccuracy(labels, p, classes, index + 1), share, `top ${index + 1}`);
    });
    expect(topKAccuracy(labels, p, classes, classes)).toBe(1);
  });
});

describe('labels have the figures of scikit-learn', () => {
  it.each(reference.multilabel)('$name', ({ outputs, targets, probabilities, expected }) => {
    const p = Float32Array.from(probabilities);
    const scores = multilabelScores(targets, p, outputs);
    expectClose(scores, expected);
    expect(scores.labels).toHaveLength(outputs);
  });
});

describe('regression has the figures of scikit-learn', () => {
  it.each(reference.regression)('$name', ({ outputs, targets, predictions, weights, expected }) => {
    expectClose(regressionScores(targets, predictions, outputs, weights ?? undefined), expected);
    const asFloats = Float32Array.from(predictions);
    expect([...asFloats]).toEqual(predictions);
  });
});

describe('evaluate', () => {
  it('has these figures of what a classifier says', async () => {
    const data = stripes(40, 1);
    const model = await smallModel(3);
    await model.fit(data, { epochs: 5 });
    const p = model.probabilities(data.x);
    const confusion = confusionOf(data.y, predictedOf(p, 3), 3);
    expect(model.evaluate(data)).toEqual({
      task: 'classification',
      samples: 40,
      loss: expect.closeTo(logLoss(data.y, p, 3), 5),
      confusion,
      ...classificationScores(confusion),
      logLoss: logLoss(data.y, p, 3),
      rocAuc: classRocAuc(data.y, p, 3),
      top5Accuracy: 1,
    });
  });

  it('has these figures of what a model of labels says', async () => {
    const data = points(40, 2, (a, b) => [Number(a > 0.3), Number(b > 0.6)]);
    const model = await smallModel(2);
    await model.fit(data, { epochs: 5 });
    const scores = multilabelScores(data.y.flat(), model.probabilities(data.x), 2);
    expect(model.evaluate(data)).toEqual({
      task: 'multilabel',
      samples: 40,
      loss: expect.any(Number),
      ...scores,
    });
  });

  it('has these figures of predicted numbers, weighted as the samples are', async () => {
    const data = points(40, 2, (a, b) => [Math.fround(a * b), Math.fround(50 * a)]);
    const weights = data.x.map((_, row) => row % 3);
    const model = await smallModel(2);
    await model.fit(data, { epochs: 5 });
    const says = model.probabilities(data.x);
    expect(model.evaluate(data)).toMatchObject({
      task: 'regression',
      ...regressionScores(data.y.flat(), says, 2),
    });
    expect(model.evaluate({ ...data, weights })).toMatchObject(
      regressionScores(data.y.flat(), says, 2, weights),
    );
  });

  it('has no error of samples that all weigh nothing', async () => {
    const data = points(10, 2, (a) => a);
    const model = await smallModel(1);
    await model.fit(data, { epochs: 1 });
    const weights = data.y.map(() => 0);
    expect(model.evaluate({ ...data, weights })).toMatchObject({ loss: 0, mae: 0, rmse: 0, r2: 1 });
  });

  it('has the five most probable of many classes', () => {
    const { labels, probabilities, expected } = reference.classification.find(
      ({ classes }) => classes === 12,
    )!;
    const outputs = Float32Array.from(probabilities);
    const predicted = Int32Array.from(predictedOf(outputs, 12));
    const found = scoresOf('classification', small(12), labels, { loss: 0, predicted, outputs });
    expect(found).toMatchObject({ samples: 60, top5Accuracy: expected.topK[4], accuracy: expected.accuracy });
  });
});

describe('what does not fit together is refused', () => {
  it.each<[string, string, () => unknown]>([
    ['range', 'The number of samples is 0;', () => logLoss([], [], 3)],
    ['range', 'The number of samples is 0;', () => topKAccuracy([], [], 3, 1)],
    ['shape', 'probabilities.length is 3; 9, rows of 3,', () => logLoss([0, 1, 2], [1, 0, 0], 3)],
    ['shape', 'probabilities.length is 6; 3, rows of 3,', () => classRocAuc([0], [1, 0, 0, 0, 1, 0], 3)],
    ['range', 'labels[1] is 3; a class from 0 to 2', () => topKAccuracy([0, 3], [1, 0, 0, 1, 0, 0], 3, 1)],
    ['range', 'labels[0] is missing;', () => logLoss([undefined as never], [1, 0, 0], 3)],
    ['range', 'k is 4; a whole number from 1 to 3', () => topKAccuracy([0], [1, 0, 0], 3, 4)],
    ['range', 'k is 0;', () => topKAccuracy([0], [1, 0, 0], 3, 0)],
    ['shape', 'targets.length is 2; 3, rows of 1,', () => rocAuc([0, 1], [0, 1, 1])],
    ['range', 'The number of samples is 0;', () => rocAuc([], [])],
    ['shape', 'targets.length is 3; 3, rows of 2,', () => multilabelScores([0, 1, 1], [0, 1, 1], 2)],
    ['range', 'The number of samples is 0;', () => regressionScores([], [], 2)],
    ['shape', 'weights.length is 1; 2 is expected.', () => regressionScores([1, 2], [1, 2], 1, [1])],
  ])('%s: %s', async (code, words, call) => {
    expect((await failure(code, call)).message).toContain(words);
  });
});
