import { seedWords } from '../core/seed.js';
import type { NetworkMemory } from './memory.js';
import { beginTeam } from './team.js';

/** Writes what all programs read and none changes, for a network of this seed and at most this many threads. */
export function setUp(memory: NetworkMemory, seed: number, threads: number): void {
  const { plan } = memory;
  const [key0, key1] = seedWords(seed);
  memory.setBatch({ zeros: plan.zeros, scratch: plan.scratch, key0, key1, momentum: -1, carry: 0 });
  beginTeam(memory, threads);
  memory.u32(plan.stageOrder).set(Uint32Array.from({ length: plan.maxRows }, (_, b) => b));
  writeNormTables(memory);
}

/** The addresses by which the core finds the vectors of each block's norm. */
function writeNormTables(memory: NetworkMemory): void {
  const { norms, parameters } = memory.plan;
  norms.forEach((vectors, l) => {
    if (vectors === null) return;
    const { gamma, beta, runningMean, runningVar } = parameters.blocks[l]!.norm!;
    const addresses = [gamma, beta, runningMean, runningVar].map(
      ({ buffer, offset }) => memory.address(buffer) + offset,
    );
    memory.u32(vectors.table).set([...addresses, memory.address(vectors.mean), memory.address(vectors.rstd)]);
  });
}
