import type { Command } from 'commander';
import { addTrainingOptions, type TrainingOptions } from '../options.js';
import { runAndShow, settingsOf } from '../run-and-show.js';

/** Adds `run-all`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  const command = program
    .command('run-all')
    .description(
      'train a grid of models, save their weights, test all of them and the best, and write a report',
    );
  addTrainingOptions(command, { ofGrids: true })
    .addHelpText(
      'after',
      '\nExamples:\n  treadle run-all --epochs 3 --train-samples 10000 --seed 1 --weights weights-quick\n  treadle run-all --resume',
    )
    .action(async (options: TrainingOptions, command: Command) => {
      end(await runAndShow(options, await settingsOf(options, command), command));
    });
}
