// Trains models of three tables, and writes them as ONNX with what they say of rows that they have not seen, for tables.py.
//
//     node test/interchange/tables.mjs FOLDER && python test/interchange/tables.py FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exportTable, fitTable, tableOf } from '../../dist/table/node.js';
import { onnxInputs, TABLES } from './table-cases.mjs';

const folder = resolve(process.argv[2]);
mkdirSync(folder, { recursive: true });
const cases = [];
for (const { name, train, rows, options } of TABLES) {
  const { model } = await fitTable(tableOf(train), { ...options, epochs: 60, seed: 1 });
  for (const format of ['onnx', 'js']) {
    const file = join(folder, `${name}.${format === 'js' ? 'mjs' : format}`);
    writeFileSync(file, exportTable(model, format));
  }
  const all = [...rows, ...train];
  const labels = model.predict(all);
  const { target } = model.encoder;
  const names = target.task === 'classification' ? target.classes : target.names;
  const said = target.task === 'classification' ? model.probabilities(all) : labels;
  const outputs = said.map((own) => (typeof own === 'number' ? [own] : names.map((key) => own[key])));
  const module = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  const found = all.map(module.probabilities ?? module.outputs);
  const sizes = names.map((_, at) =>
    target.task === 'classification' ? 1 : Math.max(...outputs.map((own) => Math.abs(own[at]))),
  );
  const worst = Math.max(
    ...found.flatMap((own, row) => names.map((key, at) => Math.abs(own[key] - outputs[row][at]) / sizes[at])),
  );
  const others =
    target.task === 'classification' ? all.filter((row, at) => module.predict(row) !== labels[at]) : [];
  console.log(`js, ${name}: ${all.length} rows, largest difference ${worst}, other labels ${others.length}`);
  if (!(worst <= 1e-5) || others.length > 0) process.exitCode = 1;
  // JSON has no NaN: null stands for it.
  cases.push({ name, inputs: onnxInputs(model.encoder, all), outputs, sizes, labels });
}
writeFileSync(join(folder, 'tables.json'), JSON.stringify(cases));
