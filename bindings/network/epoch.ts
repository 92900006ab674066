import { expectWhole, rangeError } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { LOSSES } from '../model/losses.js';
import type { NetworkContext } from './context.js';
import { expectOrder } from './samples.js';
import type { Batch, LoadedSet, SampleSets } from './sets.js';

/** Sums over the batches of an epoch so far. */
export interface Totals {
  /** Sum of the samples' losses, each times its weight. */
  loss: number;
  /** Sum of the samples' weights: their number where they have none. */
  weight: number;
  /** Samples whose class was predicted; cross-entropy only. */
  correct: number;
  samples: number;
}

/** The totals before an epoch's first batch. */
export const NOTHING: Totals = { loss: 0, weight: 0, correct: 0, samples: 0 };

/** One epoch of training: the order in which samples are taken, and the sums over its batches so far. */
export class Epoch {
  readonly #context: NetworkContext;
  readonly #sets: SampleSets;
  /** The set as it was loaded, and the number of samples in the order; null where batches are not resident. */
  #order: { set: number; loaded: LoadedSet['loaded']; length: number } | null = null;
  #totals: Totals = { ...NOTHING };

  constructor(context: NetworkContext, sets: SampleSets) {
    this.#context = context;
    this.#sets = sets;
  }

  get totals(): Totals {
    return { ...this.#totals };
  }

  /** Starts over with an order of a set's samples. Throws as Training's begin(). */
  begin(order: Uint32Array, set: number, totals: Totals): void {
    const { memory } = this.#context;
    const { loaded } = this.#sets.withTargets(set);
    expectOrder('order', order, loaded.rows);
    const room = memory.u32(memory.plan.training!.order);
    if (order.length > room.length) throw rangeError('order.length', order.length, `at most ${room.length}`);
    room.set(order);
    this.#order = { set, loaded, length: order.length };
    this.#totals = { ...totals };
  }

  /** Starts over with batches that are not resident. */
  beginStream(totals: Totals): void {
    this.#order = null;
    this.#totals = { ...totals };
  }

  /**
   * Batches of the order. Throws `range` for one that is not in it, and `usage` before the first epoch, in one of batches
   * that are not resident, and where its set has been loaded anew.
   */
  batches(places: readonly { first: number; rows: number }[]): Batch[] {
    const { memory } = this.#context;
    const { plan } = memory;
    const epoch = this.#order;
    const set = epoch && this.#sets.at(epoch.set);
    if (set === null || set.loaded !== epoch?.loaded) {
      throw problem('usage', {
        subject: 'The epoch',
        found: 'not begun',
        expected: 'a call of begin() before the first step',
      });
    }
    const { order } = plan.training!;
    return places.map(({ first, rows }) => {
      expectWhole('rows', rows, plan.minRows, Math.min(plan.maxRows, epoch.length));
      expectWhole('first', first, 0, epoch.length - rows);
      return {
        set: set.plan,
        weighted: set.loaded.weighted,
        rows,
        order: memory.address(order) + 4 * first,
        indices: memory.u32(order).subarray(first, first + rows),
      };
    });
  }

  /** Takes what a step left of a batch into the totals; `weight` is its samples' together. Returns its mean loss. */
  add({ set, weighted, rows, indices }: Batch, weight: number): number {
    const { memory, loss: measure } = this.#context;
    const { output } = memory.plan;
    const weights = weighted ? memory.f32(set.weights) : null;
    const losses = memory.f32(output.losses);
    let loss = 0;
    for (let b = 0; b < rows; b++) loss += weights === null ? losses[b]! : weights[indices[b]!]! * losses[b]!;
    this.#totals.loss += loss;
    this.#totals.weight += weight;
    this.#totals.samples += rows;
    if (LOSSES[measure.type].targets === 'classes') {
      const predicted = memory.i32(output.predicted);
      const labels = memory.i32(set.targets);
      for (let b = 0; b < rows; b++) if (predicted[b] === labels[indices[b]!]) this.#totals.correct += 1;
    }
    return weight === 0 ? 0 : loss / weight;
  }
}
