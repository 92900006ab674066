import { describe, expect, it } from 'vitest';
import { type ClassificationEvaluation, decodeCheckpoint, encodeCheckpoint } from '../../dist/index.js';
import {
  crossValidate,
  fitTable,
  type SearchEvent,
  type SearchOptions,
  searchTable,
  splitTable,
  type Table,
  type TrialRecord,
  type TrialStore,
  tableOf,
} from '../../dist/table/index.js';
import { failure } from '../support/errors.js';

/** 160 rows of a number with gaps, a category, a shop and a day, and what follows from them. */
const TABLE = tableOf(
  Array.from({ length: 160 }, (_, row) => {
    const size = (row * 37) % 50;
    const colour = ['red', 'green', 'blue'][(row * 7) % 3]!;
    return {
      size: row % 11 === 3 ? null : size,
      colour,
      shop: `shop ${row % 12}`,
      day: (row * 61) % 160,
      kind: size > 25 !== (colour === 'red') ? 'dear' : 'cheap',
      price: 3 * size + (colour === 'red' ? 40 : 0),
    };
  }),
);
const COLUMNS = { price: 'leave', shop: 'leave', day: 'leave' } as const;
const KIND = { target: 'kind', columns: COLUMNS, epochs: 12, patience: 4 };
const GRID = { hidden: [[8], [16, 8]], learningRate: [0.05, 0.01, 0.001] };

/** Without times, which are no result. */
const timeless = (found: unknown) =>
  JSON.parse(JSON.stringify(found, (key, value) => (key === 'seconds' ? undefined : value)));

/** A store that outlives searches, as a folder does; `all` has everything as a file would. */
function lastingStore(): TrialStore & { all: Map<string, string | Uint8Array> } {
  const all = new Map<string, string | Uint8Array>();
  return {
    all,
    every: 0,
    record: async (name) => JSON.parse((all.get(name) as string) ?? 'null'),
    keepRecord: async (name, record) => void all.set(name, JSON.stringify(record)),
    checkpoint: async (trial) => {
      const bytes = all.get(`${trial}.bin`);
      return bytes === undefined ? null : decodeCheckpoint(bytes as Uint8Array);
    },
    keepCheckpoint: async (trial, found) => void all.set(`${trial}.bin`, encodeCheckpoint(found)),
    dropCheckpoint: async (trial) => void all.delete(`${trial}.bin`),
  };
}

