import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import { BUILD_CHOICES, MAX_BATCH, MAX_WIDTH, TreadleError } from '#bindings';
import { ARCHITECTURES, LEARNING_RATES } from '../fashion-mnist/architectures.js';
import type { RunConfig } from '../results/records.js';
import { isName, NAME_RULE } from '../strict/names.js';
import { preview, quote } from '../strict/text.js';

/** Samples in a batch when nobody says otherwise. */
export const DEFAULT_BATCH_SIZE = 256;

/** Smallest and largest value of every whole-number setting. */
export const LIMITS = {
  epochs: [1, 100_000],
  batchSize: [2, MAX_BATCH],
  seed: [0, 2 ** 32 - 1],
  validationSize: [1, 1_000_000_000],
  trainSamples: [2, 1_000_000_000],
  jobs: [1, 1024],
  threads: [1, 1024],
} as const;

/** The largest learning rate that is accepted; far above any that trains, and still finite when squared in float64. */
export const MAX_LEARNING_RATE = 1e30;

/** What a whole-number setting must be, in words. */
export function wholeNumberRule([least, most]: readonly [number, number]): string {
  return `a whole number from ${least} to ${most}`;
}

/** What a learning rate must be, in words. */
export const LEARNING_RATE_RULE = `a number above 0 and at most ${MAX_LEARNING_RATE}`;

/** What a dropout probability must be, in words. */
export const DROPOUT_RULE = 'a number from 0 to below 1';

/** What an architecture's name must be, in words. Libraries that keep names as keys of an object break by `__proto__`. */
const ARCHITECTURE_RULE = `${NAME_RULE}, but not "__proto__",`;

function wholeNumber(limits: readonly [number, number]) {
  const rule = wholeNumberRule(limits);
  return v.pipe(v.number(rule), v.integer(rule), v.minValue(limits[0], rule), v.maxValue(limits[1], rule));
}

function oneOf<const T extends readonly string[]>(choices: T) {
  return v.picklist(choices, `one of ${choices.join(', ')}`);
}

function noRepeats(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

const hidden = v.pipe(
  v.array(wholeNumber([1, MAX_WIDTH]), 'a list of widths'),
  v.minLength(1, 'a list of at least one width'),
  v.maxLength(64, 'a list of at most 64 widths'),
);

const name = v.pipe(
  v.string(ARCHITECTURE_RULE),
  v.check((text) => isName(text) && text !== '__proto__', ARCHITECTURE_RULE),
);

const architectures = v.pipe(
  v.array(v.strictObject({ name, hidden }, 'an object with name and hidden'), 'a list of architectures'),
  v.minLength(1, 'at least one architecture'),
  v.check(
    (list) => noRepeats(list.map((entry) => entry.name)),
    'a list of architectures with different names',
  ),
);

const learningRate = v.pipe(
  v.number(LEARNING_RATE_RULE),
  v.check((rate) => rate > 0 && rate <= MAX_LEARNING_RATE, LEARNING_RATE_RULE),
);

const learningRates = v.pipe(
  v.array(learningRate, 'a list of learning rates'),
  v.minLength(1, 'at least one learning rate'),
  v.check((rates) => noRepeats(rates), 'a list of learning rates that differ'),
);

/** Every setting of a run with its check; messages say what is expected. */
export const RUN_SETTINGS = {
  architectures,
  learningRates,
  mode: oneOf(['chained', 'independent']),
  epochs: wholeNumber(LIMITS.epochs),
  batchSize: wholeNumber(LIMITS.batchSize),
  dropout: v.pipe(
    v.number(DROPOUT_RULE),
    v.check((rate) => rate >= 0 && rate < 1, DROPOUT_RULE),
  ),
  seed: wholeNumber(LIMITS.seed),
  validationSize: v.nullable(wholeNumber(LIMITS.validationSize)),
  trainSamples: v.nullable(wholeNumber(LIMITS.trainSamples)),
  keep: oneOf(['best', 'last']),
  jobs: wholeNumber(LIMITS.jobs),
  threads: wholeNumber(LIMITS.threads),
  build: oneOf(BUILD_CHOICES),
};

/** The published report's grid with treadle's defaults, for this machine's cores. */
export function defaultConfig(): RunConfig {
  const cores = availableParallelism();
  return {
    architectures: Object.entries(ARCHITECTURES).map(([name, { hidden }]) => ({ name, hidden: [...hidden] })),
    learningRates: [...LEARNING_RATES],
    mode: 'chained',
    epochs: 10,
    batchSize: DEFAULT_BATCH_SIZE,
    dropout: 0.5,
    seed: 0,
    validationSize: null,
    trainSamples: null,
    keep: 'best',
    jobs: cores,
    threads: cores,
    build: 'auto',
  };
}

/** Fills settings that are left out with the defaults and checks all of them. Throws `range` for one that is wrong. */
export function resolveConfig(settings: Partial<RunConfig> = {}): RunConfig {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return checkConfig({ ...defaultConfig(), ...given }, '');
}

/** Checks settings of which none may be left out. Throws `range`; `place` (such as a file) is put before the sentence. */
export function checkConfig(settings: object, place: string): RunConfig {
  const result = v.safeParse(v.strictObject(RUN_SETTINGS), settings);
  if (result.success) return result.output;
  const { subject, found, expected, sentence } = describeIssue(result.issues[0], place);
  throw new TreadleError('range', sentence, {
    subject: place === '' ? subject : `${place}: ${subject}`,
    found,
    expected,
  });
}

/** One sentence for a setting that failed its check; `place` (such as a file) is put before the setting's path. */
export function describeIssue(issue: v.BaseIssue<unknown>, place: string) {
  const path = v.getDotPath(issue) ?? 'the settings';
  const prefix = place === '' ? '' : `${place}: `;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const expected = `known keys only (${Object.keys(RUN_SETTINGS).join(', ')})`;
    const sentence = `${prefix}${quote(path)} is an unknown key; ${expected} are expected.`;
    return { subject: path, found: path, expected, sentence };
  }
  const expected = issue.type === 'strict_object' ? 'a value' : issue.message;
  const found = issue.input === undefined ? 'missing' : preview(issue.input);
  return {
    subject: path,
    found: issue.input,
    expected,
    sentence: `${prefix}${path} is ${found}; ${expected} is expected.`,
  };
}
