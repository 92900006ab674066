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

/** A matrix (rows, columns) in a buffer; its rows are ld elements apart. */
export interface Matrix extends Place {
  offset: number;
  rows: number;
  columns: number;
  ld: number;
}

/** Where one layer's parameters stand in the buffers `parameters`, `gradients`, `moment1` and `moment2`. */
export interface LayerPlan {
  inputs: number;
  outputs: number;
  /** Bytes from row to row of the layer's input, where that is an activation. */
  inputStride: number;
  weight: Matrix;
  bias: Matrix;
  /** BatchNorm's parameters; null in the output layer. */
  norm: { gamma: Matrix; beta: Matrix } | null;
}

/** The core's constants that a plan depends on. */
export interface PlanConstants {
  /** Columns that every row is padded to a multiple of. */
  strip: number;
  /** Rows that every matrix is padded to a multiple of. */
  rowPadding: number;
  /** Rows of a micro-kernel tile. */
  tileHeight: number;
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
  /** Elements in each of the four parameter buffers. */
  parameterCount: number;
  /** Most rows that a program may be run on: a joined last batch holds one more than the others. */
  maxRows: number;
  programs: {
    /** One training step. */
    train: Operation[];
    /** Folds BatchNorm into the packed weights; before `evaluate` and `predict`. */
    prepare: Operation[];
    /** Forward over resident samples, with loss and confusion counts. */
    evaluate: Operation[];
    /** Forward over the samples in the buffer `stage`. */
    predict: Operation[];
  };
}

/** Compiles a spec into buffers and programs. */
export function planNetwork(spec: NetworkSpec, sizes: PlanSizes, constants: PlanConstants): Plan {
  const maxRows = sizes.batch + 1;
  const layers = planLayers(spec, constants);
  const { buffers, parameterCount } = planBuffers(spec, sizes, maxRows, layers, constants);
  return {
    layers,
    buffers,
    parameterCount,
    maxRows,
    programs: {
      train: trainProgram(spec, layers, parameterCount, constants),
      prepare: prepareProgram(layers),
      evaluate: inferenceProgram(layers, 'images', 'labels', constants.tileHeight),
      predict: inferenceProgram(layers, 'stage', 'stageLabels', constants.tileHeight),
    },
  };
}

/** The least multiple of unit that is not below value. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function planLayers(spec: NetworkSpec, constants: PlanConstants): LayerPlan[] {
  const sizes = widths(spec);
  let offset = 0;
  const place = (rows: number, columns: number, paddedRows: number): Matrix => {
    const ld = roundUp(columns, constants.strip);
    const matrix = { buffer: 'parameters', offset, rows, columns, ld };
    offset += paddedRows * ld * 4;
    return matrix;
  };
  return sizes.slice(1).map((outputs, l) => {
    const inputs = sizes[l]!;
    const hidden = l < spec.hidden.length;
    return {
      inputs,
      outputs,
      inputStride: roundUp(inputs, constants.strip) * 4,
      weight: place(inputs, outputs, roundUp(inputs, constants.rowPadding)),
      bias: place(1, outputs, 1),
      norm: hidden ? { gamma: place(1, outputs, 1), beta: place(1, outputs, 1) } : null,
    };
  });
}

function planBuffers(
  spec: NetworkSpec,
  sizes: PlanSizes,
  maxRows: number,
  layers: LayerPlan[],
  { strip, rowPadding, stateBytes }: PlanConstants,
): { buffers: Map<string, number>; parameterCount: number } {
  const rows = roundUp(maxRows, rowPadding);
  const padded = (width: number) => roundUp(width, strip);
  const widest = Math.max(...widths(spec).map((width) => roundUp(padded(width), rowPadding)));
  const last = layers.at(-1)!;
  const lastPlace = last.bias;
  const parameterCount = lastPlace.offset / 4 + lastPlace.ld;

  const buffers = new Map<string, number>();
  const floats = (name: string, count: number) => buffers.set(name, count * 4);
  buffers.set('state', stateBytes);
  floats('zeros', Math.max(widest, maxRows));
  // gatherA reads four pixels at a time.
  buffers.set('images', sizes.samples * spec.inputs + 4);
  floats('labels', sizes.samples);
  floats('order', Math.max(sizes.samples, 1));
  buffers.set('stage', maxRows * spec.inputs + 4);
  floats('stageLabels', maxRows);
  floats('stageOrder', maxRows);
  for (const name of ['parameters', 'gradients', 'moment1', 'moment2']) floats(name, parameterCount);
  layers.forEach((layer, l) => {
    const ld = padded(layer.outputs);
    floats(`packedW${l}`, layer.inputs * ld);
    floats(`folded${l}`, ld);
    floats(`z${l}`, rows * ld);
    if (layer.norm) {
      for (const name of ['runningMean', 'runningVar', 'mean', 'rstd', 'scale']) floats(`${name}${l}`, ld);
      floats(`vectors${l}`, 6);
      floats(`x${l + 1}`, rows * ld);
    }
  });
  floats('d0', rows * widest);
  floats('d1', rows * widest);
  floats('packedX', rows * widest);
  floats('packedXT', rows * widest);
  floats('packedD', rows * widest);
  floats('packedDB', maxRows * widest);
  const transposed = layers.slice(1).map((layer) => roundUp(layer.inputs, strip) * layer.outputs);
  floats('packedWT', Math.max(0, ...transposed));
  floats('predicted', maxRows);
  floats('losses', maxRows);
  floats('confusion', spec.classes ** 2);
  return { buffers, parameterCount };
}