describe('cross-validation', () => {
  it('scores every fold, with mean and deviation as numpy has them', async () => {
    const { folds, scores } = await crossValidate(TABLE, { ...KIND, folds: 4, seed: 1 });
    expect(folds.map(({ id, fold, rows }) => [id, fold, rows.scored])).toEqual([
      ['c1-f1', 1, 40],
      ['c1-f2', 2, 40],
      ['c1-f3', 3, 40],
      ['c1-f4', 4, 40],
    ]);
    for (const { rows, epochs, kept } of folds) {
      expect(rows.train + rows.validation).toBe(120);
      expect(epochs[kept! - 1]!.valLoss).toBe(Math.min(...epochs.map(({ valLoss }) => valLoss!)));
    }
    const found = folds.map((fold) => (fold.scores as { accuracy: number }).accuracy);
    const mean = found.reduce((sum, value) => sum + value, 0) / 4;
    const deviation = Math.sqrt(found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4);
    expect(scores.accuracy!.mean).toBeCloseTo(mean, 12);
    expect(scores.accuracy!.deviation).toBeCloseTo(deviation, 12);
    expect(Object.keys(scores)).toEqual(['accuracy', 'macroF1', 'rocAuc', 'logLoss', 'loss']);
  });

  it('gives the same whatever the number of jobs', async () => {
    const options = { ...KIND, folds: 3 };
    const one = await crossValidate(TABLE, options);
    expect(timeless(await crossValidate(TABLE, { ...options, jobs: 3 }))).toEqual(timeless(one));
    expect(timeless(await crossValidate(TABLE, { ...options, seed: 1 }))).not.toEqual(timeless(one));
  });

  it('learns the encoders of a fold on its training rows alone', async () => {
    // The one row of a size that is far from all others: where it is held out, it moves no mean.
    const rows = Array.from({ length: 40 }, (_, row) => ({
      x: row === 0 ? 1e6 : row % 5,
      y: row % 5 > 2 ? 'a' : 'b',
    }));
    const { folds } = await crossValidate(tableOf(rows), {
      target: 'y',
      folds: 2,
      epochs: 30,
      columns: { x: 'number' },
    });
    // Trained with that row all other sizes are alike, and nothing can be told apart; without it everything can.
    const accuracies = folds.map(({ scores }) => (scores as { accuracy: number }).accuracy).sort();
    expect(accuracies[0]).toBeLessThan(0.75);
    expect(accuracies[1]).toBeGreaterThan(0.9);
  });

  it('keeps groups together, and does not learn from them; goes forward in time', async () => {
    const grouped = await crossValidate(TABLE, {
      ...KIND,
      columns: { price: 'leave', day: 'leave' },
      folds: 3,
      group: 'shop',
    });
    expect(grouped.folds.map(({ rows }) => rows.scored).reduce((sum, rows) => sum + rows, 0)).toBe(160);
    expect(grouped.folds.every(({ rows }) => [53, 54, 66, 52, 40].includes(rows.scored))).toBe(true);
    const timed = await crossValidate(TABLE, {
      ...KIND,
      target: 'price',
      columns: { kind: 'leave', shop: 'leave' },
      folds: 3,
      time: 'day',
    });
    expect(timed.folds.map(({ rows }) => [rows.train + rows.validation, rows.scored])).toEqual([
      [40, 40],
      [80, 40],
      [120, 40],
    ]);
    expect(Object.keys(timed.scores)).toEqual(['r2', 'rmse', 'mae', 'loss']);
  });

  it('spreads a class of fewer rows than folds, tells it, and scores what each fold has', async () => {
    const rare = Array.from({ length: 63 }, (_, row) => ({
      size: row,
      kind: row === 7 ? 'once' : row < 2 ? 'rare' : row % 2 ? 'a' : 'b',
    }));
    const warnings: string[] = [];
    const onEvent = (event: SearchEvent) => {
      if (event.type === 'warning') warnings.push(event.message);
    };
    const options = { target: 'kind', columns: { size: 'number' }, folds: 3, epochs: 2, onEvent } as const;
    const { folds, scores } = await crossValidate(tableOf(rare), options);
    expect(warnings).toEqual([
      expect.stringContaining(
        'Not every fold has every class of kind: rare (2 rows, in 2 of 3 folds), once (1 row, in 1 of 3 folds). Macro',
      ),
    ]);
    const supports = folds.map((fold) =>
      (fold.scores as ClassificationEvaluation).classes.map((one) => one.support),
    );
    expect(supports.reduce((sum, own) => sum.map((count, at) => count + own[at]!))).toEqual([29, 31, 1, 2]);
    for (const { scores } of folds) {
      const { classes, confusion, macro, rocAuc } = scores as ClassificationEvaluation;
      const present = classes.filter((one, at) => one.support > 0 || confusion.some((row) => row[at]! > 0));
      const mean = present.reduce((sum, { f1 }) => sum + f1 / present.length, 0);
      expect(macro.f1).toBeCloseTo(mean, 12);
      expect(Number.isNaN(rocAuc)).toBe(classes.some(({ support }) => support === 0));
    }
    const known = folds
      .map(({ scores }) => (scores as ClassificationEvaluation).rocAuc)
      .filter((own) => own >= 0);
    expect(scores.rocAuc!.mean).toEqual(
      known.length === 0 ? Number.NaN : known.reduce((sum, own) => sum + own / known.length, 0),
    );
    const search = { ...options, folds: 40, grid: { score: 'rocAuc' } } as const;
    const refused = await failure('usage', () => searchTable(tableOf(rare), search));
    expect(refused.message).toBe(
      'score is rocAuc (no rows that are scored have every class of kind); another one, or a larger part of the rows is expected.',
    );
  });

  it.each([
    [{ folds: 1 }, 'range', 'folds is 1'],
    [{ folds: 161, target: 'day', columns: {} }, 'data', 'The table has 160 rows; at least 161'],
    [{ jobs: 0 }, 'range', 'jobs is 0'],
    [{ seed: -1 }, 'range', 'seed is -1'],
    [{ validation: 1 }, 'range', 'share is 1'],
    [{ target: 'kin' }, 'usage', 'target is kin'],
    [{ epoch: 3 }, 'usage', "unknown key 'epoch'"],
    [{ onEvent: 1 }, 'usage', 'onEvent is 1'],
    [{ group: 'shop', time: 'day' }, 'usage', 'one of the two'],
  ])('is refused: %j', async (options, code, words) => {
    const error = await failure(code, () => crossValidate(TABLE, { ...KIND, ...options } as typeof KIND));
    expect(error.message).toContain(words);
  });

  it('is refused without options', async () => {
    await failure('usage', () => crossValidate(TABLE, undefined as unknown as { target: string }));
  });
});

