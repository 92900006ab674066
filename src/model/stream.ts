import { Network, outputsOf, problem, type TensorKey, type TreadleError } from '#bindings';
import { ColumnSums, statisticsTensors } from '../data/standardize.js';
import type { BatchSource } from '../train/loop.js';
import { adaptData, type CoreSamples } from './adapt.js';
import { scoresOf } from './evaluation.js';
import { type Data, type DataStream, type FitOptions, movesIn } from './options.js';
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

/** Whether data is a stream of batches. */
export function isStream(data: unknown): data is DataStream {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return false;
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}

/** What a first pass over a stream finds. */
interface Survey {
  batches: number;
  rows: number;
  mostRows: number;
  mostEntries: number;
  inputs: ColumnSums | null;
  targets: ColumnSums | null;
}

/**
 * Goes over a stream once, which checks every batch and finds sizes and statistics, and makes the network that trains on
 * it. It holds one batch at a time.
 */
export async function setUpStream(start: Start, data: DataStream, options: FitOptions): Promise<SetUp> {
  const first = await firstOf(data);
  const { task, loss } = decideOutput(start.spec, first?.y, options);
  const known = start.spec.classes ?? null;
  const spec = decidedSpec(start.spec, loss, known);
  for (const name of ['batchSize', 'shuffle', 'classWeights', 'stratify'] as const) {
    if (options[name] === undefined) continue;
    throw problem('usage', {
      subject: name,
      found: 'given',
      because: 'the stream decides it',
      expected: 'nothing',
    });
  }
  const { validation } = options;
  if (typeof validation === 'number') {
    throw problem('usage', {
      subject: 'validation',
      found: validation,
      because: 'of a stream',
      expected: 'samples of their own',
    });
  }
  const adapt = (batch: Data, index: number): CoreSamples => {
    const { samples, classes } = adaptData(`batch ${index}`, batch, spec, loss, known);
    if (classes !== null && known === null) {
      throw problem('usage', {
        subject: 'classes',
        found: 'missing',
        because: 'the targets are names',
        expected: "the model's classes",
      });
    }
    return samples;
  };
  const survey = await surveyOf(data, adapt, start, spec);
  const least = leastRows(spec, options);
  const held = validation ? adaptData('validation', validation, spec, loss, known).samples : null;
  const training = trainingOptions(loss, options, spec);
  const threads = threadsFor(start, spec, survey.mostRows);
  const network = new Network(start.core, spec, {
    seed: start.seed,
    batchSize: Math.max(least, survey.mostRows),
    training,
    threads,
    ...(spec.input.type === 'sparse' && { stageEntries: Math.max(survey.mostEntries, spec.input.features) }),
  });
  const tensors = new Map<TensorKey, Float32Array>([...network.tensors(), ...(start.tensors ?? [])]);
  const inputs = survey.inputs?.statistics();
  const targets = survey.targets?.statistics();
  if (inputs) expectFine('x', inputs, spec);
  if (targets) expectFine('y', targets, spec);
  if (inputs) for (const [key, values] of statisticsTensors('input', inputs)) tensors.set(key, values);
  if (targets) for (const [key, values] of statisticsTensors('target', targets)) tensors.set(key, values);
  network.setTensors(tensors);

  return {
    spec,
    network,
    source: sourceOf(network, data, adapt, survey.batches, options),
    estimate: async () => {
      let index = 0;
      for await (const batch of data as AsyncIterable<Data>) {
        network.training.estimateStatisticsOn(adapt(batch, index), index);
        index++;
      }
    },
    validate: held
      ? () => scoresOf(task, spec, held.targets, network.evaluateOn(held, { outputs: true }), held.weights)
      : null,
    decisions: {
      ...decisionsOf(spec, task, training, options),
      batchSize: survey.mostRows,
      threads,
      samples: survey.rows,
      validationSamples: held?.rows ?? 0,
      constantColumns: namesOfColumns(inputs?.constant ?? [], spec),
    },
  };
}

/** A generator that has run, say, gives nothing when it is iterated again. */
function spent(): TreadleError {
  return problem('data', {
    subject: 'The stream',
    found: 'empty when it is iterated again',
    expected: 'an iterable that gives its batches anew each time',
  });
}

async function firstOf(data: DataStream): Promise<Data | null | undefined> {
  for await (const batch of data as AsyncIterable<Data>) return batch;
  throw problem('data', { subject: 'The stream', found: 'empty', expected: 'at least one batch' });
}

async function surveyOf(
  data: DataStream,
  adapt: (batch: Data, index: number) => CoreSamples,
  start: Start,
  spec: SetUp['spec'],
): Promise<Survey> {
  const { input, output } = spec;
  const survey: Survey = {
    batches: 0,
    rows: 0,
    mostRows: 0,
    mostEntries: 0,
    inputs: isFirst(start) && input.standardize ? new ColumnSums(input.features) : null,
    targets: isFirst(start) && output?.standardize ? new ColumnSums(outputsOf(spec)) : null,
  };
  for await (const batch of data as AsyncIterable<Data>) {
    const { inputs, rows, targets } = adapt(batch, survey.batches);
    survey.batches++;
    survey.rows += rows;
    survey.mostRows = Math.max(survey.mostRows, rows);
    if ('indptr' in inputs) survey.mostEntries = Math.max(survey.mostEntries, inputs.values.length);
    else survey.inputs?.add(inputs, rows);
    survey.targets?.add(targets, rows);
  }
  if (survey.batches === 0) throw spent();
  return survey;
}

function sourceOf(
  { training }: Network,
  data: DataStream,
  adapt: (batch: Data, index: number) => CoreSamples,
  count: number,
  options: FitOptions,
): BatchSource {
  let iterator: AsyncIterator<Data> | Iterator<Data> | null = null;
  let index = 0;
  const advance = async (): Promise<Data | null> => {
    const next = await iterator!.next();
    if (!next.done) return next.value;
    iterator = null;
    return null;
  };
  return {
    count,
    begin: async (epoch, skipped, totals) => {
      iterator = Symbol.asyncIterator in data ? data[Symbol.asyncIterator]() : data[Symbol.iterator]();
      training.beginStream(totals, movesIn(epoch, options));
      for (index = 0; index < skipped; index++) await advance();
    },
    next: async (rate) => {
      const batch = await advance();
      if (batch !== null) return training.stepOn(adapt(batch, index++), rate);
      if (index === 0) throw spent();
      return null;
    },
    end: async () => {
      await iterator?.return?.();
    },
  };
}
