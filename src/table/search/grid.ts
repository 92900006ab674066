import * as v from 'valibot';
import { MAX_BATCH, MAX_WIDTH, PLAIN_ACTIVATIONS, TreadleError } from '#bindings';
import { issueSentence } from '../../strict/issues.js';
import { SCORE_NAMES, type ScoreName } from './scores.js';

/** Numbers between two ends, for searches at random. On a `log` scale all orders of magnitude are equally likely. */
export interface Range {
  from: number;
  to: number;
  scale?: 'linear' | 'log' | undefined;
}

/** What one candidate is made of; what it lacks is as for the others. */
export interface Settings {
  /** Widths of the hidden blocks. */
  hidden?: number[];
  activation?: 'relu' | 'tanh' | 'sigmoid' | 'gelu' | 'silu' | 'leakyRelu';
  /** BatchNorm in every hidden block. */
  norm?: boolean;
  dropout?: number;
  /** The largest rate of the schedule. */
  learningRate?: number;
  schedule?: 'cosine' | 'constant';
  optimizer?: 'adamW' | 'adam' | 'sgd';
  /** AdamW's decay; of the other optimisers the l2 that is added to the gradients. */
  weightDecay?: number;
  batchSize?: number;
  epochs?: number;
  patience?: number;
}

/** Successive halving: how much fewer candidates go on after each rung, and the epochs of the first one. */
export interface Halving {
  factor?: number | undefined;
  first?: number | undefined;
}

/** What is searched: a list of values for each setting or, at random, a range of numbers. */
export type SearchGrid = {
  [Name in keyof Settings]?:
    | NonNullable<Settings[Name]>[]
    | (Settings[Name] extends number | undefined ? Range : never);
} & {
  /** Every combination, or so many trials drawn at random. Default: grid. */
  search?: 'grid' | 'random' | undefined;
  trials?: number | undefined;
  /** Trainings of each candidate, with seeds that follow one another; candidates are compared by their mean. Default: 1. */
  seeds?: number | undefined;
  /** What candidates are compared by. Default: accuracy, or r2 of numbers. */
  score?: ScoreName | undefined;
  /** Whether candidates that do worst are given up early. Default: false. */
  halving?: boolean | Halving | undefined;
};

/** The most candidates of a search. */
export const MOST_CANDIDATES = 10_000;

const MOST_EPOCHS = 100_000;

const number = (rule: string, isGood: (value: number) => boolean) =>
  v.pipe(v.number(rule), v.finite(rule), v.check(isGood, rule));
const whole = (least: number, most: number) => {
  const rule = `a whole number from ${least} to ${most}`;
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(least, rule), v.maxValue(most, rule));
};
const oneOf = <const T extends readonly string[]>(choices: T) =>
  v.picklist(choices, `one of ${choices.join(', ')}`);

/** THE table of what can be searched: each setting with the check of one value. */
const VALUES = {
  hidden: v.pipe(v.array(whole(1, MAX_WIDTH), 'a list of widths'), v.maxLength(64, 'at most 64 widths')),
  activation: oneOf([...PLAIN_ACTIVATIONS, 'leakyRelu']),
  norm: v.boolean('true or false'),
  dropout: number('a number from 0 to below 1', (rate) => rate >= 0 && rate < 1),
  learningRate: number('a number above 0', (rate) => rate > 0),
  schedule: oneOf(['cosine', 'constant']),
  optimizer: oneOf(['adamW', 'adam', 'sgd']),
  weightDecay: number('a number from 0 up', (decay) => decay >= 0),
  batchSize: whole(1, MAX_BATCH),
  epochs: whole(1, MOST_EPOCHS),
  patience: whole(1, MOST_EPOCHS),
} as const;

/** The settings that can be searched, in the order of tables. */
export const SETTING_NAMES = Object.keys(VALUES) as readonly (keyof Settings)[];

/** Settings whose values are whole: numbers drawn for them are rounded. */
export const WHOLE: ReadonlySet<keyof Settings> = new Set(['batchSize', 'epochs', 'patience']);
const NUMBERS: ReadonlySet<string> = new Set([...WHOLE, 'dropout', 'learningRate', 'weightDecay']);

const LIST_RULE = 'a list of at least one value, all different,';

function list(value: v.GenericSchema) {
  return v.pipe(
    v.array(value, LIST_RULE),
    v.minLength(1, LIST_RULE),
    v.check((values) => new Set(values.map((one) => JSON.stringify(one))).size === values.length, LIST_RULE),
  );
}

