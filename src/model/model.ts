import {
  type Bytes,
  type Core,
  checkModel,
  expectTensors,
  type Loss,
  type ModelSpec,
  Network,
  outputsOf,
  parameterCount,
  problem,
  type Role,
  rangeError,
  type Tensors,
  type TrainingOptions,
  TreadleError,
  tensorTable,
  usualLoss,
} from '#bindings';
import { adaptFeatures, type Features } from '../data/features.js';
import { taskOf } from '../data/targets.js';
import type { ModelCheckpoint } from '../formats/checkpoint-bytes.js';
import { encodeModel } from '../formats/model-bytes.js';
import { EPOCH_FIGURES } from '../metrics/figures.js';
import { type Helper, type StartHelper, startHelpers } from '../threads/helpers.js';
import {
  type Checkpoint,
  type EpochFigures,
  firstNonFinite,
  type LoopResult,
  trainLoop,
} from '../train/loop.js';
import { adaptData, type CoreSamples } from './adapt.js';
import { breathe } from './breathe.js';
import { argmax, type Evaluation, figuresFrom, scoresOf } from './evaluation.js';
import { headOf } from './head.js';
import {
  checkCheckpointOf,
  checkFitOptions,
  checkMonitor,
  type Data,
  type DataStream,
  DEFAULT_EPOCHS,
  type FitOptions,
} from './options.js';
import { setUpResident } from './resident.js';
import { FitRun, Gate } from './run.js';
import { type Decisions, hasNorm, type SetUp, type Threads } from './set-up.js';
import { isStream, setUpStream } from './stream.js';
import { summarize } from './summary.js';

/** What a training came to. */
export interface History {
  /** Figures of each epoch, in order. */
  epochs: EpochFigures[];
  /** The epoch whose weights the model now has; the last one where an average of weights is kept. */
  best: number;
  /** Why training ended. */
  ended: 'epochs' | 'patience';
  /** What was decided before training, given or inferred. */
  decisions: Decisions;
  /** All that training goes on from: give it to `fit` with more epochs. */
  checkpoint: ModelCheckpoint;
}

/** What a model is made of, for createModel and loadModel. */
export interface ModelParts {
  core: Core;
  spec: ModelSpec;
  seed: number;
  threads: Threads;
  startHelper: StartHelper;
  /** Null for a model that has not been trained. */
  tensors: Tensors | null;
  /** Of its latest training; null where that is not known. */
  loss: Loss | null;
}

/**
 * A model that trains, predicts and is saved. Made by `createModel` and `loadModel`.
 *
 * @example const model = await createModel(mlp({ inputs: 4, hidden: [32], outputs: 3 }));
 */
export class Model {
  readonly #core: Core;
  readonly #seed: number;
  readonly #threads: Threads;
  readonly #startHelper: StartHelper;
  #spec: ModelSpec;
  #tensors: Tensors | null;
  /** Of the latest training; null where that is not known. */
  #loss: Loss | null;
  /** Predicts between trainings; made when it is first needed. */
  #predictor: Network | null = null;
  /** The training that goes on, whose network predicts meanwhile. */
  #training: SetUp | null = null;
  /** Whether a training goes on, its preparation included. */
  #busy = false;
  /** Where that training waits while it is paused. */
  #gate = new Gate();
  #disposed = false;

  constructor({ core, spec, seed, threads, startHelper, tensors, loss }: ModelParts) {
    this.#core = core;
    this.#spec = checkModel(spec);
    this.#seed = seed;
    this.#threads = threads;
    this.#startHelper = startHelper;
    this.#tensors = tensors;
    this.#loss = loss;
  }

  /** The model as plain JSON. Its output and classes are decided by the first training. */
  get spec(): ModelSpec {
    return this.#spec;
  }

