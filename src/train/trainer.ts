import { type Network, type NetworkTensors, type TrainingState, TreadleError } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import type { EpochRecord, Job, RunEvent, TrainedModel } from '../records.js';
import { type BatchRange, batchRanges } from './batches.js';
import type { Checkpoint } from './checkpoint.js';
import { jobTitle } from './job-title.js';
import { epochOrder } from './seeds.js';

/** Indices into the network's own samples. */
export interface SampleIndices {
  train: Uint32Array;
  validation: Uint32Array;
}

/** What a training tells, asks and goes on from. */
export interface TrainingHooks {
  /** Gets `start`, `step` and `epoch` events. */
  emit?: (event: RunEvent) => void;
  /** Asked before each step; true ends the training with `interrupted`. */
  shouldStop?: () => boolean;
  /**
   * Keeps a checkpoint: after every epoch, and where `shouldStop` stops one within. Training waits for it, and then
   * writes into the arrays of the state anew.
   */
  save?: (checkpoint: Checkpoint) => Promise<void>;
  /** Where a training of the same job stood; it goes on to the bytes of one never stopped. */
  from?: Checkpoint | null;
}

/** Least time between two step events, in milliseconds. */
const STEP_EVENT_INTERVAL = 200;

/**
 * Trains one model from a checkpoint, or from the network's present weights with Adam afresh, and returns its figures
 * and tensors. Rejects with `diverged` when a loss, or by the end of an epoch a parameter or running statistic, becomes NaN or
 * infinite, `interrupted` when `shouldStop` says so,
 * `data` when there are no samples to train or validate on, `shape` for another network's checkpoint, and whatever
 * `save` rejects with.
 */
export async function trainModel(
  network: Network,
  job: Job,
  indices: SampleIndices,
  { emit = () => {}, shouldStop = () => false, save, from = null }: TrainingHooks = {},
): Promise<TrainedModel> {
  const batches = batchRanges(indices.train.length, job.batchSize);
  const { id, model, learningRate } = job;
  const epochs = from === null ? [] : [...from.epochs];
  let best = from?.best ?? null;
  let stopped = from?.stopped ?? null;
  let state = from?.state;
  emit({
    type: 'start',
    job: id,
    model,
    learningRate,
    epochs: job.epochs,
    stepsPerEpoch: batches.length,
    finished: [...epochs],
  });
  if (state === undefined) network.resetOptimizer();
  else network.importTraining(state);

  for (let epoch = epochs.length + 1; epoch <= job.epochs; epoch++) {
    const started = performance.now() - (stopped?.seconds ?? 0) * 1000;
    network.beginEpoch(epochOrder(indices.train, job.seed, id, epoch), learningRate, stopped?.totals);
    const begun = stopped?.batches ?? 0;
    const done = trainBatches(network, job, epoch, batches, begun, emit, shouldStop);
    if (done < batches.length) {
      const seconds = (performance.now() - started) / 1000;
      stopped = { batches: done, totals: network.totals(), seconds };
      state = network.exportTraining(reusable(state, best));
      if (done > begun) await save?.({ epochs, stopped, best, state });
      throw interrupted(job, epoch);
    }
    stopped = null;
    const record = closeEpoch(network, job, epoch, batches.length, indices.validation, started);
    epochs.push(record);
    state = network.exportTraining(reusable(state, best));
    checkFinite(state.tensors, job, epoch, batches.length);
    if (job.keep === 'last' || best === null || isBetter(record, epochs[best.epoch - 1]!)) {
      best = { epoch, tensors: state.tensors };
    }
    await save?.({ epochs, stopped, best, state });
    emit({ type: 'epoch', job: id, model, learningRate, threads: network.threads, ...record });
  }

  const { epoch, tensors } = best!;
  return {
    epochs,
    kept: { epoch, valMacroF1: epochs[epoch - 1]!.valMacroF1 },
    tensors,
    last: state!.tensors,
  };
}

/** The arrays of the state before, which large models need not have twice; those of the best weights are kept. */
function reusable(state: TrainingState | undefined, best: Checkpoint['best']): Partial<TrainingState> {
  if (state === undefined) return {};
  const { tensors, optimizer } = state;
  return tensors === best?.tensors ? { optimizer } : { tensors, optimizer };
}

