import { instantiateSync } from '@assemblyscript/loader';
import { TreadleError } from '../errors/errors.js';
import { problem } from '../errors/problem.js';
import { BUILDS, type BuildName } from './builds.js';
import type { WasmMemory, WasmModule } from './globals.js';
import type { Kernels } from './kernels.js';

/** The version of the host's view of the binary; equal to the binary's ABI_VERSION. */
const ABI_VERSION = 6;

/** A compiled build of the core. Plain data: it may be posted to a worker, which shares the compiled code. */
export interface Core {
  readonly build: BuildName;
  /** A `WebAssembly.Module`. */
  readonly module: WasmModule;
  /** The micro-kernels in use. All give the same bytes; which are fastest depends on the JavaScript engine. */
  readonly kernels: Kernels;
  /** True where the kernels were asked for, by an option or $TREADLE_KERNELS: then nothing chooses others. */
  readonly kernelsForced: boolean;
  /** True where V8 joins pairs of 128-bit operations (revectorize). */
  readonly revectorized: boolean;
}

/** Whether a value is a loaded core, which another thread may have posted. */
export function isCore(value: unknown): value is Core {
  const { build, module } = (value ?? {}) as Partial<Core>;
  return typeof build === 'string' && module instanceof WebAssembly.Module;
}

/** The functions that the binary exports. Addresses and sizes in bytes unless said otherwise. */
export interface CoreFunctions {
  runOperation(state: number, record: number, thread: number, threads: number): void;
  runProgram(state: number, program: number): void;
  help(state: number): void;
  endHelp(state: number): void;
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

/** The numbers of the binary that the host plans with, under the names of assembly/index.ts in camel case. */
export interface CoreConstants {
  /** First address that the binary does not use itself. */
  readonly arenaStart: number;
  /** Columns of a panel: what the rows of every matrix are padded to a multiple of. */
  readonly panel: number;
  /** What the number of rows of every matrix is padded to a multiple of. */
  readonly rowPadding: number;
  /** Rows of a K-block of compressed operands. */
  readonly kBlock: number;
  /** Dropout's threshold for keeping all. */
  readonly keepAll: number;
  readonly recordBytes: number;
  readonly stateBytes: number;
  /** Bytes of scratch that each thread needs. */
  readonly scratchBytes: number;
  /** Vectors of an optimiser's factors for one step. */
  readonly factorVectors: number;
  /** Elements that one partial sum of a gradient's norm is taken over. */
  readonly normChunk: number;
  /** Most threads of one network. */
  readonly maxThreads: number;
  /** Byte offsets in the state block: where the batch begins, and words of the team. */
  readonly teamBytes: number;
  readonly teamActive: number;
  readonly teamJoined: number;
  readonly teamCapacity: number;
  readonly teamBroken: number;
  /** Independent sums in the probe of the machine's peak. */
  readonly peakChains: number;
  /** Whether multiply-adds round once. */
  readonly fused: boolean;
  /** Whether helper threads can join. */
  readonly threads: boolean;
}

/** An instance of the core over a memory. */
export interface Instance {
  readonly memory: WasmMemory;
  readonly functions: CoreFunctions;
  readonly constants: CoreConstants;
  /** Unused memory that makes the garbage collector run (createBallast); null over memory that is not shared. */
  readonly ballast: WasmMemory | null;
}

/** WebAssembly's limit on an address space with 32-bit addresses. */
export const MOST_MEMORY = 2 ** 32;

export const PAGE = 65536;

/** The memory that a build imports: `bytes` long for good, shared where the build has threads. */
export function createMemory(build: BuildName, bytes: number): WasmMemory {
  expectMemory(bytes);
  const pages = Math.ceil(bytes / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: BUILDS[build].threads });
  } catch (cause) {
    throw new TreadleError(
      'engine',
      `The JavaScript engine has no ${inUnits(bytes)} of memory for the network.`,
      {
        subject: 'memory',
        found: bytes,
        cause,
      },
    );
  }
}

