import type { Network } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import { confusionOf } from '../model/evaluation.js';
import { movesIn } from '../model/options.js';
import { epochRecord } from '../results/epochs.js';
import type { Job, RunEvent, TrainedModel } from '../results/records.js';
import { batchRanges } from '../train/batches.js';
import { type Checkpoint, trainLoop } from '../train/loop.js';
import { jobTitle } from './job-title.js';
import { epochOrder } from './seeds.js';

/** Indices into the network's own samples. */
export interface SampleIndices {
  train: Uint32Array;
  validation: Uint32Array;
}

/** Callbacks of a training, and where to resume from. */
export interface TrainingHooks {
  /** Gets `start`, `step` and `epoch` events. */
  emit?: (event: RunEvent) => void;
  /** Asked before each step; true ends the training with `interrupted`. */
  shouldStop?: () => boolean;
  /**
   * Saves a checkpoint, after every epoch and where `shouldStop` stops one. Training waits for it, and then overwrites
   * the checkpoint's arrays.
   */
  save?: (checkpoint: Checkpoint) => Promise<void>;
  /** A checkpoint of the same job to resume from; the result has the bytes of a training that was never stopped. */
  from?: Checkpoint | null;
  /** Time in milliseconds, without that of suspensions. Default: performance.now. */
  now?: () => number;
}

/** Least time between two step events, in milliseconds. */
const STEP_EVENT_INTERVAL = 200;

/**
 * Trains the model of a job from a checkpoint, or from the network's present weights with Adam afresh, and returns its
 * figures and weights. The network's set 0 has the job's samples, whose classes are `labels`. Rejects with `diverged`,
 * `interrupted` when `shouldStop` says so, `data` when there are too few samples, and whatever `save` rejects with.
 *
 * @example const { kept, weights } = await trainModel(network, job, labels, { train, validation });
 */
export async function trainModel(
  network: Network,
  job: Job,
  labels: Uint8Array,
  indices: SampleIndices,
  {
    emit = () => {},
    shouldStop = () => false,
    save,
    from = null,
    now = () => performance.now(),
  }: TrainingHooks = {},
): Promise<TrainedModel> {
  const { id, model, learningRate } = job;
  const { training } = network;
  const batches = batchRanges(indices.train.length, job.batchSize, training.rows.least);
  const validation = indices.validation.map((row) => labels[row]!);
  let threads = 1;
  const steps = stepEvents(id, batches.length, emit, now);
  let next = 0;
  emit({
    type: 'start',
    job: id,
    model,
    learningRate,
    epochs: job.epochs,
    stepsPerEpoch: batches.length,
    finished: (from?.epochs ?? []).map(epochRecord),
  });
  if (from === null) training.resetOptimizer();

  const loop = trainLoop(network, {
    source: {
      count: batches.length,
      begin: (number, skipped, totals) => {
        const moves = movesIn(number, { augment: job.augment ?? undefined, epochs: job.epochs });
        training.begin(epochOrder(indices.train, job.seed, id, number), { totals, epoch: number, moves });
        threads = network.admit();
        next = skipped;
        steps.begin(threads);
      },
      next: (rate) => {
        const batch = batches[next++];
        return batch === undefined ? null : training.step(batch.first, batch.rows, rate);
      },
    },
    epochs: job.epochs,
    learningRate: job.schedule === 'cosine' ? { type: 'cosine', rate: learningRate } : learningRate,
    trainFigures: ({ loss, weight, correct, samples }) => ({
      trainLoss: loss / weight,
      trainAccuracy: correct / samples,
    }),
    validate: () => {
      const { loss, predicted } = network.evaluate(0, indices.validation);
      const scores = classificationScores(confusionOf(validation, predicted!, job.spec.classes));
      return { valLoss: loss, valAccuracy: scores.accuracy, valMacroF1: scores.macro.f1 };
    },
    isBetter: (figures, best) => figures.valMacroF1! > best.valMacroF1!,
    keep: job.keep,
    patience: null,
    shouldStop,
    onStep: steps.step,
    save,
    from,
    clock: now,
    title: jobTitle(job),
    subject: id,
  });
  for (;;) {
    const { done, value } = await loop.next();
    if (done) {
      const epochs = value.epochs.map(epochRecord);
      const kept = { epoch: value.kept, valMacroF1: epochs[value.kept - 1]!.valMacroF1 };
      return { epochs, kept, weights: value.weights, last: value.last };
    }
    emit({ type: 'epoch', job: id, model, learningRate, threads, ...epochRecord(value) });
  }
}

/** Sends a job's `step` events, at least {@link STEP_EVENT_INTERVAL} apart; `steps` is the number of an epoch's. */
function stepEvents(job: string, steps: number, emit: (event: RunEvent) => void, now: () => number) {
  let threads = 1;
  let started = 0;
  let samples = 0;
  let last = 0;
  return {
    /** At the start of an epoch. */
    begin(count: number): void {
      threads = count;
      started = now();
      samples = 0;
      last = started;
    },
    /** After each step. */
    step({ epoch, step, loss, rows }: { epoch: number; step: number; loss: number; rows: number }): void {
      samples += rows;
      const time = now();
      if (time - last < STEP_EVENT_INTERVAL) return;
      last = time;
      const samplesPerSecond = (samples * 1000) / (time - started);
      emit({ type: 'step', job, epoch, step, steps, loss, samplesPerSecond, threads });
    },
  };
}
