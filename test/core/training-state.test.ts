import { describe, expect, it } from 'vitest';
import {
  type Core,
  type ModelSpec,
  mlp,
  type Network,
  type Optimizer,
  type TensorKey,
  type Tensors,
  type Totals,
  type TrainingState,
} from '../../dist/bindings/host.js';
import { failure } from '../support/errors.js';
import {
  bytesOf,
  coreOf,
  cores,
  networkOn,
  RECIPE,
  range,
  recipe,
  toySamples,
  withTensors,
} from './support.js';

// A training that is stopped after any batch and taken over by another network goes on to the same bytes.

// Wide and sparse enough that layers are compressed by what was measured, which a fresh network has not done.
const shape = { inputs: 21, hidden: [35, 18], classes: 3, dropout: 0.3 };
const SAMPLES = 103;
const data = toySamples(shape, SAMPLES, 6);
const model = recipe(shape);
const options = { seed: 11, batchSize: 17 };
const create = (core: Core, more: Parameters<typeof networkOn>[3] = {}, of: ModelSpec = model) =>
  networkOn(core, of, data, { ...options, ...more });
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
      network.training.begin(order(epoch), inEpoch === 0 ? {} : { totals });
    }
    network.training.step(17 * inEpoch, inEpoch === BATCHES - 1 ? 18 : 17, 0.01 / (1 + epoch));
    // As a training does at an epoch's end; its own totals are gone then.
    if (inEpoch === BATCHES - 1 && batch + 1 < to) network.evaluate(0, range(SAMPLES));
  }
}

/** All that a network ends with: figures, parameters, statistics, moments, counters, and predictions. */
function bytes(network: Network): Buffer {
  const { training } = network;
  const state = training.exportState();
  return bytesOf([
    training.totals(),
    state,
    network.predict(data.inputs),
    network.evaluate(0, range(SAMPLES)),
  ]);
}

const ended = new Map<Core, Buffer>();

/** What a training that was never stopped ends with. */
function whole(core: Core): Buffer {
  let result = ended.get(core);
  if (result === undefined) {
    const network = create(core);
    train(network, 0, ALL);
    result = bytes(network);
    ended.set(core, result);
  }
  return result;
}

describe.each(cores)('a training in the build $build', (core) => {
  it.each(Array.from({ length: ALL }, (_, batches) => batches))(
    'stopped after %i batches goes on to the same bytes in a fresh network',
    (batches) => {
      const stopped = create(core);
      train(stopped, 0, batches);
      const [totals, state] = [stopped.training.totals(), stopped.training.exportState()];
      expect(state).toMatchObject({ dropoutSteps: batches, optimizer: { steps: batches } });
      const resumed = create(core);
      resumed.training.importState(state);
      train(resumed, batches, ALL, totals);
      expect(bytes(resumed).equals(whole(core))).toBe(true);
    },
  );

  it('goes on in a network that has trained on something else', () => {
    const stopped = create(core);
    train(stopped, 0, 8);
    const [totals, state] = [stopped.training.totals(), stopped.training.exportState()];
    // What was exported is a copy: training on does not change it.
    train(stopped, 8, ALL, totals);
    const other = create(core);
    train(other, 5, 12);
    other.training.importState(state);
    train(other, 8, ALL, totals);
    expect(bytes(other).equals(whole(core))).toBe(true);
    expect(bytes(stopped).equals(whole(core))).toBe(true);
  });

  it('can be stopped again and again', () => {
    let network = create(core);
    for (let batch = 0; batch < ALL; batch++) {
      const [totals, state] = [network.training.totals(), network.training.exportState()];
      network = create(core);
      network.training.importState(state);
      train(network, batch, batch + 1, totals);
    }
    expect(bytes(network).equals(whole(core))).toBe(true);
  });

  it('gives back exactly what was imported', () => {
    const stopped = create(core);
    train(stopped, 0, 7);
    const state = stopped.training.exportState();
    const copy = create(core);
    copy.training.importState(state);
    expect(copy.training.exportState()).toEqual(state);
  });
});

