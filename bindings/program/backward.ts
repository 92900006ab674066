import { type Activations, type Parts, sourceOf } from './activations.js';
import type { Buffers } from './buffers.js';
import { epilogueBackward } from './epilogue.js';
import { type HeadPlaces, headBackward } from './head.js';
import { barrier, type Operation, operation } from './operations.js';
import type { Matrix } from './parameters.js';
import { hasSparseGradient, inputGradient } from './product.js';
import { ENTRY_BYTES } from './samples.js';
import { at, type Buffer, type Place } from './types.js';
import {
  type OptimizerBuffers,
  packUpdate,
  type UpdateOperands,
  vectorGradient,
  weightUpdate,
} from './update.js';
import type { TrainingUse } from './use.js';

// The backward pass, from the gradient of the last product to the first block's weights, which step on the way.

/** The buffers of gradients on their way back. */
export interface Gradients {
  /** Gradients of two blocks' outputs, which take turns. */
  readonly d: readonly [Buffer, Buffer];
  readonly update: UpdateOperands;
  /** W^T of the block whose whole input gradient is worked out; null where none needs it. */
  readonly transposed: Buffer | null;
}

/** Plans the buffers of the backward pass. */
export function planGradients({ model, blocks, use, sizes }: Parts, buffers: Buffers): Gradients {
  const { core, rows: maxRows } = use;
  const { padded, widest, widestDense, widestInput } = sizes;
  const widestRow = 4 * Math.max(...sizes.ld);
  const isCsr = model.input.type === 'sparse';
  const batchEntries = isCsr ? Math.max(use.stageEntries, ...use.sets.map(({ entries = 0 }) => entries)) : 0;
  const d = [
    buffers.bytes('d0', sizes.rows * widestRow),
    buffers.bytes('d1', sizes.rows * widestRow),
  ] as const;
  const update = {
    packedXT: buffers.words('packed XT', sizes.rows * widestDense),
    packedDZ: buffers.words('packed dZ', maxRows * widest),
    columnEntries: buffers.bytes(
      'column entries',
      Math.max(widestInput * core.entryStride(maxRows), ENTRY_BYTES * batchEntries),
    ),
    columnStarts: buffers.bytes(
      'column starts',
      Math.max(sizes.startBytes(widestInput, maxRows), isCsr ? 8 * padded(model.input.features) : 0),
    ),
  };
  const transposed = blocks
    .filter((_, l) => l > 0 && !hasSparseGradient(blocks, l))
    .map(({ inputs, outputs }) => padded(inputs) * outputs);
  return {
    d,
    update,
    transposed: transposed.length === 0 ? null : buffers.words('W^T', Math.max(...transposed)),
  };
}

/** What the backward pass takes besides the activations. */
export interface BackwardPlaces {
  readonly training: TrainingUse;
  readonly optimizer: OptimizerBuffers;
  readonly gradients: Gradients;
  /** The head, whose p becomes the gradient of the last product. */
  readonly head: HeadPlaces;
  /** Augmented images in place of the samples. */
  readonly images: Buffer | undefined;
}

/** The gradients of all parameters, and the weights' steps. */
export function backward(
  parts: Parts,
  activations: Activations,
  { training, optimizer, gradients, head, images }: BackwardPlaces,
  compressed: readonly boolean[],
): Operation[] {
  const { blocks, use, sizes, parameters, zeros } = parts;
  const { outputs, operands, epilogues } = activations;
  const { d, update, transposed } = gradients;
  const last = blocks.length - 1;
  const gradientOf = (vector: Matrix | null | undefined): Place | null =>
    vector ? vectorGradient(vector, training, parameters, optimizer) : null;

  const blockBackward = (l: number): Operation[] => {
    const block = blocks[l]!;
    const { weight, bias, norm } = parameters.blocks[l]!;
    const [dz, dx] = (last - l) % 2 === 0 ? d : ([d[1], d[0]] as const);
    const from = sourceOf(l, outputs, false, parts, images);
    const dStride = 4 * sizes.ld[l]!;
    const xStride = l > 0 ? 4 * sizes.ld[l - 1]! : 0;
    const vectors = { dgamma: gradientOf(norm?.gamma), dbeta: gradientOf(norm ? norm.beta : bias) };
    const places = { weight, d: dz, dStride, dx, xStride, zeros, transposed };
    const onlyEntries = hasSparseGradient(blocks, l);
    return [
      ...(l < last ? epilogueBackward(block, epilogues[l]!, dz, vectors, use) : []),
      ...barrier([
        ...packUpdate(block, from, dz, dStride, update, use, compressed[l]!),
        ...(l > 0 ? inputGradient(block, places, operands[l]!, use, onlyEntries) : []),
      ]),
      ...weightUpdate(block, from, weight, update, optimizer, training, use, compressed[l]!),
    ];
  };

  const lastBias = gradientOf(parameters.blocks[last]!.bias);
  return [
    ...barrier([headBackward(training.loss, head)]),
    ...(lastBias ? [operation('BiasGradient', { ld: head.ld, dz: at(head.p), db: lastBias })] : []),
    ...blocks.flatMap((_, back) => blockBackward(last - back)),
  ];
}
