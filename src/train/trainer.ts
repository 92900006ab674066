import { type Network, type NetworkTensors, TreadleError } from '#bindings';
import { classificationScores } from '../metrics/classification.js';
import type { EpochRecord, Job, RunEvent, TrainedModel } from '../records.js';
import { batchRanges } from './batches.js';
import { jobTitle } from './job-title.js';
import { epochOrder } from './seeds.js';

/** Indices into the network's own samples. */
export interface SampleIndices {
  train: Uint32Array;
  validation: Uint32Array;
}

/** Least time between two step events, in milliseconds. */
const STEP_EVENT_INTERVAL = 200;

/**
 * Trains one model from the network's present weights and returns its figures and tensors.
 * Adam starts afresh. `emit` gets `start`, `step` and `epoch` events; `shouldStop` is asked before each step.
 * Throws `diverged` when a loss becomes NaN or infinite, `interrupted` when `shouldStop` says so,
 * and `data` when there are no samples to train or validate on.
 */
export function trainModel(
  network: Network,
  job: Job,
  indices: SampleIndices,
  emit: (event: RunEvent) => void,
  shouldStop: () => boolean,
): TrainedModel {
  const batches = batchRanges(indices.train.length, job.batchSize);
  const { id, model, learningRate } = job;
  emit({ type: 'start', job: id, model, learningRate, epochs: job.epochs, stepsPerEpoch: batches.length });
  network.resetOptimizer();

  const epochs: EpochRecord[] = [];
  let best: { record: EpochRecord; tensors: NetworkTensors } | null = null;
  for (let epoch = 1; epoch <= job.epochs; epoch++) {
    const started = performance.now();
    network.beginEpoch(epochOrder(indices.train, job.seed, id, epoch), learningRate);
    trainEpoch(network, job, epoch, batches, emit, shouldStop);
    const record = closeEpoch(network, job, epoch, batches.length, indices.validation, started);
    epochs.push(record);
    emit({ type: 'epoch', job: id, model, learningRate, threads: network.threads, ...record });
    const keepsThis = job.keep === 'last' ? epoch === job.epochs : isBetter(record, best?.record);
    if (keepsThis) best = { record, tensors: network.exportTensors() };
  }

  const kept = best!;
  const last = kept.record.epoch === job.epochs ? kept.tensors : network.exportTensors();
  return {
    epochs,
    kept: { epoch: kept.record.epoch, valMacroF1: kept.record.valMacroF1 },
    tensors: kept.tensors,
    last,
  };
}

/** Higher validation macro-F1 wins; a tie stays with the earlier epoch. */
function isBetter(record: EpochRecord, best: EpochRecord | undefined): boolean {
  return best === undefined || record.valMacroF1 > best.valMacroF1;
}

function trainEpoch(
  network: Network,
  job: Job,
  epoch: number,
  batches: { first: number; rows: number }[],
  emit: (event: RunEvent) => void,
  shouldStop: () => boolean,
): void {
  const started = performance.now();
  let lastEvent = started;
  let samples = 0;
  for (const [index, { first, rows }] of batches.entries()) {
    if (shouldStop()) {
      throw new TreadleError('interrupted', `${jobTitle(job)} was stopped in epoch ${epoch}.`, {
        subject: job.id,
      });
    }
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
  return new TreadleError(
    'diverged',
    `${jobTitle(job)}: the ${quantity} became ${loss} at epoch ${epoch}, step ${step} (${where}); a finite loss is expected, so try a lower learning rate.`,
    { subject: job.id, found: loss, expected: 'a finite loss' },
  );
}
