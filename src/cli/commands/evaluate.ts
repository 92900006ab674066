import type { Command } from 'commander';
import { readTable, readTableModel } from '../../table/files.js';
import { EXIT } from '../errors.js';
import { addTableOptions, csvOptions, scoresText, type TableReading, tableModelOption } from '../tables.js';
import { importanceText } from './fit.js';

/** Adds `evaluate` and `explain`; `end` takes the exit code. */
export function addEvaluate(program: Command, end: (code: number) => void): void {
  const evaluate = program
    .command('evaluate')
    .description('test a model of a table on a table that has the target')
    .argument('<table>', 'a CSV or Parquet file')
    .addOption(tableModelOption().makeOptionMandatory());
  addTableOptions(evaluate, 'the scores').action(async (file: string, _, command: Command) => {
    const { model, table, json } = await open(file, command.optsWithGlobals());
    const scores = model.evaluate(table);
    process.stdout.write(json ? `${JSON.stringify(scores)}\n` : `${scoresText(scores, model)}\n`);
    model.dispose();
    end(EXIT.done);
  });
  const explain = program
    .command('explain')
    .description('show how much each column matters to a model, on a table that it was not trained on')
    .argument('<table>', 'a CSV or Parquet file with the target')
    .addOption(tableModelOption().makeOptionMandatory());
  addTableOptions(explain, 'one object per column').action(async (file: string, _, command: Command) => {
    const { model, table, json } = await open(file, command.optsWithGlobals());
    const found = model.explain(table);
    const lines = found.map((one) => `${JSON.stringify(one)}\n`).join('');
    process.stdout.write(json ? lines : `${importanceText(found)}\n`);
    model.dispose();
    end(EXIT.done);
  });
}

async function open(file: string, options: TableReading & { model: string }) {
  const model = await readTableModel(options.model);
  return { model, table: await readTable(file, csvOptions(options)), json: options.json };
}
