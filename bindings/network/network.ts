import { type Core, expectMemory } from '../core/core.js';
import { seedWords } from '../core/seed.js';
import { expectBoolean, expectKeys, expectNumber, expectWhole, rangeError } from '../errors/checks.js';
import { TreadleError } from '../errors/errors.js';
import { problem } from '../errors/problem.js';
import { checkModel, type Head, type ModelSpec, outputsOf } from '../model/layers.js';
import { checkLoss, LOSSES, type Loss, usualLoss } from '../model/losses.js';
import { checkOptimizer } from '../model/optimizers.js';
import { expectTensors, type TensorRow, type Tensors, tensorTable } from '../model/tensors.js';
import { type Plan, planModel } from '../program/plan.js';
import { hasSparseGradient } from '../program/product.js';
import type { SetPlan } from '../program/samples.js';
import type { ResidentSet, TrainingUse, Use } from '../program/use.js';
import { COMPRESS_BELOW, DensityWatch, sampleDensity } from './density.js';
import type { HelperTicket } from './helper.js';
import { memoryFor, NetworkMemory, planConstants } from './memory.js';
import { initialise, readTensors, writeTensors } from './parameters.js';
import {
  type Csr,
  checkInputs,
  checkTargets,
  checkWeights,
  expectOrder,
  type Inputs,
  type Samples,
  writeInputs,
  writeTargets,
} from './samples.js';
import { type Loaded, Training } from './training.js';

/** The largest batch size that is accepted. */
export const MAX_BATCH = 65536;

/** What training asks of a network. */
export type TrainingOptions = TrainingUse;

export interface NetworkOptions {
  /** Draws the initial weights and every dropout mask; a whole number from 0 to 2^53 - 1. Default: 0. */
  seed?: number;
  /** Most samples in a training batch, from 1 to MAX_BATCH. A batch may hold one more: the epoch's last, joined. */
  batchSize?: number;
  /** Left out or null: a network that only predicts. It keeps folded weights alone, and no training state. */
  training?: TrainingOptions | null;
  /** Sets of samples that will be kept in memory, by their sizes; `load` fills them. */
  sets?: readonly ResidentSet[];
  /** Most threads that take part, helpers included. Default: 1. */
  threads?: number;
  /** Most values of sparse samples that are put into memory at once, for predictions and streamed batches. */
  stageEntries?: number;
}

/** What an evaluation finds. */
export interface Evaluation {
  /** Mean loss per sample, weighted where samples have weights. */
  loss: number;
  /** The predicted class of each row; cross-entropy only. */
  predicted: Int32Array | null;
  /** Probabilities or predictions, (rows, outputs), where they were asked for. */
  outputs: Float32Array | null;
}

/** Rows from which on inference packs samples instead of reading only the weights that they need. */
const MANY_ROWS = 6;

/** Rows that a network without training takes at once, and the bytes of their buffers that it keeps within. */
const INFERENCE_ROWS = 256;
const INFERENCE_BYTES = 1.625 * 2 ** 20;

/** Default room for staged sparse values. */
const STAGE_ENTRIES = 1 << 16;

/** A model with its tensors in a linear memory of its own: it predicts and, where it was asked for, trains. */
export class Network {
  readonly model: ModelSpec;
  /** Every tensor of the model. */
  readonly table: readonly TensorRow[];
  readonly head: Head;
  readonly #core: Core;
  /** Null once the network has been disposed of, so that nothing keeps the linear memory; read through `#memory`. */
  #resident: NetworkMemory | null;
  readonly #training: Training | null;
  /** The loss that evaluations report. */
  readonly #loss: Loss;
  /** Statistics of inputs and targets, which the host applies. */
  #statistics: Tensors = new Map();
  /** Whether the folded weights are those of the present parameters. */
  #folded = false;
  readonly #density: DensityWatch;
  /** Whether the samples that inference sees are sparse enough to be compressed. */
  #sparse = false;
  /** What each set holds. */
  readonly #loaded: Loaded[];

