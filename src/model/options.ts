import {
  type AbortSignalLike,
  AUGMENT_KEYS,
  type Augment,
  checkLoss,
  checkOptimizer,
  expectBoolean,
  expectKeys,
  expectNumber,
  expectOneOf,
  expectWhole,
  isList,
  LOSSES,
  type Loss,
  lowerModel,
  MAX_BATCH,
  type ModelSpec,
  type Optimizer,
  problem,
} from '#bindings';
import type { Features } from '../data/features.js';
import { TASKS, type TargetValues, type Task, taskOf } from '../data/targets.js';
import { checkCheckpoint, type ModelCheckpoint } from '../formats/checkpoint-bytes.js';
import { figuresOf } from '../metrics/figures.js';
import type { EpochFigures } from '../train/loop.js';
import { checkLearningRate, type LearningRate } from '../train/schedules.js';

/** Samples to learn from or to be measured on. */
export interface Data {
  /** Features: see {@link Features}. */
  x: Features;
  /** Targets: see {@link TargetValues}. */
  y: TargetValues;
  /** How much each sample counts; left out: all the same. */
  weights?: ArrayLike<number>;
}

/** Batches for data larger than memory. It is iterated once for each epoch; no more than one batch is held. */
export type DataStream = AsyncIterable<Data> | Iterable<Data>;

/** What `onStep` is called with after each step. */
export interface StepEvent {
  epoch: number;
  /** From 1, within the epoch. */
  step: number;
  /** Steps of an epoch; null for streams. */
  steps: number | null;
  /** Mean loss of the batch. */
  loss: number;
  rows: number;
  rate: number;
}

/** How images are changed, and for how long they are moved. */
export interface FitAugment extends Augment {
  /** The share of the epochs after which images are flipped, but no longer moved. Default: 1. */
  until?: number;
}

/** How a model is trained. Everything has a default that trains well on ordinary data. */
export interface FitOptions {
  /** Epochs in all. Default: 100. */
  epochs?: number;
  /** Samples in a batch. Default: about a 32nd of the samples, a power of two from 32 to 256. */
  batchSize?: number;
  /** A rate, a schedule, or a function. Default: cosine with warm-up from 0.01, or from 0.1 for SGD. */
  learningRate?: LearningRate;
  /** Default: AdamW. */
  optimizer?: Optimizer;
  /** Default: the usual one of the task. */
  loss?: Loss;
  /** Default: what the targets speak of (see {@link Task}). */
  task?: Task;
  /** A share of the samples to hold out (stratified by class), or samples of their own. Default: none. */
  validation?: number | Data;
  /** Whether held-out samples are chosen class by class. Default: true for classification. */
  stratify?: boolean;
  /** The figure that decides which epoch is best. Default: valLoss, or trainLoss without validation. */
  monitor?: string;
  /** End after this many epochs without a better one. Default: never. */
  patience?: number;
  /** Whose weights the model has afterwards. Default: the best epoch's with validation, else the last one's. */
  keep?: 'best' | 'last';
  /** A weight a class, in the order of the classes; `balanced`: rows / (classes x rows of the class). */
  classWeights?: 'balanced' | ArrayLike<number>;
  /** Largest norm of all gradients together. */
  clipNorm?: number;
  /** Train with BatchNorm's running statistics as they are, for batches of one and for fine-tuning. */
  frozenStatistics?: boolean;
  /**
   * Keep an average of the weights after each step, exponential (decay 0.999 when left out) or over the steps of the last
   * epochs, and take it in the end, with BatchNorm's running statistics worked out anew for it.
   */
  average?: { type: 'ema'; decay?: number } | { type: 'last'; epochs: number };
  /** Change images before each step (see {@link Augment}); of inputs that are bytes of a `shape`. Default: never. */
  augment?: FitAugment;
  /** Whether each epoch takes the samples in an order of its own. Default: true. */
  shuffle?: boolean;
  /** Draws the order of the samples and the held-out ones. Default: the model's seed. */
  seed?: number;
  /** Stops training between two steps; `fit` then rejects with `interrupted`. */
  signal?: AbortSignalLike;
  onEpoch?: (figures: EpochFigures) => void;
  onStep?: (step: StepEvent) => void;
  /** Called after every epoch with a copy of all that training goes on from. Training waits for what it returns. */
  onCheckpoint?: (checkpoint: ModelCheckpoint) => void | Promise<void>;
  /** Go on where a training with the same data and options stood, to the same bytes. */
  checkpoint?: ModelCheckpoint;
}

const KEYS: readonly (keyof FitOptions)[] = [
  'epochs',
  'batchSize',
  'learningRate',
  'optimizer',
  'loss',
  'task',
  'validation',
  'stratify',
  'monitor',
  'patience',
  'keep',
  'classWeights',
  'clipNorm',
  'frozenStatistics',
  'average',
  'augment',
  'shuffle',
  'seed',
  'signal',
  'onEpoch',
  'onStep',
  'onCheckpoint',
  'checkpoint',
];

/** The default number of epochs. */
export const DEFAULT_EPOCHS = 100;

