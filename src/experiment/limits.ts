import { MAX_BATCH } from '#bindings';

/** The default batch size. */
export const DEFAULT_BATCH_SIZE = 256;

/** Smallest and largest value of every whole-number setting. */
export const LIMITS = {
  passes: [1, 1000],
  seeds: [1, 1000],
  epochs: [1, 100_000],
  batchSize: [2, MAX_BATCH],
  seed: [0, 2 ** 32 - 1],
  validationSize: [1, 1_000_000_000],
  trainSamples: [2, 1_000_000_000],
  jobs: [1, 1024],
  threads: [1, 1024],
} as const;
