import type { NetworkMemory } from './memory.js';

/** Names the first layer whose output in the latest program holds a NaN or an infinity; null when none does. */
export function firstNonFinite(memory: NetworkMemory): string | null {
  const { plan, rows } = memory;
  // Neither padding nor the rows that are left from larger batches.
  const wrong = plan.blocks.findIndex(({ outputs }, l) => {
    const [z, ld] = [memory.f32(plan.z[l]!), plan.ld[l]!];
    for (let at = 0; at < rows * ld; at += ld) {
      if (!z.subarray(at, at + outputs).every(Number.isFinite)) return true;
    }
    return false;
  });
  if (wrong < 0) return null;
  return wrong === plan.z.length - 1 ? 'the output layer' : `hidden block ${wrong + 1}`;
}
