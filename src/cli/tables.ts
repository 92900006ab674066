import { type Command, Option } from 'commander';
import type { Evaluation } from '../model/evaluation.js';
import { testText, textOptions } from '../report/text.js';
import { figure } from '../results/format.js';
import type { CsvOptions } from '../table/csv.js';
import type { TableModel } from '../table/table-model.js';
import { addJsonOption, path, usageError } from './options.js';

/** Options of the commands that read a table. */
export interface TableReading {
  separator?: string;
  decimal: '.' | ',';
  json: boolean;
}

/** Adds `--separator`, `--decimal` and `--json`. */
export function addTableOptions(command: Command, what: string): Command {
  command
    .addOption(
      new Option(
        '--separator <character>',
        'between two cells of CSV; `tab` for a tab (default: as the text has it)',
      ).argParser(separator),
    )
    .addOption(new Option('--decimal <mark>', 'decimal mark of CSV').choices(['.', ',']).default('.'));
  return addJsonOption(command, what);
}

function separator(text: string): string {
  if (text === 'tab') return '\t';
  if (/^[^"\r\n]$/u.test(text)) return text;
  throw usageError('--separator', text, 'one character, or tab,');
}

/** How CSV is read. */
export function csvOptions({ separator, decimal }: TableReading): CsvOptions {
  return { ...(separator !== undefined && { separator }), decimal };
}

/** `--model FILE`: a model that `fit` has saved. */
export function tableModelOption(): Option {
  return new Option('--model <file>', 'a model that `treadle fit` has saved').argParser(
    path('--model', 'file'),
  );
}

/** How well a model does, in the tables of a terminal. */
export function scoresText(found: Evaluation, { encoder }: TableModel): string {
  if (found.task === 'classification' && encoder.target.task === 'classification') {
    const { accuracy, macro, loss, confusion } = found;
    const test = {
      accuracy,
      precision: macro.precision,
      recall: macro.recall,
      macroF1: macro.f1,
      loss,
      confusion,
    };
    return testText(test, encoder.target.classes, textOptions(process.stdout));
  }
  if (found.task !== 'regression') return '';
  return `R2 ${figure(found.r2)}   RMSE ${figure(found.rmse)}   MAE ${figure(found.mae)}`;
}
