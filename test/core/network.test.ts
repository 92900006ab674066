import { describe, expect, it } from 'vitest';
import { Network, type NetworkSpec, TreadleError } from '../../dist/bindings/index.js';
import { engines, flatten, range, toySamples } from './support.js';

const spec: NetworkSpec = { inputs: 21, hidden: [19, 7], classes: 3, dropout: 0.2 };
const data = toySamples(spec, 203, 1);
const order = range(203);
const [debug] = engines;

function train(network: Network, epochs: number, batch = 32): number[] {
  return Array.from({ length: epochs }, () => {
    network.beginEpoch(order, 0.01);
    for (let first = 0; first < 203; first += batch) network.trainBatch(first, Math.min(batch, 203 - first));
    const { loss, samples } = network.totals();
    return loss / samples;
  });
}

describe.each(engines)('a network in the build $build', (engine) => {
  const create = (seed = 7, batchSize = 32) => new Network(engine, spec, { seed, batchSize, data });

  it('learns a toy problem', () => {
    const network = create();
    const losses = train(network, 12);
    expect(losses[0]).toBeGreaterThan(0.3);
    expect(losses[11]).toBeLessThan(0.1);
    const { confusion, loss } = network.evaluate(order);
    expect(loss).toBeLessThan(0.05);
    expect(confusion[0]![0]! + confusion[1]![1]! + confusion[2]![2]!).toBeGreaterThan(200);
    expect(confusion.flat().reduce((sum, count) => sum + count)).toBe(203);
  });

  it('gives the same bytes for the same seed, and others for another', () => {
    const [one, same, other] = [create(7), create(7), create(8)];
    for (const network of [one, same, other]) train(network, 2);
    expect(same.exportTensors()).toEqual(one.exportTensors());
    expect(flatten(other.exportTensors())).not.toEqual(flatten(one.exportTensors()));
  });

  it('predicts probabilities that agree with its evaluation', () => {
    const network = create();
    train(network, 3);
    const probabilities = network.predict(data.images);
    const rows = Array.from({ length: 203 }, (_, b) => [...probabilities.subarray(3 * b, 3 * b + 3)]);
    for (const row of rows) expect(row.reduce((sum, p) => sum + p)).toBeCloseTo(1, 6);
    const { confusion, loss } = network.evaluate(order);
    const counted = [0, 1, 2].map(() => [0, 0, 0]);
    let crossEntropy = 0;
    rows.forEach((row, b) => {
      counted[data.labels[b]!]![row.indexOf(Math.max(...row))]! += 1;
      crossEntropy -= Math.log(row[data.labels[b]!]!) / 203;
    });
    expect(confusion).toEqual(counted);
    expect(loss).toBeCloseTo(crossEntropy, 5);
  });

  it('continues from exported tensors and optimiser state byte for byte', () => {
    const original = create();
    train(original, 2);
    const copy = create();
    train(copy, 2);
    const blank = new Network(engine, spec, { seed: 7, batchSize: 32, data });
    blank.importTensors(original.exportTensors());
    blank.importOptimizer(original.exportOptimizer());
    expect(blank.exportTensors()).toEqual(original.exportTensors());
    expect(blank.exportOptimizer()).toEqual(original.exportOptimizer());
    expect(blank.evaluate(order)).toEqual(original.evaluate(order));
    expect(original.exportTensors().batchesTracked).toBe(14);
  });

  it('evaluates the same whatever the batch size it was planned for', () => {
    const [one, two] = [create(3, 2), create(3, 200)];
    expect(two.evaluate(order).confusion).toEqual(one.evaluate(order).confusion);
    expect(two.evaluate(order).loss).toBeCloseTo(one.evaluate(order).loss, 10);
  });

  it.each([
    { inputs: 1, hidden: [1], classes: 2, dropout: 0 },
    { inputs: 5, hidden: [16], classes: 17, dropout: 0.5 },
    { inputs: 16, hidden: [15, 17, 33, 64], classes: 2, dropout: 0.9 },
    { inputs: 300, hidden: [257], classes: 100, dropout: 0 },
  ])('trains $inputs -> $hidden -> $classes at dropout $dropout', (odd) => {
    const samples = toySamples(odd, 37, 5);
    const network = new Network(engine, odd, { seed: 1, batchSize: 9, data: samples });
    const before = network.evaluate(range(37)).loss;
    for (let epoch = 0; epoch < 30; epoch++) {
      network.beginEpoch(range(37), 0.01);
      // The last batch of 36 + 1 samples is joined to the one before.
      for (const [first, rows] of [
        [0, 9],
        [9, 9],
        [18, 9],
        [27, 10],
      ] as const) {
        expect(network.trainBatch(first, rows)).toSatisfy(Number.isFinite);
      }
    }
    expect(network.firstNonFinite()).toBeNull();
    if (odd.inputs > 1) expect(network.evaluate(range(37)).loss).toBeLessThan(before);
  });
});

