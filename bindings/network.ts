import { expectLength, expectWhole, rangeError } from './checks.js';
import { DensityWatch, nonZeroShare, pixelDensity } from './density.js';
import type { Engine } from './engine.js';
import { TreadleError } from './errors.js';
import { NetworkMemory } from './memory.js';
import { initialiseParameters, RUNNING_STATISTICS, readParameters, writeParameters } from './parameters.js';
import { seedWords } from './seed.js';
import {
  ADAM_BETA1,
  ADAM_BETA2,
  ADAM_EPSILON,
  BATCH_NORM_EPSILON,
  BATCH_NORM_MOMENTUM,
  checkSpec,
  type NetworkSpec,
} from './spec.js';
import type { HelperTicket } from './team.js';
import type { NetworkTensors, OptimizerState, TrainingState } from './tensors.js';

/** Samples and their classes. */
export interface Samples {
  /** u8 pixels, (count, inputs). */
  images: Uint8Array;
  /** Class of each sample, 0 <= label < classes; count of them. */
  labels: Uint8Array | Uint16Array | Uint32Array;
}

export interface NetworkOptions {
  /** Draws the initial weights and every dropout mask; a whole number from 0 to 2^53 - 1. */
  seed: number;
  /** Most samples in a training batch, from 2 to MAX_BATCH. A batch may hold one more: the epoch's last, joined. */
  batchSize: number;
  /** Copied into linear memory, where it stays u8. */
  data: Samples;
}

/** The largest batch size that is accepted. */
export const MAX_BATCH = 65536;

/** Sums over the batches of an epoch so far. */
export interface Totals {
  /** Sum of the samples' losses, in nats. */
  loss: number;
  correct: number;
  samples: number;
}

/** The totals before an epoch's first batch. */
const NOTHING: Totals = { loss: 0, correct: 0, samples: 0 };

/** Figures of an evaluation. */
export interface Evaluation {
  /** Mean loss per sample, in nats. */
  loss: number;
  /** confusion[actual][predicted]: counts. */
  confusion: number[][];
}

/** A network with its data, optimiser and programs in one linear memory of its own. */
export class Network {
  readonly spec: NetworkSpec;
  readonly #engine: Engine;
  /** Null once the network has been disposed of, so that nothing keeps the linear memory; read through `#memory`. */
  #resident: NetworkMemory | null;
  readonly #samples: number;
  #batchesTracked = 0;
  #optimizerSteps = 0;
  #dropoutSteps = 0;
  /** Sums over the epoch; the correct predictions since it was begun or resumed are counted in `confusion`. */
  #totals: Totals = NOTHING;
  #threads = 1;
  /** Rows of the latest training batch. */
  #rows = 0;
  readonly #density: DensityWatch;