/** The default size of a batch for so many samples. */
export function defaultBatchSize(samples: number): number {
  const power = 2 ** Math.round(Math.log2(Math.max(1, samples / 32)));
  return Math.min(256, Math.max(32, power));
}

/** The default schedule of an optimiser. */
export function defaultRate({ type }: Optimizer): LearningRate {
  return { type: 'cosine', rate: type === 'sgd' ? 0.1 : 0.01 };
}

/** Throws `usage` or `range` for an option that cannot be used. */
export function checkFitOptions(options: unknown): asserts options is FitOptions {
  expectKeys('options', options, KEYS);
  const given = options as FitOptions;
  const {
    epochs,
    batchSize,
    learningRate,
    optimizer,
    loss,
    task,
    validation,
    patience,
    keep,
    clipNorm,
    average,
  } = given;
  if (epochs !== undefined) expectWhole('epochs', epochs, 1, 10_000_000);
  if (batchSize !== undefined) expectWhole('batchSize', batchSize, 1, MAX_BATCH);
  if (learningRate !== undefined) checkLearningRate(learningRate);
  if (optimizer !== undefined) checkOptimizer(optimizer);
  if (loss !== undefined) checkLoss(loss);
  if (task !== undefined) expectOneOf('task', task, TASKS);
  if (task !== undefined && loss !== undefined && taskOf(LOSSES[loss.type].head) !== task) {
    throw problem('range', { subject: 'loss.type', found: loss.type, expected: `a loss of ${task}` });
  }
  if (typeof validation === 'number') {
    expectNumber('validation', validation, 'a share above 0 and below 1', (share) => share > 0 && share < 1);
  } else if (validation !== undefined) expectKeys('validation', validation, ['x', 'y', 'weights']);
  if (patience !== undefined) expectWhole('patience', patience, 1);
  if (keep !== undefined) expectOneOf('keep', keep, ['best', 'last'] as const);
  if (clipNorm !== undefined) expectNumber('clipNorm', clipNorm, 'a number above 0', (norm) => norm > 0);
  if (average !== undefined) checkAverage(average);
  if (given.augment !== undefined) expectKeys('augment', given.augment, [...AUGMENT_KEYS, 'until']);
  if (given.augment?.until !== undefined) {
    const rule = 'a number from 0 to 1';
    expectNumber('augment.until', given.augment.until, rule, (share) => share >= 0 && share <= 1);
  }
  if (given.seed !== undefined) expectWhole('seed', given.seed, 0);
  for (const name of ['stratify', 'frozenStatistics', 'shuffle'] as const) {
    expectBoolean(name, given[name]);
  }
  checkListeners(given);
  const { classWeights } = given;
  if (classWeights !== undefined && classWeights !== 'balanced' && !isList(classWeights)) {
    throw problem('usage', {
      subject: 'classWeights',
      found: classWeights,
      expected: "'balanced' or an array of weights",
    });
  }
}

/** Throws `usage` for callbacks and a signal that are none: what stays with the caller of a worker. */
export function checkListeners(options: FitOptions): void {
  for (const name of ['onEpoch', 'onStep', 'onCheckpoint'] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'function') {
      throw problem('usage', { subject: name, found: value, expected: 'a function' });
    }
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw problem('usage', { subject: 'signal', found: options.signal, expected: 'an AbortSignal' });
  }
}

/** Whether augmented images are moved in an epoch, or only flipped any more. */
export function movesIn(epoch: number, { augment, epochs = DEFAULT_EPOCHS }: FitOptions): boolean {
  return epoch <= (augment?.until ?? 1) * epochs;
}

/** Throws `usage`, `format`, `range` or `shape` for what is no checkpoint of a training of the model. */
export function checkCheckpointOf(
  spec: ModelSpec,
  checkpoint: unknown,
): asserts checkpoint is ModelCheckpoint {
  checkCheckpoint(checkpoint, 'checkpoint');
  const { model } = checkpoint;
  const { features, type } = spec.input;
  const isSame =
    model.input.features === features &&
    model.input.type === type &&
    JSON.stringify(lowerModel(model)) === JSON.stringify(lowerModel(spec));
  if (isSame) return;
  throw problem('usage', {
    subject: 'checkpoint.model',
    found: 'another model',
    expected: 'a checkpoint of this model',
  });
}

function checkAverage(average: NonNullable<FitOptions['average']>): void {
  expectKeys('average', average, ['type', 'decay', 'epochs']);
  expectOneOf('average.type', average.type, ['ema', 'last'] as const);
  if (average.type === 'last') expectWhole('average.epochs', average.epochs, 1);
  else if (average.decay !== undefined) {
    expectNumber(
      'average.decay',
      average.decay,
      'a number from 0 to below 1',
      (decay) => decay >= 0 && decay < 1,
    );
  }
}

/** Throws `usage` unless a figure is one that the training has. */
export function checkMonitor(monitor: string, task: Task, validates: boolean): void {
  const names = figuresOf(task)
    .filter(({ side }) => validates || side === 'train')
    .map(({ name }) => name);
  expectOneOf('monitor', monitor, names);
}
