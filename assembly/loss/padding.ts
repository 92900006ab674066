import { zero } from '../simd/simd';

/**
 * Zeros a row of ld elements behind the vectors that hold its C values.
 * Whoever writes these zeros their other lanes.
 */
// @ts-ignore: decorator
@inline
export function clearPadding(row: usize, C: i32, ld: i32): void {
  for (let c = (C + 3) & ~3; c < ld; c += 4) v128.store(row + (<usize>c << 2), zero());
}
