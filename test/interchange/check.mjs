// Imports what make.py wrote, compares predictions, and exports models of every kind for read.py.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, EXPORT_FORMATS, exportModel, importModel, loadModel, mlp } from '../../dist/node.js';

const folder = process.argv[2];
const { x, cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
const rows = Float32Array.from(x);
const worst = {};
let failed = 0;
for (const { file, head, options, outputs } of cases) {
  const { bytes } = importModel(readFileSync(join(folder, file)), { source: file, ...options });
  const model = await loadModel(bytes);
  const found = model.probabilities(rows);
  const scale = head === 'identity' ? outputs.reduce((most, value) => Math.max(most, Math.abs(value)), 1) : 1;
  const difference = outputs.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - found[at]) / scale),
    0,
  );
  const width = outputs.length / 200;
  const best = (values, row) =>
    values
      .slice(row * width, (row + 1) * width)
      .reduce((top, value, at, all) => (value > all[top] ? at : top), 0);
  const others = Array.from({ length: 200 }, (_, row) => row).filter(
    (row) => best(outputs, row) !== best(found, row),
  );
  const isRight =
    found.length === outputs.length && difference < 1e-5 && (head !== 'softmax' || others.length === 0);
  if (!isRight) console.log(`${file}: differs by ${difference}, other classes in ${others.length} rows`);
  if (!isRight) failed++;
  const kind = file.slice(file.lastIndexOf('.') + 1);
  worst[kind] = Math.max(worst[kind] ?? 0, difference);
}
console.log(
  `${cases.length - failed} of ${cases.length} imported with equal predictions; largest differences:`,
  worst,
);

const exported = [];
for (const activation of ['relu', 'leakyRelu', 'tanh', 'sigmoid', 'gelu', 'silu']) {
  for (const head of ['softmax', 'sigmoid', 'identity']) {
    for (const norm of [false, true]) {
      const model = await createModel(mlp({ inputs: 6, hidden: [16, 8], outputs: 3, norm, activation }), {
        seed: 3,
      });
      const y = Array.from({ length: 200 }, (_, row) =>
        head === 'softmax'
          ? ['ä', 'b "q"', 'c'][row % 3]
          : head === 'sigmoid'
            ? [row % 2, 1, 0]
            : [row * 100, 1 / (row + 1), row],
      );
      await model.fit({ x: rows, y }, { epochs: 3 });
      const name = `out-${activation}-${head}-${norm ? 'norm' : 'plain'}`;
      for (const [format, { extension }] of Object.entries(EXPORT_FORMATS))
        writeFileSync(join(folder, name + extension), exportModel(model, format, { name: 'model' }));
      exported.push({
        name,
        head,
        spec: model.spec,
        outputs: [...model.probabilities(rows)],
        labels: model.predict(rows),
      });
    }
  }
}
writeFileSync(join(folder, 'exported.json'), JSON.stringify(exported));
process.exitCode = failed === 0 ? 0 : 1;
