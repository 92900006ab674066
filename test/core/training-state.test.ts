import { describe, expect, it } from 'vitest';
import { type Engine, Network, type NetworkSpec, type Totals } from '../../dist/bindings/index.js';
import { failure } from '../support/errors.js';
import { engines, flatten, range, toySamples } from './support.js';

// A training that is stopped after any batch and taken over by another network goes on to the same bytes.

// Wide and sparse enough that layers are compressed by what was measured, which a fresh network has not done.
const spec: NetworkSpec = { inputs: 21, hidden: [35, 18], classes: 3, dropout: 0.3 };
const SAMPLES = 103;
const data = toySamples(spec, SAMPLES, 6);
const options = { seed: 11, batchSize: 17, data };
/** Batches of an epoch: six of 17 samples; the last, of one, is joined to the sixth. */
const BATCHES = 6;
const EPOCHS = 3;
const ALL = EPOCHS * BATCHES;

/** An order of its own for every epoch. */
function order(epoch: number): Uint32Array {
  return range(SAMPLES).map((sample) => (sample * 5 + 31 * epoch) % SAMPLES);
}

/** Trains batches `from` to `to`, counted through all epochs; an epoch's totals go on from the given ones. */
function train(network: Network, from: number, to: number, totals?: Totals): void {
  for (let batch = from; batch < to; batch++) {
    const inEpoch = batch % BATCHES;
    const epoch = Math.floor(batch / BATCHES);
    if (inEpoch === 0 || batch === from) {
      network.beginEpoch(order(epoch), 0.01 / (1 + epoch), inEpoch === 0 ? undefined : totals);
    }
    network.trainBatch(17 * inEpoch, inEpoch === BATCHES - 1 ? 18 : 17);
    // As a training does at an epoch's end; its own totals are gone then.
    if (inEpoch === BATCHES - 1 && batch + 1 < to) network.evaluate(range(SAMPLES));
  }
}

/** All that a network ends with, as f64 bytes: figures, parameters, statistics, moments, counters, and predictions. */
function bytes(network: Network): Buffer {
  const totals = network.totals();
  const state = network.exportTraining();
  const numbers = [totals, state, network.predict(data.images), network.evaluate(range(SAMPLES))];
  return Buffer.from(Float64Array.from(flatten(numbers)).buffer);
}

const ended = new Map<Engine, Buffer>();

/** What a training that was never stopped ends with. */
function whole(engine: Engine): Buffer {
  let result = ended.get(engine);
  if (result === undefined) {
    const network = new Network(engine, spec, options);
    train(network, 0, ALL);
    result = bytes(network);
    ended.set(engine, result);
  }
  return result;
}

describe.each(engines)('a training in the build $build', (engine) => {
  it.each(Array.from({ length: ALL }, (_, batches) => batches))(
    'stopped after %i batches goes on to the same bytes in a fresh network',
    (batches) => {
      const stopped = new Network(engine, spec, options);
      train(stopped, 0, batches);
      const [totals, state] = [stopped.totals(), stopped.exportTraining()];
      expect(state).toMatchObject({ dropoutSteps: batches, optimizer: { steps: batches } });
      const resumed = new Network(engine, spec, options);
      resumed.importTraining(state);
      train(resumed, batches, ALL, totals);
      expect(bytes(resumed).equals(whole(engine))).toBe(true);
    },
  );

  it('goes on in a network that has trained on something else', () => {
    const stopped = new Network(engine, spec, options);
    train(stopped, 0, 8);
    const [totals, state] = [stopped.totals(), stopped.exportTraining()];
    // What was exported is a copy: training on does not change it.
    train(stopped, 8, ALL, totals);
    const other = new Network(engine, spec, options);
    train(other, 5, 12);
    other.importTraining(state);
    train(other, 8, ALL, totals);
    expect(bytes(other).equals(whole(engine))).toBe(true);
    expect(bytes(stopped).equals(whole(engine))).toBe(true);
  });

  it('can be stopped again and again', () => {
    let network = new Network(engine, spec, options);
    for (let batch = 0; batch < ALL; batch++) {
      const [totals, state] = [network.totals(), network.exportTraining()];
      network = new Network(engine, spec, options);
      network.importTraining(state);
      train(network, batch, batch + 1, totals);
    }
    expect(bytes(network).equals(whole(engine))).toBe(true);
  });

  it('gives back exactly what was imported', () => {
    const stopped = new Network(engine, spec, options);
    train(stopped, 0, 7);
    const state = stopped.exportTraining();
    const copy = new Network(engine, spec, options);
    copy.importTraining(state);
    expect(copy.exportTraining()).toEqual(state);
  });
});

