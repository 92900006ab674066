import type { Command } from 'commander';
import { targetNames } from '../../table/encoder.js';
import { readTable, readTableModel } from '../../table/files.js';
import type { Table } from '../../table/table.js';
import type { TableModel } from '../../table/table-model.js';
import { EXIT } from '../errors.js';
import {
  addTableOptions,
  csvOptions,
  importanceText,
  rowsWithTargets,
  scoresText,
  type TableReading,
  tableModelOption,
} from '../tables.js';

/** A command that asks a model about a table. */
interface Question {
  name: string;
  description: string;
  /** What its argument is. */
  table: string;
  /** What `--json` prints. */
  json: string;
  answer: (model: TableModel, table: Table, json: boolean) => string;
}

const QUESTIONS: readonly Question[] = [
  {
    name: 'evaluate',
    description: 'test a model of a table on a table that has the target',
    table: 'a CSV, Parquet or JSON file',
    json: 'the scores',
    answer(model, table, json) {
      const scores = model.evaluate(table);
      return json ? JSON.stringify(scores) : scoresText(scores, model);
    },
  },
  {
    name: 'explain',
    description: 'show how much each column matters to a model, on a table that it was not trained on',
    table: 'a CSV, Parquet or JSON file with the target',
    json: 'one object per column',
    answer(model, table, json) {
      const found = model.explain(table);
      const { rows, repeats, columns } = found;
      return json
        ? columns.map((column) => JSON.stringify({ ...column, rows, repeats })).join('\n')
        : importanceText(found);
    },
  },
];

/** Adds `evaluate` and `explain`; `end` takes the exit code. */
export function add(program: Command, end: (code: number) => void): void {
  for (const { name, description, table, json, answer } of QUESTIONS) {
    const command = program
      .command(name)
      .description(description)
      .argument('<table>', table)
      .addOption(tableModelOption().makeOptionMandatory());
    addTableOptions(command, json).action(async (file: string, _, command: Command) => {
      const options = command.optsWithGlobals<TableReading & { model: string }>();
      const model = await readTableModel(options.model);
      const targets = targetNames(model.encoder.target);
      const table = rowsWithTargets(await readTable(file, csvOptions(options)), targets, file);
      const text = answer(model, table, options.json);
      process.stdout.write(`${text}\n`);
      model.dispose();
      end(EXIT.done);
    });
  }
}
