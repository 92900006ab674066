import { describe, expect, it } from 'vitest';
import { epochOrder, hashText, networkSeed } from '../../dist/experiment/seeds.js';

describe('hashText', () => {
  it('is FNV-1a over low and high bytes', () => {
    expect(hashText('')).toBe(0x811c9dc5);
    // FNV's published value for the two bytes 'a', 0 follows from its value for 'a', e40c292c, by one multiplication.
    expect(hashText('a')).toBe(Number((0xe40c292cn * 16777619n) & 0xffffffffn));
  });
});

describe('networkSeed', () => {
  it('differs between seeds and between jobs', () => {
    const seeds = [0, 1].flatMap((seed) =>
      ['small_0.005', 'small_0.004', 'large1_0.005'].map((id) => networkSeed(seed, id)),
    );
    expect(new Set(seeds).size).toBe(6);
  });
});

describe('epochOrder', () => {
  const indices = Uint32Array.from({ length: 200 }, (_, index) => 3 * index + 1);

  it('holds every index once', () => {
    const order = epochOrder(indices, 7, 'small_0.005', 1);
    expect([...order].sort((a, b) => a - b)).toEqual([...indices]);
    expect([...order]).not.toEqual([...indices]);
  });

  it('is decided by seed, job and epoch alone', () => {
    const order = [...epochOrder(indices, 7, 'small_0.005', 1)];
    expect([...epochOrder(indices, 7, 'small_0.005', 1)]).toEqual(order);
    expect([...epochOrder(indices, 8, 'small_0.005', 1)]).not.toEqual(order);
    expect([...epochOrder(indices, 7, 'small_0.004', 1)]).not.toEqual(order);
    expect([...epochOrder(indices, 7, 'small_0.005', 2)]).not.toEqual(order);
  });
});
