import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../dist/formats/model-bytes.js';
import { exportModel, type ImportOptions, importModel, loadModel, type ModelSpec } from '../../dist/node.js';
import { failure } from '../support/errors.js';

// The files are of Keras itself, with what it said of eight rows (keras/make.py).

const FOLDER = new URL('keras/', import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(fileURLToPath(new URL(name, FOLDER))));
const json = (name: string) => JSON.parse(new TextDecoder().decode(bytesOf(name)));

interface Said {
  rows: number[][];
  outputs: number[][];
}

const EXPECTED: Record<string, Said> = { ...json('expected.json'), ...json('expected-2.json') };
const MODELS = Object.keys(EXPECTED).filter((name) => !name.includes('.weights.'));
const WEIGHTS = Object.keys(EXPECTED).filter(
  (name) => name.includes('.weights.') && !name.startsWith('images'),
);

/** The largest difference between what a model and Keras say. */
async function difference(bytes: Uint8Array, { rows, outputs }: Said, spec: ModelSpec): Promise<number> {
  const model = await loadModel(bytes);
  const x = spec.input.type === 'u8' ? Uint8Array.from(rows.flat()) : Float32Array.from(rows.flat());
  const found = model.probabilities(x);
  model.dispose();
  expect(found).toHaveLength(outputs.flat().length);
  return Math.max(...outputs.flat().map((value, at) => Math.abs(value - found[at]!)));
}

const CLOSE = 1e-6;

describe('models of Keras', () => {
  it.each(MODELS)('say what Keras says: %s', async (name) => {
    const { bytes, spec, format, notes } = importModel(bytesOf(name), { source: name });
    expect(format).toBe('keras');
    expect(notes).toEqual(
      name.startsWith('nested')
        ? ['The outputs are taken as numbers, since nothing stands behind the last layer.']
        : [],
    );
    expect(await difference(bytes, EXPECTED[name]!, spec)).toBeLessThan(CLOSE);
  });

  it('have the same layers, statistics and shapes in every format of Keras 2 and 3', () => {
    const [first, ...others] = ['table.keras', 'table.h5', 'table-2.keras', 'table-2.h5'].map(
      (name) => importModel(bytesOf(name)).spec,
    );
    expect(first).toEqual({
      input: { features: 5, type: 'f32', standardize: true },
      layers: [
        { type: 'dense', units: 6 },
        { type: 'batchNorm', epsilon: 0.001 },
        { type: 'relu' },
        { type: 'dense', units: 4 },
        { type: 'gelu' },
        { type: 'dense', units: 4 },
        { type: 'leakyRelu', slope: expect.closeTo(0.2, 6) },
        { type: 'dense', units: 4 },
        { type: 'tanh' },
        { type: 'dense', units: 3 },
      ],
      output: { head: 'softmax' },
    });
    for (const other of others) expect(other).toEqual(first);
    const images = importModel(bytesOf('images.keras')).spec;
    expect(images.input).toEqual({ features: 12, type: 'u8', shape: [4, 3] });
    expect(images.output).toEqual({ head: 'sigmoid' });
  });

  it.each(WEIGHTS)('are made of weights alone where a spec says the rest: %s', async (name) => {
    const whole = name.replace('.weights.h5', '.keras');
    const { spec } = importModel(bytesOf(whole));
    const made = importModel(bytesOf(name), { spec });
    expect(made.spec).toEqual(spec);
    expect(await difference(made.bytes, EXPECTED[name]!, spec)).toBeLessThan(CLOSE);
  });

  it('are guessed from weights alone, and what is guessed is told', () => {
    const { spec, notes } = importModel(bytesOf('table.weights.h5'), { activation: 'tanh' });
    expect(spec.layers.map(({ type }) => type)).toEqual([
      ...['dense', 'batchNorm', 'tanh', 'dense', 'tanh', 'dense', 'tanh', 'dense', 'tanh', 'dense'],
    ]);
    expect(spec.input.standardize).toBe(true);
    expect(notes).toEqual(['softmax is taken for the head, which the file does not say.']);
  });

  it.each(['layout.h5', 'chunks.h5'])('are made of what h5py writes in other ways: %s', (name) => {
    const { bytes, spec, notes } = importModel(bytesOf(name), { activation: 'tanh', head: 'identity' });
    const layers = name === 'layout.h5' ? 10 : 2;
    expect(spec.layers.filter(({ type }) => type === 'dense')).toHaveLength(layers);
    const { tensors } = decodeModel(bytes, name);
    expect([...tensors.get('0.weight')!]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...tensors.get('2.weight')!]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...tensors.get('2.bias')!]).toEqual([1, 1, 1]);
    expect(notes).toEqual([
      expect.stringContaining('F16: read as 32-bit floats, each value kept exactly.'),
      expect.stringContaining('F64: read as 32-bit floats, each value kept exactly.'),
    ]);
  });

  it('are exported again', () => {
    for (const name of MODELS) {
      const { bytes } = importModel(bytesOf(name));
      expect(exportModel(bytes, 'onnx').length).toBeGreaterThan(100);
    }
  });
});

/** A model.keras whose configuration has other words. */
function changed(name: string, ...changes: [from: string | RegExp, to: string][]): Uint8Array {
  const files = unzipSync(bytesOf(name));
  const config = new TextDecoder().decode(files['config.json']);
  const other = changes.reduce((text, [from, to]) => {
    const next = text.replace(from, to);
    expect(next, String(from)).not.toBe(text);
    return next;
  }, config);
  return zipSync({ ...files, 'config.json': new TextEncoder().encode(other) });
}

