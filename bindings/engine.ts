import { instantiateSync } from '@assemblyscript/loader';
import { TreadleError } from './errors.js';
import type { BuildName } from './features.js';
import type { Kernels } from './kernels.js';

/** The version of the host's view of the binary; equal to the binary's ABI_VERSION. */
const ABI_VERSION = 3;

/** A compiled build of the core. Plain data: it may be posted to a worker, which shares the compiled code. */
export interface Engine {
  readonly build: BuildName;
  readonly module: WebAssembly.Module;
  /** The micro-kernels in use. All give the same bytes; which are fastest depends on the JavaScript engine. */
  readonly kernels: Kernels;
  /** True where the kernels were asked for, by an option or $TREADLE_KERNELS: then nothing chooses others. */
  readonly kernelsForced: boolean;
  /** True where V8 joins pairs of 128-bit operations (revectorize). */
  readonly revectorized: boolean;
}

/** The functions that the binary exports. Addresses and sizes in bytes unless said otherwise. */
export interface CoreFunctions {
  runOperation(state: number, record: number, thread: number, threads: number): void;
  runProgram(state: number, program: number, order: number, rows: number): number;
  trainStep(state: number, program: number, order: number, rows: number): number;
  serve(state: number): void;
  dismiss(state: number): void;
  heNormal(
    w: number,
    rows: number,
    columns: number,
    tensor: number,
    key0: number,
    key1: number,
    scratch: number,
  ): void;
  glorotUniform(
    w: number,
    rows: number,
    columns: number,
    tensor: number,
    key0: number,
    key1: number,
    scratch: number,
  ): void;
  philox4(c0: number, c1: number, c2: number, c3: number, key0: number, key1: number, out: number): void;
  entryStride(K: number): number;
  peak(iterations: number, out: number): void;
}

/** An instance of the core over a memory. */
export interface Core {
  readonly memory: WebAssembly.Memory;
  readonly functions: CoreFunctions;
  /** Held, and never used, for the garbage collector's sake (createBallast); null over memory that is not shared. */
  readonly ballast: WebAssembly.Memory | null;
  /** A constant of the binary, by its name in assembly/index.ts. */
  constant(name: string): number;
}

/** The memory that a build imports: `bytes` long for good, shared where the build has threads. */
export function createMemory(build: BuildName, bytes: number): WebAssembly.Memory {
  checkMemory(bytes);
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: isShared(build) });
  } catch (cause) {
    throw new TreadleError('engine', `The engine has no ${gib(bytes)} GiB of memory for the network.`, {
      subject: 'memory',
      found: bytes,
      cause,
    });
  }
}

/** A page of WebAssembly's memory, and how much memory it has at most, in bytes. */
const PAGE = 2 ** 16;
const MOST_MEMORY = 2 ** 32;

/** Throws `range` for more bytes than a WebAssembly memory can have. */
export function checkMemory(bytes: number): void {
  if (bytes <= MOST_MEMORY) return;
  throw new TreadleError(
    'range',
    `The network needs ${gib(bytes)} GiB of memory; WebAssembly has at most 4 GiB.`,
    {
      subject: 'memory',
      found: bytes,
      expected: MOST_MEMORY,
    },
  );
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}

/** Instantiates a build over a memory. */
export function instantiate(engine: Engine, memory: WebAssembly.Memory): Core {
  const { exports } = instantiateSync<Record<string, unknown>>(engine.module, { env: { memory } });
  const constant = (name: string): number => (exports[name] as WebAssembly.Global).value as number;
  if (constant('ABI_VERSION') !== ABI_VERSION) {
    throw new TreadleError(
      'engine',
      `The core has ABI version ${constant('ABI_VERSION')}; ${ABI_VERSION} is expected: run 'npm run build'.`,
      {
        subject: engine.build,
        found: constant('ABI_VERSION'),
        expected: ABI_VERSION,
      },
    );
  }
  return {
    memory,
    functions: exports as unknown as CoreFunctions,
    ballast: createBallast(engine, memory),
    constant,
  };
}

/** What V8 lets grow before it collects garbage on account of memory outside its heap. */
const MOST_BALLAST = 64 * 2 ** 20;

/**
 * Memory that is not shared, as large as the shared `memory` up to MOST_BALLAST, for its core to hold. V8 counts no
 * shared memory when it decides to collect garbage, but it does count this, whose pages are reserved and never
 * touched. A thousand small networks, disposed of one after the other, took 1.1 GiB without it and 71 MiB with it (Node
 * 20.20).
 */
function createBallast({ build }: Engine, { buffer }: WebAssembly.Memory): WebAssembly.Memory | null {
  return isShared(build) ? createMemory('simd', Math.min(buffer.byteLength, MOST_BALLAST)) : null;
}

/** Whether a build's memory is shared: where it has threads. */
function isShared(build: BuildName): boolean {
  return build.endsWith('-mt');
}

const probes = new WeakMap<WebAssembly.Module, Core>();

/** An instance over one page, made once a build: the build's constants and pure functions, without a network. */
export function probeCore(engine: Engine): Core {
  const known = probes.get(engine.module);
  if (known !== undefined) return known;
  const probe = instantiate(engine, createMemory(engine.build, 65536));
  probes.set(engine.module, probe);
  return probe;
}
