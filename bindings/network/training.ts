import { expectNumber, expectWhole, rangeError } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { LOSSES } from '../model/losses.js';
import { type OptimizerRule, optimizerRule } from '../model/optimizers.js';
import { expectTensors, type TensorRow, type Tensors } from '../model/tensors.js';
import type { SetPlan } from '../program/samples.js';
import type { Buffer } from '../program/types.js';
import type { TrainingUse } from '../program/use.js';
import { type DensityWatch, nonZeroShare } from './density.js';
import type { NetworkMemory } from './memory.js';
import { readTensors, writeTensors } from './parameters.js';
import { expectOrder, type Samples } from './samples.js';

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
const NOTHING: Totals = { loss: 0, weight: 0, correct: 0, samples: 0 };

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

/** What one loading of a set left in it. */
export interface Loaded {
  readonly rows: number;
  readonly weighted: boolean;
  readonly targets: boolean;
}

/** What training needs of its network. */
interface Host {
  /** The parameters have changed. */
  touch(): void;
  set(index: number): SetPlan & { loaded: Loaded };
  stage(samples: Samples): { set: SetPlan; rows: number; weighted: boolean };
  readonly density: DensityWatch;
}

/** Trains a network, a step at a time. */
export class Training {
  readonly options: TrainingUse;
  readonly #memoryOf: () => NetworkMemory;
  readonly #host: Host;
  readonly #table: readonly TensorRow[];
  readonly #trained: readonly TensorRow[];
  readonly #rule: OptimizerRule;
  #optimizerSteps = 0;
  #dropoutSteps = 0;
  #batchesTracked = 0;
  #totals: Totals = { ...NOTHING };
  /** The set as it was loaded, and the number of samples, of the epoch's order; null before the first epoch. */
  #epoch: { set: number; loaded: Loaded; length: number } | null = null;
  /** The choice of compressed blocks that the programs are written for. */
  #written = '';
  /** Rows of the latest training batch. */
  #rows = 0;
  /** The share that the next step's parameters have in the average; see {@link averageBy}. */
  #averageWeight = 1;

  constructor(options: TrainingUse, table: readonly TensorRow[], memory: () => NetworkMemory, host: Host) {
    this.options = options;
    this.#memoryOf = memory;
    this.#host = host;
    this.#table = table.filter(({ layer }) => layer >= 0);
    this.#trained = table.filter(({ trained }) => trained);
    this.#rule = optimizerRule(options.optimizer);
    this.#writePrograms();
  }

  /** Fewest and most rows that a step takes. */
  get rows(): { least: number; most: number } {
    const { minRows, maxRows } = this.#memoryOf().plan;
    return { least: minRows, most: maxRows };
  }

  /** Batches that moved BatchNorm's running statistics so far. */
  get batchesTracked(): number {
    return this.#batchesTracked;
  }

  set batchesTracked(count: number) {
    expectWhole('batchesTracked', count, 0);
    this.#batchesTracked = count;
  }

  /**
   * Starts an epoch: samples of a set will be taken in this order. Totals start from zero, or from those of an epoch that
   * was stopped and goes on. Throws `range` for an index that is not a sample of the set.
   */
  begin(order: Uint32Array, { set = 0, totals = NOTHING }: { set?: number; totals?: Totals } = {}): void {
    const memory = this.#memoryOf();
    const { loaded } = this.#host.set(set);
    if (!loaded.targets)
      throw problem('usage', {
        subject: `sets[${set}]`,
        found: 'without targets',
        expected: 'a set with targets',
      });
    expectOrder('order', order, loaded.rows);
    const room = memory.u32(memory.plan.training!.order);
    if (order.length > room.length) throw rangeError('order.length', order.length, `at most ${room.length}`);
    room.set(order);
    this.#epoch = { set, loaded, length: order.length };
    this.#totals = { ...totals };
    this.#measureDensities();
    this.#writePrograms();
  }

  /** Starts an epoch of batches that are not resident (stepOn). Totals as in {@link begin}. */
  beginStream(totals: Totals = NOTHING): void {
    this.#epoch = null;
    this.#totals = { ...totals };
    this.#measureDensities();
    this.#writePrograms();
  }

