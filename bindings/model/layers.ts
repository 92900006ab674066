import {
  expectBoolean,
  expectKeys,
  expectNumber,
  expectOneOf,
  expectWhole,
  rangeError,
} from '../errors/checks.js';
import { problem } from '../errors/problem.js';

// A model as plain JSON. The same object stands in jobs, checkpoints, weights files, results and URLs.

/** How a dense layer's weights are drawn. Left out: He-normal before ReLU and its kin, Glorot-uniform elsewhere. */
export const INITS = ['heNormal', 'glorotUniform', 'zeros'] as const;
export type Init = (typeof INITS)[number];

/** Activations without options. */
export const PLAIN_ACTIVATIONS = ['relu', 'tanh', 'sigmoid', 'gelu', 'silu'] as const;
export type ActivationName = (typeof PLAIN_ACTIVATIONS)[number] | 'leakyRelu';

/** One layer. Its index in a model's `layers` is its index in PyTorch's `torch.nn.Sequential`. */
export type Layer =
  /** z = x W + b, `units` outputs; `bias: false` leaves b out. */
  | { readonly type: 'dense'; readonly units: number; readonly bias?: boolean; readonly init?: Init }
  /** (z - mean) / sqrt(variance + epsilon) gamma + beta; the running statistics move by `momentum` (Ioffe and Szegedy, 2015). */
  | { readonly type: 'batchNorm'; readonly epsilon?: number; readonly momentum?: number }
  /** `gelu` is the exact one, x Phi(x). */
  | { readonly type: (typeof PLAIN_ACTIVATIONS)[number] }
  /** max(x, 0) + slope min(x, 0). */
  | { readonly type: 'leakyRelu'; readonly slope?: number }
  /** Sets each element to zero with probability `rate` in training, and divides the others by 1 - rate. */
  | { readonly type: 'dropout'; readonly rate: number };

/** Kinds of samples: bytes divided by 255, floats as they are, or the rows of a sparse matrix (CSR). */
export const INPUT_TYPES = ['u8', 'f32', 'sparse'] as const;
export type InputType = (typeof INPUT_TYPES)[number];

export interface InputSpec {
  /** Values of one sample. */
  readonly features: number;
  readonly type: InputType;
  /** Subtract the training rows' mean and divide by their deviation, feature by feature; f32 only. */
  readonly standardize?: boolean;
  /** What a sample is an array of, such as [28, 28]; its product is `features`. */
  readonly shape?: readonly number[];
  /** Names of the features, in order. */
  readonly names?: readonly string[];
}

/** What the last layer's outputs are turned into: probabilities of classes, of labels, or numbers as they are. */
export const HEADS = ['softmax', 'sigmoid', 'identity'] as const;
export type Head = (typeof HEADS)[number];

export interface OutputSpec {
  readonly head: Head;
  /** Targets are learnt as (y - mean) / deviation of the training rows, and predictions turned back; `identity` only. */
  readonly standardize?: boolean;
  /** Names of the outputs, in order: labels of a sigmoid head, targets of an identity head. */
  readonly names?: readonly string[];
}

export interface ModelSpec {
  readonly input: InputSpec;
  /** Blocks of dense, batchNorm?, activation?, dropout?; the last layer is dense. */
  readonly layers: readonly Layer[];
  /** Left out until training decides it. */
  readonly output?: OutputSpec;
  /** Names of the classes, in the order of the outputs; `softmax` only. */
  readonly classes?: readonly string[];
}

/** PyTorch's defaults. */
export const BATCH_NORM_EPSILON = 1e-5;
export const BATCH_NORM_MOMENTUM = 0.1;
export const LEAKY_RELU_SLOPE = 0.01;

/** The largest number of features or units that is accepted. */
export const MAX_WIDTH = 1 << 20;
/** The most layers that are accepted. */
export const MAX_LAYERS = 1024;

/** The usual dense network in one line: what {@link mlp} builds a model from. */
export interface MlpOptions {
  /** Values of one sample. */
  inputs: number;
  /** Width of each hidden block; empty for linear or logistic regression. */
  hidden: readonly number[];
  /** Classes, labels or numbers to predict. */
  outputs: number;
  /** Of every hidden block; left out, there is no dropout layer. */
  dropout?: number;
  /** BatchNorm in every hidden block. Default: false. */
  norm?: boolean;
  /** Default: relu. */
  activation?: ActivationName;
  /** Default: f32. */
  inputType?: InputType;
  /** See {@link InputSpec}. Default: true for f32. */
  standardize?: boolean;
  /** What a sample is an array of, such as [28, 28]; its product is `inputs`. */
  shape?: readonly number[];
}

