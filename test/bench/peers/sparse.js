// One epoch of treadle on the matrix of sparse_tables.py, beside the figures that it left; one thread.
//   OMP_NUM_THREADS=1 python sparse_tables.py FOLDER && node sparse.js FOLDER
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, mlp } from '../../../dist/index.js';
import { machine, median, textTable } from './measure.js';

const [folder] = process.argv.slice(2);
const words = (name) => new Uint32Array(readFileSync(join(folder, name)).buffer.slice(0));
const x = {
  indptr: words('indptr'),
  indices: words('indices'),
  values: new Float32Array(readFileSync(join(folder, 'values')).buffer.slice(0)),
};
const y = words('labels');
const peers = JSON.parse(readFileSync(join(folder, 'figures.json'), 'utf8'));

const seconds = [];
let accuracy = 0;
for (let round = 0; round < 3; round++) {
  const spec = mlp({ inputs: 30_000, hidden: [64], outputs: 20, inputType: 'sparse' });
  const model = await createModel(spec, { seed: round });
  const started = performance.now();
  await model.fit({ x, y }, { epochs: 1, batchSize: 256, learningRate: 0.001 });
  seconds.push((performance.now() - started) / 1000);
  ({ accuracy } = model.evaluate({ x, y }));
  model.dispose();
}
const rows = Object.entries({ treadle: seconds, ...peers })
  .filter(([name]) => name !== 'density')
  .map(([name, times]) => [name, median(times).toFixed(2), (median(times) / median(seconds)).toFixed(1)]);
console.log(
  `Node ${process.versions.node}, ${machine()}; ${(100 * peers.density).toFixed(2)} % dense; one epoch, medians of three\n`,
);
console.log(textTable(['engine', 's', 'engine : treadle'], rows));
console.log(`\ntreadle's training accuracy after it: ${accuracy.toFixed(3)}`);