it('keeps hidden biases where they are: their exact gradient is zero', () => {
  const network = new Network(debug!, spec, { seed: 1, batchSize: 32, data });
  train(network, 3);
  const { dense } = network.exportTensors();
  expect([...dense[0]!.bias, ...dense[1]!.bias].every((bias) => bias === 0)).toBe(true);
  expect(dense[2]!.bias.every((bias) => bias !== 0)).toBe(true);
});

it('names the layer that stopped being finite', () => {
  const network = new Network(debug!, spec, { seed: 1, batchSize: 32, data });
  const tensors = network.exportTensors();
  tensors.dense[1]!.weight[3] = Number.NaN;
  network.importTensors(tensors);
  network.beginEpoch(order, 0.01);
  expect(network.trainBatch(0, 32)).toBeNaN();
  expect(network.firstNonFinite()).toBe('hidden block 2');
});

describe('refuses', () => {
  const options = { seed: 1, batchSize: 8, data };
  const thrown = (run: () => unknown): TreadleError => {
    try {
      run();
    } catch (error) {
      if (error instanceof TreadleError) return error;
    }
    throw new Error('no TreadleError was thrown');
  };
  const network = new Network(debug!, spec, options);

  it.each([
    ['range', 'inputs is 0', () => new Network(debug!, { ...spec, inputs: 0 }, options)],
    ['range', 'hidden has no widths', () => new Network(debug!, { ...spec, hidden: [] }, options)],
    ['range', 'hidden[1] is 2.5', () => new Network(debug!, { ...spec, hidden: [3, 2.5] }, options)],
    ['range', 'classes is 1', () => new Network(debug!, { ...spec, classes: 1 }, options)],
    ['range', 'dropout is 1', () => new Network(debug!, { ...spec, dropout: 1 }, options)],
    ['range', 'dropout is NaN', () => new Network(debug!, { ...spec, dropout: Number.NaN }, options)],
    ['range', 'seed is -1', () => new Network(debug!, spec, { ...options, seed: -1 })],
    ['range', 'batchSize is 1', () => new Network(debug!, spec, { ...options, batchSize: 1 })],
    [
      'range',
      'labels[0] is',
      () =>
        new Network(
          debug!,
          { ...spec, classes: 2 },
          { ...options, data: { images: new Uint8Array(21), labels: Uint8Array.of(2) } },
        ),
    ],
    [
      'shape',
      'data.images has length 20',
      () =>
        new Network(debug!, spec, {
          ...options,
          data: { images: new Uint8Array(20), labels: Uint8Array.of(1) },
        }),
    ],
    ['range', 'GiB of memory', () => new Network(debug!, { ...spec, hidden: [1 << 20, 1 << 20] }, options)],
    ['range', 'order[1] is 203', () => network.beginEpoch(Uint32Array.of(0, 203), 0.1)],
    ['range', 'order.length is 204', () => network.beginEpoch(new Uint32Array(204), 0.1)],
    ['range', 'learningRate is 0', () => network.beginEpoch(order, 0)],
    ['range', 'learningRate is Infinity', () => network.beginEpoch(order, Number.POSITIVE_INFINITY)],
    ['range', 'rows is 1', () => network.trainBatch(0, 1)],
    ['range', 'rows is 10', () => network.trainBatch(0, 10)],
    ['range', 'first is 200', () => network.trainBatch(200, 8)],
    ['shape', 'images has length 22', () => network.predict(new Uint8Array(22))],
    [
      'shape',
      'dense has length 2',
      () =>
        network.importTensors({ ...network.exportTensors(), dense: network.exportTensors().dense.slice(1) }),
    ],
  ])('%s: %s', (code, words, run) => {
    const error = thrown(run);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });

  const gone = new Network(debug!, spec, options);
  const tensors = gone.exportTensors();
  const optimizer = gone.exportOptimizer();
  gone.dispose();
  gone.dispose();
  it.each<[string, () => unknown]>([
    ['beginEpoch', () => gone.beginEpoch(order, 0.1)],
    ['trainBatch', () => gone.trainBatch(0, 8)],
    ['totals', () => gone.totals()],
    ['evaluate', () => gone.evaluate(order)],
    ['predict', () => gone.predict(new Uint8Array(0))],
    ['exportTensors', () => gone.exportTensors()],
    ['importTensors', () => gone.importTensors(tensors)],
    ['resetOptimizer', () => gone.resetOptimizer()],
    ['exportOptimizer', () => gone.exportOptimizer()],
    ['importOptimizer', () => gone.importOptimizer(optimizer)],
    ['firstNonFinite', () => gone.firstNonFinite()],
    ['ticket', () => gone.ticket],
  ])('%s after dispose, which a second time does nothing', (_, run) => {
    const error = thrown(run);
    expect(error.code).toBe('usage');
    expect(error.message).toBe('The network has been disposed of; a network in use is expected.');
  });
});
