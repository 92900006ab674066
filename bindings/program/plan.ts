import { type Block, lowerModel } from '../model/blocks.js';
import type { ModelSpec } from '../model/layers.js';
import { type NormVectors, planActivations } from './activations.js';
import { Buffers } from './buffers.js';
import type { HeadPlaces } from './head.js';
import { type InferencePlan, planInference } from './inference.js';
import { type ParameterPlan, planParameters } from './parameters.js';
import { planSamples, type SamplesPlan } from './samples.js';
import { sizesOf } from './sizes.js';
import { planTraining, type TrainingPlan } from './training.js';
import type { Buffer } from './types.js';
import type { Use } from './use.js';

/**
 * A model compiled: the buffers that it needs and the lists of operations that train and run it. Pure data, whose
 * addresses are still handles; arena.ts turns them into numbers.
 */
export interface Plan extends SamplesPlan, InferencePlan {
  readonly blocks: readonly Block[];
  readonly parameters: ParameterPlan;
  /** Every buffer, in the order in which they are laid out. */
  readonly buffers: readonly Buffer[];
  readonly state: Buffer;
  readonly zeros: Buffer;
  readonly scratch: Buffer;
  /** Products of each block; of inference alone, two buffers take turns. */
  readonly z: readonly Buffer[];
  /** Elements from row to row of each block's product and output. */
  readonly ld: readonly number[];
  /** The six addresses of each block's norm, as inference and training read them: {@link NormVectors}. */
  readonly norms: readonly (NormVectors | null)[];
  /** What the head leaves: probabilities or predictions of the rows, predicted classes, losses. */
  readonly output: HeadPlaces;
  /** Most rows that a program may be run on, and fewest that a training step takes. */
  readonly maxRows: number;
  readonly minRows: number;
  readonly training: TrainingPlan | null;
}

/** Compiles a model into buffers and programs. Throws `range` for layers that cannot be run (lowerModel). */
export function planModel(model: ModelSpec, use: Use): Plan {
  const { core, training, rows: maxRows } = use;
  const blocks = lowerModel(model);
  const sizes = sizesOf(model, blocks, use);
  const buffers = new Buffers();
  const state = buffers.bytes('state', core.stateBytes);
  const zeros = buffers.words('zeros', Math.max(sizes.widest, maxRows));
  const scratch = buffers.bytes('scratch', core.scratchBytes * use.threads);
  const parameters = planParameters(blocks, core.panel);
  buffers.add(parameters.parameters, ...parameters.statistics);
  const samples = planSamples(model, use, buffers);

  const parts = { model, blocks, use, sizes, parameters, zeros };
  const activations = planActivations(parts, buffers);
  const inference = planInference(parts, activations, buffers);
  const trained = training && planTraining(parts, activations, training, buffers);
  const needsVariance = training && !training.frozenStatistics && blocks.some(({ norm }) => norm !== null);
  return {
    ...samples,
    ...inference,
    blocks,
    parameters,
    buffers: buffers.all,
    state,
    zeros,
    scratch,
    z: activations.z,
    ld: sizes.ld,
    norms: activations.norms,
    output: activations.output,
    maxRows,
    minRows: needsVariance ? 2 : 1,
    training: trained,
  };
}