describe('a search', () => {
  it('compares candidates by validation, and gives the model of the best', async () => {
    const { rest, held } = splitTable(TABLE, { share: 0.2, stratify: 'kind' });
    const { model, candidates, final } = await searchTable(rest, { ...KIND, grid: GRID });
    expect(candidates).toHaveLength(6);
    const scores = candidates.map(({ scores }) => [scores!.accuracy!.mean, scores!.loss!.mean]);
    const sorted = scores.toSorted(([a, la], [b, lb]) => b! - a! || la! - lb!);
    expect(scores).toEqual(sorted);
    const [best] = candidates;
    expect(timeless(final)).toEqual({ ...timeless(best!.trials[0]), id: 'final' });
    // fitTable trains the same model when it is given the same rows and the winner's settings.
    const inner = splitTable(rest, { share: 0.15, stratify: 'kind' });
    const { learningRate, hidden } = best!.settings;
    const alone = await fitTable(inner.rest, {
      ...KIND,
      hidden: hidden!,
      learningRate: { type: 'cosine', rate: learningRate! },
      optimizer: { type: 'adamW' },
      validation: inner.held,
      classes: ['cheap', 'dear'],
    });
    expect(model.predict(held)).toEqual(alone.model.predict(held));
    expect(model.evaluate(held)).toEqual(alone.model.evaluate(held));
    model.dispose();
    alone.model.dispose();
  });

  it('by cross-validation compares means over the folds, and over seeds', async () => {
    const grid = { hidden: [[8], [16]], seeds: 2, score: 'logLoss' as const };
    const { candidates, final } = await searchTable(TABLE, { ...KIND, grid, folds: 3, jobs: 2 });
    const [best] = candidates;
    expect(best!.trials.map(({ id }) => id)).toEqual(
      ['f1-s0', 'f1-s1', 'f2-s0', 'f2-s1', 'f3-s0', 'f3-s1'].map((name) => `${best!.id}-${name}`),
    );
    const losses = candidates.map(({ scores }) => scores!.logLoss!.mean);
    expect(losses[0]).toBeLessThan(losses[1]!);
    expect(final.rows).toEqual({ train: 136, validation: 24, scored: 24 });
  });

  it('gives those up early that do worst, and goes on with the others where they stood', async () => {
    const grid = { ...GRID, halving: { factor: 2, first: 3 } };
    const events: SearchEvent[] = [];
    const halved = await searchTable(TABLE, {
      ...KIND,
      patience: 12,
      grid,
      onEvent: (event) => events.push(event),
    });
    expect(
      events.flatMap((event) => (event.type === 'rung' ? [[event.candidates, event.epochs]] : [])),
    ).toEqual([
      [6, 3],
      [3, 6],
      [2, 12],
    ]);
    expect(halved.candidates.map(({ halvedAt }) => halvedAt)).toEqual([null, null, 2, 1, 1, 1]);
    expect(halved.candidates.map(({ trials }) => trials[0]!.epochs.length)).toEqual([12, 12, 6, 3, 3, 3]);
    // Those trained to the end have the epochs that they have without halving.
    const whole = await searchTable(TABLE, { ...KIND, patience: 12, grid: GRID });
    for (const { id, trials } of halved.candidates.slice(0, 2)) {
      const same = whole.candidates.find((candidate) => candidate.id === id)!;
      expect(timeless(trials)).toEqual(timeless(same.trials));
    }
    const side = await searchTable(TABLE, { ...KIND, patience: 12, grid, jobs: 2 });
    expect(timeless(side.candidates)).toEqual(timeless(halved.candidates));
    expect(side.model.save()).toEqual(halved.model.save());
  });

  it('records candidates that fail, and goes on; fails where all do', async () => {
    const optimizer = { type: 'sgd' as const };
    const options = {
      ...KIND,
      target: 'price',
      columns: { shop: 'leave', kind: 'leave' } as const,
      optimizer,
    };
    const { candidates } = await searchTable(TABLE, { ...options, grid: { learningRate: [1e30, 0.01] } });
    expect(candidates.map(({ id, scores }) => [id, scores === null])).toEqual([
      ['c2', false],
      ['c1', true],
    ]);
    expect(candidates[1]!.trials[0]).toMatchObject({ ended: 'failed', scores: null, kept: null });
    expect(candidates[1]!.trials[0]!.error).toContain('try a lower learning rate');
    const error = await failure('diverged', () =>
      searchTable(TABLE, { ...options, grid: { learningRate: [1e30, 2e30] } }),
    );
    expect(error.message).toMatch(/^No candidate could be trained\. The model/);
  });

  it('takes every setting that a grid can have', async () => {
    const grid = {
      search: 'random' as const,
      trials: 6,
      activation: ['gelu' as const, 'leakyRelu' as const],
      norm: [true, false],
      dropout: { from: 0, to: 0.3 },
      schedule: ['cosine' as const, 'constant' as const],
      optimizer: ['adamW' as const, 'adam' as const, 'sgd' as const],
      weightDecay: { from: 1e-4, to: 1e-1, scale: 'log' as const },
      batchSize: [16, 32],
      epochs: { from: 2, to: 4 },
      patience: [2, 3],
      halving: true,
    };
    const { candidates, model } = await searchTable(TABLE, {
      ...KIND,
      grid,
      optimizer: { type: 'sgd', momentum: 0.9 },
    });
    expect(candidates).toHaveLength(6);
    expect(candidates.every(({ settings }) => Object.keys(settings).length === 9)).toBe(true);
    expect(model.predict(TABLE)).toHaveLength(160);
  });

  it.each([
    [{ grid: { hiden: [[8]] } }, 'usage', '"hiden" is an unknown key'],
    [{ grid: { score: 'r2' } }, 'usage', 'score is r2; one of accuracy, macroF1, rocAuc, logLoss, loss'],
    [{ grid: { halving: { first: 0 } } }, 'usage', 'halving.first is 0'],
  ])('is refused: %j', async (options, code, words) => {
    const error = await failure(code, () => searchTable(TABLE, { ...KIND, ...options } as SearchOptions));
    expect(error.message).toContain(words);
  });
});

