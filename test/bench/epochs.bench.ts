import { bench, describe, expect } from 'vitest';
import type { Network } from '../../dist/bindings/host.js';
import { checkLosses, trainEpoch } from '../../dist/experiment/time-epochs.js';
import { loadDataset } from '../../dist/fashion-mnist/dataset.js';
import type { NetworkSpec } from '../../dist/model/classifier.js';
import { batchRanges } from '../../dist/train/batches.js';
import { predictionError } from './float64.js';
import { MODELS, openMachine, productWork, THRICE, trainer } from './setup.js';

const SAMPLES = 48_000;
const BATCH = 256;

const { core, machine } = await openMachine();
const { train } = await loadDataset({ verify: true });
const batches = batchRanges(SAMPLES, BATCH);
const nameOf = (model: string) => `${model}, batch ${BATCH}, ${SAMPLES} samples`;

/** A network after one epoch in which its losses fell; its predictions of random samples agree with float64. */
function trainedNetwork(model: string, spec: NetworkSpec): Network {
  const data = {
    images: train.images.subarray(0, SAMPLES * spec.inputs),
    labels: train.labels.subarray(0, SAMPLES),
  };
  const network = trainer(core, spec, BATCH, data);
  checkLosses(model, trainEpoch(network, model, 0, batches));
  expect(predictionError(network, data), model).toBeLessThan(1e-4);
  return network;
}

const work = Object.fromEntries(
  MODELS.map(([model, spec]) => [nameOf(model), productWork(spec, SAMPLES, 'training')]),
);
describe('epoch on Fashion-MNIST, validation left out', { meta: { group: { machine, work } } }, () => {
  for (const [model, spec] of MODELS) {
    const network = trainedNetwork(model, spec);
    let epoch = 1;
    bench(
      nameOf(model),
      () => {
        trainEpoch(network, model, epoch, batches);
        epoch += 1;
      },
      THRICE,
    );
  }
});
