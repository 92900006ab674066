// A matrix (K, N) in panels: [ceil(N / 32)][K][32], element (k, n) at ((n / 32) K + k) 32 + n % 32, columns beyond N
// zero. Weights are kept in panels, and so are their moments; the other operand B of a product is packed into panels.

/**
 * Columns of a panel, and the multiple that every row of an activation is padded to. Two cache lines: the dense tiles
 * take 8 of its columns at a time, the compressed kernels 16 or all 32.
 */
export const PANEL: i32 = 32;

/** Bytes from row to row of a panel. */
export const PANEL_BYTES: usize = 128;

/** Panels of a matrix of N columns. */
// @ts-ignore: decorator
@inline
export function panelsOf(N: i32): i32 {
  return (N + PANEL - 1) / PANEL;
}

/** Address of element (k, n) of a matrix of K rows in panels. */
// @ts-ignore: decorator
@inline
export function inPanels(matrix: usize, K: i32, k: i32, n: i32): usize {
  return matrix + <usize>((n / PANEL) * K + k) * PANEL_BYTES + (<usize>(n % PANEL) << 2);
}