describe('a search that was stopped', () => {
  const options: SearchOptions = { ...KIND, grid: { ...GRID, halving: { factor: 2, first: 3 } }, folds: 2 };

  /** Searches until so many epochs have been heard of, again and again, until it is done. */
  async function inPieces(table: Table, epochs: number, jobs: number) {
    const store = lastingStore();
    for (let pieces = 1; ; pieces++) {
      const stop = new AbortController();
      let heard = 0;
      const onEvent = (event: SearchEvent) => {
        if (event.type === 'epoch' && ++heard === epochs) stop.abort();
      };
      try {
        const found = await searchTable(table, { ...options, jobs, store, onEvent, signal: stop.signal });
        return { ...found, pieces, store };
      } catch (error) {
        expect((error as { code: string }).code).toBe('interrupted');
      }
    }
  }

  it.each([
    [7, 1],
    [10, 2],
  ])('after every %i epochs, with %i jobs, comes to the same results', async (epochs, jobs) => {
    const whole = await searchTable(TABLE, options);
    const { candidates, model, pieces, store } = await inPieces(TABLE, epochs, jobs);
    expect(pieces).toBeGreaterThan(5);
    expect(timeless(candidates)).toEqual(timeless(whole.candidates));
    expect(model.save()).toEqual(whole.model.save());
    expect([...store.all.keys()].filter((name) => name.endsWith('.bin'))).toEqual(['final.bin']);
  });

  it('has trained nothing where the signal has aborted before', async () => {
    const store = lastingStore();
    await failure('interrupted', () =>
      searchTable(TABLE, { ...options, store, signal: AbortSignal.abort() }),
    );
    expect(store.all.size).toBe(0);
  });
});

it('records are plain data', async () => {
  const { candidates, final } = await searchTable(TABLE, { ...KIND, grid: { hidden: [[4]] } });
  const records: TrialRecord[] = [final, ...candidates.flatMap(({ trials }) => trials)];
  expect(JSON.parse(JSON.stringify(records))).toEqual(records);
});
