import type { Block } from '../model/blocks.js';
import type { ModelSpec } from '../model/layers.js';
import { roundUp } from './types.js';
import type { Use } from './use.js';

const CACHE_LINE = 64;

/** The sizes that a plan's buffers are made with: dimensions padded to whole panels and tiles. */
export interface Sizes {
  /** Most rows of a program, padded to tiles. */
  readonly rows: number;
  /** Elements from row to row of each block's product and output. */
  readonly ld: readonly number[];
  /** Widest row of samples or activations, and widest that is not of sparse samples; padded to panels and tiles. */
  readonly widest: number;
  readonly widestDense: number;
  /** Widest input of a block, sparse samples left out, padded to panels; 0 for none. */
  readonly widestInput: number;
  /** Elements of a row of `width`, padded to panels. */
  padded(width: number): number;
  /** Bytes for where the K-blocks of `rows` compressed rows of `width` elements start. */
  startBytes(rows: number, width: number): number;
}

/** The sizes of a model that is lowered to `blocks`. */
export function sizesOf({ input }: ModelSpec, blocks: readonly Block[], { core, rows }: Use): Sizes {
  const padded = (width: number) => roundUp(width, core.panel);
  const widest = (widths: readonly number[]) =>
    Math.max(...widths.map((width) => roundUp(padded(width), core.rowPadding)));
  const last = blocks.length - 1;
  const widths = [input.features, ...blocks.map(({ outputs }) => outputs)];
  const dense = input.type === 'sparse' ? widths.slice(1) : widths;
  return {
    rows: roundUp(rows, core.rowPadding),
    // Rows of a hidden activation are a cache line more than whole panels. A panel is two lines, so that makes them odd
    // in number, and one column's rows spread over all the sets of a cache.
    ld: blocks.map(({ outputs }, l) => padded(outputs) + (l < last ? CACHE_LINE / 4 : 0)),
    widest: widest(widths),
    widestDense: widest(dense),
    widestInput: Math.max(...dense.slice(0, -1).map(padded), 0),
    padded,
    startBytes: (count, width) => 4 * count * (Math.ceil(width / core.kBlock) + 1),
  };
}
