import { describe, expect, it } from 'vitest';
import { below, philox4x32, shuffled, type Words4 } from '../../dist/data/random.js';
import { failure } from '../support/errors.js';

describe('philox4x32', () => {
  // The known-answer vectors of the generator's authors (Random123, kat_vectors, philox4x32 10).
  const ones = 0xffffffff;
  const vectors: { counter: Words4; key: [number, number]; words: Words4 }[] = [
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [ones, ones, ones, ones],
      key: [ones, ones],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];

  it.each(vectors)('gives the published words for counter $counter', ({ counter, key, words }) => {
    expect(philox4x32(counter, key)).toEqual(words);
  });
});

describe('below', () => {
  const given = (...words: number[]) => {
    const each = words.values();
    return () => each.next().value as number;
  };

  it('passes over the words that would make small numbers likelier', () => {
    // 2^32 = 3 * 1431655765 + 1: of all words, only 2^32 - 1 is one too many.
    expect(below(3, given(0xffffffff, 0xffffffff, 5))).toBe(2);
    expect(below(3, given(0xfffffffe))).toBe(2);
    // 2^32 = 1 * (2^31 + 1) + 2^31 - 1.
    expect(below(2 ** 31 + 1, given(2 ** 31 + 1, 2 ** 31))).toBe(2 ** 31);
    expect(below(2 ** 32, given(0xffffffff))).toBe(0xffffffff);
  });
});

describe('shuffled', () => {
  it.each([0, 1, 2, 3, 257, 10_000])('is a permutation of %i numbers', (count) => {
    const order = shuffled(count, 7, 3);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  it('depends on nothing but its arguments, and on every bit of seed and stream', () => {
    const order = shuffled(50, 5, 9);
    expect(shuffled(50, 5, 9)).toEqual(order);
    for (const [seed, stream] of [
      [6, 9],
      [5, 10],
      [9, 5],
      [5 + 2 ** 32, 9],
      [5 + 2 ** 52, 9],
      [5, 9 + 2 ** 32],
      [5, 9 + 2 ** 40],
    ] as const) {
      expect(shuffled(50, seed, stream)).not.toEqual(order);
    }
  });

  it('makes every order of four equally likely', () => {
    const draws = 24_000;
    const counts = new Map<string, number>();
    for (let stream = 0; stream < draws; stream++) {
      const order = shuffled(4, 1, stream).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = draws / 24;
    const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 23 degrees of freedom: mean 23, and above 49.7 once in a thousand.
    expect(chiSquared).toBeLessThan(49.7);
  });

  it.each([
    ['count', -1, 0, 0],
    ['count', 2 ** 32, 0, 0],
    ['seed', 4, -1, 0],
    ['seed', 4, 0.5, 0],
    ['seed', 4, 2 ** 53, 0],
    ['seed', 4, Number.NaN, 0],
    ['stream', 4, 0, -1],
    ['stream', 4, 0, Number.POSITIVE_INFINITY],
  ])('refuses a %s out of range: %d, %d, %d', async (subject, count, seed, stream) => {
    const error = await failure('range', () => shuffled(count, seed, stream));
    expect(error.subject).toBe(subject);
    expect(error.message).toContain(`${subject} is ${error.found}; a whole number from 0 to`);
  });
});
