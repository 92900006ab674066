export function spmmCsr(width: i32, M: i32, N: i32, K: i32, rowStarts: usize, order: usize, b: usize, init: usize, c: usize, cStride: usize, thread: i32, threads: i32): void { unreachable(); }
export function csrColumns(M: i32, features: i32, rowStarts: usize, order: usize, entries: usize, starts: usize, thread: i32, threads: i32): void { unreachable(); }
