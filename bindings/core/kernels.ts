import { problem } from '../errors/problem.js';

/** A choice of micro-kernels. */
export interface Kernels {
  /** Rows of a dense tile, 8 columns wide. */
  tileHeight: 4 | 6;
  /** Columns that a compressed kernel takes at once. */
  sparseWidth: 16 | 32 | 64;
}

/** The kernels that are fastest on most JavaScript engines; calibrate() finds better ones. */
export const DEFAULT_KERNELS: Kernels = { tileHeight: 6, sparseWidth: 32 };

/** `4x8/16`: a dense tile and a compressed width. Throws `usage` for anything else. */
export function parseKernels(text: string | undefined): Kernels | undefined {
  if (!text) return undefined;
  const [, tileHeight, sparseWidth] = /^([46])x8\/(16|32|64)$/.exec(text) ?? [];
  if (tileHeight === undefined) {
    const expected = '4x8 or 6x8, then /16, /32 or /64,';
    throw problem('usage', { subject: 'TREADLE_KERNELS', found: text, expected });
  }
  return { tileHeight: Number(tileHeight), sparseWidth: Number(sparseWidth) } as Kernels;
}

/** A choice of kernels as parseKernels reads it. */
export function describeKernels({ tileHeight, sparseWidth }: Kernels): string {
  return `${tileHeight}x8/${sparseWidth}`;
}
