import { describe, expect, it } from 'vitest';
import type { FitOptions, LearningRate, Schedule } from '../../dist/index.js';
import { checkLearningRate, plateauPatience, rateAt } from '../../dist/train/schedules.js';
import { failure } from '../support/errors.js';
import { smallModel, stripes } from './support.js';

// The rate of every step, by the definitions that the schedules name.

/** The rates of a training of so many epochs of so many steps. */
function rates(learningRate: LearningRate, epochs: number, stepsPerEpoch: number, lowered = 0): number[] {
  const steps = epochs * stepsPerEpoch;
  return Array.from({ length: steps }, (_, step) =>
    rateAt(learningRate, { step, epoch: Math.floor(step / stepsPerEpoch), steps, epochs, lowered }),
  );
}

describe('the rate', () => {
  it('that is a number, or constant, stays', () => {
    expect(new Set(rates(0.3, 3, 4))).toEqual(new Set([0.3]));
    expect(new Set(rates({ type: 'constant', rate: 0.3 }, 3, 4))).toEqual(new Set([0.3]));
  });

  it('that is a function has the place', () => {
    const found = rates(
      ({ step, epoch, steps, epochs }) => step + 10 * epoch + 100 * steps + 1000 * epochs,
      2,
      2,
    );
    expect(found).toEqual([2400, 2401, 2412, 2413]);
  });

  it('goes down in steps, by a tenth where nothing else is said', () => {
    const found = rates({ type: 'step', rate: 1, every: 2 }, 5, 1);
    [1, 1, 0.1, 0.1, 0.01].forEach((rate, epoch) => {
      expect(found[epoch]).toBeCloseTo(rate, 12);
    });
    expect(rates({ type: 'step', rate: 1, every: 1, factor: 0.5 }, 3, 2)).toEqual([
      1, 1, 0.5, 0.5, 0.25, 0.25,
    ]);
  });

  it('goes down epoch by epoch', () => {
    expect(rates({ type: 'exponential', rate: 2, factor: 0.5 }, 4, 1)).toEqual([2, 1, 0.5, 0.25]);
  });

  it('follows a cosine behind a linear warm-up', () => {
    const found = rates({ type: 'cosine', rate: 1, warmup: 0.2, least: 0.1 }, 10, 2);
    // Four steps of twenty warm up; the first does not stand still, and the fifth has the whole rate.
    expect(found.slice(0, 5)).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    found.slice(4).forEach((rate, index) => {
      expect(rate).toBeCloseTo(0.1 + (0.9 * (1 + Math.cos((Math.PI * index) / 16))) / 2, 12);
    });
    expect(found.at(-1)).toBeGreaterThan(0.1);
  });

  it('of a cosine warms up over a twentieth and goes to 0 where nothing else is said', () => {
    const found = rates({ type: 'cosine', rate: 0.01 }, 10, 10);
    expect(Math.max(...found)).toBe(0.01);
    expect(found.indexOf(0.01)).toBe(5);
    expect(found.at(-1)).toBeGreaterThan(0);
    expect(found.at(-1)).toBeLessThan(1e-5);
  });

  it('goes up and down in one cycle', () => {
    const found = rates({ type: 'oneCycle', rate: 1 }, 10, 10);
    expect(found[0]).toBeCloseTo(1 / 25, 12);
    expect(found[30]).toBe(1);
    expect(Math.max(...found)).toBe(1);
    const [up, down] = [found.slice(0, 31), found.slice(30)];
    expect(up).toEqual([...up].sort((a, b) => a - b));
    expect(down).toEqual([...down].sort((a, b) => b - a));
    expect(found[15]).toBeCloseTo((1 + 1 / 25) / 2, 12);
    expect(found.at(-1)).toBeLessThan(1e-3);
    expect(found.at(-1)).toBeGreaterThan(1 / 250_000);
  });

  it('is lowered on a plateau, but not below the least', () => {
    const plateau: Schedule = { type: 'plateau', rate: 1, factor: 0.1, least: 0.05 };
    expect([0, 1, 2].map((lowered) => rates(plateau, 1, 1, lowered)[0])).toEqual([1, 0.1, 0.05]);
    expect(rates({ type: 'plateau', rate: 1 }, 1, 1, 3)).toEqual([0.125]);
    expect(plateauPatience({ type: 'plateau', rate: 1 })).toBe(5);
    expect(plateauPatience({ ...plateau, patience: 2 })).toBe(2);
    expect(plateauPatience({ type: 'constant', rate: 1 })).toBeNull();
    expect(plateauPatience(0.1)).toBeNull();
  });

  it('is above 0 and finite at every place of every schedule', () => {
    const schedules: Schedule[] = [
      { type: 'step', rate: 0.1, every: 1 },
      { type: 'exponential', rate: 0.1, factor: 1e-3 },
      { type: 'cosine', rate: 0.1, warmup: 0 },
      { type: 'cosine', rate: 0.1, warmup: 0.999 },
      { type: 'oneCycle', rate: 0.1, warmup: 0 },
      { type: 'oneCycle', rate: 0.1, warmup: 0.999 },
    ];
    for (const schedule of schedules) {
      for (const [epochs, steps] of [
        [1, 1],
        [1, 2],
        [2, 1],
        [400, 1],
        [3, 50],
      ] as const) {
        for (const rate of rates(schedule, epochs, steps)) {
          expect(rate, schedule.type).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(0.1);
        }
      }
      // A stream that has become longer goes on at the end of its schedule.
      expect(rateAt(schedule, { step: 10, epoch: 2, steps: 10, epochs: 2, lowered: 0 })).toBeGreaterThan(0);
    }
  });
});

