import { Network, outputsOf, problem, type TensorKey } from '#bindings';
import { type HoldOut, holdOut } from '../data/hold-out.js';
import { shuffled } from '../data/random.js';
import { columnStatistics, statisticsTensors } from '../data/standardize.js';
import { batchRanges } from '../train/batches.js';
import type { BatchSource } from '../train/loop.js';
import { adaptData, type CoreSamples, classWeighted, weightsOfClasses } from './adapt.js';
import { type Evaluation, scoresOf } from './evaluation.js';
import { type Data, DEFAULT_EPOCHS, defaultBatchSize, type FitOptions, movesIn } from './options.js';
import {
  decidedSpec,
  decideOutput,
  decisionsOf,
  expectFine,
  isFirst,
  leastRows,
  namesOfColumns,
  type SetUp,
  type Start,
  threadsFor,
  trainingOptions,
} from './set-up.js';

/** Checks data that is in memory and makes the network that trains on it. Nothing of the model is changed. */
export function setUpResident(start: Start, data: Data, options: FitOptions): SetUp {
  const { task, loss } = decideOutput(start.spec, data?.y, options);
  const known = start.spec.classes ?? null;
  const { samples: all, classes } = adaptData('', data, start.spec, loss, known);
  const spec = decidedSpec(start.spec, loss, classes);
  const seed = options.seed ?? start.seed;
  const { validation } = options;
  const labels =
    task === 'classification' && options.stratify !== false ? (all.targets as Uint32Array) : null;
  const rows: HoldOut =
    typeof validation === 'number'
      ? holdOut(all.rows, validation, seed, labels)
      : { train: rowsTo(all.rows), validation: new Uint32Array(0) };
  const held =
    typeof validation === 'object' ? adaptData('validation', validation, spec, loss, classes).samples : null;
  if (options.classWeights !== undefined) {
    if (task !== 'classification') {
      throw problem('usage', { subject: 'classWeights', found: 'given', expected: `nothing for ${task}` });
    }
    const perClass = weightsOfClasses(all.targets, options.classWeights, rows.train, outputsOf(spec));
    for (const samples of held ? [all, held] : [all]) samples.weights = classWeighted(samples, perClass);
  }

  const least = leastRows(spec, options);
  const wanted = options.batchSize ?? defaultBatchSize(rows.train.length);
  const batchSize = Math.max(least, Math.min(wanted, rows.train.length));
  const batches = batchRanges(rows.train.length, batchSize, least);
  const training = trainingOptions(loss, options, spec);
  const threads = threadsFor(start, spec, batchSize);
  const network = new Network(start.core, spec, {
    seed: start.seed,
    batchSize,
    training,
    sets: [all, ...(held ? [held] : [])].map(sizeOf),
    threads,
  });
  const constant = startFrom(network, start, all, rows.train);
  network.load(0, all);
  if (held) network.load(1, held);

  const order = held ? rowsTo(held.rows) : rows.validation;
  const targets = held ? held.targets : takeRows(all.targets, rows.validation, all.targets.length / all.rows);
  const weights = held ? held.weights : all.weights && takeRows(all.weights, rows.validation, 1);
  const validate = (): Evaluation =>
    scoresOf(task, spec, targets, network.evaluate(held ? 1 : 0, order, { outputs: true }), weights);
  return {
    spec,
    network,
    source: sourceOf(network, rows.train, batches, seed, options),
    estimate: () => {
      const epoch = options.epochs ?? DEFAULT_EPOCHS;
      network.training.begin(rows.train, { epoch, moves: movesIn(epoch, options) });
      network.training.estimateStatistics(batches);
    },
    validate: order.length > 0 ? validate : null,
    decisions: {
      ...decisionsOf(spec, task, training, options),
      batchSize,
      threads,
      samples: rows.train.length,
      validationSamples: order.length,
      constantColumns: namesOfColumns(constant, spec),
    },
  };
}

/** Gives the network the model's tensors or, before the first training, statistics of the data; returns constant columns. */
function startFrom(network: Network, start: Start, all: CoreSamples, train: Uint32Array): number[] {
  const { input, output } = network.model;
  const tensors = new Map<TensorKey, Float32Array>([...network.tensors(), ...(start.tensors ?? [])]);
  let constant: number[] = [];
  if (isFirst(start) && input.standardize) {
    const statistics = columnStatistics(all.inputs as Float32Array, input.features, train);
    expectFine('x', statistics, network.model);
    constant = statistics.constant;
    for (const [key, values] of statisticsTensors('input', statistics)) tensors.set(key, values);
  }
  if (isFirst(start) && output!.standardize) {
    const statistics = columnStatistics(all.targets, outputsOf(network.model), train);
    expectFine('y', statistics, network.model);
    for (const [key, values] of statisticsTensors('target', statistics)) tensors.set(key, values);
  }
  network.setTensors(tensors);
  return constant;
}

function sourceOf(
  { training }: Network,
  train: Uint32Array,
  batches: ReturnType<typeof batchRanges>,
  seed: number,
  options: FitOptions,
): BatchSource {
  let index = 0;
  return {
    count: batches.length,
    begin: (epoch, skipped, totals) => {
      const order =
        options.shuffle === false
          ? train
          : shuffled(train.length, seed, epoch).map((position) => train[position]!);
      training.begin(order, { totals, epoch, moves: movesIn(epoch, options) });
      index = skipped;
    },
    next: (rate) => {
      const batch = batches[index++];
      return batch === undefined ? null : training.step(batch.first, batch.rows, rate);
    },
  };
}

/** What the network needs to know of a set in order to keep room for it. */
function sizeOf({ rows, inputs }: CoreSamples): { rows: number; entries?: number } {
  return { rows, ...('indptr' in inputs && { entries: inputs.values.length }) };
}

function rowsTo(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, row) => row);
}

function takeRows(values: ArrayLike<number>, rows: Uint32Array, width: number): Float64Array {
  const taken = new Float64Array(rows.length * width);
  rows.forEach((row, at) => {
    for (let column = 0; column < width; column++) taken[at * width + column] = values[row * width + column]!;
  });
  return taken;
}
