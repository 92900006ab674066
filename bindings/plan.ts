import { inferenceProgram, prepareProgram, trainProgram } from './programs.js';
import { type NetworkSpec, widths } from './spec.js';

// A plan is pure data: the buffers a network needs and the lists of operations that train and run it. Addresses are
// still names; arena.ts turns them into numbers. B is the batch, I and O a layer's inputs and outputs.

/** A named place in a buffer, `offset` bytes from its start. */
export interface Place {
  buffer: string;
  offset?: number;
}

/** An operation's argument: a whole number, an f32, or an address. */
export type Argument = number | { float: number } | Place;

/** One record of the layer program; `opcode` is a name in assembly/net/operations.ts. */
export interface Operation {
  opcode: string;
  args: Argument[];
  /** Every thread waits for the others after this operation. */
  barrier: boolean;
}

/** A matrix (rows, columns) in panels (assembly/layout/panel), in a buffer. A vector is a matrix of one row. */
export interface Matrix extends Place {
  offset: number;
  rows: number;
  columns: number;
}

/** Where one layer's parameters stand in the buffers `parameters`, `moment1` and `moment2`. */
export interface LayerPlan {
  inputs: number;
  outputs: number;
  /** Outputs padded to whole panels: elements of a vector, and those of a row of the output that hold values. */
  columns: number;
  /** Bytes from row to row of the layer's input, where that is an activation, and of its output. */
  inputStride: number;
  outputStride: number;
  weight: Matrix;
  bias: Matrix;
  /** BatchNorm's parameters; null in the output layer. */
  norm: { gamma: Matrix; beta: Matrix } | null;
}

/** The core's constants that a plan depends on. */
export interface PlanConstants {
  /** Columns that every row is padded to a multiple of: a panel. */
  panel: number;
  /** Rows that every matrix is padded to a multiple of. */
  rowPadding: number;
  /** Rows of a dense micro-kernel's tile. */
  tileHeight: number;
  /** Columns that a compressed micro-kernel takes at once. */
  sparseWidth: number;
  /** Bytes for the compressed entries of one row of K elements. */
  entryStride(K: number): number;
  /** K-block of compressed operands. */
  sparseBlock: number;
  /** Dropout's threshold for keeping all. */
  keepAll: number;
  stateBytes: number;
}

/** The sizes that a network is planned for. */
export interface PlanSizes {
  /** Most samples in a training batch. */
  batch: number;
  /** Resident samples. */
  samples: number;
}

export interface Plan {
  layers: LayerPlan[];
  /** Bytes of each buffer, in the order in which they are laid out. */
  buffers: Map<string, number>;
  /** Elements of the buffers `parameters`, `moment1` and `moment2`: the weights, then the vectors. */
  parameterCount: number;
  /** The biases, gammas and betas: all that has a stored gradient, in the buffer `gradients`. */
  vectors: { offset: number; count: number };
  /** Most rows that a program may be run on: a joined last batch holds one more than the others. */
  maxRows: number;
  programs: {
    /** One training step, with the inputs of the layers named true compressed. */
    train(compressed: readonly boolean[]): Operation[];
    /** Folds BatchNorm into the packed weights; before `evaluate` and `predict`. */
    prepare: Operation[];
    /** Forward over resident samples, with loss and confusion counts, their pixels compressed or not. */
    evaluate(compressed: boolean): Operation[];
    /** Forward over the samples in the buffer `stage`. */
    predict(compressed: boolean): Operation[];
  };
}

/** Compiles a spec into buffers and programs. */
export function planNetwork(spec: NetworkSpec, sizes: PlanSizes, constants: PlanConstants): Plan {
  const maxRows = sizes.batch + 1;
  const layers = planLayers(spec, constants);
  // The vectors follow the weights: the first is the first layer's bias, the last the output layer's.
  const last = layers.at(-1)!.bias;
  const parameterCount = last.offset / 4 + roundUp(last.columns, constants.panel);
  const first = layers[0]!.bias.offset;
  const vectors = { offset: first, count: parameterCount - first / 4 };
  return {
    layers,
    buffers: planBuffers(spec, sizes, maxRows, layers, parameterCount, vectors.count, constants),
    parameterCount,
    vectors,
    maxRows,
    programs: {
      train: (compressed) => trainProgram(spec, layers, vectors, constants, compressed),
      prepare: prepareProgram(layers),
      evaluate: (compressed) => inferenceProgram(layers, 'images', 'labels', constants, compressed),
      predict: (compressed) => inferenceProgram(layers, 'stage', 'stageLabels', constants, compressed),
    },
  };
}