describe('fit', () => {
  const data = stripes(60, 1);

  it('steps at the rates of its schedule', async () => {
    const learningRate: Schedule = { type: 'oneCycle', rate: 0.05 };
    const model = await smallModel(3);
    const found: number[] = [];
    const onStep: FitOptions['onStep'] = ({ rate }) => found.push(rate);
    await model.fit(data, { epochs: 5, batchSize: 16, learningRate, onStep });
    expect(found).toEqual(rates(learningRate, 5, 4));
    const streamed = await smallModel(3);
    found.length = 0;
    await streamed.fit([data, data], { epochs: 5, learningRate, onStep });
    expect(found).toEqual(rates(learningRate, 5, 2));
  });

  it('lowers the rate after so many epochs without a better one', async () => {
    const model = await smallModel(3);
    const found: number[] = [];
    // Rates so small that no accuracy changes: the first epoch is the best.
    await model.fit(data, {
      epochs: 7,
      batchSize: 60,
      monitor: 'trainAccuracy',
      learningRate: { type: 'plateau', rate: 1e-12, patience: 2, factor: 0.5 },
      onStep: ({ rate }) => found.push(rate),
    });
    expect(found).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25].map((share) => share * 1e-12));
  });

  it('goes on where a rate has become too small to be a number', async () => {
    const model = await smallModel(3);
    const learningRate: Schedule = { type: 'exponential', rate: 0.01, factor: 1e-100 };
    const { epochs } = await model.fit(data, { epochs: 6, learningRate });
    expect(epochs).toHaveLength(6);
  });

  it('refuses a rate of 0 that a function returns, in the middle of a training', async () => {
    const model = await smallModel(3);
    const learningRate = ({ epoch }: { epoch: number }) => 1 - epoch;
    const error = await failure('range', () => model.fit(data, { learningRate }));
    expect(error.message).toBe('The rate that learningRate returned is 0; a number above 0 is expected.');
    await model.fit(data, { epochs: 1 });
  });
});

describe('what is no learning rate', () => {
  it.each<[string, string, unknown]>([
    ['range', 'learningRate is 0; a number above 0 is expected.', 0],
    ['range', 'learningRate is -1;', -1],
    ['range', 'learningRate is NaN;', Number.NaN],
    ['range', "learningRate is 'fast';", 'fast'],
    ['range', 'learningRate is null;', null],
    ['usage', 'learningRate.type is missing; one of constant, step,', { rate: 1 }],
    ['range', 'learningRate.rate is missing;', { type: 'constant' }],
    ['usage', "learningRate has the unknown key 'factor'", { type: 'cosine', rate: 1, factor: 0.5 }],
    ['range', 'learningRate.every is 0.5; a whole number from 1 up', { type: 'step', rate: 1, every: 0.5 }],
    ['usage', 'learningRate.every is missing; a number is expected.', { type: 'step', rate: 1 }],
    ['usage', 'learningRate.factor is missing;', { type: 'exponential', rate: 1 }],
    [
      'range',
      'learningRate.factor is 0; a number above 0 and at most 1',
      { type: 'plateau', rate: 1, factor: 0 },
    ],
    ['range', 'learningRate.patience is 0;', { type: 'plateau', rate: 1, patience: 0 }],
    [
      'range',
      'learningRate.least is 2; a number from 0 to the rate, 1,',
      { type: 'plateau', rate: 1, least: 2 },
    ],
    [
      'range',
      'learningRate.least is 0.2; a number from 0 to the rate, 0.1,',
      { type: 'cosine', rate: 0.1, least: 0.2 },
    ],
    [
      'range',
      'learningRate.warmup is 1; a number from 0 to below 1',
      { type: 'oneCycle', rate: 1, warmup: 1 },
    ],
  ])('%s: %s', async (code, words, learningRate) => {
    const error = await failure(code, () => checkLearningRate(learningRate));
    expect(error.message).toContain(words);
  });
});
