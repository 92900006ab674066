import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { MAX_WIDTH } from '#bindings';
import { LIMITS } from '../experiment/limits.js';
import { KINDS, type Kind } from '../table/kinds.js';
import { DEFAULT_OUT, path, tensorBoardOption, usageError, wholeNumber } from './options.js';
import type { TableReading } from './tables.js';

/** Options of `fit`. */
export interface TrainOptions extends TableReading {
  target?: string[];
  column: Record<string, Kind>;
  task?: 'classification' | 'regression';
  test?: string;
  testSize: number;
  group?: string;
  time?: string;
  hidden?: number[];
  epochs?: number;
  seed: number;
  out: string;
  report?: string | false;
  tensorboard?: string;
  cv?: number;
  grid?: string;
  jobs: number;
  threads: number;
  runs: string;
  resume?: string | true;
}

/** The most folds of a cross-validation; each is a training. */
const MOST_FOLDS = 1000;

/** Adds the options of `fit`, but for those of every command that reads a table. */
export function addFitOptions(command: Command): Command {
  command
    .addOption(
      new Option(
        '--target <column>',
        'column to predict; several times for several columns of numbers',
      ).argParser((text: string, before: string[] = []) => [...before, text]),
    )
    .addOption(
      new Option(
        '--column <name=kind>',
        `what a column is taken for: ${KINDS.join(', ')}; may be given for each`,
      )
        .argParser(columnKind)
        .default({}, 'what its cells speak for'),
    )
    .addOption(
      new Option('--task <name>', 'default: what the target speaks for').choices([
        'classification',
        'regression',
      ]),
    )
    .addOption(
      new Option('--test <file>', 'a table to test on, in place of rows held out').argParser(
        path('--test', 'file'),
      ),
    )
    .addOption(
      new Option('--test-size <share>', 'share of the rows that is held out to test on')
        .argParser(share)
        .default(0.2),
    )
    .option(
      '--group <column>',
      'keep the rows of one value of this column together, all trained on or all held out',
    )
    .addOption(new Option('--time <column>', 'hold out the last rows by this column').conflicts('group'))
    .addOption(
      new Option('--hidden <widths>', 'widths of the hidden layers, such as 64,32').argParser(widths),
    )
    .addOption(new Option('--epochs <n>', 'most epochs').argParser(wholeNumber('--epochs', [1, 100_000])))
    .addOption(
      new Option('--seed <n>', 'seed of all random numbers')
        .argParser(wholeNumber('--seed', [0, 2 ** 32 - 1]))
        .default(0),
    )
    .addOption(
      new Option('--out <file>', 'file to save the model in')
        .argParser(path('--out', 'file'))
        .default('model.safetensors'),
    )
    .addOption(
      new Option(
        '--report <file>',
        "page with scores, charts and columns (default: beside the model, with its name and '.html')",
      ).argParser(path('--report', 'file')),
    )
    .option('--no-report', 'write no such page')
    .addOption(tensorBoardOption('folder for TensorBoard to show the training from'));
  return addSearchOptions(command);
}

/** Adds the options of cross-validation and search. */
function addSearchOptions(command: Command): Command {
  const cores = availableParallelism();
  return command
    .addOption(
      new Option(
        '--cv <k>',
        'cross-validate with so many folds: by class, by --group, or forward in --time; without --grid and --test no rows are held out besides, and the model is trained on all',
      ).argParser(wholeNumber('--cv', [2, MOST_FOLDS])),
    )
    .addOption(
      new Option(
        '--grid <file>',
        'JSON file with settings to try; the best by --cv, else by the rows that end training, is trained, saved and tested',
      ).argParser(path('--grid', 'file')),
    )
    .addOption(
      new Option('--jobs <n>', 'with --cv or --grid: trainings at once')
        .argParser(wholeNumber('--jobs', LIMITS.jobs))
        .default(cores, `${cores}, this machine's cores`),
    )
    .addOption(
      new Option('--threads <n>', 'with --cv or --grid: threads in all, shared by the trainings')
        .argParser(wholeNumber('--threads', LIMITS.threads))
        .default(cores, `${cores}, this machine's cores`),
    )
    .addOption(
      new Option('--runs <dir>', "with --cv or --grid: folder to leave the run's record in")
        .argParser(path('--runs', 'folder'))
        .default(DEFAULT_OUT),
    )
    .addOption(
      new Option(
        '--resume [run]',
        'go on with a run of --cv or --grid that was stopped: its folder or id, or the newest unfinished one; its options hold, but for --jobs, --threads and --out',
      ).argParser(path('--resume', 'folder')),
    );
}

function columnKind(text: string, before: Record<string, Kind> = {}): Record<string, Kind> {
  const at = text.lastIndexOf('=');
  const kind = text.slice(at + 1) as Kind;
  if (at > 0 && KINDS.includes(kind)) return { ...before, [text.slice(0, at)]: kind };
  throw usageError('--column', text, `a column and one of ${KINDS.join(', ')}, such as age=number`);
}

function share(text: string): number {
  const value = /^0?\.\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw usageError('--test-size', text, 'a number above 0 and below 1');
}

function widths(text: string): number[] {
  const all = text.split(',').map(Number);
  if (/^\d{1,7}(,\d{1,7})*$/.test(text) && all.every((width) => width >= 1 && width <= MAX_WIDTH)) return all;
  throw usageError('--hidden', text, `widths from 1 to ${MAX_WIDTH} such as 64,32`);
}