describe('every part of the state counts', () => {
  const engine = engines.find(({ build }) => build === 'simd')!;
  const stopped = new Network(engine, spec, options);
  train(stopped, 0, 8);
  const [totals, state] = [stopped.totals(), stopped.exportTraining()];
  const { optimizer, tensors } = state;
  const resumed = (change: object, seed = options.seed): Buffer => {
    const network = new Network(engine, spec, { ...options, seed });
    network.importTraining({ ...state, ...change });
    train(network, 8, ALL, totals);
    return bytes(network);
  };

  it.each([
    ['the dropout counter', { dropoutSteps: 7 }],
    ["Adam's steps", { optimizer: { ...optimizer, steps: 7 } }],
    ["Adam's first moments", { optimizer: { ...optimizer, first: optimizer.second } }],
    ["Adam's second moments", { optimizer: { ...optimizer, second: optimizer.first } }],
    ['the tensors', { tensors: { ...tensors, batchNorm: [...tensors.batchNorm].map(flattened) } }],
  ])('%s', (_, change) => {
    expect(resumed({}).equals(whole(engine))).toBe(true);
    expect(resumed(change).equals(whole(engine))).toBe(false);
  });

  it('the seed of the dropout masks', () => {
    expect(resumed({}, 12).equals(whole(engine))).toBe(false);
  });
});

/** BatchNorm's tensors with the running means all zero. */
function flattened<Norm extends { runningMean: Float32Array }>(norm: Norm): Norm {
  return { ...norm, runningMean: new Float32Array(norm.runningMean.length) };
}

describe('totals', () => {
  const engine = engines.find(({ build }) => build === 'simd')!;

  it('start from zero, or from those that are given, and leave them as they are', () => {
    const network = new Network(engine, spec, options);
    const given = { loss: 12.5, correct: 7, samples: 40 };
    network.beginEpoch(order(0), 0.01, given);
    expect(network.totals()).toEqual(given);
    const loss = network.trainBatch(0, 17);
    expect(network.totals().samples).toBe(57);
    expect(network.totals().loss).toBeCloseTo(12.5 + 17 * loss, 9);
    expect(network.totals().correct).toBeGreaterThanOrEqual(7);
    expect(given).toEqual({ loss: 12.5, correct: 7, samples: 40 });
    network.beginEpoch(order(0), 0.01);
    expect(network.totals()).toEqual({ loss: 0, correct: 0, samples: 0 });
  });
});

describe('importTraining refuses', () => {
  const engine = engines.find(({ build }) => build === 'debug')!;
  const state = new Network(engine, spec, options).exportTraining();

  it.each([
    ['dense has length 3; 2', { ...spec, hidden: [35] }],
    ['dense[0].weight has length 735; 399', { ...spec, hidden: [19, 18] }],
    ['dense[1].weight has length 630; 595', { ...spec, hidden: [35, 17] }],
    ['dense[2].weight has length 54; 72', { ...spec, classes: 4 }],
  ])('the state of another network: %s', async (words, other) => {
    const network = new Network(engine, other, {
      ...options,
      data: toySamples(other, SAMPLES, 6),
    });
    const error = await failure('shape', () => network.importTraining(state));
    expect(error.message).toContain(words);
  });

  it('moments of another length', async () => {
    const network = new Network(engine, spec, options);
    const { first } = state.optimizer;
    const dense = first.dense.map(({ weight, bias }) => ({ weight: weight.slice(1), bias }));
    const optimizer = { ...state.optimizer, first: { ...first, dense } };
    await failure('shape', () => network.importTraining({ ...state, optimizer }));
  });
});