  /**
   * One step on the samples order[first], ..., order[first + rows - 1] at a learning rate. Returns the batch's mean loss,
   * which the caller checks: it may be NaN or infinite. Throws `range` for a batch that is not in the epoch's order, and
   * `usage` before the first epoch and where its set has been loaded anew.
   */
  step(first: number, rows: number, rate: number): number {
    const memory = this.#memoryOf();
    const { loaded, ...set } = this.#expectBatches([{ first, rows }]);
    const order = memory.plan.training!.order;
    const rowsOfBatch = memory.u32(order).subarray(first, first + rows);
    return this.#run(
      set,
      { order: memory.address(order) + 4 * first, rows, rowsOfBatch },
      loaded.weighted,
      rate,
    );
  }

  /**
   * One step on samples that are not resident. Throws `usage`, `shape` or `range` for samples that are not what the model
   * and the loss take, and for more rows than a batch has.
   */
  stepOn(samples: Samples, rate: number): number {
    const memory = this.#memoryOf();
    expectRate(rate);
    const { set, rows, weighted } = this.#host.stage(samples);
    expectWhole('The number of rows in the batch', rows, this.rows.least, this.rows.most);
    const { stageOrder } = memory.plan;
    const rowsOfBatch = memory.u32(stageOrder).subarray(0, rows);
    return this.#run(set, { order: memory.address(stageOrder), rows, rowsOfBatch }, weighted, rate);
  }

  #run(
    set: SetPlan,
    { order, rows, rowsOfBatch }: { order: number; rows: number; rowsOfBatch: Uint32Array },
    weighted: boolean,
    rate: number,
  ): number {
    expectRate(rate);
    const memory = this.#memoryOf();
    const { plan } = memory;
    const weights = weighted ? memory.f32(set.weights) : null;
    let weight = rows;
    if (weights !== null) {
      weight = 0;
      for (const row of rowsOfBatch) weight += weights[row]!;
    }
    this.#optimizerSteps += 1;
    this.#dropoutSteps += 1;
    this.#writeFactors(rate);
    memory.setBatch({
      rows,
      order,
      samples: set.samples,
      targets: set.targets,
      weights: weighted ? set.weights : null,
      step: this.#dropoutSteps,
      inverse: weight === 0 ? 0 : 1 / weight,
    });
    memory.run('train');
    this.#host.touch();
    this.#rows = rows;
    if (!this.options.frozenStatistics) this.#batchesTracked += 1;
    const losses = memory.f32(plan.output.losses);
    let loss = 0;
    for (let b = 0; b < rows; b++)
      loss += weights === null ? losses[b]! : weights[rowsOfBatch[b]!]! * losses[b]!;
    this.#totals.loss += loss;
    this.#totals.weight += weight;
    this.#totals.samples += rows;
    if (LOSSES[this.options.loss.type].targets === 'classes') {
      const predicted = memory.i32(plan.output.predicted);
      const labels = memory.i32(set.targets);
      for (let b = 0; b < rows; b++) if (predicted[b] === labels[rowsOfBatch[b]!]) this.#totals.correct += 1;
    }
    return weight === 0 ? 0 : loss / weight;
  }

  /** Sums over the epoch so far. */
  totals(): Totals {
    this.#memoryOf();
    return { ...this.#totals };
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
    const memory = this.#memoryOf();
    const parameters = readTensors(memory, this.#trained, undefined, this.#averageBuffer());
    return new Map([...readTensors(memory, this.#table), ...parameters]);
  }

  /**
   * Works out BatchNorm's running statistics anew, as means over batches of the epoch's order: after weights were averaged.
   * Throws as {@link step}.
   */
  estimateStatistics(batches: readonly { first: number; rows: number }[]): void {
    const memory = this.#memoryOf();
    const { samples } = this.#expectBatches(batches);
    const order = memory.address(memory.plan.training!.order);
    batches.forEach(({ first, rows }, index) => {
      this.#estimate(samples, order + 4 * first, rows, index);
    });
  }

  /**
   * Takes the batch with this index (from 0) into running statistics that are worked out anew, from samples that are not
   * resident. Throws as {@link stepOn}.
   */
  estimateStatisticsOn(batch: Samples, index: number): void {
    const memory = this.#memoryOf();
    expectWhole('index', index, 0);
    const { set, rows } = this.#host.stage(batch);
    expectWhole('The number of rows in the batch', rows, this.rows.least, this.rows.most);
    this.#estimate(set.samples, memory.address(memory.plan.stageOrder), rows, index);
  }

  /** Takes one batch into running statistics that are means over batches. */
  #estimate(samples: SetPlan['samples'], order: number, rows: number, index: number): void {
    const memory = this.#memoryOf();
    const share = 1 / (index + 1);
    this.#dropoutSteps += 1;
    memory.setBatch({
      rows,
      order,
      samples,
      targets: null,
      weights: null,
      step: this.#dropoutSteps,
      momentum: share,
      carry: 1 - share,
    });
    memory.run('statistics');
    memory.setBatch({ momentum: -1, carry: 0 });
    this.#host.touch();
  }

  /** The set of the epoch whose order has these batches. */
  #expectBatches(batches: readonly { first: number; rows: number }[]): SetPlan & { loaded: Loaded } {
    const epoch = this.#epoch;
    const set = epoch && this.#host.set(epoch.set);
    if (set === null || set.loaded !== epoch?.loaded) {
      throw problem('usage', {
        subject: 'The epoch',
        found: 'not begun',
        expected: 'a call of begin() before the first step',
      });
    }
    const { least, most } = this.rows;
    for (const { first, rows } of batches) {
      expectWhole('rows', rows, least, Math.min(most, epoch.length));
      expectWhole('first', first, 0, epoch.length - rows);
    }
    return set;
  }

  /** Sets the optimiser's slots and step count to zero, as at initialisation. */
  resetOptimizer(): void {
    const memory = this.#memoryOf();
    for (const slot of memory.plan.training!.optimizer.slots) memory.f32(slot).fill(0);
    this.#optimizerSteps = 0;
  }

  /** A copy of the network's tensors, in the arrays of `into`, an earlier copy, where it is given. */
  tensors(into?: Tensors): Tensors {
    return readTensors(this.#memoryOf(), this.#table, into);
  }

  /** A copy of all that training goes on from, in the arrays of `into`, parts of an earlier copy, where they are given. */
  exportState(into: Partial<TrainingState> = {}): TrainingState {
    const memory = this.#memoryOf();
    const { slots, average } = memory.plan.training!.optimizer;
    return {
      tensors: readTensors(memory, this.#table, into.tensors),
      optimizer: {
        steps: this.#optimizerSteps,
        slots: slots.map((slot, index) =>
          readTensors(memory, this.#trained, into.optimizer?.slots[index], slot),
        ),
      },
      dropoutSteps: this.#dropoutSteps,
      batchesTracked: this.#batchesTracked,
      ...(average && { average: readTensors(memory, this.#trained, into.average, average) }),
    };
  }

  /** Takes over what another network of the same model and seed was trained to. Throws `shape` when it is not this one's. */
  importState({ tensors, optimizer, dropoutSteps, batchesTracked, average }: TrainingState): void {
    const memory = this.#memoryOf();
    const buffers = memory.plan.training!.optimizer;
    const inMemory = new Map([...tensors].filter(([key]) => !/^(input|target)\./.test(key)));
    expectTensors('tensors', inMemory, this.#table);
    if (optimizer.slots.length !== buffers.slots.length) {
      throw rangeError('optimizer.slots.length', optimizer.slots.length, String(buffers.slots.length));
    }
    optimizer.slots.forEach((slot, index) => {
      expectTensors(`optimizer.slots[${index}]`, slot, this.#trained);
    });
    for (const [name, count] of Object.entries({ steps: optimizer.steps, dropoutSteps, batchesTracked }))
      expectWhole(name, count, 0);
    if (buffers.average) expectTensors('average', average, this.#trained);
    writeTensors(memory, this.#table, inMemory);
    optimizer.slots.forEach((slot, index) => {
      writeTensors(memory, this.#trained, slot, buffers.slots[index]);
    });
    if (buffers.average) writeTensors(memory, this.#trained, average!, buffers.average);
    this.#optimizerSteps = optimizer.steps;
    this.#dropoutSteps = dropoutSteps;
    this.#batchesTracked = batchesTracked;
    this.#host.touch();
  }

  #averageBuffer(): Buffer {
    const { average } = this.#memoryOf().plan.training!.optimizer;
    if (average !== null) return average;
    throw problem('usage', {
      subject: 'average',
      found: 'not kept',
      expected: 'training with `average: true`',
    });
  }

  /** Writes one step's factors, each over the four lanes of a vector. */
  #writeFactors(rate: number): void {
    const memory = this.#memoryOf();
    const { weightFactors, vectorFactors, averageFactor } = memory.plan.training!.optimizer;
    for (const [buffer, decays] of [
      [weightFactors, true],
      [vectorFactors, false],
    ] as const) {
      const lanes = memory.f32(buffer);
      this.#rule.factors(this.#optimizerSteps, rate, decays).forEach((factor, index) => {
        lanes.fill(factor, 4 * index, 4 * index + 4);
      });
    }
    if (averageFactor !== null) memory.f32(averageFactor).fill(this.#averageWeight);
  }

  /** Compresses the inputs of the blocks that were sparse enough in the latest batch. Changes no result. */
  #measureDensities(): void {
    if (this.#rows === 0) return;
    const memory = this.#memoryOf();
    const { blocks, ld, training } = memory.plan;
    training!.outputs.forEach((out, l) => {
      const share = nonZeroShare(memory.f32(out), this.#rows, blocks[l]!.outputs, ld[l]!);
      this.#host.density.measure(l + 1, share);
    });
  }

  /** Writes the programs for the densities as they are now, unless they are written. */
  #writePrograms(): void {
    const memory = this.#memoryOf();
    const { compressed } = this.#host.density;
    const choice = compressed.join();
    if (choice === this.#written) return;
    this.#written = choice;
    memory.writeProgram('train', memory.plan.training!.train(compressed));
    memory.writeProgram('statistics', memory.plan.training!.statistics(compressed));
  }
}

function expectRate(rate: unknown): void {
  expectNumber('The learning rate', rate, 'a number above 0', (value) => value > 0);
}
