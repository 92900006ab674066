// Everything the host may call or read. Constants become wasm globals, so the host takes offsets and sizes from the
// binary it has loaded.

/** Raised when the host and a binary no longer understand each other. */
export const ABI_VERSION: i32 = 6;

/** First address that the binary does not use itself. */
export const ARENA_START: usize = __heap_base;

export { STATE_BYTES } from './abi/batch';
export { RECORD_BYTES } from './abi/operations';
export { ROW_PADDING } from './gemm/tile';
export { PANEL } from './layout/panel';
export { endHelp, help, runOperation, runProgram } from './net/run';
export { SCRATCH_BYTES } from './net/scratch';
export { KEEP_ALL } from './nn/dropout';
export { NORM_CHUNK } from './optim/clip';
export { FACTOR_VECTORS } from './optim/step';
export { MAX_THREADS, TEAM_ACTIVE, TEAM_BROKEN, TEAM_BYTES, TEAM_CAPACITY, TEAM_JOINED, THREADS } from './par/team';
export { PEAK_CHAINS, peak } from './probe/peak';
export { glorotUniform, heNormal } from './rng/init';
export { philox4 } from './rng/philox';
export { FUSED } from './simd/simd';
export { K_BLOCK, entryStride } from './sparse/compress';