  /** Throws `usage`, `range` or `shape` for a model or option that cannot be used, `engine` for want of memory. */
  constructor(core: Core, model: ModelSpec, options: NetworkOptions = {}) {
    const { seed = 0, threads = 1, training = null, sets = [] } = options;
    const { use, head } = checkOptions(core, model, options);
    this.model = model;
    this.head = head;
    this.#core = core;
    this.#loss = use.loss;
    const plan = planModel(model, use);
    this.table = tensorTable(model);
    const memory = new NetworkMemory(core, plan);
    this.#resident = memory;
    this.#loaded = sets.map(() => ({ rows: 0, weighted: false, targets: false }));
    this.#density = new DensityWatch(plan.blocks, 1);
    const [key0, key1] = seedWords(seed);
    memory.setBatch({ zeros: plan.zeros, scratch: plan.scratch, key0, key1, momentum: -1, carry: 0 });
    const { teamActive, teamJoined, teamCapacity } = memory.instance.constants;
    memory.team[teamActive / 4] = 1;
    memory.team[teamJoined / 4] = 1;
    memory.team[teamCapacity / 4] = threads;
    for (const order of [plan.stageOrder])
      memory.u32(order).set(Uint32Array.from({ length: plan.maxRows }, (_, b) => b));
    this.#writeNormTables(memory, plan);
    memory.writeProgram('fold', plan.fold);
    this.#writeInference(memory);
    initialise(memory, this.#inMemory, seed);
    this.#setStatistics(
      new Map(
        this.table
          .filter(({ layer }) => layer < 0)
          .map(({ key, shape, init }) => [key, new Float32Array(shape[0]!).fill(init === 'ones' ? 1 : 0)]),
      ),
    );
    this.#training =
      training &&
      new Training(training, this.table, () => this.#memory, {
        touch: () => {
          this.#folded = false;
        },
        set: (index) => this.#set(index),
        density: this.#density,
        stage: (samples) => this.#stage(samples),
      });
    // The initial tensors too are folded in place.
    if (training === null) this.#fold();
  }

  /** Bytes of the linear memory. */
  get memoryBytes(): number {
    return this.#memory.bytes;
  }

  /** What trains this network. Throws `usage` where it was created without training. */
  get training(): Training {
    // A network that has been disposed of says so.
    if (this.#memory && this.#training !== null) return this.#training;
    throw problem('usage', {
      subject: 'The network',
      found: 'one that only predicts',
      expected: 'a network created with `training`',
    });
  }

  /** What another thread needs in order to help (helpNetwork); null in builds without threads. */
  get ticket(): HelperTicket | null {
    const { instance, plan } = this.#memory;
    if (!instance.constants.threads) return null;
    return { core: this.#core, memory: instance.memory, state: this.#memory.address(plan.state) };
  }

  /** Threads that will take part from the next epoch on, this one included. */
  get joined(): number {
    const { team, instance } = this.#memory;
    const { threads, teamJoined, teamCapacity } = instance.constants;
    if (!threads) return 1;
    return Math.min(Atomics.load(team, teamJoined / 4), Atomics.load(team, teamCapacity / 4));
  }

  /** Lets the threads that have joined by now take part, and returns how many there are. */
  admit(): number {
    const { team, instance } = this.#memory;
    const { joined } = this;
    if (instance.constants.threads) Atomics.store(team, instance.constants.teamActive / 4, joined);
    return joined;
  }

  /** The statistics of inputs and targets: the tensors that the host applies. */
  get statistics(): Tensors {
    return this.#statistics;
  }

  /** A copy of every tensor, in the arrays of `into`, an earlier copy, where it has them. */
  tensors(into?: Tensors): Tensors {
    if (this.#training === null && this.#memory.plan.fold.length > 0) {
      throw problem('usage', {
        subject: 'The network',
        found: 'one that only predicts, whose weights are folded',
        expected: 'a network created with `training`',
      });
    }
    const copy = readTensors(this.#memory, this.#inMemory, into);
    for (const [key, values] of this.#statistics) copy.set(key, values.slice());
    // In the order of the table.
    return new Map(this.table.map(({ key }) => [key, copy.get(key)!]));
  }

  /** Takes over all tensors. Throws `shape` when they are not this model's. Loaded samples keep their standardisation. */
  setTensors(tensors: Tensors): void {
    expectTensors('tensors', tensors, this.table);
    writeTensors(this.#memory, this.#inMemory, tensors);
    this.#setStatistics(
      new Map(this.table.filter(({ layer }) => layer < 0).map(({ key }) => [key, tensors.get(key)!.slice()])),
    );
    this.#folded = false;
    // A network without training folds in place, at once.
    if (this.#training === null) this.#fold();
  }

  /**
   * Copies samples into a resident set, standardised by the model's own statistics. Throws `usage`, `shape` or `range` for
   * samples that are not what the model and the loss take, before anything is written.
   */
  load(index: number, { inputs, targets, weights }: Samples): void {
    const memory = this.#memory;
    const set = this.#set(index, false);
    const rows = checkInputs('inputs', inputs, this.model);
    if (rows > set.rows)
      throw rangeError('The number of rows', rows, `at most ${set.rows}, for which there is room`);
    if (targets !== undefined) checkTargets('targets', targets, rows, this.model, this.#loss);
    if (weights !== undefined) checkWeights('weights', weights, rows);
    writeInputs(memory, set, inputs, this.model, this.#statistics, 0, rows);
    if (targets !== undefined)
      writeTargets(memory, set, targets, this.model, this.#loss, this.#statistics, 0, rows);
    if (weights !== undefined) memory.f32(set.weights).set(Float32Array.from(weights));
    this.#loaded[index] = { rows, weighted: weights !== undefined, targets: targets !== undefined };
    if (index !== 0 || this.model.input.type === 'sparse') return;
    const values = this.model.input.type === 'u8' ? memory.u8(set.samples) : memory.f32(set.samples);
    this.#density.measure(0, sampleDensity(values, this.model.input.features, rows));
    this.#sparse = this.#density.compressed[0]!;
  }

  /**
   * Inference over rows of a resident set, which leaves training as it is. Throws `range` for a row that is not in the set
   * and for no rows at all, `usage` for a set without targets.
   */
  evaluate(index: number, order: Uint32Array, { outputs = false } = {}): Evaluation {
    const memory = this.#memory;
    const { loaded, ...set } = this.#set(index);
    if (!loaded.targets) {
      throw problem('usage', {
        subject: `sets[${index}]`,
        found: 'without targets',
        expected: 'a set with targets',
      });
    }
    expectOrder('order', order, loaded.rows);
    const { batchOrder, maxRows } = memory.plan;
    const weights = loaded.weighted ? memory.f32(set.weights) : null;
    return this.#evaluate(order.length, outputs, (first) => {
      const rows = Math.min(maxRows, order.length - first);
      memory.u32(batchOrder).set(order.subarray(first, first + rows));
      this.#infer(rows, { samples: set.samples, order: batchOrder, targets: set.targets });
      return { rows, weightOf: weights && ((b: number) => weights[order[first + b]!]!) };
    });
  }

  /**
   * Inference over samples that are not resident. Throws `usage`, `shape` or `range` for samples that are not what the model
   * and the loss take, and for none.
   */
  evaluateOn({ inputs, targets, weights }: Samples, { outputs = false } = {}): Evaluation {
    const memory = this.#memory;
    const rows = checkInputs('inputs', inputs, this.model);
    checkTargets('targets', targets, rows, this.model, this.#loss);
    if (weights !== undefined) checkWeights('weights', weights, rows);
    const { stage, stageOrder, maxRows } = memory.plan;
    this.#measure(inputs, rows);
    return this.#evaluate(rows, outputs, (first) => {
      const taken = this.#stageable(inputs, first, Math.min(maxRows, rows - first));
      writeInputs(memory, stage, inputs, this.model, this.#statistics, first, first + taken);
      writeTargets(memory, stage, targets!, this.model, this.#loss, this.#statistics, first, first + taken);
      this.#infer(taken, { samples: stage.samples, order: stageOrder, targets: stage.targets });
      return { rows: taken, weightOf: weights === undefined ? null : (b: number) => weights[first + b]! };
    });
  }

  /** Sums up what `infer` leaves of each batch: it runs one from row `first` on and says how many rows that had. */
  #evaluate(
    count: number,
    withOutputs: boolean,
    infer: (first: number) => { rows: number; weightOf: ((b: number) => number) | null },
  ): Evaluation {
    if (count === 0) throw rangeError('The number of rows', 0, 'at least one');
    const memory = this.#memory;
    const { output } = memory.plan;
    const predicted = this.head === 'softmax' ? new Int32Array(count) : null;
    const outputs = withOutputs ? new Float32Array(count * outputsOf(this.model)) : null;
    let sum = 0;
    let total = 0;
    this.#prepare();
    for (let first = 0; first < count; ) {
      const { rows, weightOf } = infer(first);
      const losses = memory.f32(output.losses);
      // Batch by batch, as training sums.
      let ofBatch = 0;
      for (let b = 0; b < rows; b++) {
        const weight = weightOf === null ? 1 : weightOf(b);
        ofBatch += weightOf === null ? losses[b]! : weight * losses[b]!;
        total += weight;
      }
      sum += ofBatch;
      predicted?.set(memory.i32(output.predicted).subarray(0, rows), first);
      if (outputs !== null) this.#readOutputs(outputs, first, rows);
      first += rows;
    }
    return { loss: total === 0 ? 0 : sum / total, predicted, outputs };
  }

  /**
   * Probabilities or predictions, (rows, outputs), of samples that are not resident. Legal at any time: training goes on as
   * if it had not been. Throws `usage`, `shape` or `range` for inputs that are not what the model takes.
   */
  predict(inputs: Inputs): Float32Array {
    const memory = this.#memory;
    const rows = checkInputs('inputs', inputs, this.model);
    const { plan } = memory;
    const result = new Float32Array(rows * outputsOf(this.model));
    this.#prepare();
    this.#measure(inputs, rows);
    for (let first = 0; first < rows; ) {
      const taken = this.#stageable(inputs, first, Math.min(plan.maxRows, rows - first));
      writeInputs(memory, plan.stage, inputs, this.model, this.#statistics, first, first + taken);
      this.#infer(taken, { samples: plan.stage.samples, order: plan.stageOrder, targets: null });
      this.#readOutputs(result, first, taken);
      first += taken;
    }
    return result;
  }

  /** Names the first layer whose output in the latest program holds a NaN or an infinity; null when none does. */
  firstNonFinite(): string | null {
    const memory = this.#memory;
    const { plan, rows } = memory;
    // Neither padding nor the rows that are left from larger batches.
    const wrong = plan.blocks.findIndex(({ outputs }, l) => {
      const [z, ld] = [memory.f32(plan.z[l]!), plan.ld[l]!];
      for (let at = 0; at < rows * ld; at += ld) {
        if (!z.subarray(at, at + outputs).every(Number.isFinite)) return true;
      }
      return false;
    });
    if (wrong < 0) return null;
    return wrong === plan.z.length - 1 ? 'the output layer' : `hidden block ${wrong + 1}`;
  }

  /**
   * Sends helper threads home and lets go of the linear memory, whatever else still refers to the network. Every later
   * use throws `usage`, but for a second `dispose`, which does nothing.
   */
  dispose(): void {
    const memory = this.#resident;
    if (memory !== null) memory.instance.functions.endHelp(memory.address(memory.plan.state));
    this.#resident = null;
  }

  get #memory(): NetworkMemory {
    if (this.#resident !== null) return this.#resident;
    throw new TreadleError('usage', 'The network has been disposed of; a network in use is expected.', {
      subject: 'network',
      found: 'a network that has been disposed of',
      expected: 'a network in use',
    });
  }

  /** The tensors that stand in linear memory. */
  get #inMemory(): readonly TensorRow[] {
    return this.table.filter(({ layer }) => layer >= 0);
  }

  #setStatistics(statistics: Tensors): void {
    this.#statistics = statistics;
  }

  #set(index: number, loaded = true): SetPlan & { loaded: Loaded } {
    const { sets } = this.#memory.plan;
    const set = sets[index];
    if (set === undefined) throw rangeError('set', index, `a set below ${sets.length}`);
    const state = this.#loaded[index]!;
    if (loaded && state.rows === 0) {
      throw problem('usage', {
        subject: `sets[${index}]`,
        found: 'empty',
        expected: 'a set that samples were loaded into',
      });
    }
    return { ...set, loaded: state };
  }

  /** Puts one batch into memory; returns its set. */
  #stage({ inputs, targets, weights }: Samples): { set: SetPlan; rows: number; weighted: boolean } {
    const memory = this.#memory;
    const { stage, maxRows } = memory.plan;
    const rows = checkInputs('inputs', inputs, this.model);
    if (rows === 0 || rows > maxRows)
      throw rangeError('The number of rows in the batch', rows, `from 1 to ${maxRows}`);
    checkTargets('targets', targets, rows, this.model, this.#loss);
    if (weights !== undefined) checkWeights('weights', weights, rows);
    writeInputs(memory, stage, inputs, this.model, this.#statistics, 0, rows);
    writeTargets(memory, stage, targets!, this.model, this.#loss, this.#statistics, 0, rows);
    if (weights !== undefined) memory.f32(stage.weights).set(Float32Array.from(weights));
    return { set: stage, rows, weighted: weights !== undefined };
  }

  /** Chooses how inference reads samples that are not resident; with training the resident ones decide. */
  #measure(inputs: Inputs, rows: number): void {
    const { type, features, standardize } = this.model.input;
    if (this.#training !== null || type === 'sparse' || standardize || rows < MANY_ROWS) return;
    const values = inputs as Exclude<Inputs, Csr>;
    this.#sparse = sampleDensity(values, features, rows) < COMPRESS_BELOW;
  }

  /** How many of `rows` rows from `first` on can be staged at once. */
  #stageable(inputs: Inputs, first: number, rows: number): number {
    if (this.model.input.type !== 'sparse') return rows;
    const { indptr } = inputs as Csr;
    const room = this.#memory.plan.stage.entries!.bytes / 8;
    let taken = 1;
    while (taken < rows && indptr[first + taken + 1]! - indptr[first]! <= room) taken++;
    return taken;
  }

  #prepare(): void {
    if (!this.#folded && this.#training !== null) this.#fold();
  }

  #fold(): void {
    const memory = this.#memory;
    if (memory.plan.fold.length > 0) memory.run('fold');
    this.#folded = true;
  }

  #infer(
    rows: number,
    batch: { samples: SetPlan['samples']; order: SetPlan['samples']; targets: SetPlan['samples'] | null },
  ): void {
    const memory = this.#memory;
    memory.setBatch({ ...batch, rows, weights: null });
    memory.run(rows < MANY_ROWS ? 'inferFew' : this.#sparse ? 'inferSparse' : 'infer');
  }

  #readOutputs(result: Float32Array, first: number, rows: number): void {
    const memory = this.#memory;
    const { p, C, ld } = memory.plan.output;
    const padded = memory.f32(p);
    const mean = this.#statistics.get('target.mean');
    const deviation = this.#statistics.get('target.deviation');
    for (let b = 0; b < rows; b++) {
      const to = (first + b) * C;
      for (let c = 0; c < C; c++) {
        const value = padded[b * ld + c]!;
        result[to + c] = mean === undefined ? value : value * deviation![c]! + mean[c]!;
      }
    }
  }

  /**
   * Inference compresses what comes out of ReLU, half of which is zero, and samples where they are sparse; of a few rows
   * everything, so that only the weights that they need are read.
   */
  #writeInference(memory: NetworkMemory): void {
    const { plan } = memory;
    const after = plan.blocks.map((_, l) => hasSparseGradient(plan.blocks, l));
    memory.writeProgram('infer', plan.infer(after));
    memory.writeProgram('inferSparse', plan.infer([true, ...after.slice(1)]));
    memory.writeProgram('inferFew', plan.infer(plan.blocks.map(() => true)));
  }

  #writeNormTables(memory: NetworkMemory, { norms, parameters }: Plan): void {
    norms.forEach((vectors, l) => {
      if (vectors === null) return;
      const { gamma, beta, runningMean, runningVar } = parameters.blocks[l]!.norm!;
      const addresses = [gamma, beta, runningMean, runningVar].map(
        ({ buffer, offset }) => memory.address(buffer) + offset,
      );
      memory
        .u32(vectors.table)
        .set([...addresses, memory.address(vectors.mean), memory.address(vectors.rstd)]);
    });
  }
}