/** Throws `range` for more bytes than a WebAssembly memory can have. */
export function expectMemory(bytes: number): void {
  if (bytes <= MOST_MEMORY) return;
  throw new TreadleError(
    'range',
    `The network needs ${inUnits(bytes)} of memory; WebAssembly has at most 4 GiB.`,
    { subject: 'memory', found: bytes, expected: MOST_MEMORY },
  );
}

/** A number of bytes in the unit that suits it. */
export function inUnits(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return `${Math.ceil(bytes / 1024)} KiB`;
}

/** Instantiates a build over a memory. Throws `engine` for a binary of another version. */
export function instantiate(core: Pick<Core, 'build' | 'module'>, memory: WasmMemory): Instance {
  const words = new Int32Array(memory.buffer);
  const env = {
    memory: memory as WebAssembly.Memory,
    // The builds with threads sleep by it: see assembly/par/team.ts.
    nap: (address: number, value: number) => void Atomics.wait(words, address / 4, value, 1000),
  };
  // The loader adds what the debug build ends by where a precondition does not hold.
  const { exports } = instantiateSync<Record<string, unknown>>(core.module as WebAssembly.Module, { env });
  const constant = (name: string): number => (exports[name] as WebAssembly.Global).value as number;
  if (constant('ABI_VERSION') !== ABI_VERSION) {
    throw problem('engine', {
      subject: `The ABI version of the core '${core.build}'`,
      found: constant('ABI_VERSION'),
      expected: `${ABI_VERSION}, that of this version of treadle,`,
    });
  }
  return {
    memory,
    functions: exports as unknown as CoreFunctions,
    constants: {
      arenaStart: constant('ARENA_START'),
      panel: constant('PANEL'),
      rowPadding: constant('ROW_PADDING'),
      kBlock: constant('K_BLOCK'),
      keepAll: constant('KEEP_ALL'),
      recordBytes: constant('RECORD_BYTES'),
      stateBytes: constant('STATE_BYTES'),
      scratchBytes: constant('SCRATCH_BYTES'),
      factorVectors: constant('FACTOR_VECTORS'),
      normChunk: constant('NORM_CHUNK'),
      maxThreads: constant('MAX_THREADS'),
      teamBytes: constant('TEAM_BYTES'),
      teamActive: constant('TEAM_ACTIVE'),
      teamJoined: constant('TEAM_JOINED'),
      teamCapacity: constant('TEAM_CAPACITY'),
      teamBroken: constant('TEAM_BROKEN'),
      peakChains: constant('PEAK_CHAINS'),
      fused: constant('FUSED') === 1,
      threads: constant('THREADS') === 1,
    },
    ballast: createBallast(core, memory),
  };
}

/** What V8 lets grow before it collects garbage on account of memory outside its heap. */
const MOST_BALLAST = 64 * 2 ** 20;

/**
 * Memory that is not shared, as large as the shared `memory` up to MOST_BALLAST, for its instance to hold. V8 counts no
 * shared memory when it decides to collect garbage, but it does count this, whose pages are reserved and never
 * touched. A thousand small networks, disposed of one after the other, took 1.1 GiB without it and 71 MiB with it (Node
 * 20.20).
 */
function createBallast({ build }: Pick<Core, 'build'>, { buffer }: WasmMemory): WasmMemory | null {
  return BUILDS[build].threads ? createMemory('simd', Math.min(buffer.byteLength, MOST_BALLAST)) : null;
}

const probes = new WeakMap<WasmModule, Instance>();

/** An instance over one page, made once a build: the build's constants and pure functions, without a network. */
export function probeCore(core: Core): Instance {
  const known = probes.get(core.module);
  if (known !== undefined) return known;
  const probe = instantiate(core, createMemory(core.build, PAGE));
  probes.set(core.module, probe);
  return probe;
}
