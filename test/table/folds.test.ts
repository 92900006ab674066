import { describe, expect, it } from 'vitest';
import { foldRows, lackingClasses } from '../../dist/table/folds.js';
import { tableOf } from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

/** 53 rows: 40 of a, 13 of b; 9 groups of sizes that differ; times that fall. */
const TABLE = tableOf(
  Array.from({ length: 53 }, (_, row) => ({
    kind: row % 4 === 1 ? 'b' : 'a',
    shop: Math.floor(Math.sqrt(row * 1.5)),
    seen: 1000 - row,
  })),
);
const cells = (name: string) => TABLE.columns.find((column) => column.name === name)!.cells;
const ALL = Array.from({ length: 53 }, (_, row) => row);
const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);

describe('folds', () => {
  it('hold every row out once, and are the same for the same seed only', () => {
    const folds = foldRows(TABLE, { folds: 5, seed: 3 });
    expect(sorted(folds.flatMap(({ held }) => held))).toEqual(ALL);
    for (const { rest, held } of folds) expect(sorted([...rest, ...held])).toEqual(ALL);
    expect(folds.map(({ held }) => held.length).sort()).toEqual([10, 10, 11, 11, 11]);
    expect(foldRows(TABLE, { folds: 5, seed: 3 })).toEqual(folds);
    expect(foldRows(TABLE, { folds: 5, seed: 4 })).not.toEqual(folds);
  });

  it('have every class in proportion', () => {
    const folds = foldRows(TABLE, { folds: 4, stratify: 'kind' });
    const counts = folds.map(({ held }) => held.filter((row) => cells('kind').at(row) === 'b').length);
    expect(counts.sort()).toEqual([3, 3, 3, 4]);
    const sizes = folds.map(({ held }) => held.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBe(1);
  });

  it('deal a class of fewer rows to as many, which is told', () => {
    const folds = foldRows(TABLE, { folds: 20, stratify: 'kind' });
    const counts = folds.map(({ held }) => held.filter((row) => cells('kind').at(row) === 'b').length);
    expect(counts.sort()).toEqual([...Array(7).fill(0), ...Array(13).fill(1)]);
    expect(folds.map(({ held }) => held.length).sort()).toEqual([...Array(7).fill(2), ...Array(13).fill(3)]);
    expect(lackingClasses(TABLE, 'kind', folds)).toBe(
      'Not every fold has every class of kind: b (13 rows, in 13 of 20 folds). Macro averages are over the classes that a fold has or is said to have, ROC AUC is over the folds that have all.',
    );
    expect(lackingClasses(TABLE, 'kind', foldRows(TABLE, { folds: 13, stratify: 'kind' }))).toBe(null);
  });

  it('keep groups together, and are of about one size', () => {
    const folds = foldRows(TABLE, { folds: 3, group: 'shop' });
    const shops = folds.map(({ held }) => new Set(held.map((row) => cells('shop').at(row))));
    expect(shops.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(cells('shop')).size);
    const sizes = folds.map(({ held }) => held.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(53);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(11);
  });

  it('come after what is trained on, by time', () => {
    const folds = foldRows(TABLE, { folds: 4, time: 'seen' });
    // scikit-learn's TimeSeriesSplit(4) of 53 rows in their order: 13, 23, 33 and 43 to train on, 10 held out each.
    expect(folds.map(({ rest, held }) => [rest.length, held.length])).toEqual([
      [13, 10],
      [23, 10],
      [33, 10],
      [43, 10],
    ]);
    const seen = (rows: readonly number[]) => rows.map((row) => cells('seen').at(row) as number);
    for (const { rest, held } of folds) expect(Math.max(...seen(rest))).toBeLessThan(Math.min(...seen(held)));
  });

  it.each([
    [{ folds: 1 }, 'range', 'folds is 1; a whole number from 2 up'],
    [{ folds: 2.5 }, 'range', 'folds is 2.5'],
    [{ folds: 54 }, 'data', 'The table has 53 rows; at least 54 are expected'],
    [{ folds: 53, time: 'seen' }, 'data', 'The table has 53 rows; at least 54'],
    [{ folds: 10, group: 'shop' }, 'data', 'The table has 9 values of shop; at least 10'],
    [{ folds: 3, group: 'shop', time: 'seen' }, 'usage', 'one of the two'],
    [{ folds: 3, group: 'shops' }, 'usage', 'group is shops'],
    [{ folds: 3, time: 'kind' }, 'data', 'kind in row 0 is a; a time or a number'],
  ])('are refused: %j', async (options, code, words) => {
    expect((await failure(code, () => foldRows(TABLE, options))).message).toContain(words);
  });
});
