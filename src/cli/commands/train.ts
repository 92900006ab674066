import { type Command, Option } from 'commander';
import { parameterCount } from '#bindings';
import { resolveConfig } from '../../orchestrate/config.js';
import { type RunOutcome, runAll } from '../../orchestrate/run-all.js';
import type { RunConfig } from '../../records.js';
import { modelTitle } from '../../report/format.js';
import { resultsText, wantsColor } from '../../report/text.js';
import { readConfigFile } from '../config-file.js';
import { openEngine } from '../engine.js';
import { EXIT } from '../errors.js';
import {
  addTrainingOptions,
  givenSettings,
  learningRate,
  type TrainingOptions,
  usageError,
} from '../options.js';
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
    .addHelpText('after', '\nExample:\n  treadle run-all --epochs 3 --train-samples 10000 --seed 1')
    .action(async (options: TrainingOptions, command: Command) => {
      end(await runAndShow(options, await settingsOf(options, command)));
    });

  const trainCommand = program
    .command('train')
    .description('train one model from fresh weights, save its weights and test it')
    .requiredOption('--model <name>', 'architecture: large1, large2, small or one of the --config file')
    .addOption(
      new Option('--lr <rate>', "Adam's learning rate").argParser(learningRate('--lr')).makeOptionMandatory(),
    );
  addTrainingOptions(trainCommand)
    .addHelpText('after', '\nExample:\n  treadle train --model small --lr 0.003 --epochs 5')
    .action(async (options: TrainingOptions & { model: string; lr: number }, command: Command) => {
      const settings = await settingsOf(options, command);
      const { architectures } = resolveConfig(settings);
      const chosen = architectures.filter(({ name }) => name === options.model);
      if (chosen.length === 0) {
        const names = architectures.map(({ name }) => name).join(', ');
        throw usageError('--model', options.model, `one of ${names}`);
      }
      end(await runAndShow(options, { ...settings, architectures: chosen, learningRates: [options.lr] }));
    });
}

/** The settings of the `--config` file with those of the command line over them. */
async function settingsOf(options: TrainingOptions, command: Command): Promise<Partial<RunConfig>> {
  const fromFile = options.config === undefined ? {} : await readConfigFile(options.config);
  return { ...fromFile, ...givenSettings(command) };
}

async function runAndShow(options: TrainingOptions, settings: Partial<RunConfig>): Promise<number> {
  const view = options.json ? jsonView() : textView(epochCosts(resolveConfig(settings)));
  let outcome: RunOutcome;
  try {
    outcome = await withSignals((signal) =>
      runAll({
        openEngine,
        settings,
        data: options.data,
        verify: options.verify,
        weights: options.weights,
        out: options.out,
        log: view.note,
        onEvent: view.event,
        signal,
      }),
    );
  } finally {
    view.close();
  }
  return showOutcome(outcome, options.json);
}

/** Prints the tables of a finished run and returns its exit code. */
function showOutcome({ folder, results, interrupted }: RunOutcome, json: boolean): number {
  if (!json) process.stdout.write(`\n${resultsText(results, { color: wantsColor(process.stdout) })}\n`);
  if (interrupted) {
    process.stderr.write(`error: the run was interrupted; the models finished by then are in ${folder}.\n`);
    return EXIT.interrupted;
  }
  const failed = results.models.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return EXIT.done;
  const names = failed.map(modelTitle).join(', ');
  process.stderr.write(`error: ${failed.length} of ${results.models.length} models failed: ${names}.\n`);
  return EXIT.failed;
}

/** Relative work of one epoch by architecture. The number of pixels is not known yet; Fashion-MNIST's will do. */
function epochCosts({ architectures }: RunConfig): Map<string, number> {
  return new Map(
    architectures.map(({ name, hidden }) => [name, parameterCount({ inputs: 784, hidden, classes: 10 })]),
  );
}
