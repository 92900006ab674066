import { type BuildChoice, type Core, enableRelaxedSimd, loadCore, revectorize } from '#bindings';

/**
 * Opens a build of the core at the engine's best: with relaxed SIMD where that needs a flag (Node 20), and with
 * operations joined to 256 bits where V8 can (Node 22 and later on x64). TREADLE_NO_V8_FLAGS=1 sets no flag. A flag
 * holds for the whole process, so only the command line sets any. Throws `engine` or `usage`.
 */
export async function openCore(build: string): Promise<Core> {
  const wanted = { build: build as BuildChoice };
  if (process.env.TREADLE_NO_V8_FLAGS === '1') return loadCore(wanted);
  enableRelaxedSimd();
  return revectorize(await loadCore(wanted));
}
