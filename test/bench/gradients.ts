import { encodeProgram, layOut } from '../../dist/bindings/arena.js';
import { createMemory, instantiate, probeCore } from '../../dist/bindings/engine.js';
import type { Engine, GemmShape, Kernels, Product } from '../../dist/bindings/index.js';
import type { Argument, Operation } from '../../dist/bindings/plan.js';

const place = (buffer: string) => ({ buffer });
const operation = (opcode: string, ...args: Argument[]): Operation => ({ opcode, args, barrier: false });

/** A dimension of 0 stands for the rows of the batch. */
const ROWS = 0;

/**
 * Adam's factors (assembly/optim/adam) with betas of 0, an epsilon of 1 and a step of 0: the first moment becomes the
 * gradient itself and the weights stay, for the same operations as ever.
 */
const PLAIN_FACTORS = [0, 1, 0, 1, 1, 0, 1];

/** A Dense layer's sizes for a gradient: X (rows, inputs), dZ (rows, outputs), W (inputs, outputs). */
interface Sizes {
  rows: number;
  inputs: number;
  outputs: number;
  /** Rows of X and dZ in bytes. */
  inputStride: number;
  outputStride: number;
}

/**
 * A gradient of a Dense layer over its compressed input X, of which the share `density` is not zero: form TN is the
 * weight gradient X^T dZ with Adam's step, form NT the input gradient dZ W^T where X is not zero. `rowError` looks at no
 * other elements than those.
 */
export function prepareGradient(engine: Engine, { form, m, n, k }: GemmShape, density: number): Product {
  const { constant, functions } = probeCore(engine);
  const panel = constant('PANEL');
  const [rows, inputs, outputs] = form === 'TN' ? ([k, m, n] as const) : ([m, n, k] as const);
  const [I, O] = [inputs, outputs].map((width) => Math.ceil(width / panel) * panel) as [number, number];
  const sizes = { rows, inputs, outputs, inputStride: 4 * I, outputStride: 4 * O };
  const programs =
    form === 'TN' ? weightPrograms(sizes, engine.kernels) : inputPrograms(sizes, engine.kernels);
  const format = { recordBytes: constant('RECORD_BYTES'), opcode: constant };
  const [compressedRows, length] = form === 'TN' ? [I, rows] : [rows, I];
  const { addresses, end } = layOut(
    new Map([
      ['state', constant('STATE_BYTES')],
      ['zeros', 4 * Math.max(rows, I, O, 2 * panel)],
      ['x', 4 * rows * I],
      ['d', 4 * rows * O],
      ['w', 4 * I * O],
      ['moment1', 4 * I * O],
      ['moment2', 4 * I * O],
      ['dx', 4 * rows * I],
      ['packedD', 4 * rows * O],
      ['entries', compressedRows * functions.entryStride(length)],
      ['starts', 4 * compressedRows * (Math.ceil(length / constant('K_BLOCK')) + 1)],
      ['pack', 3 * format.recordBytes],
      ['multiply', 3 * format.recordBytes],
    ]),
    constant('ARENA_START'),
  );
  const core = instantiate(engine, createMemory(engine.build, end));
  const { buffer } = core.memory;
  const address = (name: string) => addresses.get(name)!;
  for (const [name, operations] of Object.entries(programs)) {
    new Uint8Array(buffer, address(name)).set(encodeProgram(operations, addresses, format));
  }
  writeState(new DataView(buffer, address('state')), constant, address('zeros'));
  const run = (name: string) => {
    core.functions.runProgram(address('state'), address(name), address('zeros'), rows);
  };

  const view = (name: string) => new Float32Array(buffer, address(name));
  const [x, d, w] = [view('x'), view('d'), view('w')];
  const inPanels = (row: number, column: number) =>
    (Math.floor(column / panel) * inputs + row) * panel + (column % panel);
  fill(rows, inputs, (row, i) => {
    x[row * I + i] = Math.random() < density ? Math.random() - 0.5 : 0;
  });
  fill(rows, outputs, (row, o) => {
    d[row * O + o] = Math.random() - 0.5;
  });
  fill(inputs, outputs, (i, o) => {
    w[inPanels(i, o)] = Math.random() - 0.5;
  });

  const [gradient, dx] = [view('moment1'), view('dx')];
  const weightError = (i: number, o: number) =>
    Math.abs(gradient[inPanels(i, o)]! - sum(rows, (row) => x[row * I + i]! * d[row * O + o]!));
  const inputError = (row: number, i: number) =>
    x[row * I + i] === 0
      ? 0
      : Math.abs(dx[row * I + i]! - sum(outputs, (o) => d[row * O + o]! * w[inPanels(i, o)]!));
  const errorAt = form === 'TN' ? weightError : inputError;
  return {
    pack: () => run('pack'),
    multiply: () => run('multiply'),
    rowError: (row) => Math.max(...Array.from({ length: n }, (_, column) => errorAt(row, column))),
  };
}

type Programs = Record<'pack' | 'multiply', Operation[]>;

function weightPrograms(sizes: Sizes, { sparseWidth }: Kernels): Programs {
  const { inputs, outputs, inputStride, outputStride } = sizes;
  const [x, d, w, packedD] = [place('x'), place('d'), place('w'), place('packedD')];
  const [entries, starts] = [place('entries'), place('starts')];
  const moments = [place('moment1'), place('moment2')];
  return {
    pack: [
      operation('OP_COMPRESS_COLUMNS', inputs, x, inputStride, entries, starts),
      operation('OP_PACK_B', ROWS, outputs, d, outputStride, packedD),
    ],
    multiply: [
      operation('OP_UPDATE_COMPRESSED', sparseWidth, inputs, outputs, starts, packedD, w, ...moments),
    ],
  };
}

function inputPrograms(sizes: Sizes, { sparseWidth }: Kernels): Programs {
  const { inputs, outputs, inputStride, outputStride } = sizes;
  const [x, d, w, dx] = [place('x'), place('d'), place('w'), place('dx')];
  const [entries, starts] = [place('entries'), place('starts')];
  return {
    pack: [operation('OP_COMPRESS_ROWS', inputs, x, inputStride, entries, starts)],
    multiply: [
      operation('OP_SDDMM', sparseWidth, outputs, inputs, starts, d, outputStride, w, dx, inputStride),
    ],
  };
}

/** One thread, and Adam's factors, each in the four lanes of a vector. */
function writeState(state: DataView, constant: (name: string) => number, zeros: number): void {
  state.setUint32(constant('STATE_ZEROS'), zeros, true);
  state.setInt32(constant('STATE_ACTIVE'), 1, true);
  const lanes = PLAIN_FACTORS.flatMap((factor) => [factor, factor, factor, factor]);
  lanes.forEach((factor, lane) => {
    state.setFloat32(constant('STATE_ADAM_FACTORS') + 4 * lane, factor, true);
  });
}

function fill(rows: number, columns: number, set: (row: number, column: number) => void): void {
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) set(row, column);
}

function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += term(index);
  return total;
}
