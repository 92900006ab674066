import type { ActivationName, InputSpec, Layer, ModelSpec, Optimizer, Schedule } from 'treadle';

/** A hidden block: a dense layer and what follows it. */
export interface Block {
  units: number;
  norm: boolean;
  activation: ActivationName | 'none';
  /** Share, 0 for none. */
  dropout: number;
}

/** How a network is built and trained. Plain JSON. */
export interface Setup {
  blocks: readonly Block[];
  optimizer: Optimizer['type'];
  rate: number;
  schedule: Schedule['type'];
  /** Rows in a batch; 0: what suits the number of rows. */
  batch: number;
  epochs: number;
  /** Epochs without a better one after which training ends; 0: never. */
  patience: number;
  seed: number;
}

export const ACTIVATIONS: Readonly<Record<Block['activation'], string>> = {
  relu: 'ReLU',
  leakyRelu: 'Leaky ReLU',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  gelu: 'GELU',
  silu: 'SiLU',
  none: 'None',
};

export const OPTIMIZERS: Readonly<Record<Setup['optimizer'], string>> = {
  adamW: 'AdamW',
  adam: 'Adam',
  sgd: 'SGD',
};

export const SCHEDULES: Readonly<Record<Setup['schedule'], string>> = {
  constant: 'Constant',
  cosine: 'Cosine',
  oneCycle: 'One cycle',
  step: 'Steps down',
  exponential: 'Exponential',
  plateau: 'On a plateau',
};

/** The largest and smallest values of what can be typed. */
export const LIMITS = { units: 4096, blocks: 12, epochs: 100_000, batch: 8192, seed: 2 ** 31 - 1 } as const;

/** Hidden blocks that are all alike. */
export function blocks(units: readonly number[], like: Partial<Omit<Block, 'units'>> = {}): Block[] {
  return units.map((own) => ({ units: own, norm: false, activation: 'relu', dropout: 0, ...like }));
}

/** What a network is for: what goes in, and how much comes out. */
export interface Shape {
  input: InputSpec;
  outputs: number;
  classes?: readonly string[];
}

/** The network as the library takes it. */
export function specOf({ input, outputs, classes }: Shape, { blocks }: Pick<Setup, 'blocks'>): ModelSpec {
  const layers = blocks.flatMap(({ units, norm, activation, dropout }): Layer[] => [
    { type: 'dense', units },
    ...(norm ? [{ type: 'batchNorm' } as const] : []),
    ...(activation === 'none' ? [] : [{ type: activation } as const]),
    ...(dropout > 0 ? [{ type: 'dropout', rate: dropout } as const] : []),
  ]);
  return { input, layers: [...layers, { type: 'dense', units: outputs }], ...(classes && { classes }) };
}

/** The hidden blocks of a network, as {@link specOf} makes it of them; null for one that is made otherwise, such as without biases. */
export function blocksIn({ input, layers }: ModelSpec): Block[] | null {
  const found: Block[] = [];
  for (const layer of layers.slice(0, -1)) {
    // What is not dense follows one that is.
    const block = found.at(-1)!;
    if (layer.type === 'dense') {
      found.push({ units: layer.units, norm: false, activation: 'none', dropout: 0 });
    } else if (layer.type === 'batchNorm') block.norm = true;
    else if (layer.type === 'dropout') block.dropout = layer.rate;
    else block.activation = layer.type;
  }
  const isWithin = found.length <= LIMITS.blocks && found.every(({ units }) => units <= LIMITS.units);
  const again = specOf({ input, outputs: 1 }, { blocks: found }).layers.slice(0, -1);
  return isWithin && JSON.stringify(again) === JSON.stringify(layers.slice(0, -1)) ? found : null;
}

/** The schedule as the library takes it. */
export function scheduleOf({ schedule, rate, epochs }: Setup): Schedule {
  if (schedule === 'step') return { type: 'step', rate, every: Math.max(1, Math.round(epochs / 3)) };
  if (schedule === 'exponential') return { type: 'exponential', rate, factor: 0.01 ** (1 / epochs) };
  return { type: schedule, rate };
}
