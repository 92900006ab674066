import type { CsvOptions } from 'treadle/tables';
import { type Setup, scheduleOf } from '../../panel/setup.ts';
import type { Chosen } from './use-table.ts';

/** Code that trains a model of the same table in Node. */
export function tableCode(file: string, chosen: Chosen | null, csv: CsvOptions, setup: Setup): string {
  const text = (value: unknown) =>
    JSON.stringify(value)
      .replace(/"(\w+)":/g, '$1: ')
      .replaceAll(/,(?=\w+: )/g, ', ');
  const kinds = Object.keys(chosen?.kinds ?? {}).length > 0 ? `\n  columns: ${text(chosen!.kinds)},` : '';
  const batch = setup.batch > 0 ? `\n  batchSize: ${setup.batch},` : '';
  const patience = setup.patience > 0 ? setup.patience : setup.epochs;
  return `import { writeFile } from 'node:fs/promises';
import { assess, fitTable, readTable, splitTable } from 'treadle/tables';

const table = await readTable(${text(file)}${Object.keys(csv).length > 0 ? `, ${text(csv)}` : ''});
const target = ${text(chosen?.target ?? 'target')};
const { rest, held } = splitTable(table, { share: 0.2, seed: ${setup.seed} });
// Plain ReLU layers; for other blocks see prepare().
const { model } = await fitTable(rest, {
  target,${kinds}
  hidden: ${text(setup.blocks.map(({ units }) => units))},
  epochs: ${setup.epochs},
  patience: ${patience},${batch}
  optimizer: ${text({ type: setup.optimizer })},
  learningRate: ${text(scheduleOf(setup))},
  seed: ${setup.seed},
});
console.log(assess(model, held).scores);
await writeFile('model.safetensors', model.save());
`;
}

/** Code that predicts with a model whose table is not here any more. */
export function readingCode(file: string): string {
  return `import { readTable, readTableModel } from 'treadle/tables';

const model = await readTableModel(${JSON.stringify(file)});
const table = await readTable('table.csv');
console.log(model.predict(table));
`;
}
