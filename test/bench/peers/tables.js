// treadle's `fit` with its defaults beside scikit-learn's, on the tables, splits and figures of sklearn_tables.py, one
// thread; XOR by 100 seeds; a new process for each table.
//   OMP_NUM_THREADS=1 python sklearn_tables.py FOLDER && node tables.js FOLDER
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createModel, mlp } from '../../../dist/index.js';
import { here, machine, median, textTable } from './measure.js';

const [folder, name] = process.argv.slice(2);

/** Test scores and seconds of the five splits: accuracy or R2, as scikit-learn's `score`. */
async function measureTable({ x, y, regression, splits }) {
  const take = (rows) => ({ x: rows.map((row) => x[row]), y: rows.map((row) => y[row]) });
  const found = [];
  for (const [seed, { train, test }] of splits.entries()) {
    const outputs = regression ? 1 : new Set(y).size;
    const data = take(train);
    const started = performance.now();
    // One hidden layer of 100, as scikit-learn's.
    const spec = mlp({ inputs: x[0].length, hidden: [100], outputs, standardize: true });
    const model = await createModel(spec, { seed });
    await model.fit(data, regression ? { task: 'regression' } : {});
    const seconds = (performance.now() - started) / 1000;
    const scores = model.evaluate(take(test));
    found.push({ seconds, score: regression ? scores.r2 : scores.accuracy });
    model.dispose();
  }
  return found;
}

/** Seeds of 100 with which 2-8-1 learns XOR within 1,000 epochs, by the defaults. */
async function xor() {
  const x = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];
  const y = [[0], [1], [1], [0]];
  let solved = 0;
  for (let seed = 0; seed < 100; seed++) {
    const model = await createModel(mlp({ inputs: 2, hidden: [8], outputs: 1, norm: false }), { seed });
    await model.fit({ x, y }, { task: 'multilabel', epochs: 1000 });
    if (model.predict(x).every((answer, row) => Number(answer) === y[row][0])) solved++;
    model.dispose();
  }
  return solved;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

if (name === 'xor') {
  console.log(await xor());
} else if (name !== undefined) {
  console.log(JSON.stringify(await measureTable(JSON.parse(readFileSync(join(folder, name), 'utf8')))));
} else {
  const rows = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const record = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      const ours = JSON.parse(
        execFileSync(process.execPath, [here('tables.js'), folder, file], { maxBuffer: 1 << 26 }),
      );
      const column = (figures) => {
        const scores = figures.map(({ score }) => score);
        const spread = Math.sqrt(mean(scores.map((score) => (score - mean(scores)) ** 2)));
        return `${mean(scores).toFixed(3)} (${spread.toFixed(3)})`;
      };
      const seconds = (figures) => median(figures.map((figure) => figure.seconds));
      const [plain, scaled] = ['sklearn', 'scaled'].map((key) => record.splits.map((split) => split[key]));
      return [
        `${record.name}, ${record.x.length} x ${record.x[0].length}`,
        ...[ours, plain, scaled].flatMap((figures) => [column(figures), seconds(figures).toFixed(3)]),
        (seconds(plain) / seconds(ours)).toFixed(1),
      ];
    });
  const head = ['table', 'treadle', 's', 'sklearn', 's', 'sklearn, scaled', 's', 'sklearn : treadle'];
  console.log(
    `Node ${process.versions.node}, ${machine()}; mean test score of five splits (deviation), median seconds\n`,
  );
  console.log(textTable(head, rows));
  console.log(
    `\nXOR: ${execFileSync(process.execPath, [here('tables.js'), folder, 'xor'])
      .toString()
      .trim()} of 100 seeds`,
  );
}
