import { describe, expect, it } from 'vitest';
import {
  type Core,
  type Loss,
  type ModelSpec,
  mlp,
  Network,
  type Samples,
} from '../../dist/bindings/host.js';
import {
  bytesOf,
  coreOf,
  cores,
  flatten,
  networkOn,
  RECIPE,
  range,
  recipe,
  sparse,
  toySamples,
  uniform,
  withTensors,
} from './support.js';

const ROWS = 203;
const shape = { inputs: 21, hidden: [19, 7], classes: 3, dropout: 0.2 };
const model = recipe(shape);
const data = toySamples(shape, ROWS, 1);
const order = range(ROWS);
const debug = coreOf('debug');

/** Trains over a set of ROWS samples; returns the epochs' mean losses. */
function train(network: Network, epochs: number, batch = 32, rows = ROWS): number[] {
  return Array.from({ length: epochs }, () => {
    network.training.begin(range(rows));
    for (let first = 0; first < rows; first += batch) {
      network.training.step(first, Math.min(batch, rows - first), 0.01);
    }
    const { loss, weight } = network.training.totals();
    return loss / weight;
  });
}

describe.each(cores)('a network in the build $build', (core) => {
  const create = (seed = 7, batchSize = 32) => networkOn(core, model, data, { seed, batchSize });

  it('learns a toy problem', () => {
    const network = create();
    const losses = train(network, 12);
    expect(losses[0]).toBeGreaterThan(0.3);
    expect(losses[11]).toBeLessThan(0.1);
    const { predicted, loss } = network.evaluate(0, order);
    expect(loss).toBeLessThan(0.05);
    expect(predicted).toHaveLength(ROWS);
    expect(predicted!.filter((answer, row) => answer === data.targets[row]).length).toBeGreaterThan(200);
  });

  it('gives the same bytes for the same seed, and others for another', () => {
    const [one, same, other] = [create(7), create(7), create(8)];
    for (const network of [one, same, other]) train(network, 2);
    expect(same.tensors()).toEqual(one.tensors());
    expect(bytesOf(other.tensors()).equals(bytesOf(one.tensors()))).toBe(false);
  });

  it('predicts probabilities that agree with its evaluation', () => {
    const network = create();
    train(network, 3);
    const probabilities = network.predict(data.inputs);
    const rows = Array.from({ length: ROWS }, (_, b) => [...probabilities.subarray(3 * b, 3 * b + 3)]);
    for (const row of rows) expect(row.reduce((sum, p) => sum + p)).toBeCloseTo(1, 6);
    const { predicted, loss, outputs } = network.evaluate(0, order, { outputs: true });
    expect(outputs).toEqual(probabilities);
    expect([...predicted!]).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
    const crossEntropy = rows.reduce((sum, row, b) => sum - Math.log(row[data.targets[b]!]!) / ROWS, 0);
    expect(loss).toBeCloseTo(crossEntropy, 5);
    // The same samples, put into memory for the moment.
    expect(network.evaluateOn(data, { outputs: true })).toEqual({ predicted, loss, outputs });
    expect(network.evaluate(0, order).outputs).toBeNull();
  });

  it('predicts the same for few rows as for many, to rounding, and in any order', () => {
    const network = create();
    train(network, 2);
    const all = network.predict(data.inputs);
    for (const row of [0, 5, 202]) {
      const one = network.predict(data.inputs.subarray(21 * row, 21 * (row + 1)));
      one.forEach((p, c) => {
        expect(p).toBeCloseTo(all[3 * row + c]!, 5);
      });
    }
    const reversed = network.evaluate(0, order.toReversed(), { outputs: true }).outputs!;
    for (const row of order) {
      expect(reversed.subarray(3 * row, 3 * row + 3)).toEqual(
        all.subarray(3 * (ROWS - 1 - row), 3 * (ROWS - row)),
      );
    }
  });

  it('goes on from tensors and state of another network byte for byte', () => {
    const original = create();
    train(original, 2);
    const blank = create(9);
    blank.training.importState(original.training.exportState());
    expect(blank.training.exportState()).toEqual(original.training.exportState());
    expect(blank.evaluate(0, order)).toEqual(original.evaluate(0, order));
    expect(original.training.batchesTracked).toBe(14);
    const tensors = create(9);
    tensors.setTensors(original.tensors());
    expect(tensors.tensors()).toEqual(original.tensors());
    expect(tensors.evaluate(0, order)).toEqual(original.evaluate(0, order));
  });

  it('evaluates the same whatever the batch size it was planned for', () => {
    const [one, two] = [create(3, 2), create(3, 200)];
    const [few, many] = [one.evaluate(0, order), two.evaluate(0, order)];
    expect(few.predicted).toEqual(many.predicted);
    expect(few.loss).toBeCloseTo(many.loss, 6);
  });

  it.each([
    { inputs: 1, hidden: [1], classes: 2, dropout: 0 },
    { inputs: 5, hidden: [16], classes: 17, dropout: 0.5 },
    { inputs: 16, hidden: [15, 17, 33, 64], classes: 2, dropout: 0.9 },
    { inputs: 300, hidden: [257], classes: 100, dropout: 0 },
  ])('trains $inputs -> $hidden -> $classes at dropout $dropout', (odd) => {
    const network = networkOn(core, recipe(odd), toySamples(odd, 37, 5), { seed: 1, batchSize: 9 });
    const before = network.evaluate(0, range(37)).loss;
    for (let epoch = 0; epoch < 30; epoch++) {
      network.training.begin(range(37));
      // The last batch of 36 + 1 samples is joined to the one before.
      for (const [first, rows] of [
        [0, 9],
        [9, 9],
        [18, 9],
        [27, 10],
      ] as const) {
        expect(network.training.step(first, rows, 0.01)).toSatisfy(Number.isFinite);
      }
    }
    expect(network.firstNonFinite()).toBeNull();
    if (odd.inputs > 1) expect(network.evaluate(0, range(37)).loss).toBeLessThan(before);
  });

  it('trains on streamed batches as on resident ones, byte for byte', () => {
    const [resident, streamed] = [create(), create()];
    for (let epoch = 0; epoch < 2; epoch++) {
      resident.training.begin(order);
      streamed.training.beginStream();
      for (const first of [0, 33, 66]) {
        const loss = resident.training.step(first, 33, 0.01);
        const batch = {
          inputs: data.inputs.subarray(21 * first, 21 * (first + 33)),
          targets: data.targets.subarray(first, first + 33),
        };
        expect(streamed.training.stepOn(batch, 0.01)).toBe(loss);
      }
      expect(streamed.training.totals()).toEqual(resident.training.totals());
    }
    expect(streamed.training.exportState()).toEqual(resident.training.exportState());
  });

  it('takes batches of one where nothing is normalised by its batch', () => {
    const single = mlp({ inputs: 21, hidden: [9], outputs: 3, inputType: 'u8' });
    const network = networkOn(core, single, data, { batchSize: 1 });
    expect(network.training.rows).toEqual({ least: 1, most: 2 });
    const losses = train(network, 3, 1);
    expect(losses[2]).toBeLessThan(losses[0]!);
    const frozen = { ...RECIPE, frozenStatistics: true };
    const normed = networkOn(core, model, data, { batchSize: 1, training: frozen });
    expect(normed.training.rows).toEqual({ least: 1, most: 2 });
    const before = normed.tensors();
    expect(train(normed, 1, 1).every(Number.isFinite)).toBe(true);
    for (const [key, values] of normed.tensors()) {
      const isSame = bytesOf(values).equals(bytesOf(before.get(key)));
      expect(isSame, key).toBe(/running|^[04]\.bias/.test(key));
    }
    expect(normed.training.batchesTracked).toBe(0);
  });

  it('is a linear regression where it has one layer: it finds the coefficients', () => {
    const next = uniform(2);
    const inputs = Float32Array.from({ length: 4 * 100 }, () => 2 * next() - 1);
    const truth = [0.5, -1.25, 2, 0.25];
    const targets = Float32Array.from({ length: 100 }, (_, row) =>
      truth.reduce((sum, w, i) => sum + w * inputs[4 * row + i]!, 0.75),
    );
    const linear = mlp({ inputs: 4, hidden: [], outputs: 1, standardize: false });
    const training = { loss: { type: 'squaredError' }, optimizer: { type: 'sgd' } } as const;
    const network = networkOn(core, linear, { inputs, targets }, { batchSize: 100, training });
    network.training.begin(range(100));
    for (let step = 0; step < 200; step++) network.training.step(0, 100, 0.5);
    network
      .tensors()
      .get('0.weight')!
      .forEach((w, i) => {
        expect(w).toBeCloseTo(truth[i]!, 5);
      });
    expect(network.tensors().get('0.bias')![0]).toBeCloseTo(0.75, 5);
    const { predicted, loss } = network.evaluate(0, range(100));
    expect(predicted).toBeNull();
    expect(loss).toBeLessThan(1e-9);
  });

  it('is a logistic regression where it has one layer and a sigmoid head', () => {
    const next = uniform(3);
    const inputs = Float32Array.from({ length: 2 * 200 }, () => 2 * next() - 1);
    const targets = Uint8Array.from({ length: 200 }, (_, row) =>
      inputs[2 * row]! > inputs[2 * row + 1]! ? 1 : 0,
    );
    const logistic = mlp({ inputs: 2, hidden: [], outputs: 1, standardize: false });
    const training = { loss: { type: 'binaryCrossEntropy' }, optimizer: { type: 'adam' } } as const;
    const network = networkOn(core, logistic, { inputs, targets }, { batchSize: 50, training });
    train(network, 200, 50, 200);
    const right = network.predict(inputs).filter((p, row) => (p > 0.5 ? 1 : 0) === targets[row]);
    expect(right.length).toBeGreaterThan(190);
  });

  it.each<[string, ModelSpec['layers']]>([
    ['alone', [{ type: 'dense', units: 3, bias: false }]],
    [
      'in hidden blocks, with and without norm',
      [
        { type: 'dense', units: 12, bias: false },
        { type: 'batchNorm' },
        { type: 'relu' },
        { type: 'dense', units: 8, bias: false },
        { type: 'tanh' },
        { type: 'dense', units: 3, bias: false },
      ],
    ],
  ])('trains layers without bias: %s', (_, layers) => {
    for (const extra of [{}, { clipNorm: 1 }, { average: true }]) {
      const bare: ModelSpec = { input: { features: 21, type: 'u8' }, layers };
      const network = networkOn(core, bare, data, { batchSize: 32, training: { ...RECIPE, ...extra } });
      expect(network.table.some(({ role }) => role === 'bias')).toBe(false);
      const losses = train(network, 4);
      expect(losses[3]).toBeLessThan(losses[0]!);
      // All zeros in, and nothing to add: without norm, zeros out.
      if (layers.length === 1) {
        for (const p of network.predict(new Uint8Array(21))) expect(p).toBeCloseTo(1 / 3, 6);
      }
      // The same network, folded in place.
      const folded = new Network(core, bare);
      folded.setTensors(network.tensors());
      expect(bytesOf(folded.predict(data.inputs)).equals(bytesOf(network.predict(data.inputs)))).toBe(true);
    }
  });

  it('gives the same bytes for sparse input as for the same numbers as dense f32', () => {
    const values = Float32Array.from(data.inputs, (pixel) => pixel / 255);
    const trained = (inputType: 'f32' | 'sparse', inputs: Samples['inputs']) => {
      const of = mlp({ inputs: 21, hidden: [35, 18], outputs: 3, inputType, standardize: false, norm: true });
      const samples = { inputs, targets: data.targets };
      const network = networkOn(core, of, samples, { batchSize: 32 });
      train(network, 2);
      const outputs = network.predict(inputs);
      return [
        network.training.exportState(),
        network.evaluate(0, order),
        outputs,
        network.evaluateOn(samples),
      ];
    };
    const dense = bytesOf(trained('f32', values));
    expect(bytesOf(trained('sparse', sparse(values, 21))).equals(dense)).toBe(true);
    // Zeros that are written out are values like others.
    const full = { indptr: Array.from({ length: ROWS + 1 }, (_, row) => 21 * row) };
    const indices = Array.from({ length: 21 * ROWS }, (_, at) => at % 21);
    expect(bytesOf(trained('sparse', { ...full, indices, values })).equals(dense)).toBe(true);
  });

  it('weighs samples: a weight of two is the sample twice, of zero not at all', () => {
    const plain = mlp({ inputs: 21, hidden: [9], outputs: 3, inputType: 'u8', activation: 'tanh' });
    const training = { loss: RECIPE.loss, optimizer: { type: 'sgd' } } as const;
    const weights = Float32Array.from({ length: ROWS }, (_, row) => [1, 2, 0][row % 3]!);
    const network = networkOn(core, plain, { ...data, weights }, { batchSize: ROWS, training });
    network.training.begin(order);
    const loss = network.training.step(0, ROWS, 0.1);
    const twice = Uint32Array.from(
      [...order].flatMap((row) => Array.from({ length: weights[row]! }, () => row)),
    );
    const inputs = Uint8Array.from(
      [...twice].flatMap((row) => [...data.inputs.subarray(21 * row, 21 * row + 21)]),
    );
    const targets = Uint8Array.from(twice, (row) => data.targets[row]!);
    const other = networkOn(core, plain, { inputs, targets }, { batchSize: twice.length, training });
    other.training.begin(range(twice.length));
    expect(other.training.step(0, twice.length, 0.1)).toBeCloseTo(loss, 5);
    const [a, b] = [flatten(network.tensors()), flatten(other.tensors())];
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-6);
    expect(network.evaluate(0, order).loss).toBeCloseTo(other.evaluate(0, range(twice.length)).loss, 5);
    expect(network.evaluateOn({ ...data, weights }).loss).toBe(network.evaluate(0, order).loss);
  });

  it('weights of one give the bytes of none, and of zero alone move nothing', () => {
    const plain = mlp({ inputs: 21, hidden: [9], outputs: 3, inputType: 'u8' });
    const training = { loss: RECIPE.loss, optimizer: { type: 'sgd' } } as const;
    const trained = (weights?: Float32Array) => {
      const network = networkOn(core, plain, weights ? { ...data, weights } : data, { training });
      train(network, 2);
      return network;
    };
    const none = trained();
    expect(trained(new Float32Array(ROWS).fill(1)).tensors()).toEqual(none.tensors());
    const nothing = trained(new Float32Array(ROWS));
    const untouched = new Network(core, plain, { training });
    expect(nothing.tensors()).toEqual(untouched.tensors());
    expect(nothing.training.totals()).toMatchObject({ loss: 0, weight: 0, samples: ROWS });
    expect(nothing.evaluate(0, order).loss).toBe(0);
  });

  it('averages parameters: by shares, or as a mean; the running statistics stay', () => {
    const network = networkOn(core, model, data, { training: { ...RECIPE, average: true } });
    const keys = network.table.filter(({ trained }) => trained).map(({ key }) => key);
    const expected = new Map(keys.map((key) => [key, new Float64Array(network.tensors().get(key)!.length)]));
    network.training.begin(order);
    // The mean of four steps, then exponential with a decay of 0.9.
    [1, 1 / 2, 1 / 3, 1 / 4, 0.1, 0.1].forEach((share, index) => {
      network.training.averageBy(share);
      network.training.step(32 * index, 32, 0.01);
      const now = network.tensors();
      for (const [key, sums] of expected) {
        sums.forEach((sum, i) => {
          sums[i] = sum + share * (now.get(key)![i]! - sum);
        });
      }
      const averaged = network.training.averaged();
      expect([...averaged.keys()].sort()).toEqual([...now.keys()].sort());
      for (const [key, values] of averaged) {
        const wanted = expected.get(key) ?? now.get(key)!;
        values.forEach((value, i) => {
          expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-6);
        });
      }
    });
    const without = networkOn(core, model, data);
    without.training.begin(order);
    for (let index = 0; index < 6; index++) without.training.step(32 * index, 32, 0.01);
    expect(without.tensors()).toEqual(network.tensors());
  });

  it('estimates running statistics as means over batches, and moves nothing else', () => {
    const still = recipe({ ...shape, dropout: 0 });
    const network = networkOn(core, still, data);
    train(network, 1);
    const before = network.training.exportState();
    const batches = [0, 50, 100, 150].map((first) => ({ first, rows: 50 }));
    network.training.estimateStatistics(batches);
    const after = network.training.exportState();
    expect(after.optimizer).toEqual(before.optimizer);
    expect(after.batchesTracked).toBe(before.batchesTracked);
    for (const [key, values] of after.tensors) {
      expect(bytesOf(values).equals(bytesOf(before.tensors.get(key))), key).toBe(!/running/.test(key));
    }
    // The first block's by hand, in float64: mean and unbiased variance of z over each batch.
    const [w, bias] = [after.tensors.get('0.weight')!, after.tensors.get('0.bias')!];
    for (let column = 0; column < 19; column++) {
      const z = [...order].map((row) =>
        w
          .filter((_, at) => at % 19 === column)
          .reduce((sum, weight, i) => sum + (weight * data.inputs[21 * row + i]!) / 255, bias[column]!),
      );
      const figures = batches.map(({ first, rows }) => {
        const batch = z.slice(first, first + rows);
        const mean = batch.reduce((sum, value) => sum + value) / rows;
        return { mean, variance: batch.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows - 1) };
      });
      const mean = figures.reduce((sum, each) => sum + each.mean / 4, 0);
      const variance = figures.reduce((sum, each) => sum + each.variance / 4, 0);
      expect(after.tensors.get('1.runningMean')![column]).toBeCloseTo(mean, 5);
      expect(after.tensors.get('1.runningVar')![column]).toBeCloseTo(variance, 5);
    }
    // Steps go on with each layer's own momentum, as in a network that never estimated.
    const other = networkOn(core, still, data);
    other.training.importState(after);
    other.training.begin(order);
    expect(other.training.step(0, 50, 0.01)).toBe(network.training.step(0, 50, 0.01));
    expect(other.training.exportState()).toEqual(network.training.exportState());
  });

  it('evaluates and predicts in mid-epoch without changing a byte of training', () => {
    for (const loss of [{ type: 'crossEntropy' }, { type: 'crossEntropy', labelSmoothing: 0.1 }] as const) {
      const [one, other] = [0, 1].map(() =>
        networkOn(core, model, data, { training: { ...RECIPE, loss } }),
      ) as [Network, Network];
      for (let epoch = 0; epoch < 2; epoch++) {
        for (const network of [one, other]) network.training.begin(order.toReversed());
        for (let batch = 0; batch < 6; batch++) {
          const losses = [one, other].map((network) => network.training.step(32 * batch, 32, 0.01));
          expect(losses[1]).toBe(losses[0]);
          other.predict(data.inputs.subarray(0, 21 * (1 + 40 * (batch % 2))));
          other.evaluate(0, order, { outputs: true });
          other.evaluateOn({ inputs: data.inputs.subarray(0, 210), targets: data.targets.subarray(0, 10) });
          other.tensors();
        }
      }
      expect(other.training.exportState()).toEqual(one.training.exportState());
      expect(other.training.totals()).toEqual(one.training.totals());
    }
  });

  it('keeps several sets apart', () => {
    const network = new Network(core, model, { training: RECIPE, sets: [{ rows: ROWS }, { rows: 50 }] });
    network.load(0, data);
    network.load(1, { inputs: data.inputs.subarray(0, 21 * 50), targets: data.targets.subarray(0, 50) });
    const alone = networkOn(core, model, data);
    expect(network.evaluate(1, range(50))).toEqual(alone.evaluate(0, range(50)));
    network.training.begin(range(50), { set: 1 });
    alone.training.begin(range(50));
    expect(network.training.step(0, 50, 0.01)).toBe(alone.training.step(0, 50, 0.01));
    // A set that predictions alone are made for needs no targets.
    network.load(1, { inputs: data.inputs.subarray(0, 21 * 50) });
    expect(() => network.evaluate(1, range(50))).toThrow('sets[1] is without targets; a set with targets');
    expect(network.evaluate(0, order)).toEqual(alone.evaluate(0, order));
  });
});