  /** Throws `range` or `shape` for a spec, option or data that cannot be trained on, `engine` for want of memory. */
  constructor(engine: Engine, spec: NetworkSpec, { seed, batchSize, data }: NetworkOptions) {
    checkSpec(spec);
    expectWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
    expectWhole('batchSize', batchSize, 2, MAX_BATCH);
    expectLength('data.images', data.images.length, data.labels.length * spec.inputs);
    const wrong = data.labels.findIndex((label) => label >= spec.classes);
    if (wrong >= 0)
      throw rangeError(`labels[${wrong}]`, data.labels[wrong]!, `a class below ${spec.classes}`);

    this.spec = spec;
    this.#samples = data.labels.length;
    this.#engine = engine;
    this.#resident = new NetworkMemory(engine, spec, batchSize, this.#samples);
    this.#writeConstants(seed);
    this.#memory.bytes('images').set(data.images);
    this.#memory.uints('labels').set(data.labels);
    this.#density = new DensityWatch(spec, pixelDensity(data.images, spec.inputs));
    this.#memory.writePrograms(this.#density.compressed);
    this.#memory
      .uints('stageOrder')
      .set(Uint32Array.from({ length: this.#memory.plan.maxRows }, (_, b) => b));
    initialiseParameters(this.#memory, seed);
  }

  /** What another thread needs in order to help (assist); null in builds without threads. */
  get ticket(): HelperTicket | null {
    const { core } = this.#memory;
    if (core.constant('THREADS') !== 1) return null;
    return { engine: this.#engine, memory: core.memory, state: this.#memory.address('state') };
  }

  /** Threads that take part in this network's programs. */
  get threads(): number {
    return this.#threads;
  }

  /** Threads that will take part from the next epoch on, this one included. */
  get joined(): number {
    return this.ticket === null ? 1 : this.#memory.joined();
  }

  /**
   * Starts an epoch: samples will be taken in this order, at this learning rate. Totals start from zero, or from those
   * of an epoch that was stopped and goes on. Threads that have joined since the last epoch take part from here on.
   * Throws `range` for an index that is not a sample or a rate that is not a positive number.
   */
  beginEpoch(order: Uint32Array, learningRate: number, totals: Totals = NOTHING): void {
    if (!(learningRate > 0 && Number.isFinite(learningRate))) {
      throw rangeError('learningRate', learningRate, 'a number above 0');
    }
    this.#writeOrder(order);
    this.#memory.setState('LEARNING_RATE', 'f64', learningRate);
    this.#chooseKernels();
    this.#totals = { ...totals };
    this.#memory.uints('confusion').fill(0);
    if (this.ticket !== null) this.#threads = this.#memory.admitHelpers();
  }

  /**
   * One training step on the samples order[first], ..., order[first + rows - 1]. Returns the batch's mean loss, which
   * the caller checks: it may be NaN or infinite. Throws `range` for a batch that is not in the epoch's order.
   */
  trainBatch(first: number, rows: number): number {
    expectWhole('rows', rows, 2, this.#memory.plan.maxRows);
    expectWhole('first', first, 0, this.#samples - rows);
    const loss = this.#memory.run('train', this.#memory.address('order') + 4 * first, rows);
    this.#rows = rows;
    this.#batchesTracked += 1;
    this.#optimizerSteps += 1;
    this.#dropoutSteps += 1;
    this.#totals.loss += loss;
    this.#totals.samples += rows;
    return loss / rows;
  }

  /** Sums over the epoch so far. */
  totals(): Totals {
    const confusion = this.#memory.uints('confusion');
    const { classes } = this.spec;
    let { correct } = this.#totals;
    for (let c = 0; c < classes; c++) correct += confusion[c * classes + c]!;
    return { ...this.#totals, correct };
  }

  /** Runs inference over resident samples. Ends the epoch: its totals are gone. Throws `range` as beginEpoch. */
  evaluate(indices: Uint32Array): Evaluation {
    this.#writeOrder(indices);
    const { classes } = this.spec;
    const confusion = this.#memory.uints('confusion');
    confusion.fill(0);
    let loss = 0;
    this.#forward(indices.length, (first, rows) => {
      loss += this.#memory.run('evaluate', this.#memory.address('order') + 4 * first, rows);
    });
    return {
      loss: loss / indices.length,
      confusion: Array.from({ length: classes }, (_, c) => [
        ...confusion.subarray(c * classes, (c + 1) * classes),
      ]),
    };
  }

  /** Probabilities (count, classes) of images (count, inputs). Throws `shape` for a length that is no multiple of inputs. */
  predict(images: Uint8Array): Float32Array {
    const { inputs, classes } = this.spec;
    const count = Math.ceil(images.length / inputs);
    expectLength('images', images.length, count * inputs);
    const probabilities = new Float32Array(count * classes);
    const ld = this.#memory.plan.layers.at(-1)!.outputStride / 4;
    this.#forward(count, (first, rows) => {
      this.#memory.bytes('stage').set(images.subarray(first * inputs, (first + rows) * inputs));
      this.#memory.run('predict', this.#memory.address('stageOrder'), rows);
      const padded = this.#memory.floats('d0');
      for (let b = 0; b < rows; b++) {
        probabilities.set(padded.subarray(b * ld, b * ld + classes), (first + b) * classes);
      }
    });
    return probabilities;
  }

  /** A copy of every parameter and running statistic, in the arrays of `into`, an earlier copy, where it is given. */
  exportTensors(into?: NetworkTensors): NetworkTensors {
    const { dense, batchNorm } = readParameters(this.#memory, 'parameters', into);
    const statistic = (name: string, l: number) =>
      this.#memory.floats(`${name}${l}`).slice(0, this.spec.hidden[l]);
    return {
      dense,
      batchNorm: batchNorm.map((parameters, l) => ({
        ...parameters,
        runningMean: statistic('runningMean', l),
        runningVar: statistic('runningVar', l),
      })),
      batchesTracked: this.#batchesTracked,
    };
  }

  /** Takes over parameters and running statistics. Throws `shape` when they are not this network's. */
  importTensors(tensors: NetworkTensors): void {
    writeParameters(this.#memory, 'parameters', tensors);
    this.spec.hidden.forEach((width, l) => {
      for (const name of RUNNING_STATISTICS) {
        const values = tensors.batchNorm[l]![name];
        expectLength(`batchNorm[${l}].${name}`, values.length, width);
        this.#memory.floats(`${name}${l}`).set(values);
      }
    });
    this.#batchesTracked = tensors.batchesTracked;
  }

  /** Sets Adam's moments and step count to zero, as at initialisation. */
  resetOptimizer(): void {
    this.#memory.floats('moment1').fill(0);
    this.#memory.floats('moment2').fill(0);
    this.#setOptimizerSteps(0);
  }

  /** A copy of Adam's state, in the arrays of `into`, an earlier copy, where it is given. */
  exportOptimizer(into?: OptimizerState): OptimizerState {
    return {
      steps: this.#optimizerSteps,
      first: readParameters(this.#memory, 'moment1', into?.first),
      second: readParameters(this.#memory, 'moment2', into?.second),
    };
  }

  /** Takes over Adam's state. Throws `shape` when it is not this network's. */
  importOptimizer({ steps, first, second }: OptimizerState): void {
    writeParameters(this.#memory, 'moment1', first);
    writeParameters(this.#memory, 'moment2', second);
    this.#setOptimizerSteps(steps);
  }

  /** A copy of all that training goes on from, in the arrays of `into`, parts of an earlier copy, where they are given. */
  exportTraining(into: Partial<TrainingState> = {}): TrainingState {
    return {
      tensors: this.exportTensors(into.tensors),
      optimizer: this.exportOptimizer(into.optimizer),
      dropoutSteps: this.#dropoutSteps,
    };
  }

  /** Takes over what another network of the same spec and seed was trained to. Throws `shape` when it is not this network's. */
  importTraining({ tensors, optimizer, dropoutSteps }: TrainingState): void {
    this.importTensors(tensors);
    this.importOptimizer(optimizer);
    this.#dropoutSteps = dropoutSteps;
    this.#memory.setState('STEP', 'u32', dropoutSteps);
  }

  /** Names the first layer whose output in the latest batch holds a NaN or an infinity; null when none does. */
  firstNonFinite(): string | null {
    const depth = this.spec.hidden.length;
    for (let l = 0; l <= depth; l++) {
      if (this.#memory.floats(`z${l}`).every(Number.isFinite)) continue;
      return l === depth ? 'the output layer' : `hidden block ${l + 1}`;
    }
    return null;
  }

  /**
   * Sends helper threads home and lets go of the linear memory, whatever else still refers to the network. Every later
   * use throws `usage`, but for a second `dispose`, which does nothing.
   */
  dispose(): void {
    this.#resident?.core.functions.dismiss(this.#resident.address('state'));
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

  /** Folds BatchNorm, then calls `step` for each batch of an inference over `count` samples. */
  #forward(count: number, step: (first: number, rows: number) => void): void {
    this.#memory.run('prepare', this.#memory.address('order'), 0);
    const { maxRows } = this.#memory.plan;
    for (let first = 0; first < count; first += maxRows) step(first, Math.min(maxRows, count - first));
  }

  /** Compresses the inputs of the layers that were sparse enough in the latest batch. Changes no result. */
  #chooseKernels(): void {
    if (this.#rows > 0) {
      this.spec.hidden.forEach((width, block) => {
        const x = this.#memory.floats(`x${block + 1}`);
        const ld = this.#memory.plan.layers[block]!.outputStride / 4;
        this.#density.measure(block + 1, nonZeroShare(x, this.#rows, width, ld));
      });
    }
    this.#memory.writePrograms(this.#density.compressed);
  }

  #writeOrder(indices: Uint32Array): void {
    if (indices.length > this.#samples) {
      throw rangeError('order.length', indices.length, `at most ${this.#samples}`);
    }
    const wrong = indices.findIndex((index) => index >= this.#samples);
    if (wrong >= 0) throw rangeError(`order[${wrong}]`, indices[wrong]!, `an index below ${this.#samples}`);
    this.#memory.uints('order').set(indices);
  }

  #writeConstants(seed: number): void {
    const memory = this.#memory;
    memory.setState('BETA1', 'f64', ADAM_BETA1);
    memory.setState('BETA2', 'f64', ADAM_BETA2);
    memory.setState('ADAM_EPSILON', 'f64', ADAM_EPSILON);
    memory.setState('NORM_EPSILON', 'f64', BATCH_NORM_EPSILON);
    memory.setState('NORM_MOMENTUM', 'f64', BATCH_NORM_MOMENTUM);
    const [key0, key1] = seedWords(seed);
    memory.setState('KEY0', 'u32', key0);
    memory.setState('KEY1', 'u32', key1);
    memory.setState('ZEROS', 'u32', memory.address('zeros'));
    memory.setState('ACTIVE', 'u32', 1);
    memory.setState('JOINED', 'u32', 1);
    this.#setOptimizerSteps(0);
  }

  /** The powers beta^steps are running products, so a state taken over gives the bits of one never interrupted. */
  #setOptimizerSteps(steps: number): void {
    let power1 = 1;
    let power2 = 1;
    // Once the slower one has underflowed both stay zero.
    for (let step = 0; step < steps && power2 > 0; step++) {
      power1 *= ADAM_BETA1;
      power2 *= ADAM_BETA2;
    }
    this.#optimizerSteps = steps;
    this.#memory.setState('POWER1', 'f64', power1);
    this.#memory.setState('POWER2', 'f64', power2);
  }
}
