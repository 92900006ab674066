import { type Command, Option } from 'commander';
import { problem } from '#bindings';
import type { Evaluation } from '../model/evaluation.js';
import { testText, textOptions } from '../report/text.js';
import { figure, printable } from '../results/format.js';
import type { CsvOptions } from '../table/csv.js';
import type { Importance } from '../table/importance.js';
import type { ColumnDecision } from '../table/kinds.js';
import { type Table, withValues } from '../table/table.js';
import type { TableModel } from '../table/table-model.js';
import { addJsonOption, path, usageError } from './options.js';
import { plainTable } from './table.js';

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
export function csvOptions({ separator, decimal }: Pick<TableReading, 'separator' | 'decimal'>): CsvOptions {
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

/** The rows of a table whose targets are known; how many are left out is told. */
export function rowsWithTargets(table: Table, targets: readonly string[], file: string): Table {
  // A table that lacks a target altogether is refused by whoever needs it.
  if (!targets.every((name) => table.columns.some((column) => column.name === name))) return table;
  const known = withValues(table, targets);
  const left = table.rows - known.rows;
  if (left === 0) return table;
  const which = `${left} of ${table.rows} rows`;
  if (known.rows === 0) {
    throw problem('data', {
      subject: targets.join(', '),
      found: 'empty in every row',
      expected: `values to learn from in ${file}`,
    });
  }
  process.stderr.write(
    `${which} of ${file} have no ${targets.map(printable).join(', ')} and are left out.\n`,
  );
  return known;
}

/** What was decided of each column, in a table. */
export function decisionsText(columns: readonly ColumnDecision[]): string {
  const lines = columns.map(({ name, kind, reason, missing }) => [
    printable(name),
    kind === 'leave' ? 'left out' : kind === 'yesNo' ? 'yes or no' : kind,
    reason,
    missing === 0 ? '' : `${missing} empty`,
  ]);
  return plainTable(['column', 'taken for', 'because', 'gaps'], lines, 4);
}

/** What a training came to, in a sentence. */
export function trainedText(found: { rows: number; epochs: number; kept: number | null }): string {
  return `Trained on ${found.rows} rows for ${found.epochs} epochs; epoch ${found.kept} is kept.`;
}

/** How much each column matters, in a table. */
export function importanceText({ rows, repeats, columns }: Importance): string {
  const lines = columns.map(({ column, loss }) => [printable(column), figure(loss)]);
  return `Loss that a column's absence costs (its cells shuffled over ${rows} rows, ${repeats === 1 ? 'once' : `${repeats} times`}):\n${plainTable(['column', 'loss'], lines, 1)}`;
}
