import { describe, expect, it } from 'vitest';
import { candidatesOf } from '../../dist/table/search/candidates.js';
import { checkGrid } from '../../dist/table/search/grid.js';
import { rungsOf } from '../../dist/table/search/halving.js';
import { failure } from '../support/errors.js';

describe('a grid', () => {
  it('has every combination of its lists, in their order', () => {
    const grid = checkGrid({ learningRate: [0.1, 0.01], hidden: [[8], []], norm: [true] });
    expect(candidatesOf(grid, 0)).toEqual([
      { id: 'c1', settings: { hidden: [8], norm: true, learningRate: 0.1 } },
      { id: 'c2', settings: { hidden: [8], norm: true, learningRate: 0.01 } },
      { id: 'c3', settings: { hidden: [], norm: true, learningRate: 0.1 } },
      { id: 'c4', settings: { hidden: [], norm: true, learningRate: 0.01 } },
    ]);
    expect(candidatesOf({}, 0)).toEqual([{ id: 'c1', settings: {} }]);
  });

  it('is drawn from at random without repeats where it has lists alone', () => {
    const grid = checkGrid({ search: 'random', trials: 5, batchSize: [8, 16, 32], dropout: [0, 0.5] });
    const drawn = candidatesOf(grid, 7).map(({ settings }) => JSON.stringify(settings));
    expect(new Set(drawn).size).toBe(5);
    expect(candidatesOf(grid, 7)).toEqual(candidatesOf(grid, 7));
    expect(candidatesOf(grid, 8)).not.toEqual(candidatesOf(grid, 7));
  });

  it('is drawn from evenly over a range, by orders of magnitude on a log scale, and rounded where whole', () => {
    const grid = checkGrid({
      search: 'random',
      trials: 3000,
      learningRate: { from: 1e-4, to: 1e-2, scale: 'log' },
      dropout: { from: 0.1, to: 0.5 },
      batchSize: { from: 8, to: 10 },
      activation: ['relu', 'gelu'],
    });
    const found = candidatesOf(grid, 1).map(({ settings }) => settings);
    const shareOf = (is: (settings: (typeof found)[number]) => boolean) => found.filter(is).length / 3000;
    // Four standard deviations of a share of a half over 3000 draws are 0.037.
    expect(shareOf(({ learningRate }) => learningRate! < 1e-3)).toBeCloseTo(0.5, 1);
    expect(shareOf(({ dropout }) => dropout! < 0.3)).toBeCloseTo(0.5, 1);
    expect(shareOf(({ activation }) => activation === 'gelu')).toBeCloseTo(0.5, 1);
    expect(found.every(({ learningRate: rate }) => rate! >= 1e-4 && rate! <= 1e-2)).toBe(true);
    expect(new Set(found.map(({ batchSize }) => batchSize))).toEqual(new Set([8, 9, 10]));
  });

  it.each([
    [
      { hiden: [[8]] },
      '"hiden" is an unknown key; known keys only (search, trials, seeds, score, halving, hidden,',
    ],
    [{ hidden: [] }, 'hidden is []; a list of at least one value, all different, is expected'],
    [{ hidden: [8] }, 'hidden.0 is 8; a list of widths'],
    [{ hidden: [[0]] }, 'hidden.0.0 is 0; a whole number from 1'],
    [{ learningRate: [0.1, 0.1] }, 'learningRate is [0.1,0.1]; a list of at least one value, all different,'],
    [{ learningRate: 0.1 }, 'learningRate is 0.1; a list of values, or a range'],
    [{ learningRate: [-1] }, 'learningRate.0 is -1; a number above 0'],
    [{ dropout: [1] }, 'dropout.0 is 1; a number from 0 to below 1'],
    [{ hidden: { from: 1, to: 2 } }, 'a list of at least one value'],
    [
      { learningRate: { from: 1, to: 2 } },
      'learningRate is {"from":1,"to":2}; a list of values, or "search": "random",',
    ],
    [{ search: 'random', dropout: [0] }, 'trials is missing; the number of candidates to draw'],
    [
      { search: 'random', trials: 3, dropout: [0, 0.5] },
      'trials is 3; at most 2, as many as the lists combine to,',
    ],
    [{ trials: 3, dropout: [0] }, 'trials is 3; it with "search": "random" only'],
    [
      { search: 'random', trials: 3, epochs: { from: 9, to: 2 } },
      'a range from a smaller number to a larger one',
    ],
    [
      { search: 'random', trials: 3, epochs: { from: 0, to: 2 } },
      'epochs.from is 0; a value that the setting can have',
    ],
    [
      { search: 'random', trials: 3, dropout: { from: 0, to: 0.5, scale: 'log' } },
      'a log scale that begins above 0',
    ],
    [
      { search: 'random', trials: 3, dropout: { from: 0, to: 0.5, by: 1 } },
      '"dropout.by" is an unknown key; known keys only (from, to, scale)',
    ],
    [{ halving: 2 }, 'halving is 2; true, false or an object with factor and first'],
    [{ halving: { factor: 1 } }, 'halving.factor is 1; a whole number from 2 to 100'],
    [{ halving: { last: 1 } }, '"halving.last" is an unknown key; known keys only (factor, first)'],
    [{ score: 'precision' }, 'score is "precision"; one of accuracy, macroF1,'],
    [[1], 'the grid is null; an object of settings to search'],
    [
      {
        epochs: Array.from({ length: 101 }, (_, at) => at + 1),
        patience: Array.from({ length: 100 }, (_, at) => at + 1),
      },
      'The number of candidates is 10100; at most 10000',
    ],
  ])('is refused where it is wrong: %j', async (grid, words) => {
    const error = await failure('usage', () => checkGrid(grid, 'grid.json'));
    expect(error.message).toMatch(/^grid\.json: /);
    expect(error.message).toContain(words);
  });
});

describe('rungs', () => {
  it.each([
    [undefined, 9, 100, [[Infinity, 1]]],
    [false, 9, 100, [[Infinity, 1]]],
    [
      true,
      9,
      100,
      [
        [12, 3],
        [36, 1],
        [Infinity, 1],
      ],
    ],
    [true, 2, 100, [[Infinity, 1]]],
    [true, 10, 2, [[Infinity, 1]]],
    [
      { factor: 2, first: 5 },
      5,
      40,
      [
        [5, 3],
        [10, 2],
        [20, 1],
        [Infinity, 1],
      ],
    ],
    [{ first: 50 }, 5, 40, [[Infinity, 1]]],
  ])('of halving %j, %i candidates and %i epochs', (halving, candidates, epochs, rungs) => {
    expect(rungsOf(halving, candidates, epochs).map(({ epochs, kept }) => [epochs, kept])).toEqual(rungs);
  });
});
