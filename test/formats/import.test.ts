import { zipSync } from 'fflate';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { conversionNotes } from '../../dist/formats/floats.js';
import { storeMetadata } from '../../dist/formats/metadata.js';
import { toStateDict } from '../../dist/formats/naming.js';
import { encodeNpz, type NpzEntry } from '../../dist/formats/npz.js';
import { encodeOnnx } from '../../dist/formats/onnx/encode.js';
import {
  ATTRIBUTE_TYPE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../../dist/formats/onnx/schema.js';
import { encodePickle } from '../../dist/formats/pickle.js';
import { encodeSafetensors } from '../../dist/formats/safetensors.js';
import type { FloatTensor, Tensor } from '../../dist/formats/tensor.js';
import { decodeWeights } from '../../dist/node/model-file.js';
import {
  createModel,
  type ExportFormat,
  exportModel,
  type ImportOptions,
  importModel,
  loadModel,
  type ModelSpec,
  mlp,
} from '../../dist/node.js';
import { failure } from '../support/errors.js';
import { metadataOf, network } from './fixtures.js';
import { inputsOf, KINDS, largestDifference, NAMES, ROWS, titleOf, trained } from './models.js';

ort.env.logLevel = 'error';

const CLOSE = 1e-5;

/** Values without a pattern, between -1 and 1. */
let drawn = 1;
const values = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => {
    drawn = (drawn * 48271) % 2147483647;
    return (drawn / 2147483647) * 2 - 1;
  });
const tensor = (shape: number[], data = values(shape.reduce((a, b) => a * b, 1))): FloatTensor => ({
  dtype: 'F32',
  shape,
  data,
});
const positive = (count: number) =>
  tensor(
    [count],
    values(count).map((value) => Math.abs(value) + 0.1),
  );

/** The tensors of PyTorch's Linear and BatchNorm1d. */
type Linear = [weight: [string, FloatTensor], bias: [string, FloatTensor]];
const linear = (path: string, inputs: number, outputs: number): Linear => [
  [`${path}weight`, tensor([outputs, inputs])],
  [`${path}bias`, tensor([outputs])],
];
const batchNorm = (path: string, width: number): [string, Tensor][] => [
  [`${path}weight`, tensor([width])],
  [`${path}bias`, tensor([width])],
  [`${path}running_mean`, tensor([width])],
  [`${path}running_var`, positive(width)],
  [`${path}num_batches_tracked`, { dtype: 'I64', shape: [], data: BigInt64Array.of(9n) }],
];
const file = (entries: Iterable<[string, Tensor]>) => encodeSafetensors(new Map(entries), {});

/** What PyTorch's Linear does, in 64 bits. */
function applied(x: readonly number[], [[, weight], [, bias]]: Linear): number[] {
  const [outputs = 0, inputs = 0] = weight.shape;
  return Array.from({ length: outputs }, (_, unit) => {
    let sum = bias.data[unit]!;
    for (let input = 0; input < inputs; input++) sum += x[input]! * weight.data[unit * inputs + input]!;
    return sum;
  });
}

const X = values(20 * 6);

/** Predictions of a file that is imported. */
async function imported(bytes: Uint8Array, options: ImportOptions = {}) {
  const made = importModel(bytes, { source: 'f', ...options });
  const model = await loadModel(made.bytes);
  const probabilities = model.probabilities(X);
  const types = model.spec.layers.map((layer) => (layer.type === 'dense' ? layer.units : layer.type));
  return { ...made, model, probabilities, types };
}

describe('what is exported is imported again', () => {
  const formats: ExportFormat[] = ['onnx', 'npz', 'safetensors'];
  it.each(KINDS.map((kind) => [titleOf(kind), kind] as const))('%s', async (_, kind) => {
    const model = await trained(kind);
    const x = inputsOf(kind.type);
    const expected = model.probabilities(x);
    for (const format of formats) {
      const { bytes, spec, stored } = importModel(exportModel(model, format));
      expect(stored).toBe(format !== 'onnx');
      if (stored) expect(spec).toEqual(model.spec);
      expect([spec.input, spec.output, spec.classes]).toEqual([
        model.spec.input,
        model.spec.output,
        model.spec.classes,
      ]);
      const again = await loadModel(bytes);
      const width = expected.length / ROWS;
      expect(largestDifference(kind.head, expected, again.probabilities(x), width)).toBeLessThan(CLOSE);
      again.dispose();
    }
    model.dispose();
  });

  it('weights of the command line, and pickles of models', async () => {
    const widths = [6, 5, 3];
    const metadata = { ...metadataOf(widths), classNames: NAMES, imageWidth: 3, imageHeight: 2 };
    const bytes = encodeSafetensors(toStateDict(network(widths)), storeMetadata(metadata));
    const { spec, stored } = importModel(bytes);
    expect([spec.classes, spec.input.type, stored]).toEqual([NAMES, 'u8', true]);
    const model = await createModel(
      mlp({ inputs: 6, hidden: [5, 4], outputs: 3, norm: true, activation: 'tanh' }),
    );
    await model.fit({ x: X, y: Array.from({ length: 20 }, (_, row) => row % 3) }, { epochs: 2 });
    const { probabilities } = await imported(exportModel(model, 'pkl'), { activation: 'tanh' });
    expect(largestDifference('softmax', model.probabilities(X), probabilities, 3)).toBeLessThan(CLOSE);
  });
});

