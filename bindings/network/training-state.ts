import { expectWhole, rangeError } from '../errors/checks.js';
import { expectTensors, type Tensors } from '../model/tensors.js';
import type { NetworkContext } from './context.js';
import { readTensors, writeTensors } from './parameters.js';

/** An optimiser's state. */
export interface OptimizerState {
  /** Steps since the optimiser was reset. */
  steps: number;
  /** What it keeps for each trained parameter: Adam's two moments, or SGD's momentum. */
  slots: Tensors[];
}

/** All that training goes on from, to the same bytes, besides the data and the place in it. */
export interface TrainingState {
  tensors: Tensors;
  optimizer: OptimizerState;
  /** Training steps whose dropout masks have been drawn: the counter that the next mask is drawn by. */
  dropoutSteps: number;
  /** Batches that moved BatchNorm's running statistics (PyTorch's num_batches_tracked). */
  batchesTracked: number;
  /** The average of the parameters, where one is kept. */
  average?: Tensors;
}

/** The part of a state that the host counts. */
export interface Counters {
  optimizerSteps: number;
  dropoutSteps: number;
  batchesTracked: number;
}

/** A copy of all that training goes on from, in the arrays of `into`, parts of an earlier copy, where they are given. */
export function exportState(
  { memory, inMemory, trained }: NetworkContext,
  { optimizerSteps, dropoutSteps, batchesTracked }: Counters,
  into: Partial<TrainingState>,
): TrainingState {
  const { slots, average } = memory.plan.training!.optimizer;
  return {
    tensors: readTensors(memory, inMemory, into.tensors),
    optimizer: {
      steps: optimizerSteps,
      slots: slots.map((slot, index) => readTensors(memory, trained, into.optimizer?.slots[index], slot)),
    },
    dropoutSteps,
    batchesTracked,
    ...(average && { average: readTensors(memory, trained, into.average, average) }),
  };
}

/**
 * Writes a state into memory and returns what the host counts of it. Throws `shape` or `range` before anything is written.
 */
export function importState(context: NetworkContext, state: TrainingState): Counters {
  const { memory, inMemory, trained } = context;
  const { optimizer, dropoutSteps, batchesTracked, average } = state;
  const { slots, average: averageBuffer } = memory.plan.training!.optimizer;
  const tensors = new Map([...state.tensors].filter(([key]) => !/^(input|target)\./.test(key)));
  expectTensors('tensors', tensors, inMemory);
  if (optimizer.slots.length !== slots.length) {
    throw rangeError('optimizer.slots.length', optimizer.slots.length, String(slots.length));
  }
  optimizer.slots.forEach((slot, index) => {
    expectTensors(`optimizer.slots[${index}]`, slot, trained);
  });
  for (const [name, count] of Object.entries({ steps: optimizer.steps, dropoutSteps, batchesTracked }))
    expectWhole(name, count, 0);
  if (averageBuffer) expectTensors('average', average, trained);
  writeTensors(memory, inMemory, tensors);
  optimizer.slots.forEach((slot, index) => {
    writeTensors(memory, trained, slot, slots[index]);
  });
  if (averageBuffer) writeTensors(memory, trained, average!, averageBuffer);
  context.revision++;
  return { optimizerSteps: optimizer.steps, dropoutSteps, batchesTracked };
}
