import { describe, expect, it } from 'vitest';
import {
  type Csr,
  type Layer,
  type ModelSpec,
  mlp,
  Network,
  type NetworkOptions,
  type TensorKey,
} from '../../dist/bindings/host.js';
import { failure } from '../support/errors.js';
import { bytesOf, coreOf, networkOn, RECIPE, range, recipe, toySamples, withTensors } from './support.js';

// Every call is refused by a code and a sentence that names what is wrong, before anything is changed.

const core = coreOf('debug');
const ROWS = 20;
const shape = { inputs: 6, hidden: [5], classes: 3, dropout: 0.2 };
const model = recipe(shape);
const data = toySamples(shape, ROWS, 1);
const floats = Float32Array.from(data.inputs, (pixel) => pixel / 255);

/** A value that TypeScript would not let through. */
// biome-ignore lint/suspicious/noExplicitAny: JavaScript may pass anything.
const any = (value: unknown): any => value;
const set = (values: ArrayLike<number>, at: number, value: number) => {
  const copy = Float64Array.from(values);
  copy[at] = value;
  return copy;
};

const classifier = networkOn(core, model, data, { batchSize: 8 });
classifier.training.begin(range(ROWS));
const regression = networkOn(
  core,
  mlp({ inputs: 6, hidden: [5], outputs: 2, standardize: false }),
  { inputs: floats, targets: new Float32Array(2 * ROWS) },
  { training: { loss: { type: 'squaredError' }, optimizer: { type: 'sgd' } } },
);
const labels = networkOn(
  core,
  mlp({ inputs: 6, hidden: [], outputs: 2, standardize: false }),
  { inputs: floats, targets: new Float32Array(2 * ROWS) },
  { training: { loss: { type: 'binaryCrossEntropy' }, optimizer: { type: 'sgd' } } },
);
const rowsOf: Csr = { indptr: [0, 2, 2, 3], indices: [1, 4, 0], values: [0.5, 1, 2] };
const sparse = new Network(core, mlp({ inputs: 6, hidden: [4], outputs: 3, inputType: 'sparse' }), {
  training: RECIPE,
  sets: [{ rows: 3, entries: 3 }],
  stageEntries: 6,
});
const fresh = networkOn(core, model, data);
const predictor = new Network(core, model, { sets: [{ rows: ROWS }] });
const tensors = classifier.tensors();

type Row = [code: string, sentence: string, action: () => unknown];

