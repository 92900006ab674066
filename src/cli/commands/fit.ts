import { type Command, Option } from 'commander';
import type { History } from '../../model/model.js';
import { figure, printable } from '../../results/format.js';
import { readTable, writeTableModel } from '../../table/files.js';
import { type ColumnDecision, KINDS, type Kind } from '../../table/kinds.js';
import { type Decided, decide, settled } from '../../table/prepare.js';
import { splitTable } from '../../table/split.js';
import { columnOf } from '../../table/table.js';
import { fitTable, type Importance } from '../../table/table-model.js';
import { EXIT } from '../errors.js';
import { closeFitBoard, openFitBoard } from '../fit-board.js';
import { path, tensorBoardOption, usageError, wholeNumber } from '../options.js';
import { withSignals } from '../signals.js';
import { plainTable } from '../table.js';
import { addTableOptions, csvOptions, scoresText, type TableReading } from '../tables.js';

interface TrainOptions extends TableReading {
  target: string[];
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
  tensorboard?: string;
}

/** Share of the training rows that ends training early. */
const VALIDATION = 0.15;

/** Adds `fit`; `end` takes the exit code. */
export function addFit(program: Command, end: (code: number) => void): void {
  const command = program
    .command('fit')
    .description('train a model of a table (CSV or Parquet), test it on rows held out, and save it')
    .argument('<table>', 'a CSV or Parquet file, with the names of the columns in its first line')
    .addOption(
      new Option('--target <column>', 'column to predict; several times for several columns of numbers')
        .argParser((text: string, before: string[] = []) => [...before, text])
        .makeOptionMandatory(),
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
    .addOption(tensorBoardOption('folder for TensorBoard to show the training from'));
  addTableOptions(command, 'what was decided, scores and importance')
    .addHelpText(
      'after',
      '\nExamples:\n  treadle fit houses.csv --target price\n  treadle fit visits.parquet --target outcome --group patient --column zip=category',
    )
    .action(async (file: string, _, command: Command) => {
      end(await withSignals((signal) => fitAndShow(file, command.optsWithGlobals(), signal)));
    });
}

async function fitAndShow(file: string, options: TrainOptions, signal: AbortSignal): Promise<number> {
  const { target, column, task, hidden, epochs, seed, out, json } = options;
  const table = await readTable(file, csvOptions(options));
  for (const name of target) columnOf(table, name, '--target');
  const given = table.columns.map(({ name }) => name);
  const stranger = Object.keys(column).find((name) => !given.includes(name));
  if (stranger !== undefined) throw usageError('--column', stranger, `one of ${given.join(', ')}`);
  const asked = {
    target,
    columns: leaving(column, options.group),
    ...(task !== undefined && { task }),
    ...(hidden !== undefined && { hidden }),
  };
  const whole = decide(table, asked);
  const rule = ruleOf(whole, options);
  const { rest, held } =
    options.test === undefined
      ? splitTable(table, { ...rule, share: options.testSize })
      : { rest: table, held: await readTable(options.test, csvOptions(options)) };
  const inner = splitTable(rest, { ...rule, share: VALIDATION });
  const board =
    options.tensorboard === undefined
      ? null
      : await openFitBoard(options.tensorboard, out, {
          ...{ table: file, target: target.join(', '), seed, hidden: hidden?.join(', ') ?? 'default' },
          ...(epochs !== undefined && { epochs }),
        });
  const fitted = await fitTable(inner.rest, {
    ...asked,
    ...settled(whole),
    validation: inner.held,
    seed,
    signal,
    ...(epochs !== undefined && { epochs }),
    ...(board !== null && { onEpoch: board.onEpoch }),
  });
  const { model } = fitted;
  const scores = model.evaluate(held);
  const importance = model.explain(held);
  await writeTableModel(out, model);
  if (board !== null)
    await closeFitBoard(board, fitted.history.best, scores, model.network.spec.classes ?? []);
  if (json) {
    const { history } = fitted;
    const { columns } = whole;
    const rows = { train: inner.rest.rows, validation: inner.held.rows, test: held.rows };
    const record = {
      columns,
      rows,
      epochs: history.epochs.length,
      kept: history.best,
      scores,
      importance,
      model: out,
    };
    process.stdout.write(`${JSON.stringify(record)}\n`);
  } else {
    process.stdout.write(asText(whole.columns, fitted.history, { train: inner.rest.rows, test: held.rows }));
    process.stdout.write(`\nOn ${held.rows} rows that were held out:\n${scoresText(scores, model)}\n`);
    process.stdout.write(`\n${importanceText(importance)}\nSaved ${out}.\n`);
  }
  model.dispose();
  return EXIT.done;
}

/** Rows are held out by class for a task of classes, unless a column says otherwise. */
function ruleOf({ target }: Decided, { group, time, seed }: TrainOptions) {
  if (group !== undefined || time !== undefined) return { group, time, seed };
  return { seed, stratify: target.task === 'classification' ? target.name : undefined };
}

/** The group is an identity, nothing to learn from, unless it was asked for. */
function leaving(column: Record<string, Kind>, group: string | undefined): Record<string, Kind> {
  return group === undefined ? column : { [group]: 'leave', ...column };
}

function asText(
  columns: readonly ColumnDecision[],
  history: History,
  rows: { train: number; test: number },
): string {
  const lines = columns.map(({ name, kind, reason, missing }) => [
    printable(name),
    kind === 'leave' ? 'left out' : kind === 'yesNo' ? 'yes or no' : kind,
    reason,
    missing === 0 ? '' : `${missing} empty`,
  ]);
  const table = plainTable(['column', 'taken for', 'because', 'gaps'], lines, 4);
  return `${table}\n\nTrained on ${rows.train} rows for ${history.epochs.length} epochs; epoch ${history.best} is kept.\n`;
}

/** How much each column matters, in a table. */
export function importanceText(importance: readonly Importance[]): string {
  const rows = importance.map(({ column, loss }) => [printable(column), figure(loss)]);
  return `Loss that a column's absence costs (its cells shuffled):\n${plainTable(['column', 'loss'], rows, 1)}`;
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
  if (/^\d{1,7}(,\d{1,7})*$/.test(text)) return text.split(',').map(Number);
  throw usageError('--hidden', text, 'widths such as 64,32');
}
