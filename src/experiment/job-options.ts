import type { Augment, NetworkOptions } from '#bindings';
import type { FitAugment } from '../model/options.js';
import type { Job } from '../results/records.js';
import { plannedBatch } from '../train/batches.js';
import { networkSeed } from './seeds.js';

/** How a job's network is made: its seed, a batch no larger than there are samples to train on, and its data's size. */
export function jobOptions(job: Job, trained: number, samples: number, threads: number): NetworkOptions {
  return {
    seed: networkSeed(job.seed, job.id),
    batchSize: plannedBatch(trained, job.batchSize),
    training: {
      loss: { type: 'crossEntropy' },
      optimizer: { type: 'adam' },
      ...(job.augment !== null && { augment: movesOf(job.augment) }),
    },
    sets: [{ rows: samples }],
    threads,
  };
}

function movesOf({ until: _, ...augment }: FitAugment): Augment {
  return augment;
}
