// The files that mutations start from: small valid ones of every kind, broken ones that were interesting, and those
// that fuzzing found (test/fuzz/found/READER-*).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { BROKEN } from './broken.mjs';
import { jpegCorpus } from './jpeg.mjs';
import { pngBytes, pngChunk } from './png.mjs';

const FOUND = fileURLToPath(new URL('found', import.meta.url));
const PARQUET = fileURLToPath(new URL('../table/parquet', import.meta.url));
const KERAS = fileURLToPath(new URL('../formats/keras', import.meta.url));

/** Every reader's corpus; `dist` has the compiled encoders. */
export function corpusOf(reader, dist) {
  const found = readdirSync(FOUND)
    .filter((name) => name.startsWith(`${reader}-`))
    .map((name) => readFileSync(join(FOUND, name)));
  const valid = MAKERS[reader](dist).map((file) => Buffer.from(file));
  // A change of a valid file goes deeper into a reader than one of a file that is refused: they come thrice as often.
  return [...valid, ...valid, ...valid, ...BROKEN[reader](), ...found];
}

/** A column of each kind: eight features. */
const ENCODER = {
  version: 1,
  columns: [
    { kind: 'number', name: 'size', scale: { mean: 1.5, deviation: 2 }, missing: true },
    { kind: 'yesNo', name: 'old', yes: 'yes', no: 'no', missing: false },
    {
      kind: 'date',
      name: 'when',
      parts: [{ part: 'year', scale: { mean: 2000, deviation: 5 } }],
      missing: false,
    },
    { kind: 'category', name: 'colour', values: ['red', 'blue'], missing: true },
  ],
  target: { task: 'classification', name: 'kind', classes: ['a', 'b'] },
};

const MAKERS = {
  idx: idxCorpus,
  gzip: () => [
    ...idxCorpus().map((file) => gzipSync(file)),
    gzipSync(idxBytes([60, 28, 28], 60 * 784)),
    gzipSync(Buffer.alloc(1 << 20)),
    Buffer.concat([gzipSync(idxBytes([1, 2, 2], 0)), gzipSync(Buffer.alloc(4, 9))]),
  ],
  safetensors: ({ encodeSafetensors, storeMetadata, toStateDict }) =>
    [
      [3, 2, 2],
      [4, 3, 2, 3],
      [1, 1, 2],
    ].map((widths) => encodeSafetensors(toStateDict(network(widths)), storeMetadata(metadataOf(widths)))),
  pickle: ({ encodePickle, toNumpy }) => [
    encodePickle(toNumpy(network([3, 2, 2]))),
    encodePickle(toNumpy(network([4, 3, 2, 3]))),
    ...PYTHON_PICKLES.map((text) => Buffer.from(text, 'base64')),
  ],
  inspect: (dist) => [
    ...MAKERS.safetensors(dist),
    ...MAKERS.pickle(dist),
    ...everyDtype(),
    Buffer.from(PYTHON_TYPES, 'base64'),
  ],
  import: importCorpus,
  keras: () =>
    readdirSync(KERAS)
      .filter((name) => /\.(keras|h5)$/.test(name))
      .map((name) => readFileSync(join(KERAS, name))),
  config: ({ defaultConfig }) =>
    [
      defaultConfig(),
      { architectures: { wide: { hidden: [2048] }, deep: { hidden: [64, 32, 16] } }, learningRates: [0.01] },
      { trainSamples: 500, epochs: 2, build: 'simd', keep: 'last', mode: 'independent' },
    ].map((value) => Buffer.from(JSON.stringify(value))),
  results: ({ defaultConfig }) => [
    Buffer.from(JSON.stringify(results(defaultConfig()))),
    Buffer.from(JSON.stringify({ ...results(defaultConfig()), best: null, models: [] })),
    Buffer.from(JSON.stringify(firstVersion(results(defaultConfig())))),
    Buffer.from(JSON.stringify(ofPasses(results(defaultConfig())))),
  ],
  csv: () =>
    [
      'a,b,c\n1,x,2024-01-31\n-2.5e3,"y, ""z""",NA\n.5,"two\nlines",\n',
      '\uFEFFname;wert\r\n"M\u00FCller";1,5\r\n007;-2\r\n',
      'x\ty\n1\t2\n\n3\t4',
      'n\n1\n2\n3\n',
      'v,w,x,y,z\n12345678901234567890,-0,1e400,0x1f,true\n,,,,\n',
    ].map((text) => Buffer.from(text)),
  parquet: () =>
    readdirSync(PARQUET)
      .filter((name) => name.endsWith('.parquet'))
      .map((name) => readFileSync(join(PARQUET, name))),
  encoder: () => [
    Buffer.from(JSON.stringify(ENCODER)),
    Buffer.from(JSON.stringify({ version: 1, columns: [], target: { task: 'regression', names: ['x'] } })),
  ],
  png: pngCorpus,
  jpeg: jpegCorpus,
};

