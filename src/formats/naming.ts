import { MAX_WIDTH, TreadleError } from '#bindings';
import type { BatchNormTensors, NetworkTensors } from '../model/classifier.js';
import { quote } from '../strict/text.js';
import { transpose } from './names.js';
import type { FloatTensor, Tensor } from './tensor.js';

/** A network read from named tensors, with the widths that the tensors themselves have. */
export interface LoadedNetwork {
  tensors: NetworkTensors;
  inputs: number;
  hidden: number[];
  classes: number;
}

type BatchNormNames = Record<keyof BatchNormTensors, string>;

/** How a format names and lays out a network's tensors. Layers count from 0; layer `blocks` is the output. */
interface Layout {
  /** Whether dense weights are (out, in), as PyTorch's, or (in, out), as treadle's and numpy users'. */
  outFirst: boolean;
  dense(layer: number): { weight: string; bias: string };
  batchNorm(block: number): BatchNormNames;
  /** PyTorch's counter of a block's batches, which a file may leave out; null where the format has none. */
  batchesTracked(block: number): string | null;
  /** The least number of hidden blocks of a network with a tensor of this name; null for other names. */
  blocksBy(name: string): number | null;
}

/** torch.nn.Sequential of Linear, BatchNorm1d, ReLU, Dropout per block, then Linear: four indices a block. */
const STATE_DICT: Layout = {
  outFirst: true,
  dense: (layer) => ({ weight: `${4 * layer}.weight`, bias: `${4 * layer}.bias` }),
  batchNorm: (block) => ({
    gamma: `${4 * block + 1}.weight`,
    beta: `${4 * block + 1}.bias`,
    runningMean: `${4 * block + 1}.running_mean`,
    runningVar: `${4 * block + 1}.running_var`,
  }),
  batchesTracked: (block) => `${4 * block + 1}.num_batches_tracked`,
  blocksBy(name) {
    const index = /^(\d{1,9})\./.exec(name)?.[1];
    return index === undefined ? null : Math.ceil(Number(index) / 4);
  },
};

/** The names of a network written by hand in numpy, layers counted from 1. */
const NUMPY: Layout = {
  outFirst: false,
  dense: (layer) => ({ weight: `W${layer + 1}`, bias: `b${layer + 1}` }),
  batchNorm: (block) => ({
    gamma: `gamma${block + 1}`,
    beta: `beta${block + 1}`,
    runningMean: `running_mean${block + 1}`,
    runningVar: `running_var${block + 1}`,
  }),
  batchesTracked: () => null,
  blocksBy(name) {
    const [, kind, index] = /^(W|b|gamma|beta|running_mean|running_var)(\d{1,9})$/.exec(name) ?? [];
    return index === undefined ? null : Number(index) - (kind === 'W' || kind === 'b' ? 1 : 0);
  },
};

/** The order in which a block's BatchNorm tensors are written: PyTorch's. */
const BATCH_NORM_ORDER = ['gamma', 'beta', 'runningMean', 'runningVar'] as const;

/** Problems named in one error before the rest is only counted. */
const MAX_PROBLEMS = 40;

/**
 * The tensors under PyTorch's state_dict names, dense weights as (out, in), in the order of the layers.
 * Throws `shape` or `range` for tensors that are no network.
 */
export function toStateDict(tensors: NetworkTensors): Map<string, Tensor> {
  return new Map(namedTensors(tensors, STATE_DICT));
}

/**
 * The tensors under numpy users' names (`W1`, `b1`, `gamma1`, ...), dense weights as (in, out).
 * PyTorch's batch counter has no place here. Throws `shape` or `range` for tensors that are no network.
 */
export function toNumpy(tensors: NetworkTensors): Map<string, FloatTensor> {
  return new Map(
    namedTensors(tensors, NUMPY).filter((entry): entry is [string, FloatTensor] => entry[1].dtype === 'F32'),
  );
}