const MLP_KEYS = [
  'inputs',
  'hidden',
  'outputs',
  'dropout',
  'norm',
  'activation',
  'inputType',
  'standardize',
  'shape',
];

/**
 * A model of equal hidden blocks: dense, batchNorm where `norm` is true, the activation, and dropout where it is given;
 * then the output layer. Throws `range` or `usage` as {@link checkModel}.
 *
 * @example mlp({ inputs: 4, hidden: [32], outputs: 3 })
 */
export function mlp(options: MlpOptions): ModelSpec {
  expectKeys('mlp options', options, MLP_KEYS);
  const { inputs, hidden, outputs, dropout, norm = false, activation = 'relu', inputType = 'f32' } = options;
  if (!Array.isArray(hidden)) {
    throw problem('usage', { subject: 'hidden', found: hidden, expected: 'an array of widths' });
  }
  expectOneOf('activation', activation, [...PLAIN_ACTIVATIONS, 'leakyRelu'] as const);
  const layers = [...hidden].flatMap((units: number, index): Layer[] => {
    expectWhole(`hidden[${index}]`, units, 1, MAX_WIDTH);
    return [
      { type: 'dense', units },
      ...(norm ? [{ type: 'batchNorm' } as const] : []),
      { type: activation },
      ...(dropout === undefined ? [] : [{ type: 'dropout', rate: dropout } as const]),
    ];
  });
  expectWhole('outputs', outputs, 1, MAX_WIDTH);
  expectWhole('inputs', inputs, 1, MAX_WIDTH);
  const { standardize = inputType === 'f32', shape } = options;
  return checkModel({
    input: {
      features: inputs,
      type: inputType,
      ...(standardize && { standardize }),
      ...(shape !== undefined && { shape }),
    },
    layers: [...layers, { type: 'dense', units: outputs }],
  });
}

/**
 * The width of a model's output.
 *
 * @example outputsOf(mlp({ inputs: 4, hidden: [32], outputs: 3 })); // 3
 */
export function outputsOf({ layers }: ModelSpec): number {
  return (layers.at(-1) as Extract<Layer, { type: 'dense' }>).units;
}

/**
 * A model that JavaScript or a file has made, checked: returns it. Throws `usage` for what has the wrong form and `range`
 * for a value outside what is allowed, each naming its place, such as `layers[2].rate`. Which orders of layers can be
 * trained is `lowerModel`'s to say.
 *
 * @example const spec = checkModel(JSON.parse(text));
 */
export function checkModel(model: unknown): ModelSpec {
  expectKeys('model', model, ['input', 'layers', 'output', 'classes']);
  const { input, layers, output, classes } = model as ModelSpec;
  checkInput(input);
  if (!Array.isArray(layers)) {
    throw problem('usage', { subject: 'layers', found: layers, expected: 'an array of layers' });
  }
  if (layers.length === 0 || layers.length > MAX_LAYERS) {
    throw rangeError('layers.length', layers.length, `a number from 1 to ${MAX_LAYERS}`);
  }
  // Not forEach, which passes over holes.
  for (let index = 0; index < layers.length; index++) checkLayer(`layers[${index}]`, layers[index]);
  const last = layers.at(-1)!;
  if (last.type !== 'dense') {
    throw problem('range', {
      subject: `layers[${layers.length - 1}]`,
      found: last.type,
      expected:
        'a dense layer as the last (its head follows from the loss, so no activation stands behind it)',
    });
  }
  if (output !== undefined) checkOutput(output, last.units);
  if (classes !== undefined) {
    checkNames('classes', classes, last.units);
    if (output !== undefined && output.head !== 'softmax') {
      throw problem('range', {
        subject: 'output.head',
        found: output.head,
        expected: "'softmax', because there are classes,",
      });
    }
  }
  return model as ModelSpec;
}

