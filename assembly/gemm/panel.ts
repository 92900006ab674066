/**
 * Columns of a packed panel of B, and the multiple that every row of an activation or a weight matrix is padded to.
 * Two cache lines: the dense tiles take 8 of its columns at a time, the compressed kernels 16 or all 32.
 */
export const PANEL: i32 = 32;

/** Bytes from row to row of a packed panel. */
export const PANEL_BYTES: usize = 128;