/** Models of every kind of file that is imported: with a norm and without, standardised, named, described and not. */
function importCorpus(dist) {
  const { encodeModel, encodeSafetensors, exportModel, exportTable, toStateDict, encodePickle, toNumpy } =
    dist;
  const numbers = (count) =>
    Float32Array.from({ length: count }, (_, index) => ((index * 37) % 19) / 8 + 0.125);
  const models = ['gelu', 'silu', 'leakyRelu'].map((type, at) => {
    const isNumber = at === 1;
    const spec = {
      input: { features: 2, type: at === 2 ? 'u8' : 'f32', ...(isNumber && { standardize: true }) },
      layers: [{ type: 'dense', units: 3 }, { type: 'batchNorm' }, { type }, { type: 'dense', units: 2 }],
      output: isNumber ? { head: 'identity', standardize: true } : { head: 'softmax' },
      ...(!isNumber && { classes: ['a', 'b'] }),
    };
    const sizes = {
      ...{ '0.weight': 6, '0.bias': 3, '1.gamma': 3, '1.beta': 3, '1.runningMean': 3, '1.runningVar': 3 },
      ...{ '3.weight': 6, '3.bias': 2 },
      ...(isNumber && { 'input.mean': 2, 'input.deviation': 2, 'target.mean': 2, 'target.deviation': 2 }),
    };
    const tensors = new Map(Object.entries(sizes).map(([key, size]) => [key, numbers(size)]));
    return encodeModel({ spec, tensors, loss: null });
  });
  const ofTable = {
    input: { features: 8, type: 'sparse' },
    layers: [{ type: 'dense', units: 2 }],
    output: { head: 'softmax' },
    classes: ['a', 'b'],
  };
  const sizes = { '0.weight': 16, '0.bias': 2 };
  const tensors = new Map(Object.entries(sizes).map(([key, size]) => [key, numbers(size)]));
  const table = encodeModel(
    { spec: ofTable, tensors, loss: null },
    { treadle_table: JSON.stringify(ENCODER) },
  );
  const named = [...toStateDict(network([3, 2, 2]))].map(([name, tensor]) => [`net.${name}`, tensor]);
  return [
    ...models.flatMap((model) => [model, exportModel(model, 'npz'), exportModel(model, 'onnx')]),
    ...models.map((model) => exportModel(model, 'onnx')),
    ...['safetensors', 'npz', 'onnx'].map((format) => exportTable(table, format)),
    encodeSafetensors(new Map(named), {}),
    encodePickle(toNumpy(network([3, 2, 2]))),
  ];
}

function idxBytes(sizes, content) {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt32BE(0x0800 + sizes.length, 0);
  sizes.forEach((size, index) => {
    header.writeUInt32BE(size, 4 + 4 * index);
  });
  return Buffer.concat([header, Buffer.alloc(content, 7)]);
}

