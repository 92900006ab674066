import { type Command, Option } from 'commander';
import { TreadleError } from '#bindings';
import { haltClock, newClock, resumeClock, timeOf } from '../../experiment/clock.js';
import { resolveConfig } from '../../experiment/config.js';
import { type RunOutcome, runAll } from '../../experiment/run-all.js';
import { resultsText, textOptions } from '../../report/text.js';
import { modelTitle } from '../../results/format.js';
import type { RunConfig } from '../../results/records.js';
import { askToReplace } from '../ask.js';
import { readConfigFile } from '../config-file.js';
import { openCore } from '../core.js';
import { EXIT } from '../errors.js';
import {
  addTrainingOptions,
  given,
  givenSettings,
  learningRate,
  type TrainingOptions,
  usageError,
} from '../options.js';
import { goOnUnread } from '../output.js';
import { withSignals } from '../signals.js';
import { jsonView, textView } from '../terminal.js';

/** Adds `run-all` and `train`; `end` takes the exit code. */
export function addTraining(program: Command, end: (code: number) => void): void {
  const runAllCommand = program
    .command('run-all')
    .description(
      'train a grid of models, save their weights, test all of them and the best, and write a report',
    )
    .addOption(
      new Option('--mode <mode>', 'chained: each learning rate starts from the weights of the one before')
        .choices(['chained', 'independent'])
        .default('chained'),
    );
  addTrainingOptions(runAllCommand)
    .addHelpText(
      'after',
      '\nExamples:\n  treadle run-all --epochs 3 --train-samples 10000 --seed 1 --weights weights-quick\n  treadle run-all --resume',
    )
    .action(async (options: TrainingOptions, command: Command) => {
      end(await runAndShow(options, await settingsOf(options, command), command));
    });

  const trainCommand = program
    .command('train')
    .description('train one model from fresh weights, save its weights and test it')
    .option('--model <name>', 'architecture: large1, large2, small or one of the --config file')
    .addOption(new Option('--lr <rate>', "Adam's learning rate").argParser(learningRate('--lr')));
  addTrainingOptions(trainCommand)
    .addHelpText(
      'after',
      '\nExamples:\n  treadle train --model small --lr 0.003 --epochs 5\n  treadle train --resume',
    )
    .action(async (options: TrainingOptions & { model?: string; lr?: number }, command: Command) => {
      const settings = await settingsOf(options, command);
      end(await runAndShow(options, { ...settings, ...oneModel(options, settings) }, command));
    });
}

/** The grid of one model that `train` was asked for; a run to resume has its own. */
function oneModel(
  { model, lr, resume }: TrainingOptions & { model?: string; lr?: number },
  settings: Partial<RunConfig>,
): Partial<RunConfig> {
  if (resume === undefined && (model === undefined || lr === undefined)) {
    const missing = model === undefined ? '--model' : '--lr';
    throw new TreadleError('usage', `${missing} is missing; --model and --lr are expected, or --resume.`, {
      subject: missing,
      found: undefined,
      expected: '--model and --lr, or --resume',
    });
  }
  const grid: Partial<RunConfig> = {};
  if (lr !== undefined) grid.learningRates = [lr];
  if (model !== undefined) {
    const { architectures } = resolveConfig(settings);
    grid.architectures = architectures.filter(({ name }) => name === model);
    if (grid.architectures.length === 0) {
      throw usageError('--model', model, `one of ${architectures.map(({ name }) => name).join(', ')}`);
    }
  }
  return grid;
}

/** The settings of the `--config` file with those of the command line over them. */
async function settingsOf(options: TrainingOptions, command: Command): Promise<Partial<RunConfig>> {
  const fromFile = options.config === undefined ? {} : await readConfigFile(options.config);
  return { ...fromFile, ...givenSettings(command) };
}

async function runAndShow(
  options: TrainingOptions,
  settings: Partial<RunConfig>,
  command: Command,
): Promise<number> {
  const clock = newClock();
  const view = options.json ? jsonView() : textView(() => timeOf(clock));
  goOnUnread();
  let begun: string | null = null;
  let resumable = true;
  const sayHowToGoOn = (): void => {
    if (begun === null) return;
    // A run that was named by its folder need not be among those in --out.
    const run = typeof options.resume === 'string' ? options.resume : begun;
    const out = given(command, 'out') === undefined ? '' : ` --out ${options.out}`;
    process.stderr.write(`To go on: treadle ${command.name()} --resume ${run}${out}\n`);
  };
  try {
    const outcome = await withSignals(
      (signal) =>
        runAll({
          openCore,
          settings,
          resume: options.resume,
          data: options.data,
          verify: given(command, 'verify'),
          weights: given(command, 'weights'),
          out: options.out,
          replace: options.force || (options.json ? false : (files) => askToReplace(files, signal)),
          log: view.note,
          onEvent(event) {
            if (event.type === 'run') begun = event.id;
            view.event(event);
          },
          signal,
          clock,
        }),
      {
        stopping: () => view.note('Stopping after this step; a second signal ends at once.'),
        ending() {
          view.close();
          sayHowToGoOn();
        },
        suspending() {
          haltClock(clock);
          view.suspend();
        },
        resuming() {
          resumeClock(clock);
          view.resume();
        },
      },
    ).finally(view.close);
    resumable = outcome.resumable;
    return showOutcome(outcome, options.json);
  } finally {
    if (resumable) sayHowToGoOn();
  }
}

/** Prints the tables of a run, unless it was interrupted, and returns its exit code. */
function showOutcome({ folder, results, interrupted }: RunOutcome, json: boolean): number {
  const { models } = results;
  if (interrupted) {
    const trained = models.filter(({ kept }) => kept !== null).length;
    process.stderr.write(
      `error: the run was interrupted; ${trained} of ${models.length} models are trained, and their figures are in ${folder}.\n`,
    );
    return EXIT.interrupted;
  }
  if (!json) process.stdout.write(`\n${resultsText(results, textOptions(process.stdout))}\n`);
  const failed = models.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return EXIT.done;
  const names = failed.map(modelTitle).join(', ');
  process.stderr.write(`error: ${failed.length} of ${models.length} models failed: ${names}.\n`);
  return EXIT.failed;
}
