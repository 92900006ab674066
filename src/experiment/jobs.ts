import type { NetworkSpec } from '../model/classifier.js';
import { jobId } from '../results/job-id.js';
import type { Job, RunConfig } from '../results/records.js';

/** What the data decides about every network. */
export interface DataShape {
  /** Pixels of an image. */
  inputs: number;
  classes: number;
}

/**
 * The jobs of a run: architectures in their order, each with its passes, and these with the learning rates in theirs.
 * In chained mode every job but an architecture's first starts from the weights of the one before.
 * `build` is the build that was chosen, not `auto`.
 *
 * @example planJobs(defaultConfig(), { inputs: 784, classes: 10 }, 'relaxed-mt').map(({ id }) => id);
 */
export function planJobs(config: RunConfig, shape: DataShape, build: string): Job[] {
  return config.architectures.flatMap(({ name, hidden }) => {
    const spec: NetworkSpec = {
      inputs: shape.inputs,
      hidden,
      classes: shape.classes,
      dropout: config.dropout,
    };
    const places = Array.from({ length: config.passes }, (_, index) => index + 1).flatMap((pass) =>
      config.learningRates.map((learningRate) => ({
        id: jobId(name, learningRate, pass),
        learningRate,
        pass,
      })),
    );
    return places.map((place, index): Job => {
      const before = places[index - 1];
      return {
        id: place.id,
        model: name,
        learningRate: place.learningRate,
        pass: place.pass,
        spec,
        epochs: config.epochs,
        batchSize: config.batchSize,
        seed: config.seed,
        keep: config.keep,
        build,
        parent: config.mode === 'chained' && before !== undefined ? before.id : null,
      };
    });
  });
}

/** Ids of all jobs that start, directly or not, from the given job's weights. */
export function descendants(jobs: readonly { id: string; parent: string | null }[], id: string): string[] {
  return jobs
    .filter((job) => job.parent === id)
    .flatMap((child) => [child.id, ...descendants(jobs, child.id)]);
}
