/**
 * How strongly a cell is coloured, 0 to 1: a hit by its share of the class's samples; a miss by the square root of
 * its share, over that of `MISS_FULL`, so that confusions of a few percent can be seen.
 *
 * @example cell.style.opacity = String(cellStrength(12, 100, false));
 */
export function cellStrength(count: number, support: number, hit: boolean): number {
  if (count === 0 || support === 0) return 0;
  const share = count / support;
  return hit ? share : Math.min(1, Math.sqrt(share / MISS_FULL));
}

/** The share of a class's samples at which a miss has its full colour. */
const MISS_FULL = 0.3;
