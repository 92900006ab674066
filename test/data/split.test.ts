import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultValidationSize, stratifiedSplit, takeStratified } from '../../dist/data/split.js';
import { failure } from '../support/errors.js';

/** Labels with the given number of samples of each class, interleaved. */
function labelled(...counts: number[]): Uint8Array {
  const all = counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, index) => ({ label, at: index / count })),
  );
  return Uint8Array.from(all.sort((a, b) => a.at - b.at).map(({ label }) => label));
}

function perClass(indices: Uint32Array, labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const index of indices) counts[labels[index]!]!++;
  return counts;
}

function isAscending(indices: Uint32Array): boolean {
  return indices.every((value, index) => index === 0 || indices[index - 1]! < value);
}

describe('stratifiedSplit', () => {
  it.each([
    // Quotas 4, 4, 2.
    { counts: [40, 40, 20], size: 10, expected: [4, 4, 2] },
    // Quotas 3.75, 3.75, 2.5: floors 3, 3, 2, and the two left go to the largest remainders.
    { counts: [30, 30, 20], size: 10, expected: [4, 4, 2] },
    // Quotas 2.333 each: one left, all remainders tie, so the lowest class has it.
    { counts: [10, 10, 10], size: 7, expected: [3, 2, 2] },
    // Quotas 9.5, 0.5: floor 0 is raised to 1, so the first keeps its floor.
    { counts: [38, 2], size: 10, expected: [9, 1] },
    // Quotas 2.88, 0.06, 0.06: two are raised to 1, so one is taken from the first.
    { counts: [97, 2, 2], size: 3, expected: [1, 1, 1] },
    // Quotas 94.12, 1.94, 1.94: the small classes must keep one for training.
    { counts: [97, 2, 2], size: 98, expected: [96, 1, 1] },
    // A class of one sample, and one of none, have nothing to hold out; the others divide as without them.
    { counts: [0, 40, 1, 40, 0, 20], size: 10, expected: [0, 4, 0, 4, 0, 2] },
    { counts: [1, 1, 2], size: 1, expected: [0, 0, 1] },
  ])('gives $counts at $size: $expected', ({ counts, size, expected }) => {
    const labels = labelled(...counts);
    const { validation } = stratifiedSplit(labels, counts.length, size, 1);
    expect(perClass(validation, labels, counts.length)).toEqual(expected);
  });

  it('divides the samples into two ascending parts, by the seed alone', () => {
    const labels = labelled(50, 70, 30);
    const { train, validation } = stratifiedSplit(labels, 3, 40, 11);
    expect(isAscending(train) && isAscending(validation)).toBe(true);
    expect(validation.length).toBe(40);
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual([...labels.keys()]);
    expect(stratifiedSplit(labels, 3, 40, 11)).toEqual({ train, validation });
    expect(stratifiedSplit(labels, 3, 40, 12)).not.toEqual({ train, validation });
  });

  it('draws every sample of a class equally often', () => {
    const labels = labelled(10, 10);
    const times = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      for (const index of stratifiedSplit(labels, 2, 10, seed).validation) times[index]!++;
    }
    // Binomial with mean 1000 and standard deviation 22.4: five of them either side.
    for (const count of times) expect(Math.abs(count - 1000)).toBeLessThan(112);
  });

  it('keeps its promises for any counts and sizes', () => {
    const cases = fc.tuple(
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 2, maxLength: 8 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(cases, ([counts, choice]) => {
        const labels = labelled(...counts);
        const classes = counts.length;
        const least = counts.filter((count) => count >= 2).length;
        const most = labels.length - counts.filter((count) => count >= 1).length;
        fc.pre(least > 0);
        expect(defaultValidationSize(labels, classes)).toBeGreaterThanOrEqual(least);
        expect(defaultValidationSize(labels, classes)).toBeLessThanOrEqual(most);
        const size = least + (choice % (most - least + 1));
        const { train, validation } = stratifiedSplit(labels, classes, size, choice);
        expect(validation.length).toBe(size);
        expect(train.length).toBe(labels.length - size);
        const held = perClass(validation, labels, classes);
        counts.forEach((count, label) => {
          expect(held[label]).toBeGreaterThanOrEqual(count >= 2 ? 1 : 0);
          expect(held[label]).toBeLessThanOrEqual(Math.max(0, count - 1));
        });
      }),
    );
  });

  it.each([0, -5, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 2])(
    'refuses the validation size %d',
    async (size) => {
      const error = await failure('range', () => stratifiedSplit(labelled(9, 9, 9), 3, size, 1));
      expect(error.message).toBe(
        `validationSize is ${size}; a whole number of at least 3 (one of each class that has two) is expected.`,
      );
    },
  );

  it.each([
    {
      size: 25,
      counts: [9, 9, 9],
      message:
        'There are too few samples: validationSize 25 leaves 2 of 27 for training; at least one of each class, 3',
    },
    {
      size: 99,
      counts: [9, 9, 9],
      message:
        'There are too few samples: validationSize 99 leaves 0 of 27 for training; at least one of each class, 3',
    },
    { size: 1, counts: [1, 1, 1], message: 'no class has two; at least two of one class' },
  ])('refuses $counts at $size', async ({ size, counts, message }) => {
    const error = await failure('data', () => stratifiedSplit(labelled(...counts), 3, size, 1));
    expect(error.message).toContain(message);
  });

  it.each([-1, 1.5, 2 ** 53])('refuses the seed %d', async (seed) => {
    const error = await failure('range', () => stratifiedSplit(labelled(9, 9), 2, 4, seed));
    expect(error.subject).toBe('seed');
  });
});