describe.each<[string, Network, Row[]]>([
  [
    'inputs and targets of classes',
    classifier,
    [
      [
        'usage',
        'inputs is a Float32Array of length 120; a Uint8Array, as of u8 input, is expected.',
        () => classifier.load(0, { ...data, inputs: floats }),
      ],
      [
        'usage',
        'inputs is an array of length 6; a Uint8Array, as of u8 input, is expected.',
        () => classifier.predict(any([0, 0, 0, 0, 0, 0])),
      ],
      [
        'usage',
        'inputs is missing; a Uint8Array, as of u8 input, is expected.',
        () => classifier.predict(any(undefined)),
      ],
      [
        'usage',
        'inputs is null; a Uint8Array, as of u8 input, is expected.',
        () => classifier.evaluateOn(any({ inputs: null, targets: [] })),
      ],
      ['shape', 'inputs has length 7; 12 is expected.', () => classifier.predict(new Uint8Array(7))],
      [
        'range',
        'The number of rows is 21; at most 20, for which there is room is expected.',
        () => classifier.load(0, { inputs: new Uint8Array(126), targets: new Uint8Array(21) }),
      ],
      [
        'shape',
        'targets has length 19; 20 is expected.',
        () => classifier.load(0, { ...data, targets: data.targets.subarray(1) }),
      ],
      [
        'usage',
        'targets is cat; an array of class indices is expected.',
        () => classifier.load(0, { ...data, targets: any('cat') }),
      ],
      [
        'usage',
        'targets is missing; an array of class indices is expected.',
        () => classifier.evaluateOn({ inputs: data.inputs }),
      ],
      [
        'range',
        'targets[3] is -1; a class from 0 to 2 is expected.',
        () => classifier.load(0, { ...data, targets: set(data.targets, 3, -1) }),
      ],
      [
        'range',
        'targets[0] is 3; a class from 0 to 2 is expected.',
        () => classifier.load(0, { ...data, targets: set(data.targets, 0, 3) }),
      ],
      [
        'range',
        'targets[19] is 0.5; a class from 0 to 2 is expected.',
        () => classifier.evaluateOn({ ...data, targets: set(data.targets, 19, 0.5) }),
      ],
      [
        'range',
        'targets[1] is NaN; a class from 0 to 2 is expected.',
        () => classifier.training.stepOn({ inputs: new Uint8Array(12), targets: [0, Number.NaN] }, 0.1),
      ],
      [
        'shape',
        'weights has length 3; 20 is expected.',
        () => classifier.load(0, { ...data, weights: [1, 1, 1] }),
      ],
      [
        'range',
        'weights[2] is -1; a finite number from 0 up is expected.',
        () => classifier.load(0, { ...data, weights: set(range(ROWS), 2, -1) }),
      ],
      [
        'range',
        'weights[4] is NaN; a finite number from 0 up is expected.',
        () => classifier.load(0, { ...data, weights: set(range(ROWS), 4, Number.NaN) }),
      ],
      [
        'range',
        'weights[4] is Infinity; a finite number from 0 up is expected.',
        () => classifier.evaluateOn({ ...data, weights: set(range(ROWS), 4, Number.POSITIVE_INFINITY) }),
      ],
      [
        'usage',
        'weights is 1; an array of numbers is expected.',
        () => classifier.load(0, { ...data, weights: any(1) }),
      ],
      ['range', 'set is 1; a set below 1 is expected.', () => classifier.load(1, data)],
      ['range', 'set is -1; a set below 1 is expected.', () => classifier.evaluate(-1, range(2))],
    ],
  ],
  [
    'inputs and targets of numbers',
    regression,
    [
      [
        'usage',
        'inputs is a Uint8Array of length 120; a Float32Array or Float64Array, as of f32 input, is expected.',
        () => regression.predict(data.inputs),
      ],
      [
        'range',
        'inputs at row 1, column 2 is NaN; a finite number is expected.',
        () => regression.predict(set(floats, 8, Number.NaN)),
      ],
      [
        'range',
        'inputs at row 0, column 5 is -Infinity; a finite number is expected.',
        () => regression.predict(set(floats, 5, Number.NEGATIVE_INFINITY)),
      ],
      // Finite as f64 only.
      [
        'range',
        'inputs at row 0, column 0 is 1e+39; a finite number is expected.',
        () => regression.predict(set(floats, 0, 1e39)),
      ],
      [
        'range',
        'targets at row 2, column 1 is NaN; a finite number is expected.',
        () => regression.load(0, { inputs: floats, targets: set(new Float32Array(40), 5, Number.NaN) }),
      ],
      [
        'shape',
        'targets has length 20; 40 is expected.',
        () => regression.load(0, { inputs: floats, targets: new Float32Array(20) }),
      ],
      [
        'usage',
        'targets is missing; an array of numbers, 2 a row, is expected.',
        () => regression.evaluateOn({ inputs: floats }),
      ],
    ],
  ],
  [
    'targets of labels',
    labels,
    [
      [
        'range',
        'targets at row 1, column 0 is 1.5; a number from 0 to 1 is expected.',
        () => labels.load(0, { inputs: floats, targets: set(new Float32Array(40), 2, 1.5) }),
      ],
      [
        'range',
        'targets at row 0, column 1 is -1; a number from 0 to 1 is expected.',
        () => labels.evaluateOn({ inputs: floats, targets: set(new Float32Array(40), 1, -1) }),
      ],
    ],
  ],
  [
    'sparse inputs',
    sparse,
    [
      [
        'usage',
        'inputs.indptr is missing; an array, as of sparse input, is expected.',
        () => sparse.predict(floats),
      ],
      [
        'usage',
        'inputs.values is missing; an array, as of sparse input, is expected.',
        () => sparse.predict(any({ indptr: [0], indices: [] })),
      ],
      [
        'range',
        'inputs.indptr[0] is 1; 0 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [1, 2, 2, 3] }),
      ],
      [
        'range',
        'inputs.indptr[0] is missing; 0 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [] }),
      ],
      [
        'range',
        'inputs.indptr[2] is 1; a whole number from 2 to 3 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [0, 2, 1, 3] }),
      ],
      [
        'range',
        'inputs.indptr[3] is 4; a whole number from 2 to 3 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [0, 2, 2, 4] }),
      ],
      [
        'range',
        'inputs.indptr[1] is NaN; a whole number from 0 to 3 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [0, Number.NaN, 2, 3] }),
      ],
      [
        'shape',
        'inputs.indices has length 3; 2 is expected.',
        () => sparse.predict({ ...rowsOf, indptr: [0, 2, 2, 2] }),
      ],
      [
        'range',
        'inputs.indices[1] (row 0) is 1; a column above 4 and below 6 is expected.',
        () => sparse.predict({ ...rowsOf, indices: [4, 1, 0] }),
      ],
      [
        'range',
        'inputs.indices[1] (row 0) is 1; a column above 1 and below 6 is expected.',
        () => sparse.predict({ ...rowsOf, indices: [1, 1, 0] }),
      ],
      [
        'range',
        'inputs.indices[2] (row 2) is 6; a column above -1 and below 6 is expected.',
        () => sparse.predict({ ...rowsOf, indices: [1, 4, 6] }),
      ],
      [
        'range',
        'inputs.indices[0] (row 0) is -1; a column above -1 and below 6 is expected.',
        () => sparse.predict({ ...rowsOf, indices: [-1, 4, 0] }),
      ],
      [
        'range',
        'inputs.indices[2] (row 2) is 0.5; a column above -1 and below 6 is expected.',
        () => sparse.predict({ ...rowsOf, indices: [1, 4, 0.5] }),
      ],
      [
        'range',
        'inputs at row 0, column 4 is NaN; a finite number is expected.',
        () => sparse.predict({ ...rowsOf, values: [1, Number.NaN, 1] }),
      ],
      [
        'range',
        'inputs at row 2, column 0 is missing; a finite number is expected.',
        () => sparse.predict({ ...rowsOf, values: [1, 1] }),
      ],
      [
        'shape',
        'inputs.values has length 4; 3 is expected.',
        () => sparse.predict({ ...rowsOf, values: [1, 1, 1, 1] }),
      ],
      [
        'range',
        'The number of values in a batch is 4; at most 3, for which there is room is expected.',
        () =>
          sparse.load(0, {
            inputs: { indptr: [0, 4], indices: [0, 1, 2, 3], values: [1, 1, 1, 1] },
            targets: [0],
          }),
      ],
      [
        'range',
        'The number of values in a batch is 8; at most 6, for which there is room is expected.',
        () =>
          sparse.training.stepOn(
            {
              inputs: { indptr: [0, 4, 8], indices: [0, 1, 2, 3, 0, 1, 2, 3], values: Array(8).fill(1) },
              targets: [0, 1],
            },
            0.1,
          ),
      ],
    ],
  ],
  [
    'epochs and steps',
    classifier,
    [
      [
        'usage',
        'The epoch is not begun; a call of begin() before the first step is expected.',
        () => fresh.training.step(0, 8, 0.1),
      ],
      [
        'usage',
        'The epoch is not begun; a call of begin() before the first step is expected.',
        () => fresh.training.estimateStatistics([{ first: 0, rows: 8 }]),
      ],
      [
        'usage',
        'sets[0] is empty; a set that samples were loaded into is expected.',
        () => sparse.training.begin(range(1)),
      ],
      [
        'usage',
        'sets[0] is empty; a set that samples were loaded into is expected.',
        () => predictor.evaluate(0, range(1)),
      ],
      [
        'usage',
        'order is an array of length 2; a Uint32Array of rows is expected.',
        () => classifier.training.begin(any([0, 1])),
      ],
      [
        'usage',
        'order is missing; a Uint32Array of rows is expected.',
        () => classifier.evaluate(0, any(undefined)),
      ],
      [
        'range',
        'order[1] is 20; a row below 20 is expected.',
        () => classifier.training.begin(Uint32Array.of(0, 20)),
      ],
      [
        'range',
        'order[0] is 4294967295; a row below 20 is expected.',
        () => classifier.evaluate(0, Uint32Array.of(-1)),
      ],
      [
        'range',
        'order.length is 21; at most 20 is expected.',
        () => classifier.training.begin(new Uint32Array(21)),
      ],
      [
        'range',
        'The number of rows is 0; at least one is expected.',
        () => classifier.evaluate(0, new Uint32Array(0)),
      ],
      [
        'range',
        'The number of rows is 0; at least one is expected.',
        () => classifier.evaluateOn({ inputs: new Uint8Array(0), targets: [] }),
      ],
      [
        'range',
        'rows is 1; a whole number from 2 to 9 is expected.',
        () => classifier.training.step(0, 1, 0.1),
      ],
      [
        'range',
        'rows is 10; a whole number from 2 to 9 is expected.',
        () => classifier.training.step(0, 10, 0.1),
      ],
      [
        'range',
        'rows is 2.5; a whole number from 2 to 9 is expected.',
        () => classifier.training.step(0, 2.5, 0.1),
      ],
      [
        'range',
        'first is 13; a whole number from 0 to 12 is expected.',
        () => classifier.training.step(13, 8, 0.1),
      ],
      [
        'range',
        'first is -1; a whole number from 0 to 12 is expected.',
        () => classifier.training.step(-1, 8, 0.1),
      ],
      [
        'range',
        'first is 13; a whole number from 0 to 12 is expected.',
        () =>
          classifier.training.estimateStatistics([
            { first: 0, rows: 8 },
            { first: 13, rows: 8 },
          ]),
      ],
      [
        'range',
        'rows is 1; a whole number from 2 to 9 is expected.',
        () => classifier.training.estimateStatistics([{ first: 0, rows: 1 }]),
      ],
      [
        'range',
        'The learning rate is 0; a number above 0 is expected.',
        () => classifier.training.step(0, 8, 0),
      ],
      [
        'range',
        'The learning rate is -0.1; a number above 0 is expected.',
        () => classifier.training.step(0, 8, -0.1),
      ],
      [
        'range',
        'The learning rate is NaN; a number above 0 is expected.',
        () => classifier.training.step(0, 8, Number.NaN),
      ],
      [
        'range',
        'The learning rate is Infinity; a number above 0 is expected.',
        () =>
          classifier.training.stepOn(
            { inputs: new Uint8Array(12), targets: [0, 1] },
            Number.POSITIVE_INFINITY,
          ),
      ],
      [
        'range',
        'The number of rows in the batch is 1; a whole number from 2 to 9 is expected.',
        () => classifier.training.stepOn({ inputs: new Uint8Array(6), targets: [0] }, 0.1),
      ],
      [
        'range',
        'The number of rows in the batch is 10; from 1 to 9 is expected.',
        () => classifier.training.stepOn({ inputs: new Uint8Array(60), targets: new Uint8Array(10) }, 0.1),
      ],
      [
        'range',
        'The number of rows in the batch is 0; from 1 to 9 is expected.',
        () => classifier.training.stepOn({ inputs: new Uint8Array(0), targets: [] }, 0.1),
      ],
      [
        'usage',
        'average is not kept; training with `average: true` is expected.',
        () => classifier.training.averageBy(0.5),
      ],
      [
        'usage',
        'average is not kept; training with `average: true` is expected.',
        () => classifier.training.averaged(),
      ],
      [
        'range',
        'share is 0; a number above 0 and at most 1 is expected.',
        () => classifier.training.averageBy(0),
      ],
      [
        'range',
        'share is NaN; a number above 0 and at most 1 is expected.',
        () => classifier.training.averageBy(Number.NaN),
      ],
      [
        'range',
        'batchesTracked is -1; a whole number from 0 up is expected.',
        () => {
          classifier.training.batchesTracked = -1;
        },
      ],
      [
        'usage',
        'The network is one that only predicts; a network created with `training` is expected.',
        () => predictor.training,
      ],
      [
        'usage',
        'The network is one that only predicts, whose weights are folded; a network created with `training` is expected.',
        () => predictor.tensors(),
      ],
    ],
  ],
  [
    'tensors',
    classifier,
    [
      [
        'shape',
        'tensors is an object (Object); a Map of tensors by key is expected.',
        () => classifier.setTensors(any({})),
      ],
      [
        'shape',
        'tensors is missing; a Map of tensors by key is expected.',
        () => classifier.setTensors(any(undefined)),
      ],
      [
        'shape',
        "tensors['4.bias'] is missing; a Float32Array is expected.",
        () => classifier.setTensors(new Map([...tensors].filter(([key]) => key !== '4.bias'))),
      ],
      [
        'shape',
        "tensors['0.weight'] has length 29; 30 is expected.",
        () => classifier.setTensors(withTensors(tensors, { '0.weight': new Float32Array(29) })),
      ],
      [
        'shape',
        "tensors['1.gamma'] is a Float64Array of length 5; a Float32Array is expected.",
        () => classifier.setTensors(withTensors(tensors, { '1.gamma': any(new Float64Array(5)) })),
      ],
      [
        'shape',
        "tensors is with the tensor 'input.mean'; only the model's own tensors is expected.",
        () => classifier.setTensors(withTensors(tensors, { 'input.mean': new Float32Array(6) })),
      ],
    ],
  ],
])('%s', (_, network, rows) => {
  it.each(rows)('%s: %s', async (code, sentence, action) => {
    const before = bytesOf([network.training.exportState(), network.training.totals()]);
    const error = await failure(code, action);
    expect(error.message).toBe(sentence);
    expect(error.subject).toBeDefined();
    const after = bytesOf([network.training.exportState(), network.training.totals()]);
    expect(after.equals(before)).toBe(true);
  });
});

