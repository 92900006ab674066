/**
 * What one of the published architectures comes to on Fashion-MNIST with augmented images, by the library alone:
 *
 *   node test/bench/accuracy.mjs --model small --epochs 60 [--dropout 0] [--range 1] [--share 0.7] [--seeds 0,1,2]
 *     [--rate 0.003] [--batch-size 512] [--threads 1] [--average ema|none] [--data FOLDER] [--plain]
 *
 * 50,000 images are trained on and 10,000 held out, stratified by the seed; the weights after the last epoch are tested.
 * `--range` times the ranges of docs/accuracy.md. One line of JSON a seed, and then means. The test is read once a seed:
 * recipes are chosen by validation.
 */
import { parseArgs } from 'node:util';
import { mirrored, testOf } from '../../dist/experiment/evaluate.js';
import { ARCHITECTURES, loadDataset } from '../../dist/experiment/index.js';
import {
  createModel,
  enableRelaxedSimd,
  loadCore,
  mlp,
  revectorize,
  stratifiedSplit,
} from '../../dist/node.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'small' },
    epochs: { type: 'string', default: '60' },
    dropout: { type: 'string', default: '0' },
    range: { type: 'string', default: '1' },
    share: { type: 'string', default: '0.7' },
    seeds: { type: 'string', default: '0' },
    rate: { type: 'string', default: '0.003' },
    'batch-size': { type: 'string', default: '512' },
    threads: { type: 'string', default: '1' },
    average: { type: 'string', default: 'none' },
    data: { type: 'string' },
    plain: { type: 'boolean', default: false },
  },
});
const { model: name, average } = values;
const [epochs, dropout, range, share, rate, batchSize, threads] = [
  values.epochs,
  values.dropout,
  values.range,
  values.share,
  values.rate,
  values['batch-size'],
  values.threads,
].map(Number);

const RANGES = { rotation: 8, zoom: 0.08, aspect: 0.12, shear: 0.12, shift: 1 };
const moves = Object.fromEntries(Object.entries(RANGES).map(([key, value]) => [key, range * value]));

enableRelaxedSimd();
const core = await revectorize(await loadCore());
const { train, test } = await loadDataset({ ...(values.data && { data: values.data }) });

const part = ({ images, labels }, rows) => {
  const x = new Uint8Array(rows.length * 784);
  for (const [at, row] of rows.entries()) x.set(images.subarray(row * 784, (row + 1) * 784), at * 784);
  return { x, y: Array.from(rows, (row) => labels[row]) };
};

/** By an image, and by the mean over it and its mirror image. */
function scores(model, { x, y }) {
  const plain = model.probabilities(x);
  const other = model.probabilities(mirrored(x, 28));
  return [plain, plain.map((value, at) => (value + other[at]) / 2)].map((all) => testOf(all, y, 10).accuracy);
}

const round = (value) => Number(value.toFixed(4));
const rows = [];
for (const seed of values.seeds.split(',').map(Number)) {
  const split = stratifiedSplit(train.labels, 10, 10_000, seed);
  const spec = mlp({
    inputs: 784,
    hidden: ARCHITECTURES[name].hidden,
    outputs: 10,
    norm: true,
    ...(dropout > 0 && { dropout }),
    inputType: 'u8',
    shape: [28, 28],
  });
  const model = await createModel(spec, { seed, core, threads });
  const begin = performance.now();
  await model.fit(part(train, split.train), {
    epochs,
    batchSize,
    optimizer: { type: 'adam' },
    learningRate: { type: 'cosine', rate, warmup: 0.05 },
    keep: 'last',
    ...(average === 'ema' && { average: { type: 'ema' } }),
    ...(!values.plain && { augment: { flip: 0.5, share, ...moves, until: 0.8 } }),
  });
  const seconds = (performance.now() - begin) / 1000;
  const [validation, validationFlip] = scores(model, part(train, split.validation));
  const all = { x: test.images, y: Array.from(test.labels) };
  const [tested, testedFlip] = scores(model, all);
  const row = {
    seed,
    validation,
    validationFlip,
    test: tested,
    testFlip: testedFlip,
    seconds: Math.round(seconds),
  };
  rows.push(row);
  console.log(JSON.stringify({ model: name, epochs, ...row }));
  model.dispose();
}
const mean = (key) => round(rows.reduce((sum, row) => sum + row[key], 0) / rows.length);
console.log(
  JSON.stringify({
    means: Object.fromEntries(
      Object.keys(rows[0])
        .slice(1)
        .map((key) => [key, mean(key)]),
    ),
  }),
);
