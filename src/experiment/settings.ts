import * as v from 'valibot';
import { AUGMENT_KEYS, AUGMENT_MOST, BUILD_CHOICES, MAX_WIDTH } from '#bindings';
import { ARCHITECTURES, LEARNING_RATES } from '../fashion-mnist/architectures.js';
import type { RunConfig } from '../results/records.js';
import { isName, NAME_RULE } from '../strict/names.js';
import { AVERAGES } from './evaluate.js';
import { DEFAULT_BATCH_SIZE, LIMITS } from './limits.js';

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

export const hidden = v.pipe(
  v.array(wholeNumber([1, MAX_WIDTH]), 'a list of widths'),
  v.minLength(1, 'a list of at least one width'),
  v.maxLength(64, 'a list of at most 64 widths'),
);

const name = v.pipe(
  v.string(ARCHITECTURE_RULE),
  v.check((text) => isName(text) && text !== '__proto__', ARCHITECTURE_RULE),
);

export const dropout = v.pipe(
  v.number(DROPOUT_RULE),
  v.check((rate) => rate >= 0 && rate < 1, DROPOUT_RULE),
);

const range = (most: number) => {
  const rule = `a number from 0 to ${most}`;
  return v.optional(v.pipe(v.number(rule), v.minValue(0, rule), v.maxValue(most, rule)));
};

const augment = v.nullable(
  v.strictObject(
    {
      ...(Object.fromEntries(AUGMENT_KEYS.map((key) => [key, range(AUGMENT_MOST[key])])) as Record<
        (typeof AUGMENT_KEYS)[number],
        ReturnType<typeof range>
      >),
      until: range(1),
    },
    'an object of ranges, or null',
  ),
);

const architectures = v.pipe(
  v.array(
    v.strictObject(
      { name, hidden, dropout: v.optional(dropout), augment: v.optional(augment) },
      'an object with name and hidden',
    ),
    'a list of architectures',
  ),
  v.minLength(1, 'at least one architecture'),
  v.check(
    (list) => noRepeats(list.map((entry) => entry.name)),
    'a list of architectures with different names',
  ),
);

export const learningRate = v.pipe(
  v.number(LEARNING_RATE_RULE),
  v.check((rate) => rate > 0 && rate <= MAX_LEARNING_RATE, LEARNING_RATE_RULE),
);

const learningRates = v.pipe(
  v.array(learningRate, 'a list of learning rates'),
  v.minLength(1, 'at least one learning rate'),
  v.check((rates) => noRepeats(rates), 'a list of learning rates that differ'),
);

/** How the command line takes a setting. */
export interface SettingOption {
  readonly help: string;
  /** The value's placeholder in the help. */
  readonly value: string;
  /** The range of a whole number, or the texts to choose from. */
  readonly takes: readonly [number, number] | readonly string[];
  /** The default in words, where its value alone does not say enough. */
  readonly fallback?: string;
  /** True for what `run-all` alone takes. */
  readonly ofGrids?: boolean;
}

/** One setting of a run. */
export interface Setting<Value> {
  /** What it has to be; messages say what is expected. */
  readonly check: v.GenericSchema<unknown, Value>;
  /** Its default on a machine with so many cores. */
  readonly fallback: (cores: number) => Value;
  /** Whether trained bytes depend on it. What they do not depend on may differ when a run is resumed. */
  readonly changesBytes: boolean;
  /** Null for what only a configuration file sets. */
  readonly option: SettingOption | null;
}

const setting = <Value>(
  check: v.GenericSchema<unknown, Value>,
  fallback: (cores: number) => Value,
  option: SettingOption | null,
  changesBytes = true,
): Setting<Value> => ({ check, fallback, changesBytes, option });

const whole = (takes: readonly [number, number], help: string, fallback?: string): SettingOption => ({
  help,
  value: 'n',
  takes,
  ...(fallback !== undefined && { fallback }),
});

/** THE table of a run's settings: defaults, checks, configurations, options and resuming read it. */
export const SETTINGS: { readonly [Name in keyof RunConfig]: Setting<RunConfig[Name]> } = {
  architectures: setting(
    architectures,
    () => Object.entries(ARCHITECTURES).map(([name, { hidden }]) => ({ name, hidden: [...hidden] })),
    null,
  ),
  learningRates: setting(learningRates, () => [...LEARNING_RATES], null),
  schedule: setting(oneOf(['constant', 'cosine']), () => 'constant', {
    help: 'cosine: the rate rises from 0 in 5 % of the steps and falls along a cosine to 0',
    value: 'how',
    takes: ['constant', 'cosine'],
  }),
  mode: setting(oneOf(['chained', 'independent']), () => 'chained', {
    help: 'chained: each learning rate starts from the weights of the one before',
    value: 'mode',
    takes: ['chained', 'independent'],
    ofGrids: true,
  }),
  passes: setting(wholeNumber(LIMITS.passes), () => 1, {
    ...whole(
      LIMITS.passes,
      'times that the chain of rates is trained, each from the last weights of the one before',
    ),
    ofGrids: true,
  }),
  epochs: setting(wholeNumber(LIMITS.epochs), () => 10, whole(LIMITS.epochs, 'epochs of each model')),
  batchSize: setting(
    wholeNumber(LIMITS.batchSize),
    () => DEFAULT_BATCH_SIZE,
    whole(LIMITS.batchSize, 'samples in a batch'),
  ),
  dropout: setting(dropout, () => 0.5, null),
  augment: setting(augment, () => null, null),
  seed: setting(wholeNumber(LIMITS.seed), () => 0, whole(LIMITS.seed, 'seed of all random numbers')),
  seeds: setting(wholeNumber(LIMITS.seeds), () => 1, {
    ...whole(LIMITS.seeds, 'models of each architecture and rate, with one seed after another'),
    ofGrids: true,
  }),
  validationSize: setting(
    v.nullable(wholeNumber(LIMITS.validationSize)),
    () => null,
    whole(
      LIMITS.validationSize,
      'training images held out for validation (default: 10000, or a sixth of them where that is fewer)',
    ),
  ),
  trainSamples: setting(
    v.nullable(wholeNumber(LIMITS.trainSamples)),
    () => null,
    whole(LIMITS.trainSamples, 'images trained on, of those left (default: all)'),
  ),
  keep: setting(oneOf(['best', 'last']), () => 'best', {
    help: 'epoch whose weights are saved: best by validation macro-F1, or last',
    value: 'which',
    takes: ['best', 'last'],
  }),
  average: setting(oneOf(AVERAGES), () => 'none', {
    help: 'of tests: flip, the mean of an image and its mirror image',
    value: 'how',
    takes: AVERAGES,
  }),
  jobs: setting(
    wholeNumber(LIMITS.jobs),
    (cores) => cores,
    whole(LIMITS.jobs, 'models trained at once', "this machine's cores"),
    false,
  ),
  threads: setting(
    wholeNumber(LIMITS.threads),
    (cores) => cores,
    whole(LIMITS.threads, 'threads in all', "this machine's cores"),
    false,
  ),
  // The command line adds --build to every command that runs the core.
  build: setting(oneOf(BUILD_CHOICES), () => 'auto', null),
};

/** The names of all settings, in their order. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly (keyof RunConfig)[];
