import { type BuildChoice, type BuildName, chooseBuild, detectFeatures } from '../core/builds.js';
import type { Core } from '../core/core.js';
import type { WasmModule } from '../core/globals.js';
import { DEFAULT_KERNELS, describeKernels, type Kernels, parseKernels } from '../core/kernels.js';
import { expectKeys } from '../errors/checks.js';
import { TreadleError } from '../errors/errors.js';
import { inWords, problem } from '../errors/problem.js';
import { suitKernels } from './calibrate.js';
import { AVAILABLE } from './files.js';
import { buildOf, compileBuild, compileSource, notFound, type WasmSource } from './wasm.js';

export interface LoadOptions {
  /**
   * A build's name; `strict`, the fastest whose weights are the same bytes on every engine; or `auto` (the default):
   * $TREADLE_BUILD where it is set, else the fastest the engine can run.
   */
  build?: BuildChoice;
  /** Default: $TREADLE_KERNELS where it is set (such as `4x8/16`), else what calibrate finds. */
  kernels?: Kernels;
  /**
   * The build itself, where the package's own file cannot be reached: bytes, a URL, a Response (as `fetch` answers) or a
   * compiled module, or a promise of one. Which build it is, is found out; `build` is left out.
   */
  wasm?: WasmSource | Promise<WasmSource>;
}

/** Cores of the package's own builds, by build and kernels asked for: compiled and calibrated once. */
const loaded = new Map<string, Promise<Core>>();

/**
 * Probes the JavaScript engine, reads and compiles a build, and finds the kernels that suit the engine. Asked again for the
 * same it gives the same core. In a page the core comes at once, and the kernels are found while the page is idle, or are
 * those that were found before (kept in `localStorage`). Throws `engine` or `usage` (chooseBuild), `not-found` with the
 * address and the status.
 *
 * @example const core = await loadCore({ wasm: fetch('/assets/simd.wasm') });
 */
export async function loadCore(options: LoadOptions = {}): Promise<Core> {
  expectKeys('options', options, ['build', 'kernels', 'wasm']);
  if (typeof WebAssembly !== 'object') {
    throw new TreadleError('engine', 'This JavaScript engine has no WebAssembly, which treadle needs.');
  }
  const forced = options.kernels ?? parseKernels(environment('TREADLE_KERNELS'));
  if (options.wasm !== undefined) {
    if (options.build !== undefined) {
      throw problem('usage', {
        subject: 'build',
        found: options.build,
        because: 'wasm is given',
        expected: 'no name',
      });
    }
    const module = await compileSource(await settled(options.wasm));
    return open(buildOf(module), module, forced);
  }
  const { build: asked = 'auto' } = options;
  const wanted = asked === 'auto' ? environment('TREADLE_BUILD') || 'auto' : asked;
  const build = chooseBuild(wanted, await detectFeatures(), AVAILABLE);
  const key = `${build} ${forced ? describeKernels(forced) : 'calibrated'}`;
  let core = loaded.get(key);
  if (core === undefined) {
    core = compileBuild(build).then((module) => open(build, module, forced));
    loaded.set(key, core);
    // A file that could not be reached may be there the next time.
    core.catch(() => loaded.delete(key));
  }
  return core;
}

function open(build: BuildName, module: WasmModule, forced: Kernels | undefined): Promise<Core> {
  return suitKernels({
    build,
    module,
    kernels: forced ?? DEFAULT_KERNELS,
    kernelsForced: forced !== undefined,
    revectorized: false,
  });
}

/** What is given as wasm, once it is there: a fetch may find nobody that answers. */
async function settled(source: WasmSource | Promise<WasmSource>): Promise<WasmSource> {
  try {
    return await source;
  } catch (cause) {
    throw notFound('given as wasm', (cause as Error)?.message ?? inWords(cause), cause);
  }
}

/** A variable of the environment. Deno asks its user for leave to read one, so there none is read. */
function environment(name: string): string | undefined {
  return 'Deno' in globalThis ? undefined : globalThis.process?.env?.[name];
}