describe('every part of the state counts', () => {
  const core = coreOf('simd');
  const stopped = create(core);
  train(stopped, 0, 8);
  const [totals, state] = [stopped.training.totals(), stopped.training.exportState()];
  const { optimizer, tensors } = state;
  const [first, second] = optimizer.slots as [Tensors, Tensors];
  const resumed = (change: Partial<TrainingState>, seed = options.seed): Buffer => {
    const network = create(core, { seed });
    network.training.importState({ ...state, ...change });
    train(network, 8, ALL, totals);
    return bytes(network);
  };
  const zeroed = (key: TensorKey) =>
    withTensors(tensors, { [key]: new Float32Array(tensors.get(key)!.length) });

  it.each<[string, Partial<TrainingState>]>([
    ['the dropout counter', { dropoutSteps: 7 }],
    ['the batches that were tracked', { batchesTracked: 7 }],
    ["Adam's steps", { optimizer: { ...optimizer, steps: 7 } }],
    ["Adam's first moments", { optimizer: { ...optimizer, slots: [second, second] } }],
    ["Adam's second moments", { optimizer: { ...optimizer, slots: [first, first] } }],
    ['the running means', { tensors: zeroed('1.runningMean') }],
    [
      'a bias before BatchNorm',
      { tensors: withTensors(tensors, { '0.bias': new Float32Array(35).fill(1) }) },
    ],
  ])('%s', (_, change) => {
    expect(resumed({}).equals(whole(core))).toBe(true);
    expect(resumed(change).equals(whole(core))).toBe(false);
  });

  it('the seed of the dropout masks', () => {
    expect(resumed({}, 12).equals(whole(core))).toBe(false);
  });
});

describe.each<Optimizer>([
  { type: 'adam', l2: 0.01 },
  { type: 'adamW', weightDecay: 0.1 },
  { type: 'sgd' },
  { type: 'sgd', momentum: 0.9 },
  { type: 'sgd', momentum: 0.9, nesterov: true, l2: 0.01 },
])('a training by $type, momentum $momentum, l2 $l2', (optimizer) => {
  const norms = mlp({ inputs: 21, hidden: [35], outputs: 3, norm: true, dropout: 0.3, inputType: 'u8' });
  const smooth = mlp({ inputs: 21, hidden: [35, 18], outputs: 3, activation: 'silu', inputType: 'u8' });
  const training = { ...RECIPE, optimizer };
  it.each([
    ['with BatchNorm and dropout', norms, training],
    ['without norm, clipped', smooth, { ...training, clipNorm: 0.05 }],
    ['with an average', norms, { ...training, average: true }],
  ] as const)('%s goes on to the same bytes in a fresh network', (_, of, asked) => {
    for (const core of cores) {
      const [through, stopped, resumed] = [0, 1, 2].map(() => create(core, { training: asked }, of)) as [
        Network,
        Network,
        Network,
      ];
      if ('average' in asked)
        for (const network of [through, stopped, resumed]) network.training.averageBy(0.1);
      train(through, 0, 9);
      train(stopped, 0, 4);
      const totals = stopped.training.totals();
      const state = stopped.training.exportState();
      resumed.training.importState(state);
      expect(resumed.training.exportState()).toEqual(state);
      train(resumed, 4, 9, totals);
      expect(bytes(resumed).equals(bytes(through)), core.build).toBe(true);
      // What was exported is a copy, and goes into the arrays of an earlier one where it is asked to.
      const into = through.training.exportState();
      expect(stopped.training.exportState(into)).toEqual(state);
      expect(stopped.training.exportState(into).tensors.get('0.weight')).toBe(into.tensors.get('0.weight'));
    }
  });
});