describe('state dicts of PyTorch', () => {
  const SEQUENTIAL = [
    ...linear('0.', 6, 5),
    ...batchNorm('1.', 5),
    ...linear('4.', 5, 4),
    ...batchNorm('5.', 4),
    ...linear('8.', 4, 3),
  ];

  it('are read under any prefix, with counters and without', async () => {
    const { probabilities, types, notes } = await imported(file(SEQUENTIAL));
    expect(types).toEqual([5, 'batchNorm', 'relu', 4, 'batchNorm', 'relu', 3]);
    expect(notes).toEqual([
      'relu is taken for the activation between layers, which the file does not say.',
      'softmax is taken for the head, which the file does not say.',
    ]);
    for (const prefix of [
      'module.',
      '_orig_mod.',
      'net.',
      'model.',
      'module._orig_mod.',
      'any.thing.at_all.',
    ]) {
      const named = SEQUENTIAL.filter(([name]) => !name.includes('tracked')).map(
        ([name, own]): [string, Tensor] => [prefix + name, own],
      );
      expect((await imported(file(named))).probabilities, prefix).toEqual(probabilities);
    }
  });

  it('do what PyTorch does', async () => {
    const [first, second] = [linear('0.', 6, 5), linear('2.', 5, 3)];
    const { probabilities } = await imported(file([...first, ...second]), { head: 'identity' });
    const found = Array.from({ length: 20 }, (_, row) => {
      const x = [...X.subarray(row * 6, row * 6 + 6)];
      return applied(
        applied(x, first).map((value) => Math.max(0, value)),
        second,
      );
    }).flat();
    expect(largestDifference('identity', probabilities, found, 3)).toBeLessThan(CLOSE);
  });

  it.each([
    [
      'numbers without gaps, as of a ModuleList',
      [...linear('layers.0.', 6, 5), ...linear('layers.1.', 5, 5), ...linear('layers.2.', 5, 2)],
      [5, 'relu', 5, 'relu', 2],
    ],
    [
      'gaps that say where activations are',
      [...linear('0.', 6, 5), ...linear('1.', 5, 4), ...linear('3.', 4, 2)],
      [5, 4, 'relu', 2],
    ],
    [
      'ten layers and more by their numbers',
      [0, 2, 10].flatMap((n, at) => linear(`${n}.`, [6, 5, 5][at]!, [5, 5, 2][at]!)),
      [5, 'relu', 5, 'relu', 2],
    ],
    [
      'names in the order of their widths',
      [...linear('classifier.', 4, 2), ...linear('hidden.', 6, 5), ...linear('middle.', 5, 4)],
      [5, 'relu', 4, 'relu', 2],
    ],
    [
      'norms by the numbers in their names',
      [
        ...linear('fc1.', 6, 5),
        ...linear('fc2.', 5, 5),
        ...linear('fc3.', 5, 2),
        ...batchNorm('bn1.', 5),
        ...batchNorm('bn2.', 5),
      ],
      [5, 'batchNorm', 'relu', 5, 'batchNorm', 'relu', 2],
    ],
    [
      'norms by their widths',
      [...linear('a.', 6, 5), ...linear('b.', 5, 4), ...linear('c.', 4, 2), ...batchNorm('norm.', 4)],
      [5, 'relu', 4, 'batchNorm', 'relu', 2],
    ],
    [
      'a norm behind an activation, in the next layer',
      [...linear('0.', 6, 5), ...batchNorm('2.', 5), ...linear('3.', 5, 2)],
      [5, 'relu', 2],
    ],
    ['a norm behind the last layer, in it', [...linear('0.', 6, 2), ...batchNorm('1.', 2)], [2]],
    ['one layer', linear('', 6, 1), [1]],
  ] as [string, [string, Tensor][], unknown[]][])('have %s', async (_, entries, expected) => {
    const { types } = await imported(file(entries));
    expect(types).toEqual(expected);
  });

  it('say where a norm is that is taken to stand behind its activation, and what order follows from widths', () => {
    const late = importModel(file([...linear('0.', 6, 5), ...batchNorm('2.', 5), ...linear('3.', 5, 2)]), {
      activation: 'tanh',
      head: 'sigmoid',
    });
    expect(late.notes).toEqual([
      'The BatchNorm "2" is taken to stand behind the activation, as its number leaves room for it.',
    ]);
    const named = importModel(file([...linear('a.', 5, 2), ...linear('b.', 6, 5)]), {
      activation: 'tanh',
      head: 'softmax',
    });
    expect(named.notes).toEqual(['The order of the layers follows from their widths: "b", "a".']);
  });

  it('take the shape of a spec', async () => {
    const square = [
      ...linear('enc.', 6, 6),
      ...linear('dec.', 6, 6),
      ...batchNorm('n.', 6),
      ...linear('out.', 6, 3),
    ];
    const spec: ModelSpec = {
      input: { features: 6, type: 'f32' },
      layers: [
        { type: 'dense', units: 6 },
        { type: 'gelu' },
        { type: 'dense', units: 6 },
        { type: 'batchNorm', epsilon: 1e-3 },
        { type: 'leakyRelu', slope: 0.3 },
        { type: 'dropout', rate: 0.5 },
        { type: 'dense', units: 3 },
      ],
      output: { head: 'sigmoid' },
    };
    const made = await imported(file(square), { spec });
    expect(made.spec).toEqual(spec);
    expect(made.notes).toEqual([]);
    // Layers of one shape in the order of their names.
    const first = made.model.tensors().get('0.bias');
    expect(first).toEqual(square.find(([name]) => name === 'dec.bias')![1].data);
  });
});

