import { availableParallelism, cpus } from 'node:os';
import { type Core, describeKernels } from '#bindings';
import type { RunResults } from '../results/records.js';

/** The machine and engine that a run's figures were measured on. */
export function describeEnvironment(core: Core, seconds: number): RunResults['environment'] {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    build: core.build,
    kernels: describeKernels(core.kernels),
    revectorized: core.revectorized,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    seconds,
  };
}