/**
 * The network of a PyTorch state_dict. Every missing, extra or wrong-shaped tensor is named in one `shape` error;
 * values that are not finite and negative variances are `range` errors. `source` is the file's name.
 */
export function fromStateDict(found: ReadonlyMap<string, Tensor>, source: string): LoadedNetwork {
  return readNetwork(found, STATE_DICT, source);
}

/** The network of a dict of numpy arrays, checked as `fromStateDict` does; `batchesTracked` is 0. */
export function fromNumpy(found: ReadonlyMap<string, FloatTensor>, source: string): LoadedNetwork {
  return readNetwork(found, NUMPY, source);
}

function namedTensors(tensors: NetworkTensors, layout: Layout): [string, Tensor][] {
  const named: [string, Tensor][] = [];
  const add = (name: string, data: Float32Array, shape = [data.length]) => {
    named.push([name, { dtype: 'F32', shape, data }]);
  };
  tensors.dense.forEach(({ weight, bias }, layer) => {
    const names = layout.dense(layer);
    const [fanIn, fanOut] = [weight.length / bias.length, bias.length];
    if (layout.outFirst) add(names.weight, transpose(weight, fanIn, fanOut), [fanOut, fanIn]);
    else add(names.weight, weight, [fanIn, fanOut]);
    add(names.bias, bias);
    const batchNorm = tensors.batchNorm[layer];
    if (batchNorm === undefined) return;
    for (const part of BATCH_NORM_ORDER) add(layout.batchNorm(layer)[part], batchNorm[part]);
    const counter = layout.batchesTracked(layer);
    if (counter === null) return;
    named.push([
      counter,
      { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(tensors.batchesTracked)) },
    ]);
  });
  // What is written must be what can be read.
  const found = new Map(named);
  checkNames(found, Math.max(1, tensors.batchNorm.length), layout, 'The network to save');
  checkValues(found, 'The network to save');
  return named;
}

function readNetwork(found: ReadonlyMap<string, Tensor>, layout: Layout, source: string): LoadedNetwork {
  let blocks = 1;
  for (const name of found.keys()) {
    const spoken = layout.blocksBy(name) ?? 1;
    // Each block has more than one tensor: a name with a huge index is a stray, not a deep network.
    if (spoken > blocks && spoken <= found.size) blocks = spoken;
  }
  const widths = checkNames(found, blocks, layout, source);
  checkValues(found, source);

  const floats = (name: string) => found.get(name)!.data as Float32Array;
  const dense = widths.slice(1).map((fanOut, layer) => {
    const names = layout.dense(layer);
    const weight = floats(names.weight);
    return {
      weight: layout.outFirst ? transpose(weight, fanOut, widths[layer]!) : weight,
      bias: floats(names.bias),
    };
  });
  const batchNorm = Array.from({ length: blocks }, (_, block) => {
    const names = layout.batchNorm(block);
    return {
      gamma: floats(names.gamma),
      beta: floats(names.beta),
      runningMean: floats(names.runningMean),
      runningVar: floats(names.runningVar),
    };
  });
  // A layer that was frozen in PyTorch counted fewer batches than the rest; a file may have no counters at all.
  let batchesTracked = 0;
  for (const { dtype, data } of found.values()) {
    if (dtype === 'I64') batchesTracked = Math.max(batchesTracked, Number(data[0]));
  }
  return {
    tensors: { dense, batchNorm, batchesTracked },
    inputs: widths[0]!,
    hidden: widths.slice(1, -1),
    classes: widths.at(-1)!,
  };
}

