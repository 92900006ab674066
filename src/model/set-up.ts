import {
  type Core,
  checkAugment,
  checkModel,
  LOSSES,
  type Loss,
  lowerModel,
  type ModelSpec,
  type Network,
  type Optimizer,
  outputsOf,
  parameterCount,
  problem,
  rangeError,
  type Tensors,
  type TrainingOptions,
  usualLoss,
} from '#bindings';
import type { ColumnStatistics } from '../data/standardize.js';
import { headOfTask, inferTask, type Task, taskOf } from '../data/targets.js';
import type { BatchSource } from '../train/loop.js';
import type { LearningRate } from '../train/schedules.js';
import type { Evaluation } from './evaluation.js';
import { defaultRate, type FitOptions } from './options.js';

/** What was decided before training, given or inferred. */
export interface Decisions {
  task: Task;
  loss: Loss;
  optimizer: Optimizer;
  learningRate: LearningRate;
  batchSize: number;
  /** Threads that train. */
  threads: number;
  /** Rows trained on and held out. */
  samples: number;
  validationSamples: number;
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[] | null;
  /** Columns that are constant over the training rows, by name or number: they become 0. */
  constantColumns: (string | number)[];
}

/** Everything a training runs on. */
export interface SetUp {
  spec: ModelSpec;
  decisions: Decisions;
  network: Network;
  source: BatchSource;
  /** Works out BatchNorm's running statistics anew, over the samples that are trained on. */
  estimate: () => void | Promise<void>;
  /** Scores of the held-out samples; null where there are none. */
  validate: (() => Evaluation) | null;
}

/** What a training is set up from, besides the data and its options. */
export interface Start {
  core: Core;
  spec: ModelSpec;
  /** The model's tensors; null before the first training. */
  tensors: Tensors | null;
  seed: number;
  threads: Threads;
}

/** So many threads, or as many of at most so many as pay. */
export type Threads = number | { most: number };

/** Multiply-adds of a forward pass from which on a step is worth the threads' waiting for each other. */
const LEAST_WORK = 2e7;

/** The threads that train a model in batches of so many rows. */
export function threadsFor({ threads }: Start, spec: ModelSpec, rows: number): number {
  if (typeof threads === 'number') return threads;
  return parameterCount(spec) * rows < LEAST_WORK ? 1 : threads.most;
}

/**
 * Whether a training is a model's first one, which measures the statistics of inputs and targets. A model that was saved
 * before it has tensors, and still no output.
 */
export function isFirst({ spec, tensors }: Start): boolean {
  return tensors === null || spec.output === undefined;
}

const DEFAULT_OPTIMIZER: Optimizer = { type: 'adamW' };

/** The model's spec with its output decided: the first training decides it once and for all. */
export function decideOutput(
  spec: ModelSpec,
  y: unknown,
  { task: wanted, loss: given }: Pick<FitOptions, 'task' | 'loss'>,
): { task: Task; loss: Loss } {
  const inferred = given ? taskOf(LOSSES[given.type].head) : (wanted ?? inferTask(y, spec));
  const loss = given ?? usualLoss(headOfTask(inferred));
  const { head } = LOSSES[loss.type];
  if (spec.output !== undefined && spec.output.head !== head) {
    throw problem('usage', {
      subject: 'loss.type',
      found: loss.type,
      because: `the model's head is ${spec.output.head}`,
      expected: `a loss of ${taskOf(spec.output.head)}`,
    });
  }
  if (head === 'softmax' && outputsOf(spec) < 2) {
    throw rangeError(
      'The number of outputs',
      outputsOf(spec),
      'at least 2 classes, or task: "multilabel" for yes and no,',
    );
  }
  return { task: inferred, loss };
}

/** The spec with its output and classes decided. */
export function decidedSpec(spec: ModelSpec, loss: Loss, classes: readonly string[] | null): ModelSpec {
  const { head } = LOSSES[loss.type];
  return checkModel({
    ...spec,
    output: spec.output ?? { head, ...(head === 'identity' ? { standardize: true } : {}) },
    ...(classes ? { classes } : {}),
  });
}

/** What training asks of the network. */
export function trainingOptions(loss: Loss, options: FitOptions, { input }: ModelSpec): TrainingOptions {
  const { optimizer = DEFAULT_OPTIMIZER, clipNorm, frozenStatistics, average } = options;
  const { until: _, ...augment } = options.augment ?? {};
  if (options.augment !== undefined) checkAugment('augment', augment, input);
  return {
    loss,
    optimizer,
    ...(clipNorm !== undefined && { clipNorm }),
    ...(frozenStatistics && { frozenStatistics: true }),
    ...(average && { average: true }),
    ...(options.augment !== undefined && { augment }),
  };
}

/** Fewest samples of a batch. */
export function leastRows(spec: ModelSpec, { frozenStatistics }: FitOptions): number {
  return !frozenStatistics && hasNorm(spec) ? 2 : 1;
}

/** Whether a model has BatchNorm. */
export function hasNorm(spec: ModelSpec): boolean {
  return lowerModel(spec).some(({ norm }) => norm !== null);
}

/** The decisions that do not depend on where the data is. */
export function decisionsOf(
  spec: ModelSpec,
  task: Task,
  { loss, optimizer }: TrainingOptions,
  options: FitOptions,
): Pick<Decisions, 'task' | 'loss' | 'optimizer' | 'learningRate' | 'classes'> {
  const learningRate = options.learningRate ?? defaultRate(optimizer);
  return { task, loss, optimizer, learningRate, classes: spec.classes ?? null };
}

/** Throws `data` for a column that 32-bit floats cannot centre. `subject` is `x` or `y`. */
export function expectFine(subject: string, { mean, coarse }: ColumnStatistics, { input }: ModelSpec): void {
  const [column] = coarse;
  if (column === undefined) return;
  const name = (subject === 'x' ? input.names?.[column] : undefined) ?? column;
  const found = `too close together for 32-bit floats, around ${mean[column]!.toPrecision(3)}`;
  throw problem('data', {
    subject: `Column ${name} of ${subject}`,
    found,
    expected: 'a column with a number near its mean taken off',
  });
}

/** Columns by the names that the model has for them. */
export function namesOfColumns(columns: readonly number[], { input }: ModelSpec): (string | number)[] {
  return columns.map((column) => input.names?.[column] ?? column);
}