function checkInput(input: unknown): asserts input is InputSpec {
  expectKeys('input', input, ['features', 'type', 'standardize', 'shape', 'names']);
  const { features, type, standardize, shape, names } = input as InputSpec;
  expectWhole('input.features', features, 1, MAX_WIDTH);
  expectOneOf('input.type', type, INPUT_TYPES);
  expectBoolean('input.standardize', standardize);
  if (standardize && type !== 'f32') {
    throw problem('range', {
      subject: 'input.standardize',
      found: true,
      because: `of ${type} input`,
      expected: 'f32 input or false',
    });
  }
  if (shape !== undefined) {
    if (!Array.isArray(shape))
      throw problem('usage', { subject: 'input.shape', found: shape, expected: 'an array of sizes' });
    for (let axis = 0; axis < shape.length; axis++)
      expectWhole(`input.shape[${axis}]`, shape[axis], 1, MAX_WIDTH);
    const product = shape.reduce((total, size) => total * size, 1);
    if (product !== features)
      throw rangeError('input.shape', shape.join(' x '), `a shape of ${features} values`);
  }
  if (names !== undefined) checkNames('input.names', names, features);
}

function checkOutput(output: unknown, units: number): asserts output is OutputSpec {
  expectKeys('output', output, ['head', 'standardize', 'names']);
  const { head, standardize, names } = output as OutputSpec;
  expectOneOf('output.head', head, HEADS);
  expectBoolean('output.standardize', standardize);
  if (standardize && head !== 'identity') {
    throw problem('range', {
      subject: 'output.standardize',
      found: true,
      because: `behind a ${head} head`,
      expected: 'an identity head or false',
    });
  }
  if (head === 'softmax' && units < 2) throw rangeError('The number of outputs', units, 'at least 2 classes');
  if (names !== undefined) checkNames('output.names', names, units);
}

function checkLayer(place: string, layer: unknown): asserts layer is Layer {
  if (typeof layer !== 'object' || layer === null) {
    throw problem('usage', { subject: place, found: layer, expected: 'a layer' });
  }
  const { type } = layer as Layer;
  switch (type) {
    case 'dense':
      expectKeys(place, layer, ['type', 'units', 'bias', 'init']);
      expectWhole(`${place}.units`, (layer as { units: unknown }).units, 1, MAX_WIDTH);
      expectBoolean(`${place}.bias`, (layer as { bias: unknown }).bias);
      if ('init' in layer && layer.init !== undefined) expectOneOf(`${place}.init`, layer.init, INITS);
      return;
    case 'batchNorm': {
      expectKeys(place, layer, ['type', 'epsilon', 'momentum']);
      const { epsilon = BATCH_NORM_EPSILON, momentum = BATCH_NORM_MOMENTUM } = layer as Extract<
        Layer,
        { type: 'batchNorm' }
      >;
      expectNumber(`${place}.epsilon`, epsilon, 'a number above 0', (value) => value > 0);
      expectNumber(
        `${place}.momentum`,
        momentum,
        'a number from 0 to 1',
        (value) => value >= 0 && value <= 1,
      );
      return;
    }
    case 'leakyRelu': {
      expectKeys(place, layer, ['type', 'slope']);
      const { slope = LEAKY_RELU_SLOPE } = layer as Extract<Layer, { type: 'leakyRelu' }>;
      expectNumber(`${place}.slope`, slope, 'a number from 0 to 1', (value) => value >= 0 && value <= 1);
      return;
    }
    case 'dropout':
      expectKeys(place, layer, ['type', 'rate']);
      expectNumber(
        `${place}.rate`,
        (layer as { rate: unknown }).rate,
        'a number from 0 to below 1',
        (value) => value >= 0 && value < 1,
      );
      return;
    default:
      expectOneOf(`${place}.type`, type, [
        ...PLAIN_ACTIVATIONS,
        'dense',
        'batchNorm',
        'leakyRelu',
        'dropout',
      ] as const);
      expectKeys(place, layer, ['type']);
  }
}

function checkNames(subject: string, names: unknown, count: number): void {
  if (!Array.isArray(names))
    throw problem('usage', { subject, found: names, expected: `an array of ${count} names` });
  if (names.length !== count) throw rangeError(`${subject}.length`, names.length, String(count));
  const wrong = names.findIndex((name) => typeof name !== 'string');
  if (wrong >= 0)
    throw problem('usage', { subject: `${subject}[${wrong}]`, found: names[wrong], expected: 'a string' });
  const seen = new Set(names);
  if (seen.size === names.length) return;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  throw rangeError(subject, `'${twice}' twice`, 'names that differ');
}
