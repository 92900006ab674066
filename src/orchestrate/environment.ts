import { availableParallelism, cpus } from 'node:os';
import type { RunResults } from '../records.js';

/** The machine and engine that a run's figures were measured on. */
export function describeEnvironment(build: string, seconds: number): RunResults['environment'] {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    build,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    seconds,
  };
}