/**
 * Throws what the constructor of Network would throw for these arguments, `range` for a network that needs more memory than
 * WebAssembly has among it. Allocates none of it.
 */
export function checkNetwork(core: Core, model: ModelSpec, options: NetworkOptions = {}): void {
  expectMemory(memoryFor(core, model, checkOptions(core, model, options).use));
}

/** What a network is planned for, from checked arguments. */
function checkOptions(core: Core, model: ModelSpec, options: NetworkOptions): { use: Use; head: Head } {
  expectKeys('options', options, ['seed', 'batchSize', 'training', 'sets', 'threads', 'stageEntries']);
  const { seed = 0, batchSize = 256, training = null, sets = [], threads = 1 } = options;
  checkModel(model);
  expectWhole('seed', seed, 0);
  expectWhole('batchSize', batchSize, 1, MAX_BATCH);
  expectWhole('threads', threads, 1, 64);
  if (training !== null) checkTraining(training, model);
  sets.forEach(({ rows, entries = 0 }, index) => {
    expectWhole(`sets[${index}].rows`, rows, 0, 2 ** 31);
    expectWhole(`sets[${index}].entries`, entries, 0, 2 ** 31);
  });
  const features = model.input.features;
  const stageEntries =
    model.input.type === 'sparse' ? (options.stageEntries ?? Math.max(STAGE_ENTRIES, features)) : 0;
  expectWhole('stageEntries', stageEntries, 0, 2 ** 31);

  const head = training ? LOSSES[training.loss.type].head : (model.output?.head ?? 'softmax');
  const loss = training?.loss ?? usualLoss(head);
  const use: Use = {
    rows: training === null ? inferenceRows(model) : batchSize + 1,
    threads,
    training,
    loss,
    sets,
    stageEntries,
    kernels: core.kernels,
    core: planConstants(core),
  };
  return { use, head };
}

