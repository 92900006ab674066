import { type BuildName, type Engine, enableRelaxedSimd, loadEngine } from '#bindings';

/**
 * Lets V8 run relaxed SIMD where that needs a flag (Node 20), unless TREADLE_NO_V8_FLAGS=1.
 * A flag holds for the whole process, so only the command line sets it, before anything is compiled.
 */
export function allowRelaxedSimd(): void {
  if (process.env.TREADLE_NO_V8_FLAGS !== '1') enableRelaxedSimd();
}

/** The engine that a command asked for. Throws `engine`. */
export function openEngine(build: string): Promise<Engine> {
  allowRelaxedSimd();
  return loadEngine({ build: build as BuildName | 'auto' });
}
