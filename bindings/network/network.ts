import type { Core } from '../core/core.js';
import { problem } from '../errors/problem.js';
import type { Head, ModelSpec } from '../model/layers.js';
import type { TensorRow, Tensors } from '../model/tensors.js';
import { NetworkContext } from './context.js';
import { evaluateSamples, evaluateSet, type NetworkEvaluation } from './evaluation.js';
import { firstNonFinite } from './finite.js';
import { Inference } from './inference.js';
import { checkOptions, type NetworkOptions } from './options.js';
import { predict } from './prediction.js';
import type { Inputs, Samples } from './samples.js';
import { SampleSets } from './sets.js';
import { setUp } from './setup.js';
import { admitThreads, endHelp, type HelperTicket, joinedThreads, ticketFor } from './team.js';
import { copyTensors, initialiseTensors, replaceTensors } from './tensors.js';
import { Training } from './training.js';

/**
 * A model with its tensors in a linear memory of its own: it predicts and, where it was asked for, trains.
 *
 * @example const network = new Network(core, spec, { batchSize: 32, training: { loss, optimizer }, sets: [{ rows: 1000 }] });
 */
export class Network {
  readonly model: ModelSpec;
  /** Every tensor of the model. */
  readonly table: readonly TensorRow[];
  readonly head: Head;
  readonly #context: NetworkContext;
  readonly #sets: SampleSets;
  readonly #inference: Inference;
  readonly #training: Training | null;

  /** Throws `usage`, `range` or `shape` for a model or option that cannot be used, `engine` for want of memory. */
  constructor(core: Core, model: ModelSpec, options: NetworkOptions = {}) {
    const { seed = 0, threads = 1, training = null } = options;
    const { use, head } = checkOptions(core, model, options);
    const context = new NetworkContext(core, model, use, head);
    this.model = model;
    this.table = context.table;
    this.head = head;
    this.#context = context;
    setUp(context.memory, seed, threads);
    initialiseTensors(context, seed);
    this.#sets = new SampleSets(context);
    this.#inference = new Inference(context);
    this.#training = training && new Training(training, context, this.#sets);
    this.#foldInPlace();
  }

  /** Bytes of the linear memory. */
  get memoryBytes(): number {
    return this.#context.memory.bytes;
  }

  /** What trains this network. Throws `usage` where it was created without training. */
  get training(): Training {
    this.#context.expectInUse();
    if (this.#training !== null) return this.#training;
    throw problem('usage', {
      subject: 'The network',
      found: 'one that only predicts',
      expected: 'a network created with `training`',
    });
  }

  /** What another thread needs in order to help (helpNetwork); null in builds without threads. */
  get ticket(): HelperTicket | null {
    return ticketFor(this.#context.core, this.#context.memory);
  }

  /** Threads that will take part from the next epoch on, this one included. */
  get joined(): number {
    return joinedThreads(this.#context.memory);
  }

  /** Lets the threads that have joined by now take part, and returns how many there are. */
  admit(): number {
    return admitThreads(this.#context.memory);
  }

  /** The statistics of inputs and targets: the tensors that the host applies. */
  get statistics(): Tensors {
    return this.#context.statistics;
  }

  /** A copy of every tensor, in the arrays of `into`, an earlier copy, where it has them. */
  tensors(into?: Tensors): Tensors {
    return copyTensors(this.#context, into);
  }

  /** Takes over all tensors. Throws `shape` when they are not this model's. Loaded samples keep their standardisation. */
  setTensors(tensors: Tensors): void {
    replaceTensors(this.#context, tensors);
    this.#foldInPlace();
  }

  /**
   * Copies samples into a resident set, standardised by the model's own statistics. Throws `usage`, `shape` or `range` for
   * samples that are not what the model and the loss take, before anything is written.
   */
  load(index: number, samples: Samples): void {
    this.#sets.load(index, samples);
  }

  /**
   * Inference over rows of a resident set, which leaves training as it is. Throws `range` for a row that is not in the set
   * and for no rows at all, `usage` for a set without targets.
   */
  evaluate(index: number, order: Uint32Array, { outputs = false } = {}): NetworkEvaluation {
    return evaluateSet(this.#context, this.#inference, this.#sets, index, order, outputs);
  }

  /**
   * Inference over samples that are not resident. Throws `usage`, `shape` or `range` for samples that are not what the model
   * and the loss take, and for none.
   */
  evaluateOn(samples: Samples, { outputs = false } = {}): NetworkEvaluation {
    return evaluateSamples(this.#context, this.#inference, samples, outputs);
  }

  /**
   * Probabilities or predictions, (rows, outputs), of samples that are not resident. Legal at any time: training goes on as
   * if it had not been. Throws `usage`, `shape` or `range` for inputs that are not what the model takes.
   */
  predict(inputs: Inputs): Float32Array {
    return predict(this.#context, this.#inference, inputs);
  }

  /** Names the first layer whose output in the latest program holds a NaN or an infinity; null when none does. */
  firstNonFinite(): string | null {
    return firstNonFinite(this.#context.memory);
  }

  /**
   * Sends helper threads home and lets go of the linear memory, whatever else still refers to the network. Every later
   * use throws `usage`, but for a second `dispose`, which does nothing.
   */
  dispose(): void {
    const memory = this.#context.release();
    if (memory !== null) endHelp(memory);
  }

  /** A network without training has no weights but the folded ones, so it folds what it is given at once. */
  #foldInPlace(): void {
    if (this.#training === null) this.#inference.fold();
  }
}
