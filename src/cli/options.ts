import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { BUILD_CHOICES, TreadleError } from '#bindings';
import { AVERAGES } from '../experiment/evaluate.js';
import { RECIPE_NAMES, type RecipeName } from '../experiment/recipes.js';
import {
  LEARNING_RATE_RULE,
  MAX_LEARNING_RATE,
  SETTING_NAMES,
  SETTINGS,
  wholeNumberRule,
} from '../experiment/settings.js';
import { exists } from '../node/files.js';
import type { RunConfig } from '../results/records.js';

/** Folder that weights are saved in and tested from. */
export const DEFAULT_WEIGHTS = 'weights';

/** Folder that runs leave their records in. */
export const DEFAULT_OUT = 'runs';

/** A `usage` error in the one form all options share. */
export function usageError(option: string, found: string, expected: string): TreadleError {
  return new TreadleError('usage', `${option} is ${JSON.stringify(found)}; ${expected} is expected.`, {
    subject: option,
    found,
    expected,
  });
}

/** A parser for an option that takes a whole number within limits. Throws `usage`. */
export function wholeNumber(option: string, limits: readonly [number, number]): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= limits[0] && value <= limits[1]) return value;
    throw usageError(option, text, wholeNumberRule(limits));
  };
}

/** A parser for an option that takes a learning rate. Throws `usage`. */
export function learningRate(option: string): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= MAX_LEARNING_RATE) return value;
    throw usageError(option, text, LEARNING_RATE_RULE);
  };
}

/** A parser for an option that takes the path of a file or folder. Throws `usage` for an empty one. */
export function path(option: string, what: 'file' | 'folder' | 'file or folder'): (text: string) => string {
  return (text) => {
    if (text.trim() !== '' && !text.includes('\0')) return text;
    throw usageError(option, text, `the path of a ${what}`);
  };
}

/** Options that say which dataset is used. */
export interface DataOptions {
  data?: string;
  verify: boolean;
}

/** Adds `--data` and `--no-verify`. */
export function addDataOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--data <dir>',
        "folder with the four IDX files (default: $TREADLE_DATA, the user's cache, the system's folder, or a download)",
      ).argParser(path('--data', 'folder')),
    )
    .option('--no-verify', "accept other files than Fashion-MNIST's own");
}

/** Adds `--build`, and `--strict` as a short form of `--build strict`. */
export function addBuildOption(command: Command): Command {
  return command
    .addOption(
      new Option('--build <name>', 'build of the numeric core').choices(BUILD_CHOICES).default('auto'),
    )
    .option('--strict', 'short for --build strict: the same weights, byte for byte, on every engine', false)
    .hook('preAction', applyStrict);
}

/** Makes `--strict` the build that was asked for. Throws `usage` where another one was asked for too. */
function applyStrict(command: Command): void {
  if (!command.getOptionValue('strict')) return;
  const asked = command.getOptionValueSource('build') === 'cli' ? command.getOptionValue('build') : 'strict';
  if (asked !== 'strict') throw usageError('--build', asked, 'strict, which --strict stands for,');
  command.setOptionValueWithSource('build', 'strict', 'cli');
}

/** Adds `--weights DIR`. */
export function addWeightsOption(command: Command, what: string): Command {
  return command.addOption(
    new Option('--weights <dir>', what).argParser(path('--weights', 'folder')).default(DEFAULT_WEIGHTS),
  );
}

/** `--average HOW`: what predictions are averaged over. */
export function averageOption(): Option {
  return new Option('--average <how>', 'flip: the mean of an image and its mirror image')
    .choices(AVERAGES)
    .default('none');
}

/** `--tensorboard DIR`. */
export function tensorBoardOption(what: string): Option {
  return new Option('--tensorboard <dir>', what).argParser(path('--tensorboard', 'folder'));
}

/** Adds `--json` with what it prints. */
export function addJsonOption(command: Command, what: string): Command {
  return command.option('--json', `print ${what} as JSON, nothing else`, false);
}

/** Adds `--force` to a command that writes one file. */
export function addForceOption(command: Command): Command {
  return command.option('--force', 'replace the file if it is there', false);
}

/** Throws `unwritable` where a file is there already and may not be replaced, and `usage` for the one that was read. */
export async function expectFree(file: string, force: boolean, source: string): Promise<void> {
  if (resolve(file) === resolve(source))
    throw usageError('--out', file, 'another file than the one that is read');
  if (force || !(await exists(file))) return;
  const message = `${file} is there already; another name (--out) or --force is expected.`;
  throw new TreadleError('unwritable', message, {
    subject: file,
    found: 'there already',
    expected: 'another name (--out) or --force',
  });
}

/** Options of the commands that train. */
export interface TrainingOptions extends DataOptions {
  weights: string;
  out: string;
  config?: string;
  recipe: RecipeName;
  from?: string;
  resume?: string | true;
  tensorboard?: string;
  report: boolean;
  force: boolean;
  json: boolean;
  queue?: string | true;
  store?: string;
  storeLimit?: number;
}

