import { spawnSync } from 'node:child_process';

/** Pythons that tests ask: of $TREADLE_PYTHON, into which `.ci/run` installs what the system's has not, and the system's. */
export const PYTHONS = [process.env.TREADLE_PYTHON ?? 'python3', '/usr/bin/python3'];

/** The first of them that can import modules; undefined where none can. */
export function pythonWith(...modules: string[]): string | undefined {
  return PYTHONS.find((python) => spawnSync(python, ['-c', `import ${modules.join(', ')}`]).status === 0);
}