/** Higher validation macro-F1 wins; a tie stays with the earlier epoch. */
function isBetter(record: EpochRecord, best: EpochRecord): boolean {
  return record.valMacroF1 > best.valMacroF1;
}

/** Trains an epoch's batches from the given one on, until told to stop; returns how many are done. */
function trainBatches(
  network: Network,
  job: Job,
  epoch: number,
  batches: readonly BatchRange[],
  from: number,
  emit: (event: RunEvent) => void,
  shouldStop: () => boolean,
): number {
  const started = performance.now();
  let lastEvent = started;
  let samples = 0;
  for (let index = from; index < batches.length; index++) {
    if (shouldStop()) return index;
    const { first, rows } = batches[index]!;
    const loss = network.trainBatch(first, rows);
    if (!Number.isFinite(loss)) throw diverged(network, job, epoch, index + 1, 'loss', loss);
    samples += rows;
    const now = performance.now();
    if (now - lastEvent >= STEP_EVENT_INTERVAL) {
      lastEvent = now;
      emit({
        type: 'step',
        job: job.id,
        epoch,
        step: index + 1,
        steps: batches.length,
        loss,
        samplesPerSecond: (samples * 1000) / (now - started),
        threads: network.threads,
      });
    }
  }
  return batches.length;
}

function closeEpoch(
  network: Network,
  job: Job,
  epoch: number,
  steps: number,
  validation: Uint32Array,
  started: number,
): EpochRecord {
  const train = network.totals();
  const { loss: valLoss, confusion } = network.evaluate(validation);
  if (!Number.isFinite(valLoss)) throw diverged(network, job, epoch, steps, 'validation loss', valLoss);
  const scores = classificationScores(confusion);
  return {
    epoch,
    trainLoss: train.loss / train.samples,
    trainAccuracy: train.correct / train.samples,
    valLoss,
    valAccuracy: scores.accuracy,
    valMacroF1: scores.macro.f1,
    seconds: (performance.now() - started) / 1000,
  };
}

function interrupted(job: Job, epoch: number): TreadleError {
  return new TreadleError('interrupted', `${jobTitle(job)} was stopped in epoch ${epoch}.`, {
    subject: job.id,
  });
}

function diverged(
  network: Network,
  job: Job,
  epoch: number,
  step: number,
  quantity: string,
  loss: number,
): TreadleError {
  const layer = network.firstNonFinite();
  const where =
    layer === null
      ? 'the outputs of all layers are finite'
      : `${layer} is the first whose output is not finite`;
  const place = `epoch ${epoch}, step ${step} (${where})`;
  return divergence(job, `the ${quantity} became ${loss} at ${place}`, loss, 'a finite loss');
}

/** Throws `diverged` for the first parameter or running statistic that is not finite, though the losses may be. */
function checkFinite({ dense, batchNorm }: NetworkTensors, job: Job, epoch: number, step: number): void {
  const block = (index: number) =>
    index < batchNorm.length ? `hidden block ${index + 1}` : 'the output layer';
  [...dense.entries(), ...batchNorm.entries()].forEach(([index, tensors]) => {
    for (const [name, values] of Object.entries<Float32Array>({ ...tensors })) {
      const bad = firstNotFinite(values);
      if (bad === undefined) continue;
      const what = `${TENSOR_NAMES[name] ?? name} of ${block(index)}`;
      throw divergence(
        job,
        `${what} became ${bad} by the end of epoch ${epoch}, step ${step}`,
        bad,
        'a finite value',
      );
    }
  });
}

const TENSOR_NAMES: Readonly<Record<string, string>> = {
  weight: 'a weight',
  bias: 'a bias',
  gamma: "BatchNorm's gamma",
  beta: "BatchNorm's beta",
  runningMean: 'the running mean',
  runningVar: 'the running variance',
};

function firstNotFinite(values: Float32Array): number | undefined {
  // An index is ten times as fast here as an iterator.
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index])) return values[index];
  }
  return undefined;
}

function divergence(job: Job, what: string, found: number, expected: string): TreadleError {
  return new TreadleError(
    'diverged',
    `${jobTitle(job)}: ${what}; ${expected} is expected, so try a lower learning rate.`,
    { subject: job.id, found, expected },
  );
}
