import { type Arena, encodeProgram, layOut } from './arena.js';
import { type Core, createMemory, type Engine, instantiate, probeCore } from './engine.js';
import type { Kernels } from './kernels.js';
import { type Argument, type Operation, roundUp } from './plan.js';

/** One matrix product: C (m, n) = A (m, k) B (k, n). */
export interface GemmShape {
  /** NN forward, TN weight gradient (A is stored transposed), NT input gradient (B is stored transposed). */
  form: 'NN' | 'TN' | 'NT';
  m: number;
  n: number;
  k: number;
}

/** A product over operands of its own, ready to be run again and again: for measurements. */
export interface Product {
  /** Packs or compresses the operands. */
  pack(): void;
  /** Multiplies what was last packed. */
  multiply(): void;
  /** The largest difference between a row of C and the same row worked out in float64. */
  rowError(row: number): number;
}

/** A multiple of every padding that the kernels ask for. */
const PADDING = 96;

/** Row lengths and element order of the stored operands. */
interface Operands {
  a: { stride: number; at(row: number, k: number): number };
  b: { stride: number; at(k: number, column: number): number };
}

/**
 * Prepares a product of pseudo-random matrices, of which A keeps the share `density`.
 * `compressed` takes the kernels for sparse A (form NN only).
 */
export function prepareProduct(
  engine: Engine,
  shape: GemmShape,
  { compressed = false, density = 1, kernels = engine.kernels }: ProductOptions = {},
): Product {
  const { constant, functions } = probeCore(engine);
  const { form, m, n, k } = shape;
  const operands = planOperands(shape);
  const [M, N, K] = [roundUp(m, PADDING), roundUp(n, PADDING), roundUp(k, PADDING)];
  const [pack, multiply] = compressed
    ? compressedPrograms(shape, operands, kernels)
    : densePrograms(shape, operands, kernels);
  const format = { recordBytes: constant('RECORD_BYTES'), opcode: constant };
  const programs = { pack, multiply };
  const arena = layOut(
    new Map([
      ['state', constant('STATE_BYTES')],
      ['zeros', 4 * Math.max(M, N, K)],
      ['a', 4 * M * K],
      ['b', 4 * K * N],
      ['c', 4 * M * N],
      ['packedA', compressed ? M * functions.entryStride(K) : 4 * M * K],
      ['starts', 4 * M * (Math.ceil(K / constant('K_BLOCK')) + 1)],
      ['packedB', 4 * K * N],
      ['pack', (pack.length + 1) * format.recordBytes],
      ['multiply', (multiply.length + 1) * format.recordBytes],
    ]),
    constant('ARENA_START'),
  );
  const core = instantiate(engine, createMemory(engine.build, arena.end));
  for (const [name, operations] of Object.entries(programs)) {
    const bytes = encodeProgram(operations, arena.addresses, format);
    new Uint8Array(core.memory.buffer, arena.addresses.get(name)).set(bytes);
  }
  const views = fillOperands(core, arena, shape, operands, density);
  // `rows` stands for whichever dimension is the batch: m of NN and NT, k of TN.
  const rows = form === 'TN' ? k : m;
  const address = (name: string) => arena.addresses.get(name)!;
  const run = (name: string) => {
    core.functions.runProgram(address('state'), address(name), address('zeros'), rows);
  };
  return {
    pack: () => run('pack'),
    multiply: () => run('multiply'),
    rowError: (row) => {
      let worst = 0;
      for (let column = 0; column < n; column++) {
        let exact = 0;
        for (let i = 0; i < k; i++)
          exact += views.a[operands.a.at(row, i)]! * views.b[operands.b.at(i, column)]!;
        worst = Math.max(worst, Math.abs(views.c[row * N + column]! - exact));
      }
      return worst;
    },
  };
}

export interface ProductOptions {
  compressed?: boolean;
  density?: number;
  kernels?: Kernels;
}

function planOperands({ form, m, n, k }: GemmShape): Operands {
  const [M, N, K] = [roundUp(m, PADDING), roundUp(n, PADDING), roundUp(k, PADDING)];
  return {
    a:
      form === 'TN' ? { stride: M, at: (row, i) => i * M + row } : { stride: K, at: (row, i) => row * K + i },
    b:
      form === 'NT'
        ? { stride: K, at: (i, column) => column * K + i }
        : { stride: N, at: (i, column) => i * N + column },
  };
}

const place = (buffer: string) => ({ buffer });
const operation = (opcode: string, ...args: Argument[]): Operation => ({ opcode, args, barrier: false });

function densePrograms(
  { form, m, n, k }: GemmShape,
  { a, b }: Operands,
  { tileHeight }: Kernels,
): [Operation[], Operation[]] {
  const packA =
    form === 'TN'
      ? operation('OP_PACK_TRANSPOSED_A', tileHeight, m, place('a'), 4 * a.stride, place('packedA'))
      : operation('OP_PACK_A', tileHeight, k, place('a'), 4 * a.stride, place('packedA'));
  const packB =
    form === 'NT'
      ? operation('OP_PACK_TRANSPOSED_B', n, k, place('b'), 4 * b.stride, place('packedB'))
      : operation('OP_PACK_B', k, n, place('b'), 4 * b.stride, place('packedB'));
  const [init, c, stride] = [place('zeros'), place('c'), 4 * roundUp(n, PADDING)];
  const multiply = operation(
    'OP_GEMM',
    tileHeight,
    m,
    n,
    k,
    place('packedA'),
    place('packedB'),
    init,
    c,
    stride,
  );
  return [[packA, packB], [multiply]];
}

function compressedPrograms(
  { n, k }: GemmShape,
  { a, b }: Operands,
  { sparseWidth }: Kernels,
): [Operation[], Operation[]] {
  const [init, c, stride] = [place('zeros'), place('c'), 4 * roundUp(n, PADDING)];
  return [
    [
      operation('OP_COMPRESS_ROWS', k, place('a'), 4 * a.stride, place('packedA'), place('starts')),
      operation('OP_PACK_B', k, n, place('b'), 4 * b.stride, place('packedB')),
    ],
    [operation('OP_SPMM', sparseWidth, n, k, place('starts'), place('packedB'), init, c, stride)],
  ];
}

/** Fills A and B, leaving their padding zero, and returns views of all three. */
function fillOperands(core: Core, arena: Arena, { m, n, k }: GemmShape, operands: Operands, density: number) {
  const { buffer } = core.memory;
  const address = (name: string) => arena.addresses.get(name)!;
  const state = new DataView(buffer, address('state'));
  state.setUint32(core.constant('STATE_ZEROS'), address('zeros'), true);
  state.setInt32(core.constant('STATE_ACTIVE'), 1, true);
  const view = (name: string) => new Float32Array(buffer, address(name));
  const views = { a: view('a'), b: view('b'), c: view('c') };
  let word = 1;
  const next = () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 32;
  };
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < k; i++) views.a[operands.a.at(row, i)] = next() < density ? next() - 0.5 : 0;
  }
  for (let i = 0; i < k; i++) {
    for (let column = 0; column < n; column++) views.b[operands.b.at(i, column)] = next() - 0.5;
  }
  return views;
}
