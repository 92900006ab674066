import { type Command, Option } from 'commander';
import { addTrainingOptions, type TrainingOptions } from '../options.js';
import { runAndShow, settingsOf } from '../run-and-show.js';

/** Adds `run-all`; `end` takes the exit code. */
export function addRunAll(program: Command, end: (code: number) => void): void {
  const command = program
    .command('run-all')
    .description(
      'train a grid of models, save their weights, test all of them and the best, and write a report',
    )
    .addOption(
      new Option('--mode <mode>', 'chained: each learning rate starts from the weights of the one before')
        .choices(['chained', 'independent'])
        .default('chained'),
    );
  addTrainingOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  treadle run-all --epochs 3 --train-samples 10000 --seed 1 --weights weights-quick\n  treadle run-all --resume',
    )
    .action(async (options: TrainingOptions, command: Command) => {
      end(await runAndShow(options, await settingsOf(options, command), command));
    });
}
