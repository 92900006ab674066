import { type BuildChoice, type BuildName, chooseBuild, detectFeatures } from '../core/builds.js';
import type { Core } from '../core/core.js';
import { DEFAULT_KERNELS, type Kernels, parseKernels } from '../core/kernels.js';
import { TreadleError } from '../errors/errors.js';
import { suitKernels } from './calibrate.js';

export interface LoadOptions {
  /**
   * A build's name; `strict`, the fastest whose weights are the same bytes on every engine; or `auto` (the default):
   * $TREADLE_BUILD where it is set, else the fastest the engine can run.
   */
  build?: BuildChoice;
  /** Default: $TREADLE_KERNELS where it is set (such as `4x8/16`), else what calibrate finds. */
  kernels?: Kernels;
}

/**
 * Probes the JavaScript engine, reads and compiles a build, and finds the kernels that suit the engine.
 * Throws `engine` or `usage` (chooseBuild), `not-found`.
 */
export async function loadCore(options: LoadOptions = {}): Promise<Core> {
  const wanted =
    options.build === undefined || options.build === 'auto'
      ? environment('TREADLE_BUILD') || 'auto'
      : options.build;
  if (typeof WebAssembly !== 'object') {
    throw new TreadleError('engine', 'This JavaScript engine has no WebAssembly, which treadle needs.');
  }
  const build = chooseBuild(wanted, await detectFeatures());
  const module = await compileBytes(await readWasm(build));
  const forced = options.kernels ?? parseKernels(environment('TREADLE_KERNELS'));
  return suitKernels({
    build,
    module,
    kernels: forced ?? DEFAULT_KERNELS,
    kernelsForced: forced !== undefined,
    revectorized: false,
  });
}

function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name];
}

/** The bytes of a build. Throws `not-found`. */
export async function readWasm(build: BuildName): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../../../build/${build}.wasm`, import.meta.url);
  try {
    if (url.protocol !== 'file:') return new Uint8Array(await (await fetch(url)).arrayBuffer());
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(url));
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

/** Compiles a build's bytes. Throws `engine` when they are no module that this engine takes. */
export async function compileBytes(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const found = (cause as Error).message;
    throw new TreadleError('engine', `The core cannot be compiled (${found}).`, {
      subject: 'core',
      found,
      cause,
    });
  }
}
