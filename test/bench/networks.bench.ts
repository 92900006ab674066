import { bench, describe, expect } from 'vitest';
import { checkLosses } from '../../dist/experiment/time-epochs.js';
import type { NetworkSpec } from '../../dist/model/classifier.js';
import { predictionError } from './float64.js';
import { LONGER, MODELS, madeUpSamples, openMachine, productWork, trainer } from './setup.js';

const BATCHES = [256, 64];
const STEPS = 24;
const RATE = 0.005;

const { core, machine } = await openMachine();

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
  const network = trainer(core, spec, batch, data);
  const order = Uint32Array.from(data.labels, (_, index) => index);
  network.training.begin(order);
  checkLosses(
    name,
    Array.from({ length: STEPS }, (_, step) => network.training.step(step * batch, batch, RATE)),
  );
  expect(predictionError(network, data), name).toBeLessThan(1e-4);
  network.training.begin(order);
  return { network, data };
}

describe('training step', { meta: { group: { machine, work: workOf('training') } } }, () => {
  for (const entry of cases) {
    const { network } = trainedNetwork(entry);
    let step = 0;
    bench(
      entry.name,
      () => {
        network.training.step((step % STEPS) * entry.batch, entry.batch, RATE);
        step += 1;
      },
      LONGER,
    );
  }
});

describe('training step, images moved', { meta: { group: { machine, work: workOf('training') } } }, () => {
  for (const { name, spec, batch } of cases) {
    const data = madeUpSamples(spec, STEPS * batch);
    const network = trainer(core, spec, batch, data, true);
    network.training.begin(Uint32Array.from(data.labels, (_, index) => index));
    let step = 0;
    bench(
      name,
      () => {
        network.training.step((step % STEPS) * batch, batch, RATE);
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
