import type { ActivationName, ModelSpec, Tensors } from 'treadle';

/** A hidden unit: the block that it is in, and its place there, from 0. */
export interface Unit {
  block: number;
  unit: number;
}

/** What the units of a block give at places, (places, units), row-major. */
export interface BlockOutput {
  width: number;
  values: Float32Array;
}

/** Products that may be worked out for one picture on the page's own thread: a few milliseconds. */
export const MOST_PRODUCTS = 4_000_000;

/** Products of one place through the hidden blocks. */
export function productsOf({ input, layers }: ModelSpec): number {
  let [before, total] = [input.features, 0];
  for (const layer of layers.slice(0, -1)) {
    if (layer.type !== 'dense') continue;
    total += before * layer.units;
    before = layer.units;
  }
  return total;
}

const BENDS: Readonly<Record<ActivationName, (value: number) => number>> = {
  relu: (z) => Math.max(z, 0),
  leakyRelu: (z) => (z > 0 ? z : 0.01 * z),
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  // The tanh form: no more than 0.001 from the exact one, for a picture.
  gelu: (z) => 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3))),
  silu: (z) => z / (1 + Math.exp(-z)),
};

/** What every hidden block gives at the places (rows of `features`), as prediction has it: no dropout, running statistics. */
export function hiddenOutputs(spec: ModelSpec, tensors: Tensors, places: Float32Array): BlockOutput[] {
  const blocks: BlockOutput[] = [];
  let current: BlockOutput = { width: spec.input.features, values: places };
  for (const [index, layer] of spec.layers.slice(0, -1).entries()) {
    if (layer.type === 'dense') {
      current = dense(current, layer.units, tensors.get(`${index}.weight`)!, tensors.get(`${index}.bias`));
      blocks.push(current);
    } else if (layer.type === 'batchNorm') {
      normalise(current, layer.epsilon ?? 1e-5, (role) => tensors.get(`${index}.${role}`)!);
    } else if (layer.type !== 'dropout') {
      const bend =
        layer.type === 'leakyRelu' && layer.slope !== undefined
          ? (z: number) => (z > 0 ? z : layer.slope! * z)
          : BENDS[layer.type];
      for (let at = 0; at < current.values.length; at++) current.values[at] = bend(current.values[at]!);
    }
  }
  return blocks;
}

function dense(
  from: BlockOutput,
  units: number,
  weight: Float32Array,
  bias: Float32Array | undefined,
): BlockOutput {
  const rows = from.values.length / from.width;
  const values = new Float32Array(rows * units);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * units, (row + 1) * units);
    if (bias !== undefined) own.set(bias);
    for (let input = 0; input < from.width; input++) {
      const value = from.values[row * from.width + input]!;
      for (let unit = 0; unit < units; unit++) own[unit]! += value * weight[input * units + unit]!;
    }
  }
  return { width: units, values };
}

function normalise(
  { width, values }: BlockOutput,
  epsilon: number,
  tensor: (role: 'gamma' | 'beta' | 'runningMean' | 'runningVar') => Float32Array,
): void {
  const [gamma, beta, mean, variance] = [
    tensor('gamma'),
    tensor('beta'),
    tensor('runningMean'),
    tensor('runningVar'),
  ];
  for (let at = 0; at < values.length; at++) {
    const unit = at % width;
    values[at] =
      ((values[at]! - mean[unit]!) / Math.sqrt(variance[unit]! + epsilon)) * gamma[unit]! + beta[unit]!;
  }
}
