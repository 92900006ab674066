import { type Activations, type Parts, sourceOf } from './activations.js';
import { planAugment } from './augment.js';
import { backward, planGradients } from './backward.js';
import type { Buffers } from './buffers.js';
import { epilogueForward } from './epilogue.js';
import { headForward } from './head.js';
import { barrier, type Operation } from './operations.js';
import { forwardProduct, hasSparseGradient } from './product.js';
import { at, type Buffer } from './types.js';
import { finishStep, type OptimizerBuffers, planOptimizer } from './update.js';
import type { TrainingUse } from './use.js';

/** What training adds to a plan. */
export interface TrainingPlan {
  readonly optimizer: OptimizerBuffers;
  /** The output of each hidden block. */
  readonly outputs: readonly Buffer[];
  /** The samples' order in an epoch. */
  readonly order: Buffer;
  /** One training step, with the inputs of the blocks named true compressed. */
  train(compressed: readonly boolean[]): Operation[];
  /** The forward part of a step alone, which moves BatchNorm's running statistics. */
  statistics(compressed: readonly boolean[]): Operation[];
}

/** Plans a training step: forward, loss, backward with the weights' steps, and the steps of what is left. */
export function planTraining(
  parts: Parts,
  activations: Activations,
  training: TrainingUse,
  buffers: Buffers,
): TrainingPlan {
  const { parameters, use } = parts;
  const optimizer = planOptimizer(training, parameters, use);
  buffers.add(...optimizer.slots, optimizer.gradients, optimizer.weightFactors, optimizer.vectorFactors);
  buffers.add(optimizer.partials, optimizer.average, optimizer.averageFactor);
  const order = buffers.words('order', Math.max(1, ...use.sets.map(({ rows }) => rows)));
  const gradients = planGradients(parts, buffers);
  const augmented = planAugment(parts, training, buffers);
  const images = augmented?.images;
  const first = augmented?.operations ?? [];
  // The gradient takes the place of the probabilities.
  const head = { ...activations.output, p: gradients.d[0] };
  return {
    optimizer,
    outputs: activations.outputs,
    order,
    train: (compressed) => [
      ...first,
      ...forward(parts, activations, compressed, images),
      ...barrier([headForward(use.loss, head)]),
      ...backward(parts, activations, { training, optimizer, gradients, head, images }, compressed),
      ...finishStep(training, parameters, optimizer),
    ],
    statistics: (compressed) => [...first, ...forward(parts, activations, compressed, images)],
  };
}

/** The products and epilogues of all blocks. */
function forward(
  parts: Parts,
  activations: Activations,
  compressed: readonly boolean[],
  images: Buffer | undefined,
): Operation[] {
  const { blocks, use, sizes, parameters, zeros } = parts;
  const { z, outputs, operands, epilogues } = activations;
  return blocks.flatMap((block, l) => {
    const { weight, bias } = parameters.blocks[l]!;
    const places = { weight, bias: bias ?? at(zeros), z: z[l]!, zStride: 4 * sizes.ld[l]! };
    const choice = { compressed: compressed[l]!, keepEntries: hasSparseGradient(blocks, l) };
    return [
      ...forwardProduct(block, sourceOf(l, outputs, false, parts, images), places, operands[l]!, use, choice),
      ...(l < blocks.length - 1 ? epilogueForward(block, epilogues[l]!, use) : []),
    ];
  });
}