it('takes inputs in every array of its kind', () => {
  const u8 = networkOn(debug, model, data);
  const answers = u8.predict(data.inputs);
  expect(u8.predict(Uint8ClampedArray.from(data.inputs))).toEqual(answers);
  expect(u8.predict(Buffer.from(data.inputs))).toEqual(answers);
  expect(u8.predict(new Uint8Array(0))).toEqual(new Float32Array(0));
  const f32 = new Network(debug, mlp({ inputs: 21, hidden: [5], outputs: 3, standardize: false }));
  const floats = Float32Array.from(data.inputs, (pixel) => pixel / 255);
  expect(f32.predict(Float64Array.from(floats))).toEqual(f32.predict(floats));
  const csr = new Network(debug, mlp({ inputs: 21, hidden: [5], outputs: 3, inputType: 'sparse' }));
  const { indptr, indices, values } = sparse(floats, 21);
  const typed = { indptr: Uint32Array.from(indptr), indices: Uint16Array.from(indices), values: [...values] };
  expect(csr.predict(typed)).toEqual(csr.predict({ indptr, indices, values }));
  // Fewer values at a time than the samples have, and rows without any.
  const few = new Network(debug, csr.model, { stageEntries: 21 });
  expect(few.predict(typed)).toHaveLength(3 * ROWS);
  few.predict(typed).forEach((p, i) => {
    expect(p).toBeCloseTo(csr.predict(typed)[i]!, 5);
  });
  expect(csr.predict({ indptr: [0, 0], indices: [], values: [] })).toHaveLength(3);
});

