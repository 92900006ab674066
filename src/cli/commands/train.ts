import { type Command, Option } from 'commander';
import { TreadleError } from '#bindings';
import { resolveConfig } from '../../experiment/config.js';
import type { RunConfig } from '../../results/records.js';
import { addTrainingOptions, learningRate, type TrainingOptions, usageError } from '../options.js';
import { runAndShow, settingsOf } from '../run-and-show.js';

/** Adds `train`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('train')
    .description('train one model from fresh weights, save its weights and test it')
    .option('--model <name>', 'architecture: large1, large2, small or one of the --config file')
    .addOption(new Option('--lr <rate>', "Adam's learning rate").argParser(learningRate('--lr')));
  addTrainingOptions(command)
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
  const rates = settings.learningRates?.length ?? 0;
  if (resume === undefined && (model === undefined || (lr === undefined && rates !== 1))) {
    const missing = model === undefined ? '--model' : '--lr';
    throw new TreadleError('usage', `${missing} is missing; --model and --lr are expected, or --resume.`, {
      subject: missing,
      found: undefined,
      expected: '--model and --lr, or --resume',
    });
  }
  const grid: Partial<RunConfig> = resume === undefined ? { seeds: 1 } : {};
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
