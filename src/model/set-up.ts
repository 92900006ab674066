import {
  type Core,
  checkModel,
  type Inputs,
  LOSSES,
  type Loss,
  lowerModel,
  type ModelSpec,
  Network,
  type Optimizer,
  outputsOf,
  problem,
  rangeError,
  type TensorKey,
  type Tensors,
  type TrainingOptions,
} from '#bindings';
import { adaptFeatures } from '../data/features.js';
import { type HoldOut, holdOut } from '../data/hold-out.js';
import { columnStatistics, statisticsTensors } from '../data/standardize.js';
import { adaptTargets, inferTask, type Task, taskOf, USUAL_LOSSES } from '../data/targets.js';
import type { LearningRate } from '../train/schedules.js';
import { type Data, defaultBatchSize, defaultRate, type FitOptions } from './options.js';

/** What was decided before training, given or inferred. */
export interface Decisions {
  task: Task;
  loss: Loss;
  optimizer: Optimizer;
  learningRate: LearningRate;
  batchSize: number;
  /** Rows trained on and held out. */
  samples: number;
  validationSamples: number;
  /** Names of the classes, in the order of the outputs. */
  classes: readonly string[] | null;
  /** Columns that are constant over the training rows, by name or number: they become 0. */
  constantColumns: (string | number)[];
}

/** Samples in the core's form. */
export interface CoreSamples {
  inputs: Inputs;
  rows: number;
  targets: Uint32Array | Float32Array;
  weights?: Float32Array;
}

/** Everything a training begins with. */
export interface SetUp {
  spec: ModelSpec;
  decisions: Decisions;
  network: Network;
  /** Rows of set 0. */
  rows: HoldOut;
  /** Held-out samples of their own, in set 1; null where they are rows of set 0 or where there are none. */
  held: CoreSamples | null;
  all: CoreSamples;
}

const DEFAULT_OPTIMIZER: Optimizer = { type: 'adamW' };

/** The model's spec with its output decided: the first training decides it once and for all. */
export function decideOutput(
  spec: ModelSpec,
  y: unknown,
  { task: wanted, loss: given }: Pick<FitOptions, 'task' | 'loss'>,
): { task: Task; loss: Loss } {
  const inferred = given ? taskOf(LOSSES[given.type].head) : (wanted ?? inferTask(y, spec));
  const loss = given ?? USUAL_LOSSES[inferred];
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
    throw rangeError('The number of outputs', outputsOf(spec), 'at least 2 classes, or task: "multilabel" for yes and no,');
  }
  return { task: inferred, loss };
}

/** Checks data in memory and puts it into the core's form. */
export function adaptData(
  subject: string,
  data: Data,
  spec: ModelSpec,
  loss: Loss,
  classes: readonly string[] | null,
): { samples: CoreSamples; classes: readonly string[] | null } {
  const name = (part: string) => (subject === '' ? part : `${subject}.${part}`);
  if (typeof data !== 'object' || data === null || !('x' in data) || !('y' in data)) {
    throw problem('usage', { subject: subject || 'data', found: data, expected: 'an object with x and y' });
  }
  const { inputs, rows } = adaptFeatures(name('x'), data.x, spec);
  if (rows === 0) throw rangeError(`The number of samples in ${name('x')}`, 0, 'at least one');
  const targets = adaptTargets(name('y'), data.y, rows, spec, loss, classes);
  const weights = data.weights === undefined ? undefined : adaptWeights(name('weights'), data.weights, rows);
  return { samples: { inputs, rows, targets: targets.values, ...(weights && { weights }) }, classes: targets.classes };
}

function adaptWeights(subject: string, weights: ArrayLike<number>, rows: number): Float32Array {
  if (weights.length !== rows) throw problem('shape', { subject: `${subject}.length`, found: weights.length, expected: String(rows) });
  return Float32Array.from({ length: rows }, (_, row) => {
    const weight = weights[row]!;
    if (typeof weight === 'number' && Number.isFinite(Math.fround(weight)) && weight >= 0) return weight;
    throw rangeError(`${subject}[${row}]`, weight, 'a finite number from 0 up');
  });
}