/** As many rows as keep an inference's buffers within INFERENCE_BYTES, and at least one tile of them. */
function inferenceRows(model: ModelSpec): number {
  const widest = Math.max(
    model.input.type === 'sparse' ? 1 : model.input.features,
    ...model.layers.map((layer) => (layer.type === 'dense' ? layer.units : 1)),
  );
  // Two products, one packed input and one compressed input of 8 bytes an element.
  const perRow = 20 * widest;
  return Math.max(12, Math.min(INFERENCE_ROWS, Math.floor(INFERENCE_BYTES / perRow)));
}

function checkTraining(training: TrainingUse, model: ModelSpec): void {
  expectKeys('training', training, ['loss', 'optimizer', 'clipNorm', 'frozenStatistics', 'average']);
  checkLoss(training.loss);
  checkOptimizer(training.optimizer);
  expectBoolean('training.frozenStatistics', training.frozenStatistics);
  expectBoolean('training.average', training.average);
  if (training.clipNorm !== undefined)
    expectNumber('training.clipNorm', training.clipNorm, 'a number above 0', (value) => value > 0);
  const { head } = LOSSES[training.loss.type];
  if (model.output !== undefined && model.output.head !== head) {
    throw problem('range', {
      subject: 'output.head',
      found: model.output.head,
      expected: `'${head}', because the loss is ${training.loss.type},`,
    });
  }
  if (head === 'softmax' && outputsOf(model) < 2)
    throw rangeError('The number of outputs', outputsOf(model), 'at least 2 classes');
}