/** Checks names, dtypes and shapes against a chain of widths, and returns it: `[inputs, ...hidden, classes]`. */
function checkNames(
  found: ReadonlyMap<string, Tensor>,
  blocks: number,
  layout: Layout,
  source: string,
): number[] {
  const problems: string[] = [];
  let unnamed = 0;
  const report = (problem: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
    else unnamed++;
  };
  const extra = new Set(found.keys());
  const expect = (name: string, dtype: Tensor['dtype'], shape: (number | null)[]) => {
    extra.delete(name);
    const tensor = found.get(name);
    if (tensor === undefined) report(`${quote(name)} is missing`);
    else if (tensor.dtype !== dtype) report(`${quote(name)} is ${tensor.dtype} where ${dtype} is expected`);
    else if (!fits(tensor.shape, shape)) {
      const wanted = shape.map((size) => size ?? 'any').join(', ');
      report(`${quote(name)} has shape [${tensor.shape.join(', ')}] where [${wanted}] is expected`);
    }
  };

  const widths: (number | null)[] = [];
  for (let layer = 0; layer <= blocks; layer++) {
    const names = layout.dense(layer);
    const weightShape = found.get(names.weight)?.shape;
    const isMatrix = weightShape?.length === 2;
    const own = isMatrix ? weightShape : [null, null];
    const [ownIn, ownOut] = layout.outFirst ? [own[1], own[0]] : own;
    if (layer === 0) widths.push(ownIn ?? null);
    const fanIn = widths[layer] ?? null;
    const fanOut = ownOut ?? found.get(names.bias)?.shape[0] ?? null;
    widths.push(fanOut);

    expect(names.weight, 'F32', layout.outFirst ? [fanOut, fanIn] : [fanIn, fanOut]);
    expect(names.bias, 'F32', [fanOut]);
    if (layer === blocks) break;
    for (const part of BATCH_NORM_ORDER) expect(layout.batchNorm(layer)[part], 'F32', [fanOut]);
    const counter = layout.batchesTracked(layer);
    if (counter !== null && found.has(counter)) expect(counter, 'I64', []);
  }
  for (const name of extra) report(`${quote(name)} is not expected`);
  widths.forEach((width, index) => {
    const least = index === widths.length - 1 ? 2 : 1;
    const isWidth = Number.isInteger(width) && width! >= least && width! <= MAX_WIDTH;
    if (width !== null && !isWidth) {
      report(`layer boundary ${index} is ${width} wide where ${least} to ${MAX_WIDTH} is expected`);
    }
  });
  if (problems.length > 0) throw notANetwork(problems, unnamed, source);
  return widths as number[];
}

function fits(shape: readonly number[], expected: readonly (number | null)[]): boolean {
  return (
    shape.length === expected.length &&
    shape.every((size, axis) => expected[axis] === null || size === expected[axis])
  );
}

function notANetwork(problems: readonly string[], unnamed: number, source: string): TreadleError {
  const rest = unnamed > 0 ? `, and ${unnamed} more` : '';
  return new TreadleError(
    'shape',
    `${source} is not a complete dense network: ${problems.join(', ')}${rest}.`,
    {
      subject: source,
      found: problems,
      expected: 'the tensors of Dense and BatchNorm blocks and of a Dense output layer',
    },
  );
}

/** Throws `range` for a value that is not finite, a negative variance or a counter outside 0 to 2^53 - 1. */
function checkValues(found: ReadonlyMap<string, Tensor>, source: string): void {
  for (const [name, { dtype, data }] of found) {
    // In both formats variances, and nothing else, have this in their names.
    const least = dtype === 'I64' || name.includes('running_var') ? 0 : -Infinity;
    for (let index = 0; index < data.length; index++) {
      const value = Number(data[index]);
      const isGood =
        Number.isFinite(value) && value >= least && (dtype === 'F32' || Number.isSafeInteger(value));
      if (isGood) continue;
      const expected = least === 0 ? 'a finite number from 0' : 'a finite number';
      const message = `${source}: ${quote(name)} holds ${data[index]} at element ${index}; ${expected} is expected.`;
      throw new TreadleError('range', message, { subject: name, found: data[index], expected });
    }
  }
}