it('a refused load leaves what was loaded', async () => {
  const network = networkOn(core, model, data);
  const before = network.evaluate(0, range(ROWS));
  const other = data.inputs.map((pixel) => 255 - pixel);
  await failure('range', () => network.load(0, { inputs: other, targets: set(data.targets, 19, 7) }));
  await failure('range', () =>
    network.load(0, { ...data, inputs: other, weights: set(data.targets, 19, -7) }),
  );
  expect(network.evaluate(0, range(ROWS))).toEqual(before);
});

it('an epoch ends with the samples that its order names: a set that is loaded anew is begun anew', async () => {
  const network = networkOn(core, model, data, { batchSize: 8 });
  network.training.begin(range(ROWS));
  network.load(0, { inputs: data.inputs.subarray(0, 24), targets: data.targets.subarray(0, 4) });
  const error = await failure('usage', () => network.training.step(8, 8, 0.1));
  expect(error.message).toBe('The epoch is not begun; a call of begin() before the first step is expected.');
  network.training.begin(range(4));
  expect(network.training.step(0, 4, 0.1)).toSatisfy(Number.isFinite);
});

const options: NetworkOptions = { training: RECIPE };
const dense: Layer = { type: 'dense', units: 3 };
const of = (layers: unknown[], input: object = {}, rest: object = {}): ModelSpec =>
  any({ input: { features: 4, type: 'f32', ...input }, layers, ...rest });

