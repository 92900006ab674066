import { type Activations, type Parts, sourceOf } from './activations.js';
import type { Buffers } from './buffers.js';
import { activate, activatesApart, type FoldPlaces, fold } from './epilogue.js';
import { headForward } from './head.js';
import { barrier, type Operation } from './operations.js';
import { forwardProduct } from './product.js';
import { at } from './types.js';

// Inference: BatchNorm is folded into weights and biases once, dropout is left out, activations are applied in place.

/** The programs of inference. */
export interface InferencePlan {
  /** Folds BatchNorm into weights and biases; empty where there is none. */
  readonly fold: readonly Operation[];
  /** Forward over a batch, with the losses where it has targets; inputs of the blocks named true compressed. */
  infer(compressed: readonly boolean[]): Operation[];
}

/** Plans the folded weights and the programs that make and read them. */
export function planInference(parts: Parts, activations: Activations, buffers: Buffers): InferencePlan {
  const { blocks, use, sizes, parameters, zeros } = parts;
  const { z, operands, output, epilogues } = activations;
  const last = blocks.length - 1;
  const folded = planFolded(parts, buffers);
  const folds = blocks.flatMap((block, l) =>
    folded[l] ? [fold(block, parameters.blocks[l]!, epilogues[l]!, folded[l], zeros)] : [],
  );

  const forward = (l: number, compressed: boolean): Operation[] => {
    const block = blocks[l]!;
    const { weight, bias } = folded[l] ?? parameters.blocks[l]!;
    const ld = sizes.ld[l]!;
    const places = { weight, bias: bias ?? at(zeros), z: z[l]!, zStride: 4 * ld };
    const relu = l > 0 && !activatesApart(blocks[l - 1]!) && blocks[l - 1]!.activation === 'relu';
    const choice = { compressed, keepEntries: false };
    return [
      ...forwardProduct(block, sourceOf(l, z, relu, parts), places, operands[l]!, use, choice),
      ...(l < last ? activate(block, z[l]!, ld) : []),
    ];
  };
  return {
    fold:
      folds.length === 0
        ? []
        : [...barrier(folds.map(([vectors]) => vectors)), ...folds.map(([, weights]) => weights)],
    infer: (compressed) => [
      ...blocks.flatMap((_, l) => forward(l, compressed[l]!)),
      headForward(use.loss, output),
    ],
  };
}

/** Where each block's folded weights and bias go; null for a block without a norm. */
function planFolded(
  { blocks, use, sizes, parameters }: Parts,
  buffers: Buffers,
): readonly (FoldPlaces | null)[] {
  return blocks.map((block, l) => {
    if (block.norm === null) return null;
    const columns = sizes.padded(block.outputs);
    const scale = buffers.words(`scale${l}`, columns);
    const { weight, bias } = parameters.blocks[l]!;
    // Inference alone has no use for the weights as they were.
    const inPlace = use.training === null;
    if (inPlace && bias !== null) return { weight, bias, scale };
    return {
      weight: inPlace ? weight : at(buffers.words(`folded W${l}`, block.inputs * columns)),
      bias: at(buffers.words(`folded b${l}`, columns)),
      scale,
    };
  });
}
