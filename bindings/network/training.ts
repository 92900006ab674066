import { expectNumber, expectWhole } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { type OptimizerRule, optimizerRule } from '../model/optimizers.js';
import type { Tensors } from '../model/tensors.js';
import type { Buffer } from '../program/types.js';
import type { TrainingUse } from '../program/use.js';
import type { NetworkContext } from './context.js';
import { Epoch, NOTHING, type Totals } from './epoch.js';
import { readTensors } from './parameters.js';
import type { Samples } from './samples.js';
import type { Batch, SampleSets } from './sets.js';
import { TrainingPrograms } from './training-programs.js';
import { type Counters, exportState, importState, type TrainingState } from './training-state.js';

/** What an epoch begins with. */
export interface EpochOptions {
  /** Index of the set. Default: 0. */
  set?: number;
  totals?: Totals;
  /** The epoch's number. Default: 1. */
  epoch?: number;
  /** Whether augmented images are moved, and not only flipped. Default: true. */
  moves?: boolean;
}

/** Trains a network, a step at a time. */
export class Training {
  readonly options: TrainingUse;
  readonly #context: NetworkContext;
  readonly #sets: SampleSets;
  readonly #epoch: Epoch;
  readonly #programs: TrainingPrograms;
  readonly #rule: OptimizerRule;
  #counters: Counters = { optimizerSteps: 0, dropoutSteps: 0, batchesTracked: 0 };
  /** What tells the draws of augmentation apart: the epoch, or null where each step has draws of its own. */
  #draw: number | null = 0;
  /** The share that the next step's parameters have in the average; see {@link averageBy}. */
  #averageWeight = 1;

  constructor(options: TrainingUse, context: NetworkContext, sets: SampleSets) {
    this.options = options;
    this.#context = context;
    this.#sets = sets;
    this.#epoch = new Epoch(context, sets);
    this.#programs = new TrainingPrograms(context);
    this.#rule = optimizerRule(options.optimizer);
  }

  /** Fewest and most rows that a step takes. */
  get rows(): { least: number; most: number } {
    const { minRows, maxRows } = this.#context.memory.plan;
    return { least: minRows, most: maxRows };
  }

  /** Batches that moved BatchNorm's running statistics so far. */
  get batchesTracked(): number {
    return this.#counters.batchesTracked;
  }

  set batchesTracked(count: number) {
    expectWhole('batchesTracked', count, 0);
    this.#counters.batchesTracked = count;
  }

  /**
   * Starts an epoch: samples of a set will be taken in this order. Totals start from zero, or from those of an epoch that
   * was stopped and goes on. Where images are augmented, each epoch's number gives other draws, and `moves: false` only
   * flips. Throws `range` for an index that is not a sample of the set.
   */
  begin(order: Uint32Array, { set = 0, totals = NOTHING, epoch = 1, moves = true }: EpochOptions = {}): void {
    expectWhole('epoch', epoch, 0, 2 ** 31 - 1);
    this.#epoch.begin(order, set, totals);
    this.#augmentBy(epoch, moves);
    this.#programs.update();
  }

  /** Starts an epoch of batches that are not resident (stepOn). Totals and `moves` as in {@link begin}. */
  beginStream(totals: Totals = NOTHING, moves = true): void {
    this.#epoch.beginStream(totals);
    this.#augmentBy(null, moves);
    this.#programs.update();
  }

  /**
   * One step on the samples order[first], ..., order[first + rows - 1] at a learning rate. Returns the batch's mean loss,
   * which the caller checks: it may be NaN or infinite. Throws `range` for a batch that is not in the epoch's order, and
   * `usage` before the first epoch and where its set has been loaded anew.
   */
  step(first: number, rows: number, rate: number): number {
    const [batch] = this.#epoch.batches([{ first, rows }]);
    expectRate(rate);
    return this.#run(batch!, rate);
  }

  /**
   * One step on samples that are not resident. Throws `usage`, `shape` or `range` for samples that are not what the model
   * and the loss take, and for more rows than a batch has.
   */
  stepOn(samples: Samples, rate: number): number {
    this.#context.expectInUse();
    expectRate(rate);
    return this.#run(this.#stage(samples), rate);
  }

  /** Sums over the epoch so far. */
  totals(): Totals {
    this.#context.expectInUse();
    return this.#epoch.totals;
  }

  /**
   * Lets the average of the parameters take each following step's parameters with this share: 1 - decay for an exponential
   * average, 1 / n for the mean of n steps. The average starts from zeros, so the first step that counts has the share 1,
   * which is the default. Throws `usage` where no average is kept.
   */
  averageBy(share: number): void {
    expectNumber('share', share, 'a number above 0 and at most 1', (value) => value > 0 && value <= 1);
    this.#averageBuffer();
    this.#averageWeight = share;
  }

