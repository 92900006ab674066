import { SDDMM_SCRATCH_BYTES } from '../sparse/sddmm';

// The state block: what the host, the main thread and the helper threads of one network share. Byte offsets from
// its address, which is 64-byte aligned. Words that several threads write stand in cache lines of their own.

/** The generation word (par/team): changes to start a program; helpers wait on it. */
export const STATE_GENERATION: i32 = 0;
/** Threads that take part in programs, the main thread included. */
export const STATE_ACTIVE: i32 = 4;
/** Threads that have joined, the main thread included. */
export const STATE_JOINED: i32 = 8;
/** Threads that have arrived at the barrier. */
export const STATE_ARRIVED: i32 = 64;
/** Barriers passed. */
export const STATE_PHASE: i32 = 128;
/** Address of the program to run. */
export const STATE_PROGRAM: i32 = 192;
/** Samples in this batch. */
export const STATE_ROWS: i32 = 196;
/** Address of the batch's sample indices, u32 each. */
export const STATE_ORDER: i32 = 200;
/** Training steps since initialisation: the dropout counter. */
export const STATE_STEP: i32 = 204;
/** The seed's two words. */
export const STATE_KEY0: i32 = 208;
export const STATE_KEY1: i32 = 212;
/** f64: learning rate, and beta1^t, beta2^t. */
export const STATE_LEARNING_RATE: i32 = 224;
export const STATE_POWER1: i32 = 232;
export const STATE_POWER2: i32 = 240;
/** f64: sum of the batch's losses, written by TALLY. */
export const STATE_LOSS: i32 = 248;
/** Address of f32 zeros, as many as the widest row. */
export const STATE_ZEROS: i32 = 256;
/** f64: Adam's betas and epsilon, BatchNorm's epsilon and momentum. */
export const STATE_BETA1: i32 = 264;
export const STATE_BETA2: i32 = 272;
export const STATE_ADAM_EPSILON: i32 = 280;
export const STATE_NORM_EPSILON: i32 = 288;
export const STATE_NORM_MOMENTUM: i32 = 296;
/** This step's Adam factors (optim/adam). */
export const STATE_ADAM_FACTORS: i32 = 320;
/** SCRATCH_BYTES for each thread: an input gradient's partial sums, or a tile of a weight gradient. */
export const STATE_SCRATCH: i32 = 448;
export const SCRATCH_BYTES: i32 = SDDMM_SCRATCH_BYTES;
export const MAX_THREADS: i32 = 64;
export const STATE_BYTES: i32 = STATE_SCRATCH + SCRATCH_BYTES * MAX_THREADS;
