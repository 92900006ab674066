import { problem } from '../errors/problem.js';
import {
  type ActivationName,
  BATCH_NORM_EPSILON,
  BATCH_NORM_MOMENTUM,
  type Init,
  type Layer,
  LEAKY_RELU_SLOPE,
  type ModelSpec,
} from './layers.js';

/** What the core knows of an activation. */
export interface ActivationFacts {
  /** Its number in assembly/nn/activation.ts. */
  readonly kind: number;
  /** Whether an output of zero lets no gradient through: then input gradients are needed where there is an entry only. */
  readonly zeroMeansNoGradient: boolean;
  /** Whether its layer's weights are drawn He-normal unless the model says otherwise. */
  readonly heInit: boolean;
}

/** Every activation; `identity` stands where a block has none. */
export const ACTIVATIONS: Readonly<Record<ActivationName | 'identity', ActivationFacts>> = {
  identity: { kind: 0, zeroMeansNoGradient: false, heInit: false },
  relu: { kind: 1, zeroMeansNoGradient: true, heInit: true },
  leakyRelu: { kind: 2, zeroMeansNoGradient: false, heInit: true },
  tanh: { kind: 3, zeroMeansNoGradient: false, heInit: false },
  sigmoid: { kind: 4, zeroMeansNoGradient: false, heInit: false },
  gelu: { kind: 5, zeroMeansNoGradient: false, heInit: true },
  silu: { kind: 6, zeroMeansNoGradient: false, heInit: true },
};

/** A BatchNorm in a block. */
export interface BlockNorm {
  /** Index of its layer. */
  readonly layer: number;
  readonly epsilon: number;
  readonly momentum: number;
}

/** Layers that the core runs as one: dense, then perhaps batchNorm, an activation and dropout, in this order. */
export interface Block {
  /** Index of the dense layer. */
  readonly layer: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  readonly init: Init;
  readonly norm: BlockNorm | null;
  readonly activation: ActivationName | 'identity';
  /** Of leakyRelu; 0 for others. */
  readonly slope: number;
  /** Probability that an element is dropped in training. */
  readonly dropout: number;
}

/** The places within a block, in their order. */
const PLACES: Readonly<Record<Layer['type'], number>> = {
  dense: 0,
  batchNorm: 1,
  relu: 2,
  leakyRelu: 2,
  tanh: 2,
  sigmoid: 2,
  gelu: 2,
  silu: 2,
  dropout: 3,
};

/**
 * Groups a model's layers into blocks. The only place that says which orders of layers cannot be run: throws `range` and
 * names the layer.
 */
export function lowerModel({ input, layers }: ModelSpec): Block[] {
  const blocks: Block[] = [];
  let inputs = input.features;
  for (let index = 0; index < layers.length; ) {
    const group = groupAt(layers, index);
    const block = blockOf(layers, group, index, inputs);
    blocks.push(block);
    inputs = block.outputs;
    index += group.length;
  }
  return blocks;
}

/** The longest run of layers from `first` on that makes one block. */
function groupAt(layers: readonly Layer[], first: number): Layer[] {
  if (layers[first]!.type !== 'dense') throw misplaced(layers, first);
  const group: Layer[] = [layers[first]!];
  let place = 0;
  for (let index = first + 1; index < layers.length && layers[index]!.type !== 'dense'; index++) {
    const next = PLACES[layers[index]!.type];
    if (next <= place) throw misplaced(layers, index);
    place = next;
    group.push(layers[index]!);
  }
  return group;
}

function misplaced(layers: readonly Layer[], index: number) {
  const { type } = layers[index]!;
  const before = index === 0 ? 'at the start' : `behind ${layers[index - 1]!.type}`;
  return problem('range', {
    subject: `layers[${index}]`,
    found: `${type} ${before}`,
    expected:
      'dense, then at most one batchNorm, one activation and one dropout in this order, then the next dense,',
  });
}

function blockOf(layers: readonly Layer[], group: readonly Layer[], first: number, inputs: number): Block {
  let norm: BlockNorm | null = null;
  let activation: Block['activation'] = 'identity';
  let slope = 0;
  let dropout = 0;
  group.forEach((layer, offset) => {
    if (layer.type === 'batchNorm') {
      const { epsilon = BATCH_NORM_EPSILON, momentum = BATCH_NORM_MOMENTUM } = layer;
      norm = { layer: first + offset, epsilon, momentum };
    } else if (layer.type === 'dropout') {
      dropout = layer.rate;
    } else if (layer.type !== 'dense') {
      activation = layer.type;
      if (layer.type === 'leakyRelu') slope = layer.slope ?? LEAKY_RELU_SLOPE;
    }
  });
  const dense = layers[first] as Extract<Layer, { type: 'dense' }>;
  return {
    layer: first,
    inputs,
    outputs: dense.units,
    bias: dense.bias ?? true,
    init: dense.init ?? (ACTIVATIONS[activation].heInit ? 'heNormal' : 'glorotUniform'),
    norm,
    activation,
    slope,
    dropout,
  };
}