it('draws weights as the model says, and the same from every build', () => {
  const drawn = (core: Core, seed: number) => {
    const layers: ModelSpec['layers'] = [
      { type: 'dense', units: 200 },
      { type: 'relu' },
      { type: 'dense', units: 300 },
      { type: 'tanh' },
      { type: 'dense', units: 40, init: 'zeros' },
      { type: 'batchNorm' },
      { type: 'dense', units: 30, init: 'heNormal' },
    ];
    return new Network(
      core,
      { input: { features: 100, type: 'f32' }, layers },
      { seed, training: RECIPE },
    ).tensors();
  };
  const tensors = drawn(debug, 2 ** 40 + 1);
  const deviation = (values: Float32Array) =>
    Math.sqrt(values.reduce((sum, w) => sum + w * w, 0) / values.length);
  expect(deviation(tensors.get('0.weight')!)).toBeCloseTo(Math.sqrt(2 / 100), 2);
  const bound = Math.sqrt(6 / (200 + 300));
  expect(Math.max(...tensors.get('2.weight')!.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
  expect(deviation(tensors.get('2.weight')!)).toBeCloseTo(bound / Math.sqrt(3), 2);
  expect(tensors.get('4.weight')!.every((w) => w === 0)).toBe(true);
  expect(deviation(tensors.get('6.weight')!)).toBeCloseTo(Math.sqrt(2 / 40), 1);
  for (const [key, values] of tensors) {
    if (/gamma|runningVar/.test(key))
      expect(
        values.every((value) => value === 1),
        key,
      ).toBe(true);
    if (/bias|beta|runningMean/.test(key))
      expect(
        values.every((value) => value === 0),
        key,
      ).toBe(true);
  }
  for (const core of cores) expect(drawn(core, 2 ** 40 + 1)).toEqual(tensors);
  // Both words of the seed count.
  for (const seed of [1, 2 ** 40, 2 ** 41 + 1]) {
    expect(bytesOf(drawn(debug, seed)).equals(bytesOf(tensors))).toBe(false);
  }
});

it.each(cores)('an optimiser that was reset steps as a new one: $build', (core) => {
  const sums = { ...shape, dropout: 0 };
  const network = networkOn(core, recipe(sums), data);
  train(network, 1);
  network.training.resetOptimizer();
  const { optimizer, ...state } = network.training.exportState();
  expect(optimizer.steps).toBe(0);
  for (const slot of optimizer.slots) {
    for (const values of slot.values()) expect(values.every((value) => value === 0)).toBe(true);
  }
  const anew = networkOn(core, recipe(sums), data);
  anew.setTensors(new Map(state.tensors));
  anew.training.begin(order);
  network.training.begin(order);
  expect(anew.training.step(0, 32, 0.01)).toBe(network.training.step(0, 32, 0.01));
  expect(anew.tensors()).toEqual(network.tensors());
});

describe('standardised input and targets', () => {
  const next = uniform(8);
  const inputs = Float32Array.from({ length: 3 * 60 }, (_, at) => (at % 3) * 100 + 10 * next());
  const targets = Float32Array.from({ length: 60 }, (_, row) => 500 + inputs[3 * row]! * 3);
  const scaled: ModelSpec = {
    input: { features: 3, type: 'f32', standardize: true },
    layers: [{ type: 'dense', units: 6 }, { type: 'tanh' }, { type: 'dense', units: 1 }],
    output: { head: 'identity', standardize: true },
  };
  const training = { loss: { type: 'squaredError' }, optimizer: { type: 'adam' } } as const;
  const statistics = {
    'input.mean': Float32Array.of(5, 105, 205),
    'input.deviation': Float32Array.of(3, 3, 3),
    'target.mean': Float32Array.of(515),
    'target.deviation': Float32Array.of(9),
  } as const;

  it.each(cores)('train as samples that were standardised beforehand, byte for byte: $build', (core) => {
    const network = new Network(core, scaled, { training, sets: [{ rows: 60 }] });
    network.setTensors(withTensors(network.tensors(), statistics));
    network.load(0, { inputs, targets });
    const { input, layers } = scaled;
    const by = (values: Float32Array, of: 'input' | 'target') => {
      const [mean, deviation] = [statistics[`${of}.mean`], statistics[`${of}.deviation`]];
      return values.map((value, at) => (value - mean[at % mean.length]!) / deviation[at % mean.length]!);
    };
    const bare = { input: { ...input, standardize: false }, layers };
    const [x, y] = [by(inputs, 'input'), by(targets, 'target')];
    const plain = networkOn(core, bare, { inputs: x, targets: y }, { training });
    expect(train(network, 3, 20, 60)).toEqual(train(plain, 3, 20, 60));
    expect(network.training.exportState().tensors).toEqual(plain.training.exportState().tensors);
    const answers = plain.predict(x).map((value) => value * 9 + 515);
    expect(network.predict(inputs)).toEqual(answers);
    expect(network.evaluate(0, range(60), { outputs: true }).outputs).toEqual(answers);
    // A network that only predicts takes over the statistics with the tensors.
    const only = new Network(core, scaled);
    only.setTensors(network.tensors());
    expect(only.predict(inputs)).toEqual(answers);
    expect(only.tensors()).toEqual(network.tensors());
  });
});

describe('a network that only predicts', () => {
  it.each(cores)('gives the bytes of the one that was trained: $build', (core: Core) => {
    for (const activation of ['relu', 'gelu'] as const) {
      for (const norm of [true, false]) {
        const of = mlp({ inputs: 21, hidden: [40, 33], outputs: 3, norm, activation, inputType: 'u8' });
        const trained = networkOn(core, of, data);
        train(trained, 1);
        const only = new Network(core, of, { sets: [{ rows: ROWS }] });
        // Folding starts from the tensors that are given, not from those that were folded before.
        for (let time = 0; time < 2; time++) only.setTensors(trained.tensors());
        only.load(0, data);
        expect(only.predict(data.inputs)).toEqual(trained.predict(data.inputs));
        expect(only.evaluate(0, order).predicted).toEqual(trained.evaluate(0, order).predicted);
        expect(only.evaluateOn(data).loss).toBeCloseTo(trained.evaluate(0, order).loss, 6);
        expect(() => only.training).toThrow('The network is one that only predicts; a network created with');
        if (norm) expect(() => only.tensors()).toThrow('one that only predicts, whose weights are folded');
        else expect(only.tensors()).toEqual(trained.tensors());
      }
    }
  });

  it.each<[Loss, number]>([
    [{ type: 'crossEntropy' }, 1],
    [{ type: 'binaryCrossEntropy' }, 1],
    [{ type: 'squaredError' }, 0],
  ])('has the head of its model: %o', ({ type }, bounded) => {
    const head = ({ crossEntropy: 'softmax', binaryCrossEntropy: 'sigmoid' } as const)[
      type as 'crossEntropy'
    ];
    const of: ModelSpec = {
      input: { features: 21, type: 'u8' },
      layers: [{ type: 'dense', units: 3 }],
      output: { head: head ?? 'identity' },
    };
    const outputs = new Network(debug, of, { seed: 4 }).predict(data.inputs);
    expect(outputs.every((value) => value >= 0 && value <= 1)).toBe(bounded === 1);
  });
});

it('keeps hidden biases where they are: their exact gradient is zero', () => {
  const network = networkOn(debug, model, data, { seed: 1 });
  train(network, 3);
  const tensors = network.tensors();
  for (const key of ['0.bias', '4.bias'] as const) {
    expect(tensors.get(key)!.every((bias) => bias === 0)).toBe(true);
  }
  expect(tensors.get('8.bias')!.every((bias) => bias !== 0)).toBe(true);
});

it('names the layer that stopped being finite', () => {
  const network = networkOn(debug, model, data, { seed: 1, batchSize: 32 });
  const wrong = network.tensors().get('4.weight')!.slice();
  wrong[3] = Number.NaN;
  const good = network.tensors();
  network.setTensors(withTensors(good, { '4.weight': wrong }));
  network.training.begin(order);
  expect(network.training.step(0, 33, 0.01)).toBeNaN();
  expect(network.firstNonFinite()).toBe('hidden block 2');
  // Of the latest program alone, not of rows that only the one before had.
  network.setTensors(good);
  network.predict(data.inputs.subarray(0, 21 * 20));
  expect(network.firstNonFinite()).toBeNull();
});
