import type { Block } from '../model/blocks.js';
import { optimizerRule, STEP_KINDS } from '../model/optimizers.js';
import { barrier, type Operation, operation } from './operations.js';
import { counterpart, type Matrix, type ParameterPlan } from './parameters.js';
import { rowsOf, type Source } from './product.js';
import { at, type Buffer, type Place, ROWS } from './types.js';
import type { TrainingUse, Use } from './use.js';

// The weight gradient dW = X^T dZ and the optimiser's step. They are one where no gradient is needed twice ('fused': a
// tile of dW steps its weights while it is in the first-level cache); clipping needs all gradients first ('stored').

/** The buffers of an optimiser. */
export interface OptimizerBuffers {
  /** Values kept for each parameter, one buffer a slot, in the layout of the parameters. */
  readonly slots: readonly Buffer[];
  /** Gradients: of the vectors alone where the update is fused, else of all parameters. */
  readonly gradients: Buffer;
  /** One step's factors, for weights and for vectors. */
  readonly weightFactors: Buffer;
  readonly vectorFactors: Buffer;
  /** Partial sums of the gradients' norm; null where it is not clipped. */
  readonly partials: Buffer | null;
  /** An average of the parameters and its weight; null for none. */
  readonly average: Buffer | null;
  readonly averageFactor: Buffer | null;
}

/** Whether gradients are stored before any parameter steps. */
export function isStored({ clipNorm }: TrainingUse): boolean {
  return clipNorm !== undefined;
}

/** Plans an optimiser's buffers. */
export function planOptimizer(training: TrainingUse, plan: ParameterPlan, { core }: Use): OptimizerBuffers {
  const { bytes } = plan.parameters;
  const factors = core.factorVectors * 16;
  const stored = isStored(training);
  const gradientBytes = stored ? bytes : plan.vectors.count * 4;
  const { slots } = optimizerRule(training.optimizer);
  return {
    slots: Array.from({ length: slots }, (_, slot) => ({ name: `slot${slot}`, bytes })),
    gradients: { name: 'gradients', bytes: gradientBytes },
    weightFactors: { name: 'weightFactors', bytes: factors },
    vectorFactors: { name: 'vectorFactors', bytes: factors },
    partials: stored ? { name: 'partials', bytes: 8 * Math.ceil(bytes / 4 / core.normChunk) } : null,
    average: training.average ? { name: 'average', bytes } : null,
    averageFactor: training.average ? { name: 'averageFactor', bytes: 16 } : null,
  };
}

/** Where the gradient of a vector goes. */
export function vectorGradient(
  vector: Matrix,
  training: TrainingUse,
  plan: ParameterPlan,
  { gradients }: OptimizerBuffers,
): Place {
  return at(gradients, isStored(training) ? vector.offset : vector.offset - plan.vectors.offset);
}

/** The operands of a weight gradient. */
export interface UpdateOperands {
  readonly packedXT: Buffer;
  readonly packedDZ: Buffer;
  readonly columnEntries: Buffer;
  readonly columnStarts: Buffer;
}

/** X^T and dZ as operands. */
export function packUpdate(
  block: Block,
  source: Source,
  d: Buffer,
  dStride: number,
  operands: UpdateOperands,
  { kernels }: Use,
  compressed: boolean,
): Operation[] {
  const { inputs, outputs } = block;
  const packDZ = operation('PackB', {
    K: ROWS,
    N: outputs,
    source: at(d),
    stride: dStride,
    out: at(operands.packedDZ),
  });
  const columns = { entries: at(operands.columnEntries), starts: at(operands.columnStarts) };
  if (source.type === 'sparse') return [packDZ, operation('CsrColumns', { features: inputs, ...columns })];
  const rows = rowsOf(source);
  if (compressed) return [packDZ, operation('CompressColumns', { ...rows, M: inputs, ...columns })];
  const height = kernels.tileHeight;
  return [packDZ, operation('PackColumns', { ...rows, height, M: inputs, out: at(operands.packedXT) })];
}

/** The gradient of a block's weights, and their step or its copy into the stored gradients. */
export function weightUpdate(
  block: Block,
  source: Source,
  weight: Matrix,
  operands: UpdateOperands,
  optimizer: OptimizerBuffers,
  training: TrainingUse,
  { kernels }: Use,
  compressed: boolean,
): Operation[] {
  const { inputs: I, outputs: O } = block;
  const target = {
    ...(isStored(training)
      ? { kind: STEP_KINDS.store, w: weight, m: counterpart(optimizer.gradients, weight), v: null }
      : stepPlaces(weight, optimizer, training)),
    factors: at(optimizer.weightFactors),
  };
  const b = at(operands.packedDZ);
  const isSparse = source.type === 'sparse';
  if (!isSparse && !compressed) {
    const a = at(operands.packedXT);
    return barrier([operation('UpdateDense', { height: kernels.tileHeight, I, O, a, b, ...target })]);
  }
  const starts = at(operands.columnStarts);
  const shape = { width: kernels.sparseWidth, I, O, blocks: isSparse ? 1 : 0 };
  return barrier([operation('UpdateCompressed', { ...shape, starts, b, ...target })]);
}

function stepPlaces(place: Place, { slots }: OptimizerBuffers, { optimizer }: TrainingUse) {
  const [m, v] = slots.map((slot) => counterpart(slot, place));
  return { kind: optimizerRule(optimizer).kind, w: place, m: m ?? null, v: v ?? null };
}

/** What is left at the end of a step: clipping, the steps of what has stored gradients, and the average. */
export function finishStep(
  training: TrainingUse,
  plan: ParameterPlan,
  optimizer: OptimizerBuffers,
): Operation[] {
  const { parameters, weights, vectors } = plan;
  const { gradients, weightFactors, vectorFactors, partials, average, averageFactor } = optimizer;
  const stored = isStored(training);
  const all = { count: weights.count + vectors.count, g: at(gradients) };
  const clip =
    partials === null
      ? []
      : [
          ...barrier([operation('SquaredNorm', { ...all, partials: at(partials) })]),
          ...barrier([operation('Clip', { ...all, partials: at(partials), limit: training.clipNorm! })]),
        ];
  const step = ({ offset, count }: typeof weights, factors: Buffer) =>
    operation('Step', {
      count,
      ...stepPlaces(at(parameters, offset), optimizer, training),
      g: at(gradients, stored ? offset : 0),
      factors: at(factors),
    });
  const steps = [...(stored ? [step(weights, weightFactors)] : []), step(vectors, vectorFactors)];
  if (average === null) return [...clip, ...steps.filter(({ args }) => (args.count as number) > 0)];
  const averaging = operation('Average', {
    count: all.count,
    w: at(parameters),
    average: at(average),
    factor: at(averageFactor!),
  });
  return [...clip, ...barrier(steps), averaging];
}