function idxCorpus() {
  // Floats of 1, and of zero.
  const ones = Buffer.from('00000d01000000023f8000003f800000', 'hex');
  const zeros = idxBytes([2, 2, 2], 64);
  zeros.fill(0, 16);
  zeros[2] = 14;
  return [
    idxBytes([2, 3, 4], 24),
    idxBytes([5], 5),
    idxBytes([1, 1, 1], 1),
    idxBytes([7, 28, 28], 7 * 784),
    ones,
    zeros,
  ];
}

/** A network whose every value differs. */
function network(widths) {
  let count = 0;
  const values = (length) => Float32Array.from({ length }, () => ++count / 8 - 3);
  const dense = widths
    .slice(1)
    .map((out, layer) => ({ weight: values(widths[layer] * out), bias: values(out) }));
  const batchNorm = widths.slice(1, -1).map((out) => ({
    gamma: values(out),
    beta: values(out),
    runningMean: values(out),
    runningVar: values(out).map(Math.abs),
  }));
  return { dense, batchNorm, batchesTracked: 7 };
}

function metadataOf(widths) {
  return {
    treadle: '1',
    model: 'tiny',
    hidden: widths.slice(1, -1),
    inputs: widths[0],
    classes: widths.at(-1),
    dropout: 0.5,
    learningRate: 0.005,
    epochs: 10,
    keptEpoch: 8,
    batchSize: 256,
    seed: 42,
    mode: 'chained',
    build: 'simd',
    dataHash: 'c0ffee',
    dataset: 'Fashion-MNIST',
    classNames: Array.from({ length: widths.at(-1) }, (_, index) => `class "${index}" é`),
    imageWidth: 2,
    imageHeight: 1,
    valLoss: 1e-7,
    valAccuracy: 0.875,
    valMacroF1: 0.8740234375,
  };
}