/** The option of a setting, such as `--batch-size` of `batchSize`. */
export function optionOf(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Adds the options of settings: for a grid all that have one, else those that one model has. */
function addSettingOptions(command: Command, ofGrids: boolean): void {
  const cores = availableParallelism();
  for (const name of SETTING_NAMES) {
    const { option: row, fallback } = SETTINGS[name];
    if (row === null || (row.ofGrids === true && !ofGrids)) continue;
    const flag = optionOf(name);
    const option = new Option(`${flag} <${row.value}>`, row.help);
    const [first] = row.takes;
    if (typeof first === 'number')
      option.argParser(wholeNumber(flag, row.takes as readonly [number, number]));
    else option.choices(row.takes as readonly string[]);
    const value = fallback(cores);
    if (value !== null) option.default(value, row.fallback && `${value}, ${row.fallback}`);
    command.addOption(option);
  }
}

/** Adds everything that `run-all` and `train` share, and what grids alone take. */
export function addTrainingOptions(command: Command, { ofGrids = false } = {}): Command {
  addDataOptions(command);
  addWeightsOption(command, 'folder to save the weights in; replacing those of an earlier run needs consent');
  command.addOption(
    new Option('--out <dir>', "folder to leave the run's record in")
      .argParser(path('--out', 'folder'))
      .default(DEFAULT_OUT),
  );
  command
    .addOption(
      new Option(
        '--recipe <name>',
        'settings by name: published, the defaults; best, images that are flipped and moved, several seeds, an ensemble (some ten times as long)',
      )
        .choices(RECIPE_NAMES)
        .default('published'),
    )
    .addOption(
      new Option(
        '--from <path>',
        'saved weights to start from: a file, or a folder with weights of each architecture, of which the best is taken',
      )
        .argParser(path('--from', 'file or folder'))
        .conflicts('resume'),
    );
  addSettingOptions(command, ofGrids);
  command
    .addOption(
      new Option(
        '--config <file>',
        'JSON file with settings or a grid of your own; it wins over the recipe, options over both',
      ).argParser(path('--config', 'file')),
    )
    .addOption(
      new Option(
        '--resume [run]',
        'go on with a run that was stopped: its folder or id, or the newest unfinished one; its settings hold, but for --jobs and --threads; --data and --weights may differ',
      ).argParser(path('--resume', 'folder')),
    );
  command.addOption(
    tensorBoardOption(
      "folder for TensorBoard to show the run from, under the run's id; to be given again with --resume",
    ),
  );
  command.option('--no-report', 'make no charts and no page of the results; treadle report makes them later');
  addQueueOption(command, '[url]');
  addStoreOptions(command);
  command.option('--force', 'replace weights of an earlier run without asking', false);
  addBuildOption(command);
  return addJsonOption(command, 'one object per event');
}

/** The variable that a queue's address is taken from: what stands on a command line can be read by every user. */
export const QUEUE_VARIABLE = 'TREADLE_QUEUE';

/** Adds `--queue`, whose value may be left out where `value` is in brackets. */
export function addQueueOption(command: Command, value: '<url>' | '[url]'): Command {
  const help =
    value === '[url]'
      ? `train on the workers of a queue: redis://HOST:6379/0, rediss://USER:PASSWORD@HOST (default where it has no value: $${QUEUE_VARIABLE})`
      : `where the queue is: redis://HOST:6379/0, rediss://USER:PASSWORD@HOST (default: $${QUEUE_VARIABLE})`;
  return command.addOption(new Option(`--queue ${value}`, help));
}

/** Adds `--store` and `--store-limit`. */
export function addStoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--store <place>',
        "where a queue's checkpoints and results are kept: redis, a folder that all machines share, or s3://BUCKET/PREFIX?endpoint=URL (default: redis)",
      ),
    )
    .addOption(
      new Option('--store-limit <mib>', 'MiB that a store in Redis may hold (default: 2048)').argParser(
        wholeNumber('--store-limit', [1, 1_000_000]),
      ),
    );
}

/** The address of the queue that was asked for. Throws `usage` where it is missing. */
export function queueUrl(given: string | true | undefined): string {
  const url = given === true || given === undefined ? process.env[QUEUE_VARIABLE] : given;
  if (url !== undefined && url !== '') return url;
  throw new TreadleError(
    'usage',
    `--queue is missing; an address such as redis://HOST:6379/0, or $${QUEUE_VARIABLE}, is expected.`,
    { subject: '--queue', found: undefined, expected: 'the address of a queue' },
  );
}

/** An option's value when it was given on the command line itself; undefined for a default. */
export function given<Name extends keyof TrainingOptions>(
  command: Command,
  name: Name,
): TrainingOptions[Name] | undefined {
  return command.getOptionValueSource(name) === 'cli' ? command.getOptionValue(name) : undefined;
}

/** Settings that were given on the command line itself, without the defaults. */
export function givenSettings(command: Command): Partial<RunConfig> {
  const given = SETTING_NAMES.filter((name) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name)]));
}
