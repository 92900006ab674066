/** Bytes of a cache line. */
export const LINE: usize = 64;

/**
 * Reads a word of the cache line at `address`, so that the line is on its way into the cache when it is needed.
 * WebAssembly has no prefetch; a read whose value nobody waits for serves as one, and no compiler may leave it out,
 * since it could trap.
 */
// @ts-ignore: decorator
@inline
export function touch(address: usize): void {
  load<u32>(address);
}
