import { problem } from '../errors/problem.js';
import { expectTensors, type TensorRow, type Tensors } from '../model/tensors.js';
import type { NetworkContext } from './context.js';
import { initialise, readTensors, writeTensors } from './parameters.js';

// All tensors of a network: those in linear memory, and the statistics that the host applies.

/** Whether the host applies a tensor. */
const isStatistic = ({ layer }: TensorRow) => layer < 0;

/** Gives all tensors their initial values, the weights drawn by the seed. */
export function initialiseTensors(context: NetworkContext, seed: number): void {
  initialise(context.memory, context.inMemory, seed);
  context.statistics = new Map(
    context.table
      .filter(isStatistic)
      .map(({ key, shape, init }) => [key, new Float32Array(shape[0]!).fill(init === 'ones' ? 1 : 0)]),
  );
}

/**
 * A copy of all tensors, in the arrays of `into`, an earlier copy, where it has them. Throws `usage` where the weights are
 * folded in place.
 */
export function copyTensors(
  { memory, table, inMemory, statistics }: NetworkContext,
  into?: Tensors,
): Tensors {
  const { plan } = memory;
  if (plan.training === null && plan.fold.length > 0) {
    throw problem('usage', {
      subject: 'The network',
      found: 'one that only predicts, whose weights are folded',
      expected: 'a network created with `training`',
    });
  }
  const copy = readTensors(memory, inMemory, into);
  for (const [key, values] of statistics) copy.set(key, values.slice());
  // In the order of the table.
  return new Map(table.map(({ key }) => [key, copy.get(key)!]));
}

/** Takes over all tensors. Throws `shape` when they are not this model's. */
export function replaceTensors(context: NetworkContext, tensors: Tensors): void {
  expectTensors('tensors', tensors, context.table);
  writeTensors(context.memory, context.inMemory, tensors);
  context.statistics = new Map(
    context.table.filter(isStatistic).map(({ key }) => [key, tensors.get(key)!.slice()]),
  );
  context.revision++;
}
