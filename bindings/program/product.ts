import { ACTIVATIONS, type Block } from '../model/blocks.js';
import type { InputType } from '../model/layers.js';
import { barrier, type Operation, operation } from './operations.js';
import { sampleStride } from './samples.js';
import { at, type Buffer, type Place, ROWS } from './types.js';
import type { Use } from './use.js';

// A block's products, forward and backward next to each other. B is the batch, I and O the block's inputs and outputs:
//
//   forward           Z  = X W + b
//   input gradient    dX = dZ W^T      (where a gradient can pass)
//   weight gradient   dW = X^T dZ      (update.ts, which steps W with it)
//
// X is packed densely or compressed, which leaves its zeros out; both give the same bytes.

/** How a row of X is read, in the numbers of assembly/layout/rows.ts. */
export const ROW_KINDS = { plain: 0, relu: 1, pixels: 2 } as const;

/** What a block reads: the batch's samples, or the output of the block before. */
export type Source =
  /** `images`: u8 rows in the batch's order, in place of the samples. */
  | { readonly type: InputType; readonly features: number; readonly images?: Buffer | undefined }
  | { readonly type: 'hidden'; readonly buffer: Buffer; readonly stride: number; readonly relu: boolean };

/** The operands that the products of all blocks share. */
export interface Operands {
  /** A packed X, or a packed dZ. */
  readonly packedX: Buffer;
  /** Compressed rows of an X, and their starts; one for each block in training, whose backward pass reads them. */
  readonly entries: Buffer;
  readonly starts: Buffer;
}

/** The address, stride and kind of a source's rows. Not of sparse ones. */
export function rowsOf(source: Source): {
  kind: number;
  source: Place | null;
  stride: number;
  ordered: number;
} {
  if (source.type !== 'hidden') {
    const { images } = source;
    if (images !== undefined) {
      return { kind: ROW_KINDS.pixels, source: at(images), stride: source.features, ordered: 0 };
    }
    const kind = source.type === 'u8' ? ROW_KINDS.pixels : ROW_KINDS.plain;
    return { kind, source: null, stride: sampleStride(source.type, source.features)!, ordered: 1 };
  }
  return {
    kind: source.relu ? ROW_KINDS.relu : ROW_KINDS.plain,
    source: at(source.buffer),
    stride: source.stride,
    ordered: 0,
  };
}

/** Where a product's result goes, and what it is worked out from besides X. */
export interface ProductPlaces {
  readonly weight: Place;
  /** The row that every row of Z starts from. */
  readonly bias: Place;
  readonly z: Buffer;
  readonly zStride: number;
}

/**
 * Whether a block is one of a single output. Nothing is gained there by leaving out zeros of its input: the compressed
 * kernels take as long for one output as for a panel of them, and a single product has to pay for the compressing.
 */
export function isNarrow({ outputs }: Block): boolean {
  return outputs === 1;
}

/** Whether block l's input gradient is worked out only where its input is not zero: no gradient passes elsewhere. */
export function hasSparseGradient(blocks: readonly Block[], l: number): boolean {
  return l > 0 && ACTIVATIONS[blocks[l - 1]!.activation].zeroMeansNoGradient && !isNarrow(blocks[l]!);
}

/**
 * Z = X W + b. With `keepEntries` X is compressed even where the product is dense: the backward pass asks which of its
 * elements were zero.
 */
export function forwardProduct(
  block: Block,
  source: Source,
  places: ProductPlaces,
  { packedX, entries, starts }: Operands,
  { kernels }: Use,
  { compressed, keepEntries }: { compressed: boolean; keepEntries: boolean },
): Operation[] {
  const { inputs: K, outputs: N } = block;
  const c = { b: places.weight, init: places.bias, c: at(places.z), cStride: places.zStride };
  const { tileHeight: height, sparseWidth: width } = kernels;
  if (source.type === 'sparse') return barrier([operation('SpmmCsr', { width, N, K, ...c })]);
  const rows = rowsOf(source);
  const compress = operation('CompressRows', { ...rows, K, entries: at(entries), starts: at(starts) });
  if (compressed) {
    return [
      ...barrier([compress]),
      ...barrier([operation('Spmm', { width, N, K, starts: at(starts), ...c })]),
    ];
  }
  const pack = operation('PackRows', { ...rows, height, K, out: at(packedX) });
  return [
    ...barrier(keepEntries ? [pack, compress] : [pack]),
    ...barrier([operation('Gemm', { height, M: ROWS, N, K, a: at(packedX), ...c })]),
  ];
}

/** Where an input gradient is read from and goes. */
export interface GradientPlaces {
  readonly weight: Place;
  readonly d: Buffer;
  readonly dStride: number;
  readonly dx: Buffer;
  readonly xStride: number;
  /** f32 zeros, as many as the widest row. */
  readonly zeros: Buffer;
  /** W^T in panels; null where no block needs it. */
  readonly transposed: Buffer | null;
}

/**
 * dX = dZ W^T: only where the compressed X has an entry if `onlyEntries`, since no gradient passes elsewhere; the whole
 * matrix otherwise. What it reads of W must be read before W is stepped.
 */
export function inputGradient(
  block: Block,
  places: GradientPlaces,
  { packedX, starts }: Operands,
  { kernels }: Use,
  onlyEntries: boolean,
): Operation[] {
  const { inputs, outputs } = block;
  const { weight, d, dStride, dx, xStride, zeros, transposed } = places;
  if (onlyEntries) {
    const width = kernels.sparseWidth;
    const shape = { width, N: outputs, K: inputs, starts: at(starts) };
    return [operation('Sddmm', { ...shape, d: at(d), dStride, b: weight, dx: at(dx), xStride })];
  }
  const height = kernels.tileHeight;
  const dz = { kind: ROW_KINDS.plain, source: at(d), stride: dStride, ordered: 0 };
  return [
    operation('PackRows', { ...dz, height, K: outputs, out: at(packedX) }),
    ...barrier([
      operation('TransposePanels', { I: inputs, O: outputs, source: weight, out: at(transposed!) }),
    ]),
    operation('Gemm', {
      height,
      M: ROWS,
      N: inputs,
      K: outputs,
      a: at(packedX),
      b: at(transposed!),
      init: at(zeros),
      c: at(dx),
      cStride: xStride,
    }),
  ];
}
