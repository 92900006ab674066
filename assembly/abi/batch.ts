import { TEAM_BYTES } from '../par/team';

// The state block: what the host, the main thread and the helper threads of one network share, at an address that is a
// multiple of 64. par/team's words come first; behind them stands what a batch is.

/** What a program runs on. The host writes it before each program. */
@unmanaged
export class Batch {
  /** The program to run: records of abi/operations. */
  program: usize;
  /** Samples in the batch. */
  rows: i32;
  /** The batch's sample indices, u32 each. */
  order: usize;
  /** The samples: u8 or f32 rows, or the row starts of a CSR matrix. */
  samples: usize;
  /** i32 classes or f32 rows of all samples; 0 for none. */
  targets: usize;
  /** f32 weights of all samples; 0 for none. */
  weights: usize;
  /** f32 zeros, as many as the widest row and the batch. */
  zeros: usize;
  /** SCRATCH_BYTES for each thread. */
  scratch: usize;
  /** Training steps since initialisation: the dropout counter. */
  step: i32;
  /** The seed's two words. */
  key0: u32;
  key1: u32;
  /** 1 / rows, or 1 / the sum of the batch's weights. */
  inverse: f32;
  /** The share of this batch in BatchNorm's running statistics, and 1 minus it; below 0: each layer's own. */
  momentum: f32;
  carry: f32;
  /** Tells this epoch's draws of augmented images from another's. */
  draw: i32;
  /** 1: images are flipped as their share says; 2: and moved. */
  augment: i32;
}

export const STATE_BYTES: i32 = TEAM_BYTES + <i32>offsetof<Batch>();

/** The batch of a state block. */
// @ts-ignore: decorator
@inline
export function batchOf(state: usize): Batch {
  return changetype<Batch>(state + TEAM_BYTES);
}
