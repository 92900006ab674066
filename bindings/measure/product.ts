import { type Core, createMemory, type Instance, instantiate, probeCore } from '../core/core.js';
import type { Kernels } from '../core/kernels.js';
import { type Arena, encodeProgram, layOut } from '../program/arena.js';
import { BATCH_WORDS, type BatchWord, type Operation, operation } from '../program/operations.js';
import { ROW_KINDS } from '../program/product.js';
import { at, type Buffer, roundUp } from '../program/types.js';

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

export interface ProductOptions {
  compressed?: boolean;
  density?: number;
  kernels?: Kernels;
}

/** A multiple of every padding that the kernels ask for. */
const PADDING = 96;

/** Row lengths and element order of the stored operands. */
interface Operands {
  a: { stride: number; at(row: number, k: number): number };
  b: { stride: number; at(k: number, column: number): number };
}

/** The buffers of a product. */
interface ProductBuffers {
  state: Buffer;
  zeros: Buffer;
  a: Buffer;
  b: Buffer;
  c: Buffer;
  packedA: Buffer;
  starts: Buffer;
  packedB: Buffer;
}

/**
 * Prepares a product of pseudo-random matrices, of which A keeps the share `density`.
 * `compressed` takes the kernels for sparse A (form NN only).
 */
export function prepareProduct(
  core: Core,
  shape: GemmShape,
  { compressed = false, density = 1, kernels = core.kernels }: ProductOptions = {},
): Product {
  const { constants, functions } = probeCore(core);
  const { form, m, n, k } = shape;
  const operands = planOperands(shape);
  const [M, N, K] = [roundUp(m, PADDING), roundUp(n, PADDING), roundUp(k, PADDING)];
  const floats = (name: string, count: number): Buffer => ({ name, bytes: 4 * count });
  const buffers: ProductBuffers = {
    state: { name: 'state', bytes: constants.stateBytes },
    zeros: floats('zeros', Math.max(M, N, K)),
    a: floats('a', M * K),
    b: floats('b', K * N),
    c: floats('c', M * N),
    packedA: { name: 'packed A', bytes: compressed ? M * functions.entryStride(K) : 4 * M * K },
    starts: floats('starts', M * (Math.ceil(K / constants.kBlock) + 1)),
    packedB: floats('packed B', K * N),
  };
  const [pack, multiply] = (compressed ? compressedPrograms : densePrograms)(
    shape,
    operands,
    buffers,
    kernels,
  );
  const program = (name: string, { length }: Operation[]): Buffer => ({
    name,
    bytes: (length + 1) * constants.recordBytes,
  });
  const programs = [program('pack', pack), program('multiply', multiply)] as const;
  const arena = layOut([...Object.values(buffers), ...programs], constants.arenaStart);
  const instance = instantiate(core, createMemory(core.build, arena.end));
  const address = (buffer: Buffer) => arena.addresses.get(buffer)!;
  [pack, multiply].forEach((operations, index) => {
    const bytes = encodeProgram(operations, arena.addresses, constants.recordBytes);
    new Uint8Array(instance.memory.buffer, address(programs[index]!)).set(bytes);
  });
  const views = fillOperands(instance, arena, buffers, shape, operands, density);
  // `rows` stands for whichever dimension is the batch: m of NN and NT, k of TN.
  const state = new DataView(instance.memory.buffer, address(buffers.state));
  const word = (name: BatchWord, value: number) =>
    state.setUint32(constants.teamBytes + 4 * BATCH_WORDS.indexOf(name), value, true);
  word('rows', form === 'TN' ? k : m);
  word('zeros', address(buffers.zeros));
  state.setInt32(constants.teamActive, 1, true);
  const run = (program: Buffer) => instance.functions.runProgram(address(buffers.state), address(program));
  return {
    pack: () => run(programs[0]),
    multiply: () => run(programs[1]),
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

function densePrograms(
  { form, m, n, k }: GemmShape,
  { a, b }: Operands,
  buffers: ProductBuffers,
  { tileHeight: height }: Kernels,
): [Operation[], Operation[]] {
  const rows = { kind: ROW_KINDS.plain, height, source: at(buffers.a), stride: 4 * a.stride, ordered: 0 };
  const packA =
    form === 'TN'
      ? operation('PackColumns', { ...rows, M: m, out: at(buffers.packedA) })
      : operation('PackRows', { ...rows, K: k, out: at(buffers.packedA) });
  const columns = { N: n, K: k, source: at(buffers.b), stride: 4 * b.stride, out: at(buffers.packedB) };
  const packB = operation(form === 'NT' ? 'PackTransposedB' : 'PackB', columns);
  const multiply = operation('Gemm', {
    height,
    M: m,
    N: n,
    K: k,
    a: at(buffers.packedA),
    b: at(buffers.packedB),
    init: at(buffers.zeros),
    c: at(buffers.c),
    cStride: 4 * roundUp(n, PADDING),
  });
  return [[packA, packB], [multiply]];
}

function compressedPrograms(
  { n, k }: GemmShape,
  { a, b }: Operands,
  buffers: ProductBuffers,
  { sparseWidth: width }: Kernels,
): [Operation[], Operation[]] {
  const starts = at(buffers.starts);
  const rows = { kind: ROW_KINDS.plain, source: at(buffers.a), stride: 4 * a.stride, ordered: 0 };
  return [
    [
      operation('CompressRows', { ...rows, K: k, entries: at(buffers.packedA), starts }),
      operation('PackB', {
        K: k,
        N: n,
        source: at(buffers.b),
        stride: 4 * b.stride,
        out: at(buffers.packedB),
      }),
    ],
    [
      operation('Spmm', {
        width,
        N: n,
        K: k,
        starts,
        b: at(buffers.packedB),
        init: at(buffers.zeros),
        c: at(buffers.c),
        cStride: 4 * roundUp(n, PADDING),
      }),
    ],
  ];
}

/** Fills A and B, leaving their padding zero, and returns views of all three. */
function fillOperands(
  { memory }: Instance,
  arena: Arena,
  buffers: ProductBuffers,
  { m, n, k }: GemmShape,
  operands: Operands,
  density: number,
) {
  const view = (buffer: Buffer) =>
    new Float32Array(memory.buffer, arena.addresses.get(buffer)!, buffer.bytes / 4);
  const views = { a: view(buffers.a), b: view(buffers.b), c: view(buffers.c) };
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