describe('totals', () => {
  const core = coreOf('simd');

  it('start from zero, or from those that are given, and leave them as they are', () => {
    const network = create(core);
    const given = { loss: 12.5, weight: 40, correct: 7, samples: 40 };
    network.training.begin(order(0), { totals: given });
    expect(network.training.totals()).toEqual(given);
    const loss = network.training.step(0, 17, 0.01);
    expect(network.training.totals()).toMatchObject({ samples: 57, weight: 57 });
    expect(network.training.totals().loss).toBeCloseTo(12.5 + 17 * loss, 9);
    expect(network.training.totals().correct).toBeGreaterThanOrEqual(7);
    expect(given).toEqual({ loss: 12.5, weight: 40, correct: 7, samples: 40 });
    network.training.begin(order(0));
    expect(network.training.totals()).toEqual({ loss: 0, weight: 0, correct: 0, samples: 0 });
    network.training.beginStream(given);
    expect(network.training.totals()).toEqual(given);
  });

  it('count the weights of samples', () => {
    const weights = Float32Array.from({ length: SAMPLES }, (_, row) => row % 4);
    const network = networkOn(core, model, { ...data, weights }, options);
    network.training.begin(range(SAMPLES));
    const loss = network.training.step(0, 17, 0.01);
    const weight = weights.subarray(0, 17).reduce((sum, each) => sum + each);
    expect(network.training.totals()).toMatchObject({ samples: 17, weight });
    expect(network.training.totals().loss).toBeCloseTo(weight * loss, 9);
  });
});

describe('importState refuses', () => {
  const core = coreOf('debug');
  const state = create(core).training.exportState();
  const { optimizer } = state;

  it.each([
    ["tensors['4.weight'] has length 630; 105", { ...shape, hidden: [35] }],
    ["tensors['0.weight'] has length 735; 399", { ...shape, hidden: [19, 18] }],
    ["tensors['4.weight'] has length 630; 595", { ...shape, hidden: [35, 17] }],
    ["tensors['8.weight'] has length 54; 72", { ...shape, classes: 4 }],
  ])('the state of another network: %s', async (words, other) => {
    const network = create(core, {}, recipe(other));
    const before = bytes(network);
    const error = await failure('shape', () => network.training.importState(state));
    expect(error.message).toContain(words);
    expect(bytes(network).equals(before)).toBe(true);
  });

  it.each<[string, string, Partial<TrainingState>]>([
    [
      'shape',
      "optimizer.slots[0]['4.weight'] has length 629; 630 is expected.",
      {
        optimizer: {
          ...optimizer,
          slots: [
            withTensors(optimizer.slots[0]!, { '4.weight': new Float32Array(629) }),
            optimizer.slots[1]!,
          ],
        },
      },
    ],
    [
      'range',
      'optimizer.slots.length is 1; 2 is expected.',
      { optimizer: { ...optimizer, slots: optimizer.slots.slice(1) } },
    ],
    [
      'range',
      'steps is -1; a whole number from 0 up is expected.',
      { optimizer: { ...optimizer, steps: -1 } },
    ],
    [
      'shape',
      "tensors is with the tensor '12.bias'; only the model's own tensors is expected.",
      { tensors: withTensors(state.tensors, { '12.bias': new Float32Array(3) }) },
    ],
    ['range', 'dropoutSteps is 0.5; a whole number from 0 up is expected.', { dropoutSteps: 0.5 }],
    ['range', 'batchesTracked is NaN; a whole number from 0 up is expected.', { batchesTracked: Number.NaN }],
  ])('%s: %s', async (code, words, change) => {
    const network = create(core);
    const before = bytes(network);
    const error = await failure(code, () => network.training.importState({ ...state, ...change }));
    expect(error.message).toBe(words);
    expect(bytes(network).equals(before)).toBe(true);
  });

  it('a state without the average that is kept', async () => {
    const network = create(core, { training: { ...RECIPE, average: true } });
    const error = await failure('shape', () => network.training.importState(state));
    expect(error.message).toBe('average is missing; a Map of tensors by key is expected.');
  });
});
