// How well the default lengths of a training do beside others, on the tables that real.py has written: each table's test loss
// and epochs, and their ratios to the first one's.
//
//   node test/table/compare/defaults.mjs FOLDER [SEEDS]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fitTable, readTable } from '../../../dist/table/node.js';

const [folder = 'build/tables/real', seeds = '4'] = process.argv.slice(2);

/** Options of `fitTable` by what they are called, for so many rows. The first is what the others are compared with. */
const LENGTHS = {
  default: () => ({}),
  // The default of the first release of tables.
  '10,000,000 rows': (rows) => {
    const epochs = Math.min(200, Math.max(10, Math.round(10_000_000 / rows)));
    return { epochs, patience: Math.max(3, Math.round(epochs / 10)) };
  },
};

const geometric = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value) / values.length, 0));
const ratios = Object.fromEntries(Object.keys(LENGTHS).map((name) => [name, { loss: [], epochs: [] }]));

for (const [name, target] of Object.entries(JSON.parse(readFileSync(join(folder, 'tables.json'), 'utf8')))) {
  const [train, test] = await Promise.all(
    ['train', 'test'].map((part) => readTable(join(folder, `${name}-${part}.csv`))),
  );
  const found = {};
  for (const [length, optionsFor] of Object.entries(LENGTHS)) {
    const sums = { loss: 0, epochs: 0 };
    for (let seed = 0; seed < Number(seeds); seed++) {
      const options = optionsFor(Math.round(0.85 * train.rows));
      const { model, history } = await fitTable(train, { target, seed, ...options });
      sums.loss += model.evaluate(test).loss / Number(seeds);
      sums.epochs += history.epochs.length / Number(seeds);
      model.dispose();
    }
    found[length] = sums;
  }
  const [first] = Object.values(found);
  for (const [length, sums] of Object.entries(found)) {
    for (const of of ['loss', 'epochs']) ratios[length][of].push(sums[of] / first[of]);
  }
  const shown = Object.values(found).map(
    ({ loss, epochs }) => `${loss.toFixed(4)} after ${epochs.toFixed(0)}`,
  );
  console.log(name.padEnd(14), String(train.rows).padStart(6), shown.join('   '));
}
for (const [length, { loss, epochs }] of Object.entries(ratios)) {
  const worse = loss.filter((ratio) => ratio > 1.002).length;
  const better = loss.filter((ratio) => ratio < 0.998).length;
  console.log(
    `${length}: loss ${geometric(loss).toFixed(3)} of the first (${better} better, ${worse} worse), epochs ${geometric(epochs).toFixed(2)}`,
  );
}