/** Sample weights times the weights of their classes. */
function classWeighted(
  { rows, targets, weights }: CoreSamples,
  classWeights: NonNullable<FitOptions['classWeights']>,
  train: Uint32Array,
  classes: number,
): Float32Array {
  const perClass = classWeights === 'balanced' ? balanced(targets, train, classes) : classWeights;
  if (perClass.length !== classes) {
    throw problem('shape', { subject: 'classWeights.length', found: perClass.length, expected: `${classes}, one a class,` });
  }
  for (let label = 0; label < classes; label++) {
    const weight = perClass[label]!;
    if (!(Number.isFinite(weight) && weight >= 0)) throw rangeError(`classWeights[${label}]`, weight, 'a finite number from 0 up');
  }
  return Float32Array.from({ length: rows }, (_, row) => (weights?.[row] ?? 1) * perClass[targets[row]!]!);
}

/** scikit-learn's: rows / (classes x rows of the class); 0 for a class without rows. */
function balanced(targets: ArrayLike<number>, train: Uint32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const row of train) counts[targets[row]!]! += 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : train.length / (present * count)));
}

/** Checks the data and makes the network that trains on it. Nothing of the model is changed. */
export function setUp(
  core: Core,
  given: ModelSpec,
  tensors: Tensors | null,
  data: Data,
  options: FitOptions,
  modelSeed: number,
  threads: number,
): SetUp {
  const { task, loss } = decideOutput(given, data.y, options);
  const { head } = LOSSES[loss.type];
  const known = given.classes ?? null;
  const { samples: all, classes } = adaptData('', data, given, loss, known);
  const seed = options.seed ?? modelSeed;
  const labels = task === 'classification' && options.stratify !== false ? (all.targets as Uint32Array) : null;
  const validation = options.validation;
  const rows =
    typeof validation === 'number'
      ? holdOut(all.rows, validation, seed, labels)
      : { train: Uint32Array.from({ length: all.rows }, (_, row) => row), validation: new Uint32Array(0) };
  const spec = checkModel({
    ...given,
    output: given.output ?? { head, ...(head === 'identity' ? { standardize: true } : {}) },
    ...(classes ? { classes } : {}),
  });
  const held =
    typeof validation === 'object' ? adaptData('validation', validation, spec, loss, classes).samples : null;
  if (options.classWeights !== undefined) {
    if (task !== 'classification') throw problem('usage', { subject: 'classWeights', found: 'given', expected: `nothing for ${task}` });
    all.weights = classWeighted(all, options.classWeights, rows.train, outputsOf(spec));
  }

  const optimizer = options.optimizer ?? DEFAULT_OPTIMIZER;
  const norms = lowerModel(spec).some(({ norm }) => norm !== null);
  const least = norms && !options.frozenStatistics ? 2 : 1;
  if (rows.train.length < least) {
    const because = 'a batch norm needs a variance';
    throw problem('data', { subject: 'The number of training samples', found: rows.train.length, because, expected: '2 or more' });
  }
  const batchSize = Math.max(least, Math.min(options.batchSize ?? defaultBatchSize(rows.train.length), rows.train.length));
  const training: TrainingOptions = {
    loss,
    optimizer,
    ...(options.clipNorm !== undefined && { clipNorm: options.clipNorm }),
    ...(options.frozenStatistics && { frozenStatistics: true }),
    ...(options.average && { average: true }),
  };
  const sizes = [all, ...(held ? [held] : [])].map((samples) => ({
    rows: samples.rows,
    ...('indptr' in samples.inputs && { entries: samples.inputs.values.length }),
  }));
  const network = new Network(core, spec, { seed: modelSeed, batchSize, training, sets: sizes, threads });
  const constant: number[] = [];
  const start = new Map<TensorKey, Float32Array>([...network.tensors(), ...(tensors ?? [])]);
  if (tensors === null) {
    if (spec.input.standardize) {
      const statistics = columnStatistics(all.inputs as Float32Array, spec.input.features, rows.train);
      constant.push(...statistics.constant);
      for (const [key, values] of statisticsTensors('input', statistics)) start.set(key, values);
    }
    if (spec.output!.standardize) {
      const statistics = columnStatistics(all.targets, outputsOf(spec), rows.train);
      for (const [key, values] of statisticsTensors('target', statistics)) start.set(key, values);
    }
  }
  network.setTensors(start);
  network.load(0, all);
  if (held) network.load(1, held);
  return {
    spec,
    network,
    rows,
    held,
    all,
    decisions: {
      task,
      loss,
      optimizer,
      learningRate: options.learningRate ?? defaultRate(optimizer),
      batchSize,
      samples: rows.train.length,
      validationSamples: held?.rows ?? rows.validation.length,
      classes,
      constantColumns: constant.map((column) => spec.input.names?.[column] ?? column),
    },
  };
}