function without(name: string, entry: string): Uint8Array {
  const { [entry]: _, ...files } = unzipSync(bytesOf(name));
  return zipSync(files);
}

/** A weights file with a few bytes changed where a text stands. */
function patched(name: string, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytesOf(name)).toString('latin1');
  expect(text).toContain(from);
  return new Uint8Array(Buffer.from(text.replaceAll(from, to), 'latin1'));
}

const REFUSED: [what: string, bytes: () => Uint8Array, message: string, options?: ImportOptions][] = [
  [
    'a layer that treadle has not',
    () => changed('table.keras', ['"Dropout"', '"LSTM"']),
    'the layer "dropout" is "LSTM"; Dense, BatchNormalization,',
  ],
  [
    'an activation that treadle has not',
    () => changed('table.keras', ['"gelu"', '"elu"']),
    'the layer "dense_1" is "Dense" with the activation "elu"',
  ],
  [
    'a ReLU with a largest value',
    () => changed('table.keras', ['"max_value": null', '"max_value": 6.0']),
    'the layer "re_lu" is "ReLU" with a largest value or a threshold',
  ],
  [
    'a Normalization that is undone',
    () => changed('table.keras', ['"invert": false', '"invert": true']),
    'is "Normalization" inverted',
  ],
  [
    'channels first',
    () => changed('images.keras', ['"channels_last"', '"channels_first"']),
    'with its channels first',
  ],
  [
    'a layer that goes over one of several dimensions',
    () => changed('images.keras', ['"batch_shape": [null, 4, 3]', '"batch_shape": [null, 2, 12]']),
    'its inputs have shape [2,12], and the layer "dense_5" takes 12 values; a Flatten before it is expected.',
  ],
  [
    'a scale that is no number',
    () => changed('images.keras', [/"scale": 0\.0039\d+/, '"scale": "a"']),
    'is "Rescaling" with values that are no numbers',
  ],
  [
    'a layer without weights',
    () => changed('nested.keras', ['"inner"', '"outer"'], [/"inner"/g, '"outer"'], [/"wide"/, '"thin"']),
    'the weights at "layers/sequential/layers/dense" are those of "wide"; "thin" is expected.',
  ],
  [
    'more layers than weights',
    () =>
      changed('table.keras', [
        '"layers": [',
        '"layers": [{"class_name": "Dense", "config": {"name": "a"}}, {"class_name": "Dense", "config": {"name": "b"}},',
      ]),
    'the weights at "layers/dense" are those of "dense"; "a" is expected.',
  ],
  [
    'a layer of two inputs',
    () =>
      changed('images.keras', [
        /"keras_history": \["rescaling", 0, 0\]\}\}/,
        '"keras_history": ["rescaling", 0, 0]}}, {"config": {"keras_history": ["flatten", 0, 0]}}',
      ]),
    'the layer "flatten" takes the outputs of "rescaling", "flatten"; one layer is expected.',
  ],
  [
    'layers in a circle',
    () =>
      changed('images.keras', [
        /"keras_history": \["rescaling", 0, 0\]/,
        '"keras_history": ["flatten", 0, 0]',
      ]),
    'its layers go in a circle',
  ],
  [
    'a layer that is not there',
    () =>
      changed('images.keras', [
        /"keras_history": \["rescaling", 0, 0\]/,
        '"keras_history": ["scaling", 0, 0]',
      ]),
    'its model has no layer "scaling"',
  ],
  [
    'a layer that is used twice',
    () => changed('images.keras', [/("inbound_nodes": \[)(\{"args".*?"kwargs": \{\}\})/, '$1$2, $2']),
    'is used 2 times; once is expected.',
  ],
  [
    'a class of one’s own',
    () => changed('table.keras', ['"class_name": "Sequential"', '"class_name": "MyModel"']),
    'its model is of the class "MyModel"; Sequential, or a Model',
  ],
  [
    'a configuration that is no JSON',
    () => changed('table.keras', ['{', '[']),
    'its configuration is no JSON',
  ],
  [
    'a configuration that describes no model',
    () => changed('table.keras', [/^.*$/s, '{"class_name": 1}']),
    'its configuration describes no model',
  ],
  [
    'a configuration that is nested without end',
    () => changed('table.keras', [/^.*$/s, '['.repeat(100)]),
    'its configuration is nested deeper than 64 levels',
  ],
  ['a model without weights', () => without('table.keras', 'model.weights.h5'), 'it has no model.weights.h5'],
  [
    'folders within one another without end',
    () => bytesOf('circle.h5'),
    'it takes more work than a file of its size can',
  ],
  ['compressed HDF5', () => bytesOf('compressed.h5'), 'HDF5 as h5py writes it, uncompressed, is expected.'],
  ['damaged HDF5', () => bytesOf('table.h5').subarray(0, 2000), 'its HDF5 cannot be read'],
  [
    'weights whose parts have no names',
    () => bytesOf('images.weights.h5'),
    '"layers/batch_normalization" has weights of shapes [6], [6], [6], which do not say what they are',
  ],
  [
    'a part that is missing',
    () => patched('table.h5', 'kernel', 'kernal'),
    'the layer "dense" has no kernel; its weights is expected.',
  ],
  [
    'an option for what the file says',
    () => bytesOf('table.keras'),
    'activation is given; nothing, since a.keras says it, is expected.',
    { activation: 'tanh' },
  ],
];

it.each(REFUSED)('refuses %s', async (_, bytes, message, options) => {
  const code = options === undefined ? 'format' : 'usage';
  const error = await failure(code, () => importModel(bytes(), { source: 'a.keras', ...options }));
  expect(error.message).toContain(message);
});
