import { instantiateSync } from '@assemblyscript/loader';
import { TreadleError } from './errors.js';
import { type BuildName, chooseBuild, detectFeatures } from './features.js';

/** The version of the host's view of the binary; equal to the binary's ABI_VERSION. */
const ABI_VERSION = 1;

/** A compiled build of the core. Plain data: it may be posted to a worker, which shares the compiled code. */
export interface Engine {
  readonly build: BuildName;
  readonly module: WebAssembly.Module;
  /** The micro-kernels in use. All give the same bytes; which are fastest depends on the JavaScript engine. */
  readonly kernels: Kernels;
}

/** A choice of micro-kernels. */
export interface Kernels {
  /** Rows of a dense tile, 8 columns wide. */
  tileHeight: 4 | 6;
  /** Columns that a compressed kernel takes at once. */
  sparseWidth: 16 | 32;
}

/** The kernels that suit an engine with few registers to spare; calibrate() finds better ones. */
export const DEFAULT_KERNELS: Kernels = { tileHeight: 4, sparseWidth: 16 };

export interface EngineOptions {
  /** A build's name, or `auto` (the default): $TREADLE_BUILD where it is set, else the fastest the engine can run. */
  build?: BuildName | 'auto';
  /** Default: DEFAULT_KERNELS. */
  kernels?: Kernels;
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
  pixelTable(out: number): void;
  peak(iterations: number, out: number): void;
}

/** An instance of the core over a memory. */
export interface Core {
  readonly memory: WebAssembly.Memory;
  readonly functions: CoreFunctions;
  /** A constant of the binary, by its name in assembly/index.ts. */
  constant(name: string): number;
}

/** Probes the JavaScript engine, reads and compiles a build. Throws `engine` or `usage` (chooseBuild), `not-found`. */
export async function loadEngine(options: EngineOptions = {}): Promise<Engine> {
  const environment = globalThis.process?.env?.TREADLE_BUILD;
  const wanted =
    options.build === undefined || options.build === 'auto' ? environment || 'auto' : options.build;
  if (typeof WebAssembly !== 'object') {
    throw new TreadleError('engine', 'This JavaScript engine has no WebAssembly, which treadle needs.');
  }
  const build = chooseBuild(wanted, await detectFeatures());
  const module = await compile(new URL(`../../build/${build}.wasm`, import.meta.url));
  return { build, module, kernels: options.kernels ?? DEFAULT_KERNELS };
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  if (url.protocol !== 'file:') return WebAssembly.compileStreaming(fetch(url));
  const { readFile } = await import('node:fs/promises');
  try {
    return await WebAssembly.compile(await readFile(url));
  } catch (cause) {
    const found = (cause as Error).message;
    throw new TreadleError(
      'not-found',
      `The core ${url.pathname} cannot be loaded (${found}); 'npm run build' makes it.`,
      {
        subject: url.pathname,
        found,
        cause,
      },
    );
  }
}

/** The memory that a build imports: `bytes` long for good, shared where the build has threads. */
export function createMemory(build: BuildName, bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 65536);
  if (pages > 65536) {
    throw new TreadleError(
      'range',
      `The network needs ${gib(bytes)} GiB of memory; WebAssembly has at most 4 GiB.`,
      {
        subject: 'memory',
        found: bytes,
        expected: 2 ** 32,
      },
    );
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: build.endsWith('-mt') });
  } catch (cause) {
    throw new TreadleError('engine', `The engine has no ${gib(bytes)} GiB of memory for the network.`, {
      subject: 'memory',
      found: bytes,
      cause,
    });
  }
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
  return { memory, functions: exports as unknown as CoreFunctions, constant };
}

/** An instance over one page: the build's constants and pure functions, without a network. */
export function probeCore(engine: Engine): Core {
  return instantiate(engine, createMemory(engine.build, 65536));
}