  /** Trained parameters. */
  get parameters(): number {
    return parameterCount(this.#spec);
  }

  /** A table of the layers with their output sizes and parameters, as text. */
  summary(): string {
    return summarize(this.#spec);
  }

  /**
   * Trains on `data` and resolves with the history; the model then has the weights of the best epoch. Called again it goes on
   * from the model's weights. Await it, or iterate over it for each epoch's figures:
   *
   * ```js
   * const history = await model.fit({ x, y }, { validation: 0.2 });
   * for await (const { epoch, valLoss } of model.fit({ x, y }, { validation: 0.2 })) console.log(epoch, valLoss);
   * ```
   *
   * Rejects with `usage`, `shape`, `range` or `data` for data or options that cannot be used, `diverged` when the loss or a
   * weight becomes NaN or infinite, `interrupted` when the signal aborts. Then the model stays as it was.
   */
  fit(data: Data | DataStream, options: FitOptions = {}): FitRun<History> {
    const gate = new Gate();
    return new FitRun(this.#fit(data, options, gate), gate);
  }

  /** How well the model does on samples. Legal during a training. Throws `usage`, `shape` or `range` as `fit`. */
  evaluate(data: Data): Evaluation {
    const { network, spec, samples } = this.#toEvaluate(data);
    const found = network.evaluateOn(samples, { outputs: true });
    return scoresOf(taskOf(headOf(spec)), spec, samples.targets, found, samples.weights);
  }

  /** @internal The loss that `evaluate` tells, without its other figures. */
  loss(data: Data): number {
    const { network, samples } = this.#toEvaluate(data);
    return network.evaluateOn(samples).loss;
  }

  #toEvaluate(data: Data): { network: Network; spec: ModelSpec; samples: CoreSamples } {
    const { network, spec } = this.#current();
    const loss = this.#training?.decisions.loss ?? this.#loss ?? usualLoss(headOf(spec));
    const { samples } = adaptData('', data, spec, loss, spec.classes ?? null);
    return { network, spec, samples };
  }

  /**
   * Class names or indices, rows of 0 and 1, or numbers (rows of numbers where there are several outputs), one for each
   * sample. Legal during a training. Throws `usage`, `shape` or `range` for features that are not what the model takes.
   */
  predict(x: Features): (number | string | number[])[] {
    const outputs = this.probabilities(x);
    const { spec } = this.#current();
    const width = outputsOf(spec);
    const head = headOf(spec);
    return Array.from({ length: outputs.length / width }, (_, row) => {
      const values = outputs.subarray(row * width, (row + 1) * width);
      if (head === 'softmax') {
        const best = argmax(values);
        return spec.classes?.[best] ?? best;
      }
      const answers = head === 'sigmoid' ? Array.from(values, (p) => Number(p >= 0.5)) : Array.from(values);
      return width === 1 ? answers[0]! : answers;
    });
  }

  /**
   * What the model says of each sample: probabilities of classes or labels, or predicted numbers, (rows, outputs), row-major.
   * Legal during a training. Throws as {@link predict}.
   */
  probabilities(x: Features): Float32Array {
    const { network, spec } = this.#current();
    return network.predict(adaptFeatures('x', x, spec).inputs);
  }

  /** The model as bytes: a safetensors file that `loadModel`, PyTorch and the command line read. */
  save(): Bytes {
    return encodeModel({
      spec: this.#training?.spec ?? this.#spec,
      tensors: this.tensors(),
      loss: this.#training?.decisions.loss ?? this.#loss,
    });
  }

  /** A copy of every tensor by key, row-major. */
  tensors(): Tensors {
    this.#expectUse();
    if (this.#training !== null) return this.#training.network.tensors();
    return new Map([...this.#present()].map(([key, values]) => [key, values.slice()]));
  }

  /**
   * Takes over all tensors, as {@link tensors} gave them: for averages of models, or weights from elsewhere. Throws `usage`
   * while the model is trained, `shape` or `range` for what are not its tensors, or hold what it cannot have: numbers that are
   * not finite, variances below 0, deviations that are not above 0.
   */
  setTensors(tensors: Tensors): void {
    this.#expectUse();
    if (this.#busy) throw busy('tensors that are set between trainings');
    expectTensors('tensors', tensors, tensorTable(this.#spec));
    const wrong = firstNonFinite(tensors);
    if (wrong !== null) {
      const found = tensors.get(wrong)!.find((value) => !Number.isFinite(value));
      throw rangeError(`tensors['${wrong}']`, found, 'a finite number in each place');
    }
    for (const { key, role } of tensorTable(this.#spec)) {
      const found = tensors.get(key)!.find((value) => !isPossible(role, value));
      if (found !== undefined)
        throw rangeError(`tensors['${key}']`, found, 'what the model could have measured');
    }
    this.#tensors = new Map([...tensors].map(([key, values]) => [key, values.slice()]));
    this.#predictor?.dispose();
    this.#predictor = null;
  }

  /** @internal A model of another spec with these tensors, in the same core, with the same loss. */
  withTensors(spec: ModelSpec, tensors: Tensors): Model {
    return new Model({
      core: this.#core,
      spec,
      seed: this.#seed,
      threads: this.#threads,
      startHelper: this.#startHelper,
      tensors,
      loss: this.#training?.decisions.loss ?? this.#loss,
    });
  }

  /**
   * Lets go of the memory; a training that goes on rejects with `interrupted`. Every later use throws `usage`, but for
   * `dispose` and what is told of the spec.
   */
  dispose(): void {
    this.#disposed = true;
    this.#gate.end();
    this.#predictor?.dispose();
    this.#predictor = null;
    this.#training?.network.dispose();
    this.#training = null;
    this.#tensors = null;
  }

  async *#fit(
    data: Data | DataStream,
    options: FitOptions,
    gate: Gate,
  ): AsyncGenerator<EpochFigures, History> {
    this.#expectUse();
    checkFitOptions(options);
    if (this.#busy) throw busy('one training at a time');
    if (options.signal?.aborted) {
      throw new TreadleError('interrupted', 'The training was stopped before it began.', {
        subject: 'model',
      });
    }
    const from = options.checkpoint ?? null;
    if (from !== null) checkCheckpointOf(this.#spec, from);
    this.#busy = true;
    this.#gate = gate;
    const open = () => gate.end();
    options.signal?.addEventListener('abort', open);
    try {
      return yield* this.#train(data, options, from);
    } catch (error) {
      if (this.#disposed && error instanceof TreadleError && error.code === 'usage') throw disposedOf();
      throw error;
    } finally {
      this.#busy = false;
      options.signal?.removeEventListener('abort', open);
    }
  }

  async *#train(
    data: Data | DataStream,
    options: FitOptions,
    from: ModelCheckpoint | null,
  ): AsyncGenerator<EpochFigures, History> {
    const tensors =
      from === null ? this.#tensors : new Map([...from.training.state.tensors, ...from.statistics]);
    const base = from?.model ?? this.#spec;
    const start = { core: this.#core, spec: base, tensors, seed: this.#seed, threads: this.#threads };
    const set = isStream(data)
      ? await setUpStream(start, data, options)
      : setUpResident(start, data, options);
    this.#training = set;
    let helpers: Helper[] = [];
    try {
      helpers = await startHelpers(set.network, set.decisions.threads, this.#startHelper);
      if (this.#disposed) throw disposedOf();
      const result = yield* tellingEpochs(trainLoop(set.network, this.#loop(set, options, from)), options);
      const statistics = new Map(set.network.statistics);
      const final = await this.#final(set, options, result);
      if (this.#disposed) throw disposedOf();
      this.#loss = set.decisions.loss;
      this.#spec = set.spec;
      this.#tensors = new Map([...final, ...statistics]);
      this.#predictor?.dispose();
      this.#predictor = null;
      return {
        epochs: result.epochs,
        best: options.average ? result.epochs.length : result.kept,
        ended: result.ended,
        decisions: set.decisions,
        checkpoint: { model: set.spec, statistics, training: result.checkpoint },
      };
    } finally {
      set.network.dispose();
      this.#training = null;
      await set.source.end?.();
      await Promise.all(helpers.map((helper) => helper.ended()));
    }
  }

  #loop(set: SetUp, options: FitOptions, from: ModelCheckpoint | null): Parameters<typeof trainLoop>[1] {
    const { network, source, decisions, spec, validate } = set;
    const { task } = decisions;
    const monitor = options.monitor ?? (validate ? 'valLoss' : 'trainLoss');
    checkMonitor(monitor, task, validate !== null);
    const { better } = EPOCH_FIGURES.find(({ name }) => name === monitor)!;
    const epochs = options.epochs ?? DEFAULT_EPOCHS;
    const { signal, average } = options;
    return {
      source,
      epochs,
      averageShare: average ? averageShare(average, (source.count ?? 0) * epochs, source.count ?? 0) : null,
      learningRate: decisions.learningRate,
      trainFigures: (totals) => ({
        trainLoss: totals.weight === 0 ? 0 : totals.loss / totals.weight,
        ...(task === 'classification' && { trainAccuracy: totals.correct / totals.samples }),
      }),
      validate: validate && (() => figuresFrom(validate())),
      isBetter: (figures, best) =>
        better === 'lower' ? figures[monitor]! < best[monitor]! : figures[monitor]! > best[monitor]!,
      keep: options.keep ?? (validate ? 'best' : 'last'),
      patience: options.patience ?? null,
      shouldStop: () => this.#disposed || signal?.aborted === true,
      onStep: options.onStep,
      ...(options.onCheckpoint && {
        // A copy: training goes on to write into the arrays of this one, and the caller may keep what it is given.
        save: async (checkpoint: Checkpoint) =>
          options.onCheckpoint!(
            structuredClone({ model: spec, statistics: network.statistics, training: checkpoint }),
          ),
      }),
      from: from ? structuredClone(from.training) : null,
      isPaused: () => this.#gate.paused,
      breathe: async () => {
        await breathe();
        await this.#gate.passed();
      },
      title: 'The model',
      subject: 'model',
    };
  }

  /** The tensors that the model has after a training: an average of weights gets running statistics of its own. */
  async #final(
    { network, estimate, spec }: SetUp,
    options: FitOptions,
    result: LoopResult,
  ): Promise<Tensors> {
    if (!options.average) return result.weights.tensors;
    network.setTensors(new Map([...network.tensors(), ...network.training.averaged()]));
    if (!options.frozenStatistics && hasNorm(spec)) await estimate();
    return network.tensors();
  }

  /** What predicts now. */
  #current(): { network: Network; spec: ModelSpec } {
    this.#expectUse();
    if (this.#training !== null) return this.#training;
    if (this.#predictor === null) {
      const spec = { ...this.#spec, output: this.#spec.output ?? { head: headOf(this.#spec) } };
      this.#predictor = new Network(this.#core, spec, { seed: this.#seed });
      if (this.#tensors !== null) this.#predictor.setTensors(this.#tensors);
    }
    return { network: this.#predictor, spec: this.#spec };
  }

  /** The tensors between trainings: the initial ones before the first. */
  #present(): Tensors {
    if (this.#tensors !== null) return this.#tensors;
    const training: TrainingOptions = { loss: usualLoss(headOf(this.#spec)), optimizer: { type: 'sgd' } };
    const network = new Network(this.#core, this.#spec, { seed: this.#seed, batchSize: 2, training });
    const tensors = network.tensors();
    network.dispose();
    return tensors;
  }

  #expectUse(): void {
    if (!this.#disposed) return;
    throw problem('usage', { subject: 'The model', found: 'disposed of', expected: 'a model in use' });
  }
}

/** Whether a tensor of a role may hold a finite number: variances and deviations are of one sign. */
function isPossible(role: Role, value: number): boolean {
  return role === 'deviation' ? value > 0 : role !== 'runningVar' || value >= 0;
}

function busy(expected: string): TreadleError {
  return problem('usage', { subject: 'The model', found: 'being trained', expected });
}

function disposedOf(): TreadleError {
  return new TreadleError('interrupted', 'The training was ended: its model has been disposed of.', {
    subject: 'model',
  });
}

/** Hands on a training's epochs, each after `onEpoch` has heard of it. */
async function* tellingEpochs(
  loop: AsyncGenerator<EpochFigures, LoopResult>,
  { onEpoch }: FitOptions,
): AsyncGenerator<EpochFigures, LoopResult> {
  try {
    for (;;) {
      const { done, value } = await loop.next();
      if (done) return value;
      onEpoch?.(value);
      yield value;
    }
  } finally {
    await loop.return(undefined as never);
  }
}

/** Of an exponential average of the weights. */
const DEFAULT_DECAY = 0.999;

/**
 * The share of each step's weights in their average. An exponential average begins as the mean of all steps, until a step's
 * share in that falls to 1 - decay; the other is the mean over the steps of the last epochs.
 */
function averageShare(
  average: NonNullable<FitOptions['average']>,
  stepsInAll: number,
  stepsPerEpoch: number,
): (steps: number) => number {
  if (average.type === 'ema') {
    const least = 1 - (average.decay ?? DEFAULT_DECAY);
    return (steps) => Math.max(least, 1 / (steps + 1));
  }
  const first = Math.max(0, stepsInAll - average.epochs * stepsPerEpoch);
  return (steps) => (steps < first ? 1 : 1 / (steps - first + 1));
}