describe('a network is not made', () => {
  const cases: [code: string, sentence: string, model: ModelSpec, options?: NetworkOptions][] = [
    ['usage', 'model is missing; an object is expected.', any(undefined)],
    [
      'usage',
      "model has the unknown key 'loss'; known keys only (input, layers, output, classes) are expected.",
      of([dense], {}, { loss: 1 }),
    ],
    ['usage', 'input is missing; an object is expected.', any({ layers: [dense] })],
    [
      'range',
      'input.features is 0; a whole number from 1 to 1048576 is expected.',
      of([dense], { features: 0 }),
    ],
    [
      'range',
      'input.features is NaN; a whole number from 1 to 1048576 is expected.',
      of([dense], { features: Number.NaN }),
    ],
    ['usage', "input.type is 'i8'; one of u8, f32, sparse is expected.", of([dense], { type: 'i8' })],
    ['usage', 'input.standardize is 1; true or false is expected.', of([dense], { standardize: 1 })],
    [
      'range',
      'input.standardize is true (of u8 input); f32 input or false is expected.',
      of([dense], { type: 'u8', standardize: true }),
    ],
    ['range', 'input.shape is 2 x 3; a shape of 4 values is expected.', of([dense], { shape: [2, 3] })],
    ['usage', 'input.shape is 4; an array of sizes is expected.', of([dense], { shape: 4 })],
    [
      'range',
      'input.shape[1] is 0; a whole number from 1 to 1048576 is expected.',
      of([dense], { shape: [4, 0] }),
    ],
    ['range', 'input.names.length is 1; 4 is expected.', of([dense], { names: ['a'] })],
    [
      'range',
      "input.names is 'a' twice; names that differ is expected.",
      of([dense], { names: ['a', 'b', 'c', 'a'] }),
    ],
    ['usage', 'input.names[1] is 2; a string is expected.', of([dense], { names: ['a', 2, 'c', 'd'] })],
    [
      'usage',
      'layers is missing; an array of layers is expected.',
      any({ input: { features: 4, type: 'f32' } }),
    ],
    ['range', 'layers.length is 0; a number from 1 to 1024 is expected.', of([])],
    ['usage', 'layers[0] is null; a layer is expected.', of([null, dense])],
    [
      'usage',
      "layers[0].type is 'conv'; one of relu, tanh, sigmoid, gelu, silu, dense, batchNorm, leakyRelu, dropout is expected.",
      of([{ type: 'conv' }, dense]),
    ],
    [
      'usage',
      'layers[0].type is missing; one of relu, tanh, sigmoid, gelu, silu, dense, batchNorm, leakyRelu, dropout is expected.',
      of([{}, dense]),
    ],
    [
      'range',
      'layers[0].units is 2.5; a whole number from 1 to 1048576 is expected.',
      of([{ type: 'dense', units: 2.5 }]),
    ],
    [
      'range',
      'layers[0].units is missing; a whole number from 1 to 1048576 is expected.',
      of([{ type: 'dense' }]),
    ],
    ['usage', 'layers[0].bias is no; true or false is expected.', of([{ ...dense, bias: 'no' }])],
    [
      'usage',
      "layers[0].init is 'ones'; one of heNormal, glorotUniform, zeros is expected.",
      of([{ ...dense, init: 'ones' }]),
    ],
    [
      'usage',
      "layers[1] has the unknown key 'slope'; known keys only (type) are expected.",
      of([dense, { type: 'relu', slope: 1 }, dense]),
    ],
    [
      'range',
      'layers[1].slope is -1; a number from 0 to 1 is expected.',
      of([dense, { type: 'leakyRelu', slope: -1 }, dense]),
    ],
    [
      'range',
      'layers[1].epsilon is 0; a number above 0 is expected.',
      of([dense, { type: 'batchNorm', epsilon: 0 }, dense]),
    ],
    [
      'range',
      'layers[1].momentum is 1.5; a number from 0 to 1 is expected.',
      of([dense, { type: 'batchNorm', momentum: 1.5 }, dense]),
    ],
    [
      'range',
      'layers[1].rate is 1; a number from 0 to below 1 is expected.',
      of([dense, { type: 'dropout', rate: 1 }, dense]),
    ],
    [
      'range',
      'layers[1].rate is NaN; a number from 0 to below 1 is expected.',
      of([dense, { type: 'dropout', rate: Number.NaN }, dense]),
    ],
    [
      'range',
      'layers[1].rate is missing; a number from 0 to below 1 is expected.',
      of([dense, { type: 'dropout' }, dense]),
    ],
    [
      'range',
      'layers[1] is relu; a dense layer as the last (its head follows from the loss, so no activation stands behind it) is expected.',
      of([dense, { type: 'relu' }]),
    ],
    [
      'usage',
      "output.head is 'tanh'; one of softmax, sigmoid, identity is expected.",
      of([dense], {}, { output: { head: 'tanh' } }),
    ],
    [
      'range',
      'output.standardize is true (behind a softmax head); an identity head or false is expected.',
      of([dense], {}, { output: { head: 'softmax', standardize: true } }),
    ],
    [
      'range',
      'The number of outputs is 1; at least 2 classes is expected.',
      of([{ ...dense, units: 1 }], {}, { output: { head: 'softmax' } }),
    ],
    ['range', 'The number of outputs is 1; at least 2 classes is expected.', of([{ ...dense, units: 1 }])],
    ['range', 'classes.length is 2; 3 is expected.', of([dense], {}, { classes: ['a', 'b'] })],
    [
      'range',
      "output.head is identity; 'softmax', because there are classes, is expected.",
      of([dense], {}, { classes: ['a', 'b', 'c'], output: { head: 'identity' } }),
    ],
    [
      'range',
      "output.head is identity; 'softmax', because the loss is crossEntropy, is expected.",
      of([dense], {}, { output: { head: 'identity' } }),
    ],
    [
      'usage',
      "options has the unknown key 'batch'; known keys only (seed, batchSize, training, sets, threads, stageEntries) are expected.",
      model,
      any({ batch: 3 }),
    ],
    ['range', 'seed is -1; a whole number from 0 up is expected.', model, { seed: -1 }],
    ['range', 'seed is 9007199254740992; a whole number from 0 up is expected.', model, { seed: 2 ** 53 }],
    ['range', 'batchSize is 0; a whole number from 1 to 65536 is expected.', model, { batchSize: 0 }],
    ['range', 'batchSize is 65537; a whole number from 1 to 65536 is expected.', model, { batchSize: 65537 }],
    ['range', 'threads is 65; a whole number from 1 to 64 is expected.', model, { threads: 65 }],
    [
      'range',
      'sets[0].rows is -1; a whole number from 0 to 2147483648 is expected.',
      model,
      { sets: [{ rows: -1 }] },
    ],
    [
      'range',
      'sets[1].entries is 0.5; a whole number from 0 to 2147483648 is expected.',
      model,
      { sets: [{ rows: 1 }, { rows: 1, entries: 0.5 }] },
    ],
    [
      'range',
      'stageEntries is -1; a whole number from 0 to 2147483648 is expected.',
      of([dense], { type: 'sparse' }),
      { stageEntries: -1 },
    ],
    [
      'usage',
      "training has the unknown key 'rate'; known keys only (loss, optimizer, clipNorm, frozenStatistics, average, augment) are expected.",
      model,
      any({ training: { ...RECIPE, rate: 1 } }),
    ],
    [
      'usage',
      'loss is missing; an object is expected.',
      model,
      any({ training: { optimizer: { type: 'sgd' } } }),
    ],
    [
      'usage',
      'optimizer is missing; an object is expected.',
      model,
      any({ training: { loss: RECIPE.loss } }),
    ],
    [
      'usage',
      "loss.type is 'hinge'; one of crossEntropy, binaryCrossEntropy, squaredError, huber is expected.",
      model,
      any({ training: { ...RECIPE, loss: { type: 'hinge' } } }),
    ],
    [
      'usage',
      "loss has the unknown key 'delta'; known keys only (type) are expected.",
      model,
      any({ training: { ...RECIPE, loss: { type: 'squaredError', delta: 1 } } }),
    ],
    [
      'range',
      'loss.labelSmoothing is 1; a number from 0 to below 1 is expected.',
      model,
      { training: { ...RECIPE, loss: { type: 'crossEntropy', labelSmoothing: 1 } } },
    ],
    [
      'range',
      'loss.delta is 0; a number above 0 is expected.',
      model,
      { training: { ...RECIPE, loss: { type: 'huber', delta: 0 } } },
    ],
    [
      'usage',
      "optimizer.type is 'rmsprop'; one of adam, adamW, sgd is expected.",
      model,
      any({ training: { ...RECIPE, optimizer: { type: 'rmsprop' } } }),
    ],
    [
      'usage',
      "optimizer has the unknown key 'weightDecay'; known keys only (type, beta1, beta2, epsilon, l2) are expected.",
      model,
      any({ training: { ...RECIPE, optimizer: { type: 'adam', weightDecay: 1 } } }),
    ],
    [
      'range',
      'optimizer.beta1 is 1; a number from 0 to below 1 is expected.',
      model,
      { training: { ...RECIPE, optimizer: { type: 'adam', beta1: 1 } } },
    ],
    [
      'range',
      'optimizer.epsilon is 0; a number above 0 is expected.',
      model,
      { training: { ...RECIPE, optimizer: { type: 'adamW', epsilon: 0 } } },
    ],
    [
      'range',
      'optimizer.weightDecay is -1; a number from 0 up is expected.',
      model,
      { training: { ...RECIPE, optimizer: { type: 'adamW', weightDecay: -1 } } },
    ],
    [
      'range',
      'optimizer.momentum is NaN; a number from 0 to below 1 is expected.',
      model,
      { training: { ...RECIPE, optimizer: { type: 'sgd', momentum: Number.NaN } } },
    ],
    [
      'usage',
      'optimizer.nesterov is 1; true or false is expected.',
      model,
      any({ training: { ...RECIPE, optimizer: { type: 'sgd', nesterov: 1 } } }),
    ],
    [
      'usage',
      'optimizer.nesterov is true; true or false is expected.',
      model,
      any({ training: { ...RECIPE, optimizer: { type: 'sgd', nesterov: 'true' } } }),
    ],
    [
      'range',
      'training.clipNorm is 0; a number above 0 is expected.',
      model,
      { training: { ...RECIPE, clipNorm: 0 } },
    ],
    [
      'usage',
      'training.average is 1; true or false is expected.',
      model,
      any({ training: { ...RECIPE, average: 1 } }),
    ],
    [
      'usage',
      'training.frozenStatistics is yes; true or false is expected.',
      model,
      any({ training: { ...RECIPE, frozenStatistics: 'yes' } }),
    ],
  ];

  it.each(cases)('%s: %s', async (code, sentence, wrong, extra) => {
    const error = await failure(code, () => new Network(core, wrong, { ...options, ...extra }));
    expect(error.message).toBe(sentence);
  });
});

