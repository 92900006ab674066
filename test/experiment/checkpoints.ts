import fc from 'fast-check';
import { sizeOf, type TensorRow, type Tensors, tensorTable } from '../../dist/bindings/host.js';
import { classifierModel, type NetworkSpec } from '../../dist/model/classifier.js';
import type { EpochRecord, Job } from '../../dist/results/records.js';
import type { Checkpoint } from '../../dist/train/loop.js';

/** A job on a network of the given shape. */
export function jobOf(change: Partial<Job> = {}): Job {
  return {
    id: 'tiny_0.1',
    model: 'tiny',
    learningRate: 0.1,
    schedule: 'constant',
    pass: 1,
    spec: { inputs: 3, hidden: [4, 2], classes: 2, dropout: 0.5 },
    epochs: 20,
    batchSize: 4,
    augment: null,
    seed: 0,
    keep: 'best',
    build: 'simd',
    from: null,
    parent: null,
    ...change,
  };
}

/** A typed array with the values that `next` gives. */
type Values = (length: number) => Float32Array;

function tensorsOf(rows: readonly TensorRow[], values: Values): Tensors {
  return new Map(rows.map(({ key, shape }) => [key, values(sizeOf(shape))]));
}

/** One value for each trained parameter: what an optimiser keeps in a slot. */
function slot(spec: NetworkSpec, values: Values): Tensors {
  return tensorsOf(
    tensorTable(classifierModel(spec)).filter(({ trained }) => trained),
    values,
  );
}

function network(spec: NetworkSpec, values: Values): Tensors {
  return tensorsOf(tensorTable(classifierModel(spec)), values);
}

/** Values that are all different and follow from `first`, so that no mix-up goes unseen. */
function counting(first: number): Values {
  let count = first;
  return (length) => Float32Array.from({ length }, () => ++count / 8);
}

function recordOf(epoch: number): EpochRecord {
  return {
    epoch,
    trainLoss: 1 / (epoch + 2),
    trainAccuracy: 0.7 + epoch / 100,
    valLoss: Math.SQRT2 / epoch,
    valAccuracy: 0.6 + epoch / 90,
    valMacroF1: 0.1 + 0.2 + epoch / 80,
    seconds: 0.1 * epoch,
  };
}

/** A checkpoint after so many epochs and, when any are given, batches of the next. The best epoch is the latest. */
export function checkpointOf({ spec }: Job, epochs: number, batches = 0): Checkpoint {
  const values = counting(1000 * epochs + 100 * batches);
  const tensors = network(spec, values);
  const steps = 5 * epochs + batches;
  const finished = Array.from({ length: epochs }, (_, index) => recordOf(index + 1));
  const totals = { loss: 0.1 + batches, weight: 4 * batches, correct: 3 * batches, samples: 4 * batches };
  return {
    epochs: finished as unknown as Checkpoint['epochs'],
    steps,
    stopped: batches === 0 ? null : { batches, totals, seconds: 0.3 },
    best: epochs === 0 ? null : { epoch: epochs, tensors, batchesTracked: steps },
    state: {
      tensors,
      optimizer: { steps, slots: [slot(spec, values), slot(spec, values)] },
      dropoutSteps: steps,
      batchesTracked: steps,
    },
  };
}

const count = fc.nat(2 ** 40);
// JSON has no negative zero and no numbers that are not finite; no figure of a training is one.
const figure = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Object.is(value, -0) ? 0 : value));

/** Any float32 values at all, by their bits. */
function anyValues(words: readonly number[]): Values {
  let at = 0;
  return (length) =>
    new Float32Array(Uint32Array.from({ length }, () => (words[at++ % words.length]! + at) >>> 0).buffer);
}

/** Any job with any checkpoint of it. */
export const anyCheckpoint: fc.Arbitrary<{ job: Job; checkpoint: Checkpoint }> = fc
  .record({
    spec: fc.record({
      inputs: fc.integer({ min: 1, max: 6 }),
      hidden: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      classes: fc.integer({ min: 2, max: 4 }),
      dropout: fc.double({ min: 0, max: 0.99, noNaN: true }).map(Math.abs),
    }),
    learningRate: fc.double({ min: 1e-10, max: 10, noNaN: true }),
    parent: fc.option(fc.constant('tiny_1')),
    keep: fc.constantFrom<'best' | 'last'>('best', 'last'),
    words: fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 40 }),
    figures: fc.array(fc.tuple(figure, figure, figure, figure, figure, figure), { maxLength: 4 }),
    stopped: fc.option(
      fc.record({
        batches: count,
        totals: fc.record({ loss: figure, weight: figure, correct: count, samples: count }),
        seconds: figure,
      }),
    ),
    steps: fc.tuple(count, count, count, count, count),
    best: fc.tuple(fc.nat(), fc.boolean()),
  })
  .map(({ spec, learningRate, parent, keep, words, figures, stopped, steps, best }) => {
    const values = anyValues(words);
    const tensors = network(spec, values);
    const epochs = figures.map(
      ([trainLoss, trainAccuracy, valLoss, valAccuracy, valMacroF1, seconds], index): EpochRecord => ({
        epoch: index + 1,
        trainLoss,
        trainAccuracy,
        valLoss,
        valAccuracy,
        valMacroF1,
        seconds,
      }),
    );
    const [which, separate] = best;
    const kept = separate ? network(spec, values) : tensors;
    const slots = [slot(spec, values), slot(spec, values)];
    return {
      job: jobOf({ spec, learningRate, parent, keep, epochs: epochs.length + 1 }),
      checkpoint: {
        epochs: epochs as unknown as Checkpoint['epochs'],
        steps: steps[4],
        stopped,
        best:
          epochs.length === 0
            ? null
            : {
                epoch: 1 + (which % epochs.length),
                tensors: kept,
                batchesTracked: separate ? steps[1] : steps[0],
              },
        state: {
          tensors,
          optimizer: { steps: steps[2], slots },
          dropoutSteps: steps[3],
          batchesTracked: steps[0],
        },
      },
    };
  });
