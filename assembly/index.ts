// Everything the host may call or read. Constants become wasm globals, so the host takes offsets and sizes from the
// binary it has loaded.

/** Raised when the host and a binary no longer understand each other. */
export const ABI_VERSION: i32 = 3;

/** First address that the binary does not use itself. */
export const ARENA_START: usize = __heap_base;

export { PANEL } from './layout/panel';
export { ROW_PADDING } from './gemm/tile';
export { K_BLOCK, entryStride } from './sparse/compress';
export { KEEP_ALL } from './nn/batchnorm';
export * from './net/operations';
export * from './net/program';
export * from './net/state';
export { PEAK_CHAINS, peak } from './probe/peak';
export { glorotUniform, heNormal } from './rng/init';
export { philox4 } from './rng/philox';
export { FUSED } from './simd/simd';
export { THREADS } from './par/team';