describe('a network that has been disposed of refuses', () => {
  const gone = networkOn(core, model, data, { training: { ...RECIPE, average: true } });
  gone.training.begin(range(ROWS));
  const state = gone.training.exportState();
  const { training } = gone;
  gone.dispose();
  gone.dispose();
  const batches = [{ first: 0, rows: 8 }];

  it.each<[string, () => unknown]>([
    ['load', () => gone.load(0, data)],
    ['evaluate', () => gone.evaluate(0, range(2))],
    ['evaluateOn', () => gone.evaluateOn(data)],
    ['predict', () => gone.predict(new Uint8Array(6))],
    ['predict of nothing', () => gone.predict(new Uint8Array(0))],
    ['tensors', () => gone.tensors()],
    ['setTensors', () => gone.setTensors(state.tensors as Map<TensorKey, Float32Array>)],
    ['firstNonFinite', () => gone.firstNonFinite()],
    ['ticket', () => gone.ticket],
    ['joined', () => gone.joined],
    ['admit', () => gone.admit()],
    ['memoryBytes', () => gone.memoryBytes],
    ['training', () => gone.training],
    ['training.begin', () => training.begin(range(2))],
    ['training.beginStream', () => training.beginStream()],
    ['training.step', () => training.step(0, 8, 0.1)],
    ['training.stepOn', () => training.stepOn(data, 0.1)],
    ['training.rows', () => training.rows],
    ['training.totals', () => training.totals()],
    ['training.averageBy', () => training.averageBy(0.1)],
    ['training.averaged', () => training.averaged()],
    ['training.estimateStatistics', () => training.estimateStatistics(batches)],
    ['training.resetOptimizer', () => training.resetOptimizer()],
    ['training.exportState', () => training.exportState()],
    ['training.importState', () => training.importState(state)],
  ])('%s; a second dispose does nothing', async (_, action) => {
    const error = await failure('usage', action);
    expect(error.message).toBe('The network has been disposed of; a network in use is expected.');
  });
});