/** A safetensors file with a tensor of every dtype, and one with none. */
function everyDtype() {
  const bytes = {
    BOOL: 1,
    U8: 1,
    I8: 1,
    F8_E5M2: 1,
    F8_E4M3: 1,
    F8_E8M0: 1,
    F4: 1,
    I16: 2,
    F16: 2,
    BF16: 2,
    U32: 4,
  };
  const all = { ...bytes, F32: 4, F64: 8, I64: 8, U64: 8, C64: 8 };
  let at = 0;
  const entries = Object.entries(all).map(([dtype, size]) => {
    const elements = dtype === 'F4' ? 4 : 2;
    at += 2 * size;
    return [dtype, { dtype, shape: [elements], data_offsets: [at - 2 * size, at] }];
  });
  return [
    [Object.fromEntries(entries), at],
    [{}, 0],
    [{ __metadata__: { format: 'pt' } }, 0],
  ].map(([header, length]) => {
    const text = Buffer.from(JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([size, text, Buffer.from(Array.from({ length }, (_, index) => (index * 89) % 256))]);
  });
}

/** A dict of arrays as CPython and numpy 2 write it in protocol 5: bool, int64, float16, big-endian and complex ones. */
const PYTHON_TYPES =
  'gAWVxgIAAAAAAAB9lCiMAWKUjBNudW1weS5fY29yZS5udW1lcmljlIwLX2Zyb21idWZmZXKUk5QolgQAAAAAAAAAAQEBAJSMBW51bXB5lIwFZHR5cGWUk5SMAmIxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGJLAksChpSMAUOUdJRSlIwBaZRoBCiWIAAAAAAAAAABAAAAAAAAAP7/////////AwAAAAAAAAAAAAAAAAAAAJRoCIwCaTiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYksCSwKGlGgPdJRSlIwBaJRoBCiWCAAAAAAAAAAAPADAAEIAAJRoCIwCZjKUiYiHlFKUKEsDaBdOTk5K/////0r/////SwB0lGJLAksChpRoD3SUUpSMA2JpZ5RoBCiWEAAAAAAAAAA/gAAAwAAAAEBAAAAAAAAAlGgIjAJmNJSJiIeUUpQoSwOMAT6UTk5OSv////9K/////0sAdJRiSwJLAoaUaA90lFKUjAF6lGgEKJYgAAAAAAAAAAAAgD8AAAAAAAAAwAAAAAAAAEBAAAAAAAAAAAAAAAAAlGgIjAJjOJSJiIeUUpQoSwNoF05OTkr/////Sv////9LAHSUYksCSwKGlGgPdJRSlIwBZpRoBCiWEAAAAAAAAAAAAIA/AABAQAAAAMAAAAAAlGgIjAJmNJSJiIeUUpQoSwNoF05OTkr/////Sv////9LAHSUYksCSwKGlIwBRpR0lFKUjARwYXJ0lIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlGgGjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwJLAYaUaAiMAmY4lImIh5RSlChLA2gXTk5OSv////9K/////0sAdJRiiUMQAAAAAAAA8D8AAAAAAAAIQJR0lGJ1Lg==';

/** Dicts of float32 arrays as CPython and numpy write them, in protocols 3 to 5, numpy 1 and 2. */
const PYTHON_PICKLES = [
  'gAN9cQAoWAIAAABXMXEBY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnECY251bXB5Cm5kYXJyYXkKcQNLAIVxBEMBYnEFh3EGUnEHKEsBSwJLA4ZxCGNudW1weQpkdHlwZQpxCVgCAAAAZjRxComIh3ELUnEMKEsDWAEAAAA8cQ1OTk5K/////0r/////SwB0cQ5iiUMYAACAPwAAAMAAAEBAAACAQAAAsEAAAMBAcQ90cRBiWAIAAADDqXERaAJoA0sAhXESaAWHcRNScRQoSwFLAYVxFWgMiUMEAACAPnEWdHEXYlgBAAAAZXEYaAJoA0sAhXEZaAWHcRpScRsoSwFLAEsChnEcaAyJQwBxHXRxHmJYBAAAAHNhbWVxH2gUdS4=',
  'gASVAAEAAAAAAAB9lCiMAlcxlIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwJLA4aUaAWMBWR0eXBllJOUjAJmNJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMYAACAPwAAAMAAAEBAAACAQAAAsEAAAMBAlHSUYowCw6mUaARoB0sAhZRoCYeUUpQoSwFLAYWUaBGJQwQAAIA+lHSUYowBZZRoBGgHSwCFlGgJh5RSlChLAUsASwKGlGgRiUMAlHSUYowEc2FtZZRoGXUu',
  'gAWV4QAAAAAAAAB9lCiMAlcxlIwTbnVtcHkuX2NvcmUubnVtZXJpY5SMC19mcm9tYnVmZmVylJOUKJYYAAAAAAAAAAAAgD8AAADAAABAQAAAgEAAALBAAADAQJSMBW51bXB5lIwFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJLAksDhpSMAUOUdJRSlIwCw6mUaAQolgQAAAAAAAAAAACAPpRoC0sBhZRoD3SUUpSMAWWUaAQolgAAAAAAAAAAlGgLSwBLAoaUaA90lFKUjARzYW1llGgWdS4=',
];

/** Results as version 1 wrote them. */
function firstVersion(now) {
  const models = now.models.map(({ id: _, ...model }) => model);
  return { ...now, schema: 1, models, best: { model: 'small', learningRate: 0.003 } };
}

/** Results of a run of two passes. */
function ofPasses(now) {
  const earlier = now.models.map((model) => ({ ...model, weights: [], test: null }));
  const models = now.models.map((model) => ({ ...model, id: `${model.id}_pass2` }));
  return { ...now, config: { ...now.config, passes: 2 }, models, earlier, best: 'small_0.003_pass2' };
}

/** The results of a run of two models, one of which failed. */
function results(config) {
  const epoch = {
    trainLoss: 0.5,
    trainAccuracy: 0.8,
    valLoss: 0.4,
    valAccuracy: 0.85,
    valMacroF1: 0.84,
    seconds: 1,
  };
  const test = {
    accuracy: 0.75,
    precision: 0.7,
    recall: 0.7,
    macroF1: 0.7,
    loss: 0.6,
    confusion: [
      [3, 1],
      [0, 4],
    ],
  };
  const small = {
    id: 'small_0.003',
    model: 'small',
    learningRate: 0.003,
    weights: ['weights/small.safetensors'],
  };
  return {
    schema: 2,
    environment: {
      node: 'v20.19.0',
      v8: '11.3',
      build: 'simd',
      kernels: '6x8/32',
      revectorized: false,
      cpu: 'a processor',
      cores: 2,
      seconds: 4.2,
    },
    config: { ...config, architectures: [{ name: 'small', hidden: [8] }], jobs: 1, threads: 1 },
    dataset: {
      name: 'made-up',
      source: 'a folder',
      hash: '5f0c6a1e',
      imageWidth: 4,
      imageHeight: 3,
      classNames: ['one', 'two'],
      trainSamples: 10,
      validationSamples: 4,
      testSamples: 8,
    },
    models: [
      {
        ...small,
        epochs: [
          { epoch: 1, ...epoch },
          { epoch: 2, ...epoch },
        ],
        kept: { epoch: 2, valMacroF1: 0.84 },
        test,
      },
      {
        ...small,
        id: 'small_0.004',
        learningRate: 0.004,
        epochs: [],
        kept: null,
        weights: [],
        test: null,
        error: 'diverged',
      },
    ],
    best: 'small_0.003',
  };
}

function pngCorpus() {
  const pixels = (length, type = Uint8Array) => type.from({ length }, (_, index) => (index * 37) % 256);
  const made = [
    { width: 9, height: 7, channels: 1 },
    { width: 5, height: 4, channels: 2 },
    { width: 6, height: 5, channels: 3 },
    { width: 4, height: 4, channels: 4 },
  ].map((image) => ({ ...image, data: pixels(image.width * image.height * image.channels) }));
  const deep = { width: 4, height: 3, depth: 16, channels: 3, data: pixels(36, Uint16Array) };
  const palette = pngChunk('PLTE', pixels(12));
  return [
    ...made.map((image) => Buffer.from(encode(image))),
    ...made.map((image) => Buffer.from(encode(image, { interlace: 'Adam7' }))),
    Buffer.from(encode(deep)),
    pngBytes({ width: 5, height: 3, depth: 1, colorType: 0 }, [], Buffer.alloc(6, 0x05)),
    pngBytes(
      { width: 5, height: 3, depth: 4, colorType: 3 },
      [palette, pngChunk('tRNS', [9])],
      Buffer.alloc(12, 1),
    ),
    pngBytes(
      { width: 3, height: 2, depth: 8, colorType: 3 },
      [palette],
      Buffer.from([0, 1, 2, 3, 2, 0, 1, 2]),
    ),
    pngBytes(
      { width: 3, height: 1, depth: 8, colorType: 2 },
      [pngChunk('tRNS', [0, 9, 0, 9, 0, 9])],
      Buffer.alloc(10, 1),
    ),
    // Five passes of one column each or two.
    pngBytes(
      { width: 3, height: 5, depth: 2, colorType: 0, interlace: 1 },
      [pngChunk('tRNS', [0, 1])],
      Buffer.from([0, 1, 1, 2, 2, 3, 0, 0x44, 4, 0x88, 3, 0x44, 1, 0x80, 2, 0x40, 0, 0x10, 4, 0x33]),
    ),
    pngBytes({ width: 64, height: 64, depth: 8, colorType: 0 }, [], Buffer.alloc(64 * 65)),
  ];
}
