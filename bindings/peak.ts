import { encodeProgram, layOut } from './arena.js';
import { createMemory, type Engine, instantiate, probeCore } from './engine.js';
import { roundUp } from './plan.js';

/** One matrix product: C (m, n) = A (m, k) B (k, n). */
export interface GemmShape {
  /** NN forward, TN weight gradient, NT input gradient. */
  form: 'NN' | 'TN' | 'NT';
  m: number;
  n: number;
  k: number;
}

export interface GemmFigure extends GemmShape {
  gflops: number;
  /** Share of the measured peak. */
  peakFraction: number;
}

export interface PeakFigures {
  /** Multiply-adds in registers alone, one thread, in the same build. */
  peakGflops: number;
  gemm: GemmFigure[];
}

/** The three products of large1's second layer at batch 256. */
const LARGE1_SHAPES: GemmShape[] = [
  { form: 'NN', m: 256, n: 512, k: 1024 },
  { form: 'TN', m: 1024, n: 512, k: 256 },
  { form: 'NT', m: 256, n: 1024, k: 512 },
];

/** A multiple of every padding that the kernels ask for. */
const PADDING = 96;
const ROUNDS = 7;
const PEAK_ITERATIONS = 1_000_000;

/** Median seconds of `run` over ROUNDS calls, after one that is not counted. */
function medianSeconds(run: () => void): number {
  run();
  const seconds = Array.from({ length: ROUNDS }, () => {
    const begin = performance.now();
    run();
    return (performance.now() - begin) / 1000;
  });
  return seconds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/** Measures one thread's FMA peak and the core's products, packing included. Takes about a second. */
export function measurePeak(engine: Engine, shapes: GemmShape[] = LARGE1_SHAPES): PeakFigures {
  const probe = probeCore(engine);
  const peakFlops = 8 * probe.constant('PEAK_CHAINS') * PEAK_ITERATIONS;
  const out = probe.constant('ARENA_START');
  const peakGflops = peakFlops / medianSeconds(() => probe.functions.peak(PEAK_ITERATIONS, out)) / 1e9;
  const gemm = shapes.map((shape) => {
    const seconds = gemmSeconds(engine, shape);
    const gflops = (2 * shape.m * shape.n * shape.k) / seconds / 1e9;
    return { ...shape, gflops, peakFraction: gflops / peakGflops };
  });
  return { peakGflops, gemm };
}

/** Seconds of one product from row-major operands: both packings and the multiplication. */
function gemmSeconds(engine: Engine, { form, m, n, k }: GemmShape): number {
  const { constant } = probeCore(engine);
  const [M, N, K] = [m, n, k].map((count) => roundUp(count, PADDING)) as [number, number, number];
  const operations = gemmOperations({ form, m, n, k }, engine.kernels.tileHeight);
  const format = { recordBytes: constant('RECORD_BYTES'), opcode: constant };
  const arena = layOut(
    new Map([
      ['state', constant('STATE_BYTES')],
      ['zeros', 4 * Math.max(M, N, K)],
      ['a', 4 * M * K],
      ['b', 4 * K * N],
      ['c', 4 * M * N],
      ['packedA', 4 * M * K],
      ['packedB', 4 * K * N],
      ['program', (operations.length + 1) * format.recordBytes],
    ]),
    constant('ARENA_START'),
  );
  const core = instantiate(engine, createMemory(engine.build, arena.end));
  const address = (name: string) => arena.addresses.get(name)!;
  const { buffer } = core.memory;
  new Uint8Array(buffer, address('program')).set(encodeProgram(operations, arena.addresses, format));
  new DataView(buffer).setUint32(address('state') + constant('STATE_ZEROS'), address('zeros'), true);
  new DataView(buffer).setInt32(address('state') + constant('STATE_ACTIVE'), 1, true);
  for (const name of ['a', 'b']) {
    const values = new Float32Array(buffer, address(name), name === 'a' ? M * K : K * N);
    values.forEach((_, i) => {
      values[i] = ((i * 7919) % 1009) / 1009 - 0.5;
    });
  }
  // `rows` stands for whichever dimension is the batch: M of NN and NT, K of TN.
  const rows = form === 'TN' ? k : m;
  return medianSeconds(() =>
    core.functions.runProgram(address('state'), address('program'), address('zeros'), rows),
  );
}

function gemmOperations({ form, m, n, k }: GemmShape, tileHeight: number) {
  const ld = (columns: number) => roundUp(columns, PADDING);
  const place = (buffer: string) => ({ buffer });
  const operation = (opcode: string, ...args: (number | { buffer: string })[]) => ({
    opcode,
    args,
    barrier: false,
  });
  const mr = tileHeight;
  const packA =
    form === 'TN'
      ? operation('OP_PACK_TRANSPOSED_A', mr, m, place('a'), 4 * ld(m), place('packedA'))
      : operation('OP_PACK_A', mr, k, place('a'), 4 * ld(k), place('packedA'));
  const packB =
    form === 'NT'
      ? operation('OP_PACK_TRANSPOSED_B', n, k, place('b'), 4 * ld(k), place('packedB'))
      : operation('OP_PACK_B', k, n, place('b'), 4 * ld(n), place('packedB'));
  const multiply = operation(
    'OP_GEMM',
    mr,
    m,
    n,
    k,
    place('packedA'),
    place('packedB'),
    place('zeros'),
    place('c'),
    4 * ld(n),
  );
  return [packA, packB, multiply];
}