function range(value: v.GenericSchema) {
  const rule = 'a list of values, or a range such as {"from": 1, "to": 8, "scale": "log"}';
  const end = v.pipe(
    v.number('a number'),
    v.check((found) => v.is(value, found), 'a value that the setting can have'),
  );
  return v.pipe(
    v.strictObject({ from: end, to: end, scale: v.optional(oneOf(['linear', 'log'])) }, rule),
    v.check(({ from, to }) => from < to, 'a range from a smaller number to a larger one'),
    v.check(({ from, scale }) => scale !== 'log' || from > 0, 'a log scale that begins above 0'),
  );
}

const axes = Object.fromEntries(
  Object.entries(VALUES).map(([name, value]) => [
    name,
    v.optional(v.lazy((found) => (Array.isArray(found) || !NUMBERS.has(name) ? list(value) : range(value)))),
  ]),
);

const halving = v.optional(
  v.lazy((found) =>
    typeof found === 'boolean'
      ? v.boolean()
      : v.strictObject(
          { factor: v.optional(whole(2, 100)), first: v.optional(whole(1, MOST_EPOCHS)) },
          'true, false or an object with factor and first',
        ),
  ),
);

const GRID = v.strictObject(
  {
    search: v.optional(oneOf(['grid', 'random'])),
    trials: v.optional(whole(1, MOST_CANDIDATES)),
    seeds: v.optional(whole(1, 1000)),
    score: v.optional(oneOf(SCORE_NAMES)),
    halving,
    ...axes,
  },
  'an object of settings to search',
);

/**
 * Checks what is to be searched; `place` (such as a file) is put before each sentence. Throws `usage` for unknown keys, values
 * that a setting cannot have, empty lists, ranges in a grid, and more than {@link MOST_CANDIDATES} candidates.
 */
export function checkGrid(found: unknown, place = ''): SearchGrid {
  // To valibot a list is an object of its places.
  const result = v.safeParse(GRID, Array.isArray(found) ? null : found, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const depth = issue.path?.length ?? 0;
    const known = depth < 2 ? Object.keys(GRID.entries) : [];
    const inner = issue.path?.[0]?.key === 'halving' ? ['factor', 'first'] : ['from', 'to', 'scale'];
    throw wrong(place, issueSentence(issue, place, depth < 2 ? known : inner, 'the grid'));
  }
  const grid = result.output as SearchGrid;
  expectTogether(grid, place);
  return grid;
}

/** Combinations of the lists; null where a range has no number of them. */
export function combinationsOf(grid: SearchGrid): number | null {
  let count = 1;
  for (const name of SETTING_NAMES) {
    const values = grid[name];
    if (values !== undefined && !Array.isArray(values)) return null;
    count *= values?.length ?? 1;
  }
  return count;
}

function expectTogether(grid: SearchGrid, place: string): void {
  const complain = (subject: string, found: unknown, expected: string): never => {
    const prefix = place === '' ? '' : `${place}: `;
    const sentence = `${prefix}${subject} is ${found === undefined ? 'missing' : JSON.stringify(found)}; ${expected} is expected.`;
    throw wrong(place, { subject, found, expected, sentence });
  };
  const combinations = combinationsOf(grid);
  if (grid.search === 'random') {
    if (grid.trials === undefined) complain('trials', undefined, 'the number of candidates to draw');
    if (combinations !== null && grid.trials! > combinations) {
      complain('trials', grid.trials, `at most ${combinations}, as many as the lists combine to,`);
    }
    return;
  }
  if (grid.trials !== undefined) complain('trials', grid.trials, 'it with "search": "random" only');
  const ranged = SETTING_NAMES.find((name) => grid[name] !== undefined && !Array.isArray(grid[name]));
  if (ranged !== undefined) complain(ranged, grid[ranged], 'a list of values, or "search": "random",');
  if (combinations! > MOST_CANDIDATES) {
    complain('The number of candidates', combinations, `at most ${MOST_CANDIDATES}, or "search": "random",`);
  }
}

function wrong(
  place: string,
  { subject, found, expected, sentence }: ReturnType<typeof issueSentence>,
): TreadleError {
  return new TreadleError('usage', sentence, {
    subject: place === '' ? subject : `${place}: ${subject}`,
    found,
    expected,
  });
}