/** The least multiple of unit that is not below value. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Bytes from row to row of a hidden activation: whole panels, and a cache line more. A panel is two lines, so that makes them
 * odd in number, and one column's rows spread over all the sets of a cache.
 */
function rowBytes(width: number, panel: number): number {
  return roundUp(width, panel) * 4 + CACHE_LINE;
}

const CACHE_LINE = 64;

function planLayers(spec: NetworkSpec, { panel }: PlanConstants): LayerPlan[] {
  const sizes = widths(spec);
  let offset = 0;
  const place = (rows: number, columns: number): Matrix => {
    const matrix = { buffer: 'parameters', offset, rows, columns };
    offset += rows * roundUp(columns, panel) * 4;
    return matrix;
  };
  const outputs = sizes.slice(1);
  const weights = outputs.map((columns, l) => place(sizes[l]!, columns));
  return outputs.map((columns, l) => ({
    inputs: sizes[l]!,
    outputs: columns,
    columns: roundUp(columns, panel),
    inputStride: rowBytes(sizes[l]!, panel),
    outputStride: l < spec.hidden.length ? rowBytes(columns, panel) : roundUp(columns, panel) * 4,
    weight: weights[l]!,
    bias: place(1, columns),
    norm: l < spec.hidden.length ? { gamma: place(1, columns), beta: place(1, columns) } : null,
  }));
}

function planBuffers(
  spec: NetworkSpec,
  sizes: PlanSizes,
  maxRows: number,
  layers: LayerPlan[],
  parameterCount: number,
  vectorCount: number,
  { panel, rowPadding, stateBytes, sparseBlock, entryStride }: PlanConstants,
): Map<string, number> {
  const rows = roundUp(maxRows, rowPadding);
  const padded = (width: number) => roundUp(width, panel);
  const widest = Math.max(...widths(spec).map((width) => roundUp(padded(width), rowPadding)));

  const starts = (count: number, length: number) => count * (Math.ceil(length / sparseBlock) + 1);

  const buffers = new Map<string, number>();
  const floats = (name: string, count: number) => buffers.set(name, count * 4);
  buffers.set('state', stateBytes);
  floats('zeros', Math.max(widest, maxRows));
  // Pixels are read four at a time.
  buffers.set('images', sizes.samples * spec.inputs + 4);
  floats('labels', sizes.samples);
  floats('order', Math.max(sizes.samples, 1));
  buffers.set('stage', maxRows * spec.inputs + 4);
  floats('stageLabels', maxRows);
  floats('stageOrder', maxRows);
  for (const name of ['parameters', 'moment1', 'moment2']) floats(name, parameterCount);
  floats('gradients', vectorCount);
  layers.forEach((layer, l) => {
    const ld = padded(layer.outputs);
    floats(`foldedW${l}`, layer.inputs * ld);
    floats(`folded${l}`, ld);
    buffers.set(`z${l}`, rows * layer.outputStride);
    buffers.set(`entries${l}`, maxRows * entryStride(layer.inputs));
    floats(`starts${l}`, starts(maxRows, layer.inputs));
    if (layer.norm) {
      for (const name of ['runningMean', 'runningVar', 'mean', 'rstd', 'scale']) floats(`${name}${l}`, ld);
      floats(`vectors${l}`, 6);
      buffers.set(`x${l + 1}`, rows * layer.outputStride);
    }
  });
  const widestRow = Math.max(...layers.map(({ outputStride }) => outputStride));
  buffers.set('d0', rows * widestRow);
  buffers.set('d1', rows * widestRow);
  floats('packedX', rows * widest);
  floats('packedXT', rows * widest);
  floats('packedDB', maxRows * widest);
  const widestInput = Math.max(...layers.map((layer) => padded(layer.inputs)));
  buffers.set('columnEntries', widestInput * entryStride(maxRows));
  floats('columnStarts', starts(widestInput, maxRows));
  floats('predicted', maxRows);
  floats('losses', maxRows);
  floats('confusion', spec.classes ** 2);
  return buffers;
}