describe('defaultValidationSize', () => {
  it.each([
    { what: 'Fashion-MNIST', counts: Array(10).fill(6000), size: 10_000 },
    { what: 'more than that', counts: Array(26).fill(4800), size: 10_000 },
    { what: 'a little less', counts: [30_000, 29_999], size: 9999 },
    { what: 'a small set', counts: [150, 150], size: 50 },
    { what: 'a set with more classes than a sixth', counts: Array(20).fill(2), size: 20 },
    { what: 'classes of one sample, which all train', counts: [...Array(10).fill(1), 3], size: 2 },
    { what: 'empty classes', counts: [0, 6, 0, 6], size: 2 },
    { what: 'no class that can be divided', counts: [1, 1], size: 0 },
  ])('of $what is $size', ({ counts, size }) => {
    expect(defaultValidationSize(labelled(...counts), counts.length)).toBe(size);
    if (size === 0) return;
    const split = stratifiedSplit(labelled(...counts), counts.length, null, 3);
    expect(split).toEqual(stratifiedSplit(labelled(...counts), counts.length, size, 3));
  });
});

describe('takeStratified', () => {
  const labels = labelled(60, 30, 10);
  const { train } = stratifiedSplit(labels, 3, 50, 4);

  it('takes in proportion, ascending, of the given indices only', () => {
    const taken = takeStratified(train, labels, 3, 20, 4);
    expect(perClass(taken, labels, 3)).toEqual([12, 6, 2]);
    expect(isAscending(taken)).toBe(true);
    expect([...taken].every((index) => train.includes(index))).toBe(true);
    expect(takeStratified(train, labels, 3, 20, 4)).toEqual(taken);
    expect(takeStratified(train, labels, 3, 20, 5)).not.toEqual(taken);
  });

  it('takes at least one of each class, and at most all', () => {
    expect(perClass(takeStratified(train, labels, 3, 3, 4), labels, 3)).toEqual([1, 1, 1]);
    expect(takeStratified(train, labels, 3, train.length, 4)).toEqual(train);
  });

  it.each([2, 51, 0, -1, 7.5, Number.NaN])('refuses to take %d', async (count) => {
    const error = await failure('range', () => takeStratified(train, labels, 3, count, 4));
    expect(error.message).toBe(
      `trainSamples is ${count}; a whole number of at least 3 (one of each class) and at most 50 is expected.`,
    );
  });

  it('takes nothing of a class without samples', () => {
    expect(perClass(takeStratified(train, labels, 4, 20, 4), labels, 4)).toEqual([12, 6, 2, 0]);
    expect(takeStratified(train, labels, 4, 20, 4)).toEqual(takeStratified(train, labels, 3, 20, 4));
  });
});
