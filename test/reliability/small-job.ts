import { loadCore, Network } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { type TrainingHooks, trainModel } from '../../dist/experiment/train-job.js';
import { classifierModel } from '../../dist/model/classifier.js';
import type { Job, RunConfig } from '../../dist/results/records.js';
import { syntheticDataset } from '../support/idx.js';

/** A job that trains in no time, on made-up images of 4 x 5 pixels in 4 classes. */
export interface SmallJob {
  config: RunConfig;
  job: Job;
  train(hooks: TrainingHooks): ReturnType<typeof trainModel>;
}

/** The small job of a network with these hidden widths. */
export function smallJob(hidden: number[], epochs: number, learningRate = 0.01): SmallJob {
  const config = resolveConfig({
    architectures: [{ name: 'slim', hidden }],
    learningRates: [learningRate],
    epochs,
    batchSize: 16,
    validationSize: 20,
  });
  const [job] = planJobs(config, { inputs: 20, classes: 4 }, 'simd') as [Job];
  const { train: data } = syntheticDataset({ classes: 4, height: 4, width: 5, train: 120, test: 4, seed: 3 });
  const indices = {
    train: Uint32Array.from({ length: 100 }, (_, index) => index),
    validation: Uint32Array.from({ length: 20 }, (_, index) => 100 + index),
  };
  return {
    config,
    job,
    async train(hooks) {
      const network = new Network(await loadCore({ build: 'simd' }), classifierModel(job.spec), {
        seed: 5,
        batchSize: 16,
        training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
        sets: [{ rows: data.labels.length }],
      });
      network.load(0, { inputs: data.images, targets: data.labels });
      return trainModel(network, job, data.labels, indices, hooks);
    },
  };
}
