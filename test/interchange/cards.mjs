// Writes folders for the Hugging Face Hub of models of every kind, with texts that have to be escaped, for cards.py.
//
//     node test/interchange/cards.mjs FOLDER [WEIGHTS...] && python test/interchange/cards.py FOLDER
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, exportHub, mlp } from '../../dist/node.js';
import { exportTableHub, fitTable, tableOf } from '../../dist/table/node.js';
import { TABLES } from './table-cases.mjs';

const [folder, ...weights] = process.argv.slice(2);
const NAME = 'a: "b" # \\ - {c} `d` *e* |f| \u0085\u2028 ü 😀';

function write(at, files) {
  mkdirSync(join(folder, at), { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(folder, at, name), bytes);
}

const x = Float32Array.from({ length: 240 }, (_, at) => Math.sin(at * at) * 3);
const rows = Array.from({ length: 40 }, (_, row) => row);
for (const activation of ['relu', 'leakyRelu', 'tanh', 'sigmoid', 'gelu', 'silu']) {
  const targets = {
    softmax: rows.map((row) => ['ä "q"', "b\\n'?", 'c | d'][row % 3]),
    sigmoid: rows.map((row) => [row % 2, 1]),
    identity: rows.map((row) => [row * 100, Math.sin(row)]),
  };
  for (const [head, y] of Object.entries(targets)) {
    const spec = mlp({
      inputs: 6,
      hidden: [8, 5],
      outputs: y[0].length > 2 && head === 'softmax' ? 3 : 2,
      activation,
      norm: head !== 'sigmoid',
      dropout: 0.1,
    });
    const model = await createModel(spec, { seed: 1 });
    await model.fit({ x, y }, { epochs: 3 });
    write(`${activation}-${head}`, exportHub(model, { name: NAME }));
    // What the programs' example row gives here.
    const said = [...model.probabilities(new Float32Array(6))];
    writeFileSync(
      join(folder, `${activation}-${head}`, 'expected.json'),
      JSON.stringify({ name: NAME, said }),
    );
  }
}
for (const { name, train, options } of TABLES) {
  const { model } = await fitTable(tableOf(train), { ...options, epochs: 5 });
  write(name, exportTableHub(model, { name, test: { data: NAME, samples: 9, scores: { loss: 0.5 } } }));
}
for (const [index, file] of weights.entries())
  write(`weights-${index}`, exportHub(readFileSync(file), { name: 'weights' }));
