import { createMemory, instantiate, probeCore } from '../../dist/bindings/core/core.js';
import type { Core, GemmShape, Kernels, Product } from '../../dist/bindings/host.js';
import { STEP_KINDS } from '../../dist/bindings/host.js';
import { encodeProgram, layOut } from '../../dist/bindings/program/arena.js';
import { BATCH_WORDS, type Operation, operation } from '../../dist/bindings/program/operations.js';
import { ROW_KINDS } from '../../dist/bindings/program/product.js';
import { at, type Buffer, ROWS } from '../../dist/bindings/program/types.js';

/**
 * Adam's factors (assembly/optim/adam) with betas of 0, an epsilon of 1 and a step of 0: the first moment becomes the
 * gradient itself and the weights stay, for the same operations as ever.
 */
const PLAIN_FACTORS = [0, 1, 0, 1, 1, 0, 1, 1, 0];

/** A Dense layer's sizes for a gradient: X (rows, inputs), dZ (rows, outputs), W (inputs, outputs). */
interface Sizes {
  rows: number;
  inputs: number;
  outputs: number;
  /** Rows of X and dZ in bytes. */
  inputStride: number;
  outputStride: number;
}

/** The buffers of a gradient. */
interface Buffers {
  state: Buffer;
  zeros: Buffer;
  scratch: Buffer;
  factors: Buffer;
  x: Buffer;
  d: Buffer;
  w: Buffer;
  moment1: Buffer;
  moment2: Buffer;
  dx: Buffer;
  packedD: Buffer;
  entries: Buffer;
  starts: Buffer;
  pack: Buffer;
  multiply: Buffer;
}

/**
 * A gradient of a Dense layer over its compressed input X, of which the share `density` is not zero: form TN is the
 * weight gradient X^T dZ with Adam's step, form NT the input gradient dZ W^T where X is not zero. `rowError` looks at no
 * other elements than those.
 */
export function prepareGradient(core: Core, { form, m, n, k }: GemmShape, density: number): Product {
  const { constants, functions } = probeCore(core);
  const { panel } = constants;
  const [rows, inputs, outputs] = form === 'TN' ? ([k, m, n] as const) : ([m, n, k] as const);
  const [I, O] = [inputs, outputs].map((width) => Math.ceil(width / panel) * panel) as [number, number];
  const sizes = { rows, inputs, outputs, inputStride: 4 * I, outputStride: 4 * O };
  const [compressedRows, length] = form === 'TN' ? [I, rows] : [rows, I];
  const of = (name: string, bytes: number): Buffer => ({ name, bytes });
  const buffers: Buffers = {
    state: of('state', constants.stateBytes),
    zeros: of('zeros', 4 * Math.max(rows, I, O, 2 * panel)),
    scratch: of('scratch', constants.scratchBytes),
    factors: of('factors', 16 * constants.factorVectors),
    x: of('x', 4 * rows * I + 16),
    d: of('d', 4 * rows * O),
    w: of('w', 4 * I * O),
    moment1: of('moment1', 4 * I * O),
    moment2: of('moment2', 4 * I * O),
    dx: of('dx', 4 * rows * I),
    packedD: of('packedD', 4 * rows * O),
    entries: of('entries', compressedRows * functions.entryStride(length)),
    starts: of('starts', 4 * compressedRows * (Math.ceil(length / constants.kBlock) + 1)),
    pack: of('pack', 3 * constants.recordBytes),
    multiply: of('multiply', 3 * constants.recordBytes),
  };
  const programs = (form === 'TN' ? weightPrograms : inputPrograms)(sizes, buffers, core.kernels);
  const { addresses, end } = layOut(Object.values(buffers), constants.arenaStart);
  const instance = instantiate(core, createMemory(core.build, end));
  const { buffer } = instance.memory;
  const address = (name: keyof Buffers) => addresses.get(buffers[name])!;
  for (const [name, operations] of Object.entries(programs) as ['pack' | 'multiply', Operation[]][]) {
    new Uint8Array(buffer, address(name)).set(encodeProgram(operations, addresses, constants.recordBytes));
  }
  const words = { rows, zeros: address('zeros'), scratch: address('scratch') };
  const state = new DataView(buffer, address('state'));
  for (const [word, value] of Object.entries(words)) {
    const index = BATCH_WORDS.indexOf(word as (typeof BATCH_WORDS)[number]);
    state.setUint32(constants.teamBytes + 4 * index, value, true);
  }
  state.setInt32(constants.teamActive, 1, true);
  new Float32Array(buffer, address('factors')).set(PLAIN_FACTORS.flatMap((f) => [f, f, f, f]));
  const run = (name: 'pack' | 'multiply') => {
    instance.functions.runProgram(address('state'), address(name));
  };

  const view = (name: keyof Buffers) => new Float32Array(buffer, address(name));
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

function weightPrograms(sizes: Sizes, buffers: Buffers, { sparseWidth: width }: Kernels): Programs {
  const { inputs: I, outputs: O, inputStride, outputStride } = sizes;
  const [entries, starts, b] = [at(buffers.entries), at(buffers.starts), at(buffers.packedD)];
  const rows = { kind: ROW_KINDS.plain, source: at(buffers.x), stride: inputStride, ordered: 0 };
  const step = { kind: STEP_KINDS.adam, w: at(buffers.w), m: at(buffers.moment1), v: at(buffers.moment2) };
  return {
    pack: [
      operation('CompressColumns', { ...rows, M: I, entries, starts }),
      operation('PackB', { K: ROWS, N: O, source: at(buffers.d), stride: outputStride, out: b }),
    ],
    multiply: [
      operation('UpdateCompressed', {
        width,
        I,
        O,
        blocks: 0,
        starts,
        b,
        ...step,
        factors: at(buffers.factors),
      }),
    ],
  };
}

function inputPrograms(sizes: Sizes, buffers: Buffers, { sparseWidth: width }: Kernels): Programs {
  const { inputs: K, outputs: N, inputStride, outputStride: dStride } = sizes;
  const starts = at(buffers.starts);
  const rows = { kind: ROW_KINDS.plain, source: at(buffers.x), stride: inputStride, ordered: 0 };
  const places = { d: at(buffers.d), dStride, b: at(buffers.w), dx: at(buffers.dx), xStride: inputStride };
  return {
    pack: [operation('CompressRows', { ...rows, K, entries: at(buffers.entries), starts })],
    multiply: [operation('Sddmm', { width, N, K, starts, ...places })],
  };
}

function fill(rows: number, columns: number, set: (row: number, column: number) => void): void {
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) set(row, column);
}

function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += term(index);
  return total;
}
