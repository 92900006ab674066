import { basename } from 'node:path';
import type { Command } from 'commander';
import { loadCore } from '#bindings';
import { describeEnvironment } from '../../experiment/environment.js';
import { testOf } from '../../formats/hub/test-figures.js';
import { writeTableModel } from '../../table/files.js';
import { settled } from '../../table/prepare.js';
import { splitTable } from '../../table/split.js';
import { fitTable, tableDefaults } from '../../table/table-model.js';
import { EXIT } from '../errors.js';
import { closeFitBoard, openFitBoard, withFitBoard } from '../fit-board.js';
import { addFitOptions, type TrainOptions } from '../fit-options.js';
import { withFitLine } from '../fit-progress.js';
import { expectGiven, fitRows, VALIDATION } from '../fit-rows.js';
import { usageError } from '../options.js';
import { searchAndShow } from '../search-and-show.js';
import { withSignals } from '../signals.js';
import { expectOutputs, reportFile, writeTableReport } from '../table-report.js';
import { addTableOptions, decisionsText, importanceText, scoresText, trainedText } from '../tables.js';

/** Options that a plain fit has no use for. */
const OF_SEARCHES = ['jobs', 'threads', 'runs'] as const;

/** Adds `fit`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('fit')
    .description('train a model of a table (CSV, Parquet, JSON), test it on rows held out, and save it')
    .argument('[table]', 'a CSV, Parquet or JSON file; of CSV the first line has the names of the columns');
  addFitOptions(command);
  addTableOptions(command, 'what was decided, scores and importance')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  treadle fit houses.csv --target price',
        '  treadle fit visits.parquet --target outcome --group patient --column zip=category',
        '  treadle fit houses.csv --target price --cv 5 --grid grid.json',
        '  treadle fit --resume',
        '\nA grid: {"hidden": [[32], [64, 32]], "learningRate": [0.01, 0.003], "halving": true}',
        'At random: {"search": "random", "trials": 20, "learningRate": {"from": 1e-4, "to": 1e-2, "scale": "log"}}',
      ].join('\n'),
    )
    .action(async (file: string | undefined, _, command: Command) => {
      const options: TrainOptions = command.optsWithGlobals();
      const isSearch = [options.cv, options.grid, options.resume].some((value) => value !== undefined);
      if (isSearch) {
        if (options.tensorboard !== undefined) {
          throw usageError(
            '--tensorboard',
            options.tensorboard,
            'a single training, without --cv and --grid,',
          );
        }
        end(await searchAndShow(file, options, command));
        return;
      }
      const given = OF_SEARCHES.find((name) => command.getOptionValueSource(name) === 'cli');
      if (given !== undefined) throw usageError(`--${given}`, 'given', 'it with --cv or --grid only');
      end(await withSignals((signal) => fitAndShow(file, options, signal)));
    });
}

async function fitAndShow(
  file: string | undefined,
  options: TrainOptions,
  signal: AbortSignal,
): Promise<number> {
  const { hidden, epochs, seed, out, json } = options;
  const rows = await fitRows(expectGiven('The table', file, 'a CSV, Parquet or JSON file'), options);
  const began = performance.now();
  const { asked, whole, rule, rest } = rows;
  const held = rows.held!;
  const inner = splitTable(rest, { ...rule, share: VALIDATION });
  await expectOutputs(options, out);
  const core = await loadCore();
  const board =
    options.tensorboard === undefined
      ? null
      : await openFitBoard(options.tensorboard, out, {
          ...{ table: file!, target: asked.target.toString(), seed, hidden: hidden?.join(', ') ?? 'default' },
          ...(epochs !== undefined && { epochs }),
        });
  const { model, history, scores, importance } = await withFitBoard(board, async () => {
    const { model, history } = await withFitLine(
      json === true ? null : (epochs ?? tableDefaults(inner.rest.rows).epochs),
      (onEpoch) =>
        fitTable(inner.rest, {
          model: { core },
          ...asked,
          ...settled(whole),
          validation: inner.held,
          seed,
          signal,
          ...(hidden !== undefined && { hidden }),
          ...(epochs !== undefined && { epochs }),
          onEpoch(figures) {
            onEpoch(figures);
            board?.onEpoch(figures);
          },
        }),
    );
    const scores = model.evaluate(held);
    const importance = model.explain(held);
    await writeTableModel(out, model, { test: testOf(basename(options.test ?? file!), scores) });
    if (board !== null) await closeFitBoard(board, history.best, scores, model.network.spec.classes ?? []);
    return { model, history, scores, importance };
  });
  const report = reportFile(options, out);
  if (report !== null) {
    await writeTableReport(report, {
      ...{
        model,
        rows,
        importance,
        search: null,
        table: file!,
        epochs: history.epochs,
        kept: history.best,
      },
      counts: { train: inner.rest.rows, validation: inner.held.rows },
      environment: describeEnvironment(core, (performance.now() - began) / 1000),
    });
  }
  const { columns } = whole;
  if (json) {
    const record = {
      columns,
      rows: { train: inner.rest.rows, validation: inner.held.rows, test: held.rows },
      epochs: history.epochs.length,
      kept: history.best,
      scores,
      importance,
      model: out,
      report,
    };
    process.stdout.write(`${JSON.stringify(record)}\n`);
  } else {
    const trained = { rows: inner.rest.rows, epochs: history.epochs.length, kept: history.best };
    process.stdout.write(`${decisionsText(columns)}\n\n${trainedText(trained)}\n`);
    process.stdout.write(`\nOn ${held.rows} rows that were held out:\n${scoresText(scores, model)}\n`);
    process.stdout.write(
      `\n${importanceText(importance)}\nSaved ${out}.${report === null ? '' : ` The report is ${report}.`}\n`,
    );
  }
  model.dispose();
  return EXIT.done;
}
