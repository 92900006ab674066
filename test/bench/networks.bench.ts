import { bench, describe, expect } from 'vitest';
import { checkLosses } from '../../dist/bench/epochs.js';
import { Network, type NetworkSpec } from '../../dist/bindings/index.js';
import { predictionError } from './float64.js';
import { LONGER, MODELS, madeUpSamples, openMachine, productWork } from './setup.js';

const BATCHES = [256, 64];
const STEPS = 24;

const { engine, machine } = await openMachine();

interface Case {
  name: string;
  spec: NetworkSpec;
  batch: number;
}

const cases: Case[] = MODELS.flatMap(([model, spec]) =>
  BATCHES.map((batch) => ({ name: `${model}, batch ${batch}`, spec, batch })),
);

function workOf(pass: 'forward' | 'training'): Record<string, number> {
  return Object.fromEntries(cases.map(({ name, spec, batch }) => [name, productWork(spec, batch, pass)]));
}

/**
 * A network that has learned for an epoch, so that its layers are as dense or sparse as in training, and has begun
 * another. Its losses fell, and its predictions of random samples agree with float64.
 */
function trainedNetwork({ name, spec, batch }: Case) {
  const data = madeUpSamples(spec, STEPS * batch);
  const network = new Network(engine, spec, { seed: 1, batchSize: batch, data });
  const order = Uint32Array.from(data.labels, (_, index) => index);
  network.beginEpoch(order, 0.005);
  checkLosses(
    name,
    Array.from({ length: STEPS }, (_, step) => network.trainBatch(step * batch, batch)),
  );
  expect(predictionError(network, data), name).toBeLessThan(1e-4);
  network.beginEpoch(order, 0.005);
  return { network, data };
}

describe('training step', { meta: { group: { machine, work: workOf('training') } } }, () => {
  for (const entry of cases) {
    const { network } = trainedNetwork(entry);
    let step = 0;
    bench(
      entry.name,
      () => {
        network.trainBatch((step % STEPS) * entry.batch, entry.batch);
        step += 1;
      },
      LONGER,
    );
  }
});

describe('inference of one batch', { meta: { group: { machine, work: workOf('forward') } } }, () => {
  for (const entry of cases) {
    const { network, data } = trainedNetwork(entry);
    const images = data.images.subarray(0, entry.batch * entry.spec.inputs);
    bench(entry.name, () => void network.predict(images), LONGER);
  }
});