describe('types of numbers', () => {
  const [[, weight], [, bias]] = linear('0.', 6, 2) as [[string, FloatTensor], [string, FloatTensor]];

  /** A safetensors file of both tensors in another type. */
  function typed(dtype: string, bytes: (data: Float32Array) => Uint8Array): Uint8Array {
    const parts = [bytes(weight.data), bytes(bias.data)];
    const header = {
      '0.weight': { dtype, shape: [2, 6], data_offsets: [0, parts[0]!.length] },
      '0.bias': { dtype, shape: [2], data_offsets: [parts[0]!.length, parts[0]!.length + parts[1]!.length] },
    };
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, ...parts]);
  }

  it('BF16 and F64 are told and read exactly, or rounded', async () => {
    const bf16 = typed('BF16', (data) => {
      const bits = new Uint32Array(data.slice().buffer);
      return new Uint8Array(Uint16Array.from(bits, (value) => value >>> 16).buffer);
    });
    const cut = (value: number) =>
      new Float32Array(
        Uint32Array.of(new Uint32Array(Float32Array.of(value).buffer)[0]! & 0xffff0000).buffer,
      )[0]!;
    const narrow = await imported(bf16, { head: 'identity' });
    expect(narrow.notes).toEqual([
      '"0.weight", "0.bias" are BF16: read as 32-bit floats, each value kept exactly.',
    ]);
    expect(narrow.model.tensors().get('0.bias')).toEqual(bias.data.map(cut));
    const exact = await imported(
      typed('F64', (data) => new Uint8Array(Float64Array.from(data).buffer)),
      { head: 'identity' },
    );
    expect(exact.notes).toEqual([
      '"0.weight", "0.bias" are F64: read as 32-bit floats, each value kept exactly.',
    ]);
    expect(exact.model.tensors().get('0.bias')).toEqual(bias.data);
    const third = typed(
      'F64',
      (data) => new Uint8Array(Float64Array.from(data, (_, at) => (at === 0 ? 1 / 3 : 1)).buffer),
    );
    expect(importModel(third, { head: 'identity' }).notes).toEqual([
      '"0.weight", "0.bias" are F64: read as 32-bit floats, 2 of 14 values rounded.',
    ]);
  });

  it('F16 weights and a prefix are told when a network is read', () => {
    const ones = { F16: [0, 0x3c] } as const;
    const half = (count: number) => Uint8Array.from({ length: 2 * count }, (_, at) => ones.F16[at % 2]!);
    const names = [...toStateDict(network([2, 2, 2]))].map(
      ([name, { shape }]) => [`module.${name}`, shape] as const,
    );
    let at = 0;
    const header: Record<string, unknown> = {};
    const parts: Uint8Array[] = [];
    for (const [name, shape] of names) {
      if (name.includes('tracked')) continue;
      const bytes = half(shape.reduce((a, b) => a * b, 1));
      header[name] = { dtype: 'F16', shape, data_offsets: [at, at + bytes.length] };
      at += bytes.length;
      parts.push(bytes);
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    const read = decodeWeights(Buffer.concat([length, json, ...parts]), 'w');
    expect(read.notes).toEqual([
      'The prefix "module." of all names is left out.',
      '"0.weight", "0.bias", "1.weight" and 5 more are F16: read as 32-bit floats, each value kept exactly.',
    ]);
    expect([...read.tensors.dense[0]!.weight]).toEqual([1, 1, 1, 1]);
  });

  it('tells of no conversion where there was none', () => {
    expect(conversionNotes(new Map())).toEqual([]);
  });
});

