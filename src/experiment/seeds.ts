import { shuffled } from '../data/random.js';

/**
 * 32-bit FNV-1a hash of the text's UTF-16 code units, low byte first:
 * `h = (h ^ byte) * 16777619`, from 2166136261.
 */
export function hashText(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 16777619);
    hash = Math.imul(hash ^ (unit >>> 8), 16777619);
  }
  return hash >>> 0;
}

/**
 * The seed of a job's initial weights and dropout masks: a pure function of the run's seed and the job's
 * identity, so that models of one run differ and a model trained alone equals the one trained in a run.
 *
 * @example networkSeed(0, 'large1_0.005');
 */
export function networkSeed(seed: number, jobId: string): number {
  return hashText(`${seed}/${jobId}`);
}

/**
 * A job's sample order in one epoch (from 1): the given indices, shuffled by seed, job identity and epoch alone.
 *
 * @example epochOrder(indices, 0, 'large1_0.005', 1); // the order of epoch 1
 */
export function epochOrder(indices: Uint32Array, seed: number, jobId: string, epoch: number): Uint32Array {
  return shuffled(indices.length, seed, hashText(`${jobId}/${epoch}`)).map((position) => indices[position]!);
}