  /** The network's tensors with the average of the parameters in their place. Throws `usage` where none is kept. */
  averaged(): Tensors {
    const { memory, inMemory, trained } = this.#context;
    const parameters = readTensors(memory, trained, undefined, this.#averageBuffer());
    return new Map([...readTensors(memory, inMemory), ...parameters]);
  }

  /**
   * Works out BatchNorm's running statistics anew, as means over batches of the epoch's order: after weights were averaged.
   * Throws as {@link step}.
   */
  estimateStatistics(batches: readonly { first: number; rows: number }[]): void {
    this.#epoch.batches(batches).forEach((batch, index) => {
      this.#estimate(batch, index);
    });
  }

  /**
   * Takes the batch with this index (from 0) into running statistics that are worked out anew, from samples that are not
   * resident. Throws as {@link stepOn}.
   */
  estimateStatisticsOn(batch: Samples, index: number): void {
    this.#context.expectInUse();
    expectWhole('index', index, 0);
    this.#estimate(this.#stage(batch), index);
  }

  /** Sets the optimiser's slots and step count to zero, as at initialisation. */
  resetOptimizer(): void {
    const { memory } = this.#context;
    for (const slot of memory.plan.training!.optimizer.slots) memory.f32(slot).fill(0);
    this.#counters.optimizerSteps = 0;
  }

  /** A copy of the network's tensors, in the arrays of `into`, an earlier copy, where it is given. */
  tensors(into?: Tensors): Tensors {
    return readTensors(this.#context.memory, this.#context.inMemory, into);
  }

  /** A copy of all that training goes on from, in the arrays of `into`, parts of an earlier copy, where they are given. */
  exportState(into: Partial<TrainingState> = {}): TrainingState {
    return exportState(this.#context, this.#counters, into);
  }

  /** Takes over what another network of the same model and seed was trained to. Throws `shape` when it is not this one's. */
  importState(state: TrainingState): void {
    this.#counters = importState(this.#context, state);
  }

  /** Puts a batch into memory that a step can take. */
  #stage(samples: Samples): Batch {
    const batch = this.#sets.stage(samples);
    const { least, most } = this.rows;
    expectWhole('The number of rows in the batch', batch.rows, least, most);
    return batch;
  }

  #augmentBy(draw: number | null, moves: boolean): void {
    if (this.options.augment === undefined) return;
    this.#draw = draw;
    this.#context.memory.setBatch({ augment: moves ? 2 : 1 });
  }

  #run(batch: Batch, rate: number): number {
    const { memory } = this.#context;
    const { set, weighted, rows, order, indices } = batch;
    let weight = rows;
    if (weighted) {
      const weights = memory.f32(set.weights);
      weight = 0;
      for (const row of indices) weight += weights[row]!;
    }
    this.#counters.optimizerSteps += 1;
    this.#counters.dropoutSteps += 1;
    this.#writeFactors(rate);
    memory.setBatch({
      rows,
      order,
      samples: set.samples,
      targets: set.targets,
      weights: weighted ? set.weights : null,
      step: this.#counters.dropoutSteps,
      inverse: weight === 0 ? 0 : 1 / weight,
      draw: this.#draw ?? this.#counters.dropoutSteps,
    });
    memory.run('train');
    this.#context.revision++;
    this.#programs.rows = rows;
    if (!this.options.frozenStatistics) this.#counters.batchesTracked += 1;
    return this.#epoch.add(batch, weight);
  }

  /** Takes one batch into running statistics that are means over batches. */
  #estimate({ set, rows, order }: Batch, index: number): void {
    const { memory } = this.#context;
    const share = 1 / (index + 1);
    this.#counters.dropoutSteps += 1;
    memory.setBatch({
      rows,
      order,
      samples: set.samples,
      targets: null,
      weights: null,
      step: this.#counters.dropoutSteps,
      momentum: share,
      carry: 1 - share,
      draw: this.#draw ?? this.#counters.dropoutSteps,
    });
    memory.run('statistics');
    memory.setBatch({ momentum: -1, carry: 0 });
    this.#context.revision++;
  }

  #averageBuffer(): Buffer {
    const { average } = this.#context.memory.plan.training!.optimizer;
    if (average !== null) return average;
    throw problem('usage', {
      subject: 'average',
      found: 'not kept',
      expected: 'training with `average: true`',
    });
  }

  /** Writes one step's factors, each over the four lanes of a vector. */
  #writeFactors(rate: number): void {
    const { memory } = this.#context;
    const { weightFactors, vectorFactors, averageFactor } = memory.plan.training!.optimizer;
    for (const [buffer, decays] of [
      [weightFactors, true],
      [vectorFactors, false],
    ] as const) {
      const lanes = memory.f32(buffer);
      this.#rule.factors(this.#counters.optimizerSteps, rate, decays).forEach((factor, index) => {
        lanes.fill(factor, 4 * index, 4 * index + 4);
      });
    }
    if (averageFactor !== null) memory.f32(averageFactor).fill(this.#averageWeight);
  }
}

function expectRate(rate: unknown): void {
  expectNumber('The learning rate', rate, 'a number above 0', (value) => value > 0);
}