describe('npz', () => {
  const npz = (entries: Record<string, NpzEntry>) => encodeNpz(new Map(Object.entries(entries)));

  it('has the names of numpy users, of scikit-learn and of Keras', async () => {
    const w = [tensor([6, 5]), tensor([5, 2])] as const;
    const b = [tensor([5]), tensor([2])] as const;
    const expected = (await imported(npz({ W1: w[0], b1: b[0], W2: w[1], b2: b[1] }))).probabilities;
    const others = [
      { coefs_0: w[0], coefs_1: w[1], intercepts_0: b[0], intercepts_1: b[1] },
      { 'dense/kernel:0': w[0], 'dense/bias': b[0], 'dense_1/kernel:0': w[1], 'dense_1/bias': b[1] },
    ].map((entries) =>
      Object.fromEntries(
        Object.entries(entries).map(([name, own]) => [name.replace('/', '.').replace(':0', ''), own]),
      ),
    );
    for (const entries of others) expect((await imported(npz(entries))).probabilities).toEqual(expected);
    expect((await imported(encodePickle(new Map(Object.entries(others[0]!))))).probabilities).toEqual(
      expected,
    );
  });

  it('is what numpy.savez_compressed writes too', async () => {
    const plain = npz({ W1: tensor([6, 2], new Float32Array(12).fill(0.5)), b1: tensor([2]) });
    const { unzipSync } = await import('fflate');
    const packed = zipSync(unzipSync(plain), { level: 9 });
    expect(packed.length).not.toBe(plain.length);
    expect((await imported(packed)).probabilities).toEqual((await imported(plain)).probabilities);
  });

  it('is read whole: an array that is not what it was is told, packed or not', async () => {
    const plain = npz({ W1: tensor([6, 2], new Float32Array(12).fill(0.5)), b1: tensor([2]) });
    const { unzipSync } = await import('fflate');
    for (const level of [0, 9] as const) {
      const whole = zipSync(unzipSync(plain), { level });
      const damaged = whole.slice();
      // Of one entry the bytes, of the other the checksum in the directory.
      const at = level === 0 ? Buffer.from(whole).indexOf(Buffer.from(Float32Array.of(0.5).buffer)) : 0;
      if (level === 0) damaged[at + 2]! ^= 1;
      else damaged[Buffer.from(whole).indexOf('PK\x01\x02') + 16]! ^= 1;
      const { message } = await failure('format', () => importModel(damaged, { source: 'f.npz' }));
      expect(message).toBe('f.npz: "W1.npy" in it is damaged; a file of the stated checksum is expected.');
    }
  });

  const npy = (header: string, data = '') => {
    const text = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}${data}`, 'latin1');
    text.writeUInt16LE(header.length, 8);
    return new Uint8Array(text);
  };
  const zip = (files: Record<string, Uint8Array>, level: 0 | 9 = 0) => zipSync(files, { level });
  it.each([
    [
      'a zip that ends early',
      zip({ 'a.npy': npy('') }).subarray(0, 40),
      'f: it cannot be unpacked; a zip of arrays is expected.',
    ],
    [
      'zeros without end',
      zip({ 'a.npy': new Uint8Array(1 << 24) }, 9),
      'f: its arrays hold more than 40 times its bytes; arrays that fit the file is expected.',
    ],
    [
      'no npy',
      zip({ 'a.npy': new Uint8Array(20) }),
      'f: array "a" does not begin as an npy file; what numpy.save writes is expected.',
    ],
    [
      'an unknown header',
      zip({ 'a.npy': npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }") }),
      `f: array "a" has an unknown header; numpy's descr, fortran_order and shape is expected.`,
    ],
    [
      'a header beyond the file',
      zip({ 'a.npy': npy('  ').with(8, 99) }),
      'f: array "a" has a header of 99 bytes; at most 8192, within the file is expected.',
    ],
    [
      'too few bytes',
      zip({ 'a.npy': npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", '1234') }),
      'f: array "a" of shape [3] has 4 bytes; a length of 12 bytes is expected.',
    ],
    [
      'integers',
      zip({ 'a.npy': npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", '1234') }),
      'f: array "a" is of dtype "<i4"; float32, float16 or float64 is expected.',
    ],
    [
      'what torch.save writes',
      zip({ 'archive/data.pkl': npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", '1234') }),
      "f: it is what torch.save writes; safetensors.torch.save_file(model.state_dict(), 'model.safetensors') is expected.",
    ],
  ])('refuses %s', async (_, bytes, sentence) => {
    const { message } = await failure('format', () => importModel(bytes, { source: 'f' }));
    expect(message).toBe(sentence);
  });
});

// Graphs as other programs write them; onnxruntime says what they compute.

const node = (
  opType: string,
  input: string[],
  output: string[],
  attribute: OnnxAttribute[] = [],
  domain?: string,
): OnnxNode => ({
  opType,
  input,
  output,
  attribute,
  name: `n_${output[0]}`,
  ...(domain !== undefined && { domain }),
});
const int = (name: string, i: number): OnnxAttribute => ({ name, i, type: ATTRIBUTE_TYPE.int });
const float = (name: string, f: number): OnnxAttribute => ({ name, f, type: ATTRIBUTE_TYPE.float });
const constant = (name: string, { shape, data }: FloatTensor): OnnxTensor => ({
  name,
  dims: shape,
  dataType: ONNX_TYPE.float,
  rawData: new Uint8Array(data.buffer),
});
const scalar = (name: string, value: number) => constant(name, tensor([], Float32Array.of(value)));

interface Graph {
  nodes: OnnxNode[];
  constants: OnnxTensor[];
  outputs?: string[];
  opset?: number;
  features?: number[];
  elemType?: number;
}

const onnx = ({
  nodes,
  constants,
  outputs = ['y'],
  opset = 17,
  features = [6],
  elemType = ONNX_TYPE.float,
}: Graph) =>
  encodeOnnx({
    irVersion: opset > 17 ? 9 : 8,
    graph: {
      name: 'g',
      node: nodes,
      initializer: constants,
      input: [
        {
          name: 'x',
          type: {
            tensorType: {
              elemType,
              shape: { dim: [{ dimParam: 'n' }, ...features.map((dimValue) => ({ dimValue }))] },
            },
          },
        },
      ],
      output: outputs.map((name) => ({
        name,
        type: { tensorType: { elemType: name === 'label' ? ONNX_TYPE.string : ONNX_TYPE.float } },
      })),
    },
    opsetImport: [
      { domain: '', version: opset },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
  });

const W = { w0: tensor([6, 5]), b0: tensor([5]), w1: tensor([5, 3]), b1: tensor([3]) };
const CONSTANTS = Object.entries(W).map(([name, own]) => constant(name, own));
const before = [node('MatMul', ['x', 'w0'], ['m']), node('Add', ['m', 'b0'], ['z'])];
const after = [node('Gemm', ['a', 'w1', 'b1'], ['l']), node('Softmax', ['l'], ['y'], [int('axis', -1)])];
const around = (nodes: OnnxNode[], constants: OnnxTensor[] = [], opset = 17): Graph => ({
  nodes: [...before, ...nodes, ...after],
  constants: [...CONSTANTS, ...constants],
  opset,
});
const norm = [
  constant('g', tensor([5])),
  constant('be', tensor([5])),
  constant('mu', tensor([5])),
  constant('va', positive(5)),
];
const gelu = [scalar('r2', Math.SQRT2), scalar('i2', Math.SQRT1_2), scalar('one', 1), scalar('half', 0.5)];

describe('ONNX of other programs', () => {
  it.each([
    ['Relu', around([node('Relu', ['z'], ['a'])]), [5, 'relu', 3]],
    ['LeakyRelu', around([node('LeakyRelu', ['z'], ['a'], [float('alpha', 0.25)])]), [5, 'leakyRelu', 3]],
    [
      'PRelu of one slope',
      around(
        [node('PRelu', ['z', 'slope'], ['a'])],
        [constant('slope', tensor([1]))].map((own) => ({
          ...own,
          rawData: new Uint8Array(Float32Array.of(0.125).buffer),
        })),
      ),
      [5, 'leakyRelu', 3],
    ],
    ['Tanh', around([node('Tanh', ['z'], ['a'])]), [5, 'tanh', 3]],
    ['Sigmoid', around([node('Sigmoid', ['z'], ['a'])]), [5, 'sigmoid', 3]],
    ['SiLU', around([node('Sigmoid', ['z'], ['s']), node('Mul', ['s', 'z'], ['a'])]), [5, 'silu', 3]],
    ['Gelu', around([node('Gelu', ['z'], ['a'])], [], 20), [5, 'gelu', 3]],
    [
      'GELU by a division',
      around(
        [
          node('Div', ['z', 'r2'], ['d']),
          node('Erf', ['d'], ['e']),
          node('Add', ['e', 'one'], ['f']),
          node('Mul', ['z', 'f'], ['h']),
          node('Mul', ['h', 'half'], ['a']),
        ],
        gelu,
      ),
      [5, 'gelu', 3],
    ],
    [
      'GELU by a product',
      around(
        [
          node('Mul', ['z', 'i2'], ['d']),
          node('Erf', ['d'], ['e']),
          node('Add', ['one', 'e'], ['f']),
          node('Mul', ['half', 'z'], ['h']),
          node('Mul', ['h', 'f'], ['a']),
        ],
        gelu,
      ),
      [5, 'gelu', 3],
    ],
    [
      'BatchNormalization',
      around(
        [
          node('BatchNormalization', ['z', 'g', 'be', 'mu', 'va'], ['q'], [float('epsilon', 0.01)]),
          node('Relu', ['q'], ['a']),
        ],
        norm,
      ),
      [5, 'batchNorm', 'relu', 3],
    ],
    [
      'BatchNormalization behind the activation',
      around(
        [node('Relu', ['z'], ['q']), node('BatchNormalization', ['q', 'g', 'be', 'mu', 'va'], ['a'])],
        norm,
      ),
      [5, 'relu', 3],
    ],
    [
      'two norms, and arithmetic between layers',
      around(
        [
          node('BatchNormalization', ['z', 'g', 'be', 'mu', 'va'], ['q']),
          node('Mul', ['g', 'q'], ['r']),
          node('BatchNormalization', ['r', 'mu', 'g', 'be', 'va'], ['s']),
          node('Tanh', ['s'], ['t']),
          node('Sub', ['one', 't'], ['a']),
        ],
        [...norm, ...gelu],
      ),
      [5, 'batchNorm', 'tanh', 3],
    ],
    ['no activation', around([node('Identity', ['z'], ['a'])]), [5, 3]],
    [
      'a layer in a row of shapes',
      {
        nodes: [
          node('Flatten', ['x'], ['q']),
          node('MatMul', ['q', 'w0'], ['m']),
          node('Add', ['b0', 'm'], ['z']),
          node('Dropout', ['z'], ['d']),
          node('Relu', ['d'], ['a']),
          ...after,
        ],
        constants: CONSTANTS,
        features: [6],
      },
      [5, 'relu', 3],
    ],
    [
      'a transposed, scaled Gemm',
      {
        nodes: [
          node('Transpose', ['w0'], ['t'], [{ name: 'perm', ints: [1, 0], type: ATTRIBUTE_TYPE.ints }]),
          node('Gemm', ['x', 't', 'b0'], ['z'], [int('transB', 1), float('alpha', 0.5), float('beta', 2)]),
          node('Relu', ['z'], ['a']),
          ...after,
        ],
        constants: CONSTANTS,
      },
      [5, 'relu', 3],
    ],
    [
      'a constant of a node',
      {
        nodes: [
          node(
            'Constant',
            [],
            ['k'],
            [{ name: 'value', t: constant('', W.w0), type: ATTRIBUTE_TYPE.tensor }],
          ),
          node('MatMul', ['x', 'k'], ['z']),
          node('Relu', ['z'], ['a']),
          ...after,
        ],
        constants: CONSTANTS.filter(({ name }) => name !== 'w0'),
      },
      [5, 'relu', 3],
    ],
    [
      'numbers that are standardised otherwise',
      {
        nodes: [
          node('Mul', ['x', 'k'], ['p']),
          node('Add', ['p', 'k'], ['q']),
          node('MatMul', ['q', 'w0'], ['z']),
          node('Relu', ['z'], ['a']),
          ...after,
        ],
        constants: [...CONSTANTS, constant('k', tensor([1, 6]))],
      },
      [5, 'relu', 3],
    ],
    [
      'a norm of its inputs',
      {
        nodes: [
          node('BatchNormalization', ['x', 'k', 'k', 'k', 'v'], ['q']),
          node('MatMul', ['q', 'w0'], ['z']),
          node('Relu', ['z'], ['a']),
          ...after,
        ],
        constants: [...CONSTANTS, constant('k', tensor([6])), constant('v', positive(6))],
      },
      [5, 'relu', 3],
    ],
  ] as [string, Graph, unknown[]][])('has %s', async (_, graph, expected) => {
    const bytes = onnx(graph);
    const session = await ort.InferenceSession.create(bytes);
    const results = await session.run({ x: new ort.Tensor('float32', X, [20, 6]) });
    const { probabilities, types, notes } = await imported(bytes);
    expect(types).toEqual(expected);
    expect(notes).toEqual([]);
    expect(largestDifference('softmax', results.y!.data as Float32Array, probabilities, 3)).toBeLessThan(
      CLOSE,
    );
  });

  it("has scikit-learn's scaler, labels and names", async () => {
    const floats = (name: string, list: Float32Array): OnnxAttribute => ({ name, floats: list, type: 6 });
    const graph: Graph = {
      nodes: [
        node(
          'Scaler',
          ['x'],
          ['q'],
          [floats('offset', values(6)), floats('scale', values(6).map(Math.abs))],
          'ai.onnx.ml',
        ),
        node('MatMul', ['q', 'w0'], ['m']),
        node('Add', ['m', 'b0'], ['z']),
        node('Relu', ['z'], ['a']),
        node('MatMul', ['a', 'w1'], ['n']),
        node('Add', ['n', 'b1'], ['l']),
        node('Softmax', ['l'], ['y'], [int('axis', 1)]),
        node('ArgMax', ['y'], ['i'], [int('axis', 1), int('keepdims', 0)]),
        node('ArrayFeatureExtractor', ['names', 'i'], ['label'], [], 'ai.onnx.ml'),
      ],
      constants: [
        ...CONSTANTS,
        {
          name: 'names',
          dims: [3],
          dataType: ONNX_TYPE.string,
          stringData: NAMES.map((name) => new Uint8Array(Buffer.from(name))),
        },
      ],
      outputs: ['label', 'y'],
    };
    const bytes = onnx(graph);
    const session = await ort.InferenceSession.create(bytes);
    const results = await session.run({ x: new ort.Tensor('float32', X, [20, 6]) });
    const { probabilities, model, spec } = await imported(bytes);
    expect([spec.classes, spec.input.standardize]).toEqual([NAMES, true]);
    expect(largestDifference('softmax', results.y!.data as Float32Array, probabilities, 3)).toBeLessThan(
      CLOSE,
    );
    expect(model.predict(X)).toEqual([...(results.label!.data as unknown as string[])]);
  });

  it('has two classes out of one probability', async () => {
    const graph: Graph = {
      nodes: [
        ...before,
        node('Relu', ['z'], ['a']),
        node('MatMul', ['a', 'v'], ['l']),
        node('Sigmoid', ['l'], ['p']),
        node('Sub', ['one', 'p'], ['q']),
        node('Concat', ['q', 'p'], ['y'], [int('axis', 1)]),
      ],
      constants: [...CONSTANTS, scalar('one', 1), constant('v', tensor([5, 1]))],
    };
    const bytes = onnx(graph);
    const session = await ort.InferenceSession.create(bytes);
    const results = await session.run({ x: new ort.Tensor('float32', X, [20, 6]) });
    const { probabilities, spec, model } = await imported(bytes, { classes: ['no', 'yes'] });
    expect(spec.classes).toEqual(['no', 'yes']);
    expect(largestDifference('softmax', results.y!.data as Float32Array, probabilities, 2)).toBeLessThan(
      CLOSE,
    );
    expect(new Set(model.predict(X))).toEqual(new Set(['no', 'yes']));
  });

  it('has 16-bit and 64-bit floats, and scores that are made probabilities', () => {
    const logits = {
      nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
      constants: [
        { name: 'w', dims: [6, 2], dataType: ONNX_TYPE.float16, int32Data: Array(12).fill(0x3c00) },
        { name: 'b', dims: [2], dataType: ONNX_TYPE.double, doubleData: Float64Array.of(0.5, 1 / 3) },
      ],
    };
    const { notes, spec } = importModel(onnx(logits), { source: 'f' });
    expect(spec.output).toEqual({ head: 'identity' });
    expect(notes).toEqual([
      'The outputs are taken as numbers, since nothing stands behind the last layer.',
      '"w" is F16: read as 32-bit floats, each value kept exactly.',
      '"b" is F64: read as 32-bit floats, 1 of 2 values rounded.',
    ]);
    expect(importModel(onnx(logits), { head: 'softmax' }).spec.output).toEqual({ head: 'softmax' });
    expect(importModel(onnx(logits), { classes: ['a', 'b'] }).spec.classes).toEqual(['a', 'b']);
  });

  const dense = (nodes: OnnxNode[], constants: OnnxTensor[] = []): Graph => ({
    nodes,
    constants: [...CONSTANTS, ...constants],
  });
  it.each([
    [
      'a convolution',
      dense([node('Conv', ['x', 'w0'], ['y'])]),
      /^f: node "n_y" is "Conv"; an operation of a dense network \(Gemm, .+ Identity\) is expected\.$/,
    ],
    [
      'GELU by tanh',
      around(
        [
          node(
            'Gelu',
            ['z'],
            ['a'],
            [{ name: 'approximate', s: new Uint8Array(Buffer.from('tanh')), type: 3 }],
          ),
        ],
        [],
        20,
      ),
      /"n_a" is "Gelu" approximated by tanh; /,
    ],
    ['a sum of two values', dense([node('Add', ['x', 'x'], ['y'])]), /"n_y" is "Add" of two values; /],
    ['a quotient by its input', dense([node('Div', ['b0', 'x'], ['y'])]), /"n_y" is "Div" by its input; /],
    [
      'a slope for each column',
      around([node('PRelu', ['z', 'b0'], ['a'])]),
      /"PRelu" with a slope for each column; /,
    ],
    [
      'a product of two values',
      dense([node('MatMul', ['x', 'x'], ['y'])]),
      /"MatMul" with "x", which is no constant; /,
    ],
    [
      'a product with a row',
      dense([node('MatMul', ['x', 'b0'], ['y'])]),
      /"MatMul" with an array of shape \[5\]; /,
    ],
    [
      'a sum with a matrix',
      dense([node('MatMul', ['x', 'w0'], ['z']), node('Add', ['z', 'w0'], ['y'])]),
      /"Add" with an array of shape \[6,5\]; /,
    ],
    [
      'a norm without statistics',
      dense([node('MatMul', ['x', 'w0'], ['z']), node('BatchNormalization', ['z'], ['y'])]),
      /"BatchNormalization" without its statistics; /,
    ],
    [
      'a transposed input',
      dense([node('Gemm', ['x', 'w0'], ['y'], [int('transA', 1)])]),
      /"Gemm" of a transposed input; /,
    ],
    [
      'no dense layer',
      dense([node('Softmax', ['x'], ['y'])]),
      /^f: it has no dense layer; a network of dense layers is expected\.$/,
    ],
    [
      'widths that do not fit',
      dense([node('MatMul', ['x', 'w0'], ['z']), node('MatMul', ['z', 'w0'], ['y'])]),
      /^f: the dense layer "n_y" takes 6 values; 5, as the layer before it gives, is expected\.$/,
    ],
    [
      'biases of another width',
      dense([node('Gemm', ['x', 'w0', 'b1'], ['y'])]),
      /^f: "n_y" has 3 biases; 5 is expected\.$/,
    ],
    [
      'a row of another width',
      dense([node('MatMul', ['x', 'w0'], ['z']), node('Add', ['z', 'b1'], ['y'])]),
      /^f: "n_y" has 3 values; 5 is expected\.$/,
    ],
    [
      'an activation at the start',
      dense([node('Relu', ['x'], ['r']), node('MatMul', ['r', 'w0'], ['y'])]),
      /^f: "n_r" is relu before the first dense layer; a dense layer before it is expected\.$/,
    ],
    [
      'two activations',
      around([node('Relu', ['z'], ['r']), node('Tanh', ['r'], ['a'])]),
      /^f: "n_a" is tanh behind relu; a dense layer between activations is expected\.$/,
    ],
    [
      'an activation at the end',
      dense([node('MatMul', ['x', 'w0'], ['r']), node('Tanh', ['r'], ['y'])]),
      /^f: "n_y" is tanh behind the last dense layer; softmax, sigmoid or nothing there is expected\.$/,
    ],
    [
      'softmax in the middle',
      dense([...before, node('Softmax', ['z'], ['a']), ...after]),
      /^f: "n_a" is softmax before a dense layer; it behind the last is expected\.$/,
    ],
    [
      'something behind the head',
      dense([...before, node('Softmax', ['z'], ['a']), node('Mul', ['a', 'b0'], ['y'])]),
      /^f: "n_y" is multiply behind softmax; nothing behind the head is expected\.$/,
    ],
    [
      'a value that nothing makes',
      dense([node('MatMul', ['nothing', 'w0'], ['y'])]),
      /^f: the value "nothing" is made by no node; an input or a node is expected\.$/,
    ],
    [
      'a circle',
      dense([node('Relu', ['q'], ['y']), node('Relu', ['y'], ['q'])]),
      /^f: its nodes go in a circle; a graph is expected\.$/,
    ],
    [
      'weights in another file',
      dense(
        [node('MatMul', ['x', 'e'], ['y'])],
        [{ name: 'e', dims: [6, 2], dataType: ONNX_TYPE.float, dataLocation: 1 }],
      ),
      /^f: tensor "e" is in another file; an ONNX file with its weights inside \(save_as_external_data=False\) is expected\.$/,
    ],
    [
      'whole numbers',
      dense(
        [node('MatMul', ['x', 'e'], ['y'])],
        [{ name: 'e', dims: [6, 2], dataType: 3, rawData: new Uint8Array(12) }],
      ),
      /^f: tensor "e" is of ONNX's type 3; floating-point numbers is expected\.$/,
    ],
    [
      'too few bytes',
      dense(
        [node('MatMul', ['x', 'e'], ['y'])],
        [{ name: 'e', dims: [6, 2], dataType: ONNX_TYPE.float, rawData: new Uint8Array(12) }],
      ),
      /^f: tensor "e" of shape \[6,2\] has 12 bytes; 48 is expected\.$/,
    ],
    [
      'a size that overflows',
      dense(
        [node('MatMul', ['x', 'e'], ['y'])],
        [{ name: 'e', dims: [2 ** 40, 2 ** 40], dataType: ONNX_TYPE.float }],
      ),
      /^f: tensor "e" has shape \[1099511627776,1099511627776\]; a size below 2\^53 is expected\.$/,
    ],
    [
      'numbers that are not finite',
      dense(
        [node('Gemm', ['x', 'w0', 'e'], ['y'])],
        [constant('e', tensor([5], Float32Array.of(1, 2, 3, Infinity, 5)))],
      ),
      /^f: tensor "0\.bias" holds Infinity at element 3; a finite number is expected\.$/,
    ],
    [
      'a layer as often as makes it large',
      dense(
        [
          ...Array.from({ length: 60 }, (_, at) =>
            node('MatMul', [at === 0 ? 'x' : `v${at}`, 's'], [`v${at + 1}`]),
          ),
          node('Softmax', ['v60'], ['y']),
        ],
        [constant('s', tensor([40, 40]))],
      ),
      /^f: its layers hold far more numbers than the file; numbers of their own is expected\.$/,
    ],
    [
      'bytes that are not divided',
      {
        ...dense([node('Cast', ['x'], ['q'], [int('to', 1)]), node('MatMul', ['q', 'w0'], ['y'])]),
        elemType: ONNX_TYPE.uint8,
      },
      /^f: its bytes are not divided by 255; bytes that are is expected\.$/,
    ],
    ['no output', { ...dense([]), outputs: [] }, /^f: it has no output; a graph with one is expected\.$/],
  ] as [string, Graph, RegExp][])('refuses %s', async (_, graph, sentence) => {
    const { message } = await failure('format', () => importModel(onnx(graph), { source: 'f' }));
    expect(message).toMatch(sentence);
  });

  it('refuses what is no ONNX', async () => {
    const refuse = async (bytes: Uint8Array) =>
      (await failure('format', () => importModel(bytes, { source: 'f' }))).message;
    expect(await refuse(Uint8Array.of(8, 8))).toBe('f: it has no graph; an ONNX model is expected.');
    expect(await refuse(Uint8Array.of(8, 8, 0x3a, 9))).toBe(
      'f: it is no whole protobuf message; an ONNX model is expected.',
    );
    const many = Buffer.concat([Buffer.from([8, 8]), Buffer.alloc(2 * 100_001, Buffer.from([0x42, 0]))]);
    expect(await refuse(many)).toBe(
      'f: it has more than 100000 nodes, attributes and tensors; a network of dense layers is expected.',
    );
  });
});

describe('importModel refuses', () => {
  const dict = (entries: [string, Tensor][]) => file(entries);
  it.each([
    [
      'a convolution',
      dict([['c.weight', tensor([2, 1, 3, 3])]]),
      'f: tensor "c.weight" of shape [2,1,3,3] is of a convolution, or of another layer with 4 dimensions; dense layers and BatchNorm only is expected.',
    ],
    [
      'LayerNorm',
      dict([...linear('0.', 6, 2), ['n.weight', tensor([2])]]),
      'f: tensor "n.weight" of shape [2] is of a norm without running statistics, such as LayerNorm; dense layers and BatchNorm only is expected.',
    ],
    [
      'a bias alone',
      dict([...linear('0.', 6, 2), ['n.bias', tensor([2])]]),
      'f: tensor "n.bias" of shape [2] belongs to no dense layer and no BatchNorm; dense layers and BatchNorm only is expected.',
    ],
    [
      'an unknown name',
      dict([['logit_scale', tensor([])]]),
      `f: tensor "logit_scale" is none that is known; a dense network's (weight and bias, W1 and b1, coefs_0 and intercepts_0, or kernel and bias) is expected.`,
    ],
    ['no matrix', dict(batchNorm('0.', 3)), 'f: it has no matrix of weights; a dense network is expected.'],
    [
      'a bias of another width',
      dict([
        ['0.weight', tensor([2, 6])],
        ['0.bias', tensor([3])],
      ]),
      'f: tensor "0.bias" has shape [3]; [2], as its layer has, is expected.',
    ],
    [
      'a norm without a mean',
      dict([...linear('0.', 6, 2), ['1.running_var', positive(2)]]),
      'f: the BatchNorm "1" has no mean; its running mean and variance is expected.',
    ],
    [
      'a norm of no layer',
      dict([...linear('0.', 6, 2), ...batchNorm('n.', 5)]),
      'f: the BatchNorm "n" is 5 wide; a width that a dense layer before it gives is expected.',
    ],
    [
      'layers that do not follow',
      dict([...linear('a.', 6, 5), ...linear('b.', 4, 2)]),
      'f: its layers do not follow one another: "a" 6 -> 5, "b" 4 -> 2; a chain of dense layers is expected.',
    ],
    [
      'variances below 0',
      dict([
        ...linear('0.', 6, 5),
        ...batchNorm('1.', 5),
        ['1.running_var', tensor([5], new Float32Array(5).fill(-1))],
        ...linear('3.', 5, 2),
      ]),
      'f: tensor "1.running_var" holds -1 at element 0; a finite number from 0 is expected.',
    ],
    [
      'HDF5',
      Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
      'f: its HDF5 cannot be read; HDF5 as h5py writes it, uncompressed, is expected.',
    ],
    ['gzip', Uint8Array.of(0x1f, 0x8b), 'f: it is compressed by gzip; the file unpacked is expected.'],
    [
      'an empty file',
      new Uint8Array(0),
      'f: it is empty; safetensors, npz, a pickle of arrays, ONNX or a model of Keras is expected.',
    ],
    [
      'a text',
      new Uint8Array(Buffer.from('hello, world')),
      'f: it begins as no file that is known; safetensors, npz, a pickle of arrays, ONNX or a model of Keras is expected.',
    ],
    ['no bytes', 'file' as unknown as Uint8Array, 'f: it is not bytes; a Uint8Array is expected.'],
    [
      'a described model without a tensor',
      encodeSafetensors(new Map(linear('0.', 6, 2).slice(0, 1)), {
        treadle_model: JSON.stringify(mlp({ inputs: 6, hidden: [], outputs: 2, standardize: false })),
      }),
      'f: tensor "0.bias" is missing; [2], as its model says, is expected.',
    ],
    [
      'a description that is no text',
      encodeNpz(new Map<string, NpzEntry>([['treadle_model', tensor([1])]])),
      'f: array "treadle_model" is no text; a model in JSON is expected.',
    ],
  ])('%s', async (_, bytes, sentence) => {
    const { message } = await failure('format', () => importModel(bytes, { source: 'f' }));
    expect(message).toBe(sentence);
  });

  const plain = dict([...linear('0.', 6, 5), ...linear('2.', 5, 2)]);
  const described = exportModel(
    encodeSafetensors(new Map(linear('0.', 6, 2)), {
      treadle_model: JSON.stringify(mlp({ inputs: 6, hidden: [], outputs: 2, standardize: false })),
    }),
    'safetensors',
  );
  const spec = mlp({ inputs: 6, hidden: [5], outputs: 2, standardize: false });
  it.each([
    [
      'an unknown activation',
      'usage',
      plain,
      { activation: 'swish' },
      "activation is 'swish'; one of relu, tanh, sigmoid, gelu, silu, leakyRelu is expected.",
    ],
    [
      'an unknown head',
      'usage',
      plain,
      { head: 'linear' },
      "head is 'linear'; one of softmax, sigmoid, identity is expected.",
    ],
    [
      'an unknown option',
      'usage',
      plain,
      { heads: 'x' },
      "options has the unknown key 'heads'; known keys only (activation, head, classes, spec, source) are expected.",
    ],
    [
      'classes that are no list',
      'usage',
      plain,
      { classes: 'a' },
      'classes is a; an array of names is expected.',
    ],
    ['too many classes', 'range', plain, { classes: ['a', 'b', 'c'] }, 'classes.length is 3; 2 is expected.'],
    [
      'an option beside a spec',
      'usage',
      plain,
      { spec, head: 'softmax' },
      'head is given beside spec; one of the two is expected.',
    ],
    ['a spec that is none', 'usage', plain, { spec: {} }, 'input is missing; an object is expected.'],
    [
      'a spec of other widths',
      'format',
      plain,
      { spec: mlp({ inputs: 6, hidden: [4], outputs: 2 }) },
      'f: it has no matrix for layers[0] of the spec; one of 6 x 4 is expected.',
    ],
    [
      'a spec of fewer layers',
      'format',
      dict([...linear('0.', 6, 2), ...linear('2.', 2, 2)]),
      { spec: mlp({ inputs: 6, hidden: [], outputs: 2, standardize: false }) },
      'f: "2" is in no layer of the spec; a spec of all its layers is expected.',
    ],
    [
      'a spec with a norm',
      'format',
      plain,
      { spec: mlp({ inputs: 6, hidden: [5], outputs: 2, norm: true }) },
      'f: it has no BatchNorm for layers[1] of the spec; one of 5 is expected.',
    ],
    [
      'a spec that standardizes',
      'format',
      plain,
      { spec: mlp({ inputs: 6, hidden: [5], outputs: 2 }) },
      'f: input.mean is missing; 6 values, as the spec standardizes, is expected.',
    ],
    [
      'a spec without a bias',
      'format',
      plain,
      {
        spec: {
          ...spec,
          layers: [
            { type: 'dense', units: 5, bias: false },
            { type: 'dense', units: 2 },
          ],
        },
      },
      'f: "0" has a bias, and layers[0] of the spec has none; a spec with it is expected.',
    ],
    [
      'layers in several orders',
      'usage',
      dict([...linear('a.', 6, 5), ...linear('b.', 5, 6), ...linear('c.', 5, 6), ...linear('d.', 6, 5)]),
      {},
      'spec is missing (the layers of f may follow one another in several orders: "a" 6 -> 5, "b" 5 -> 6, "c" 5 -> 6, "d" 6 -> 5); a model in JSON, to whose widths they fit in one order, is expected.',
    ],
    [
      'an activation that the file says',
      'usage',
      described,
      { activation: 'relu' },
      'activation is given; nothing, since f says it, is expected.',
    ],
    [
      'a head that the file says',
      'usage',
      described,
      { head: 'softmax' },
      'head is given; nothing, since f says it, is expected.',
    ],
    [
      "another head than the graph's",
      'usage',
      onnx(around([node('Relu', ['z'], ['a'])])),
      { head: 'sigmoid' },
      "head is 'sigmoid'; softmax, which f ends with, is expected.",
    ],
  ] as [string, string, Uint8Array, object, string][])('%s', async (_, code, bytes, options, sentence) => {
    const { message } = await failure(code, () =>
      importModel(bytes, { source: 'f', ...options } as ImportOptions),
    );
    expect(message).toBe(sentence);
  });
});
