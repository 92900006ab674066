import { Batch } from '../abi/batch';
import { UPDATE_SCRATCH_BYTES } from '../optim/update';
import { SDDMM_SCRATCH_BYTES } from '../sparse/sddmm';

/** Scratch of each thread: an input gradient's partial sums, a tile of a weight gradient, or random words. */
export const SCRATCH_BYTES: i32 =
  SDDMM_SCRATCH_BYTES > UPDATE_SCRATCH_BYTES ? SDDMM_SCRATCH_BYTES : UPDATE_SCRATCH_BYTES;

/** The calling thread's own scratch. */
// @ts-ignore: decorator
@inline
export function scratchOf(batch: Batch, thread: i32): usize {
  return batch.scratch + <usize>thread * SCRATCH_BYTES;
}
