import { type Network, TreadleError } from '#bindings';
import type { LabelledImages, NetworkSpec } from '../model/classifier.js';
import { type BatchRange, batchRanges } from '../train/batches.js';
import { epochOrder } from './seeds.js';

/** One model to train and time. Plain data, that a thread is started with. */
export interface EpochWork {
  model: string;
  spec: NetworkSpec;
  batchSize: number;
  threads: number;
  /** All of it is trained on in every epoch. In shared memory, or it is copied to the training thread. */
  data: LabelledImages;
}

/** Fewest batches in which a falling loss can be told from noise. */
export const FEWEST_BATCHES = 4;

/** The seed of initial weights, dropout masks and sample orders; the first learning rate of the published report. */
export const SEED = 0;
const LEARNING_RATE = 0.005;
const TIMED_EPOCHS = 3;

/**
 * Seconds of one epoch: one that is checked and not counted, then the median of three. Validation is left out.
 * Throws `diverged` when the checked epoch's losses are not finite or do not fall.
 */
export function timeEpochs(network: Network, { model, batchSize, data }: EpochWork): number {
  const batches = batchRanges(data.labels.length, batchSize);
  checkLosses(model, trainEpoch(network, model, 0, batches));
  const times = Array.from({ length: TIMED_EPOCHS }, (_, epoch) => {
    const started = performance.now();
    trainEpoch(network, model, 1 + epoch, batches);
    return (performance.now() - started) / 1000;
  });
  return times.sort((a, b) => a - b)[TIMED_EPOCHS >> 1]!;
}

/**
 * Trains on every sample of the batches once, in an order of the epoch's own, and returns the loss of each batch.
 * Validation is left out.
 */
export function trainEpoch(
  network: Network,
  model: string,
  epoch: number,
  batches: readonly BatchRange[],
): number[] {
  const samples = batches.reduce((sum, { rows }) => sum + rows, 0);
  const indices = Uint32Array.from({ length: samples }, (_, index) => index);
  network.training.begin(epochOrder(indices, SEED, model, epoch));
  network.admit();
  return batches.map(({ first, rows }) => network.training.step(first, rows, LEARNING_RATE));
}

/**
 * Throws `diverged` unless a first epoch's losses are all finite, and lower on average in the second half than in the
 * first.
 */
export function checkLosses(model: string, losses: readonly number[]): void {
  const half = losses.length >> 1;
  const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  const [before, after] = [mean(losses.slice(0, half)), mean(losses.slice(half))];
  if (losses.every(Number.isFinite) && after < before) return;
  const found = `${before.toFixed(4)} in its first half and ${after.toFixed(4)} in its second`;
  throw new TreadleError(
    'diverged',
    `Model ${model} does not learn: the mean loss of its first epoch is ${found}; finite losses that fall are expected.`,
    { subject: model, found, expected: 'finite losses that fall' },
  );
}
