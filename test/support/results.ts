import { ARCHITECTURES, LEARNING_RATES } from '../../dist/fashion-mnist/architectures.js';
import { FASHION_MNIST_CLASSES } from '../../dist/fashion-mnist/identity.js';
import { PUBLISHED_MODELS } from '../../dist/fashion-mnist/published.js';
import { classificationScores } from '../../dist/metrics/classification.js';
import { jobId } from '../../dist/results/job-id.js';
import type { EpochRecord, ModelRecord, RunConfig, RunResults } from '../../dist/results/records.js';
import { buildResults } from '../../dist/results/results.js';

/** A generator of numbers from 0 to below 1 that repeats itself: a linear congruential one is enough here. */
export function repeatable(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Results of a whole run as it could end: the published figures with noise, every model tested. */
export function publishedLikeResults(change: Partial<RunConfig> = {}): RunResults {
  const next = repeatable(7);
  const config = runConfig(change);
  const tested = PUBLISHED_MODELS.filter(({ test }) => test !== null);
  const models = PUBLISHED_MODELS.map(({ model, learningRate, epochs }): ModelRecord => {
    const noise = () => (next() - 0.5) * 0.004;
    const records = epochs.map(
      ([trainLoss, trainAccuracy, valLoss, valAccuracy, valMacroF1], index): EpochRecord => ({
        epoch: index + 1,
        trainLoss: trainLoss + noise(),
        trainAccuracy: trainAccuracy + noise(),
        valLoss: valLoss + noise(),
        valAccuracy: valAccuracy + noise(),
        valMacroF1: valMacroF1 + noise(),
        seconds: (model === 'large1' ? 6 : model === 'large2' ? 3 : 0.7) + next(),
      }),
    );
    // The small models' printed tests, and that of large1 for both large architectures.
    const like = tested.find((other) => other.model === model) ?? tested[0]!;
    const confusion = like.test!.confusion.map((row) => moved(row, next));
    return modelRecord(model, learningRate, records, confusion);
  });
  return buildResults({ environment: ENVIRONMENT, config, dataset: fashionMnist(), models });
}

/** Results of a small run of several seeds on made-up classes, with an ensemble of two. */
export function ensembleResults(seeds = 3): RunResults {
  const change: Partial<RunConfig> = { learningRates: [0.1], epochs: 3, seeds, average: 'flip' };
  const runs = Array.from({ length: seeds }, (_, seed) => randomResults(5, change, seed + 1));
  const models = runs.map(({ models: [model] }, seed) => ({
    ...model!,
    id: jobId({ model: model!.model, learningRate: 0.1, seed }),
  }));
  const { environment, config, dataset } = runs[0]!;
  const ensemble = {
    members: models.slice(0, 2).map(({ id }) => id),
    valAccuracy: 0.93,
    agreement: 0.9512,
    test: models[0]!.test!,
  };
  return buildResults({ environment, config, dataset, models, ensemble });
}

/** Results of a small run on made-up classes: random epochs and confusion matrices. */
export function randomResults(classes: number, change: Partial<RunConfig> = {}, seed = 1): RunResults {
  const next = repeatable(seed);
  const config = runConfig({ architectures: [{ name: 'tiny', hidden: [32] }], ...change });
  const names = Array.from({ length: classes }, (_, index) => `class ${index}`);
  const models = config.architectures.flatMap(({ name }) =>
    config.learningRates.map((learningRate) => {
      const records = Array.from({ length: config.epochs }, (_, index): EpochRecord => {
        const score = 0.9 - 0.3 / (index + 1) + next() * 0.01;
        return {
          epoch: index + 1,
          trainLoss: 1 - score + 0.1,
          trainAccuracy: score - 0.01,
          valLoss: 1 - score + 0.13,
          valAccuracy: score,
          valMacroF1: score - 0.002,
          seconds: 0.2,
        };
      });
      const confusion = names.map((_, actual) =>
        names.map((_, predicted) => Math.floor(next() * (actual === predicted ? 900 : 12))),
      );
      return modelRecord(name, learningRate, records, confusion);
    }),
  );
  const dataset = { ...fashionMnist(), name: 'made-up', classNames: names };
  return buildResults({ environment: ENVIRONMENT, config, dataset, models });
}

/** A model that failed after its first epochs. */
export function failedModel(model: string, learningRate: number, epochs: EpochRecord[] = []): ModelRecord {
  const error = `${model} at ${learningRate} diverged: the loss of epoch ${epochs.length + 1}, step 7, is NaN.`;
  return {
    id: jobId({ model, learningRate }),
    model,
    learningRate,
    epochs,
    kept: null,
    weights: [],
    test: null,
    error,
  };
}

/** A configuration like `run-all`'s own. */
export function runConfig(change: Partial<RunConfig> = {}): RunConfig {
  return {
    architectures: Object.entries(ARCHITECTURES).map(([name, { hidden }]) => ({ name, hidden: [...hidden] })),
    learningRates: [...LEARNING_RATES],
    schedule: 'constant',
    mode: 'chained',
    passes: 1,
    epochs: 10,
    batchSize: 128,
    dropout: 0.5,
    augment: null,
    seed: 0,
    seeds: 1,
    validationSize: 10_000,
    trainSamples: null,
    keep: 'best',
    average: 'none',
    jobs: 2,
    threads: 2,
    build: 'auto',
    ...change,
  };
}

const ENVIRONMENT = {
  node: 'v20.19.0',
  v8: '11.3.244.8',
  build: 'relaxed-mt',
  kernels: '6x8/32',
  revectorized: false,
  cpu: 'Example CPU',
  cores: 2,
  seconds: 407.2,
};

function fashionMnist(): RunResults['dataset'] {
  return {
    name: 'Fashion-MNIST',
    source: 'the folder data/fashion-mnist',
    hash: '5f0c6a1e0f4b7b0f3d7e0c2b9a8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a291807',
    imageWidth: 28,
    imageHeight: 28,
    classNames: [...FASHION_MNIST_CLASSES],
    trainSamples: 50_000,
    validationSamples: 10_000,
    testSamples: 10_000,
  };
}

function modelRecord(
  model: string,
  learningRate: number,
  epochs: EpochRecord[],
  confusion: number[][],
): ModelRecord {
  const kept = epochs.reduce((best, epoch) => (epoch.valMacroF1 > best.valMacroF1 ? epoch : best));
  const { accuracy, macro } = classificationScores(confusion);
  const { precision, recall, f1: macroF1 } = macro;
  return {
    id: jobId({ model, learningRate }),
    model,
    learningRate,
    epochs,
    kept: { epoch: kept.epoch, valMacroF1: kept.valMacroF1 },
    weights: ['safetensors', 'pkl'].map((format) => `weights/${model}_weights_${learningRate}.${format}`),
    test: { accuracy, precision, recall, macroF1, loss: 0.3 + (1 - accuracy), confusion },
  };
}

/** A row with a few samples moved from one column to another; its sum stays. */
function moved(row: readonly number[], next: () => number): number[] {
  const result = [...row];
  for (let move = 0; move < 4; move++) {
    const from = Math.floor(next() * row.length);
    const to = Math.floor(next() * row.length);
    const count = Math.min(result[from]!, Math.floor(next() * 6));
    result[from]! -= count;
    result[to]! += count;
  }
  return result;
}
