import type { NetworkSpec } from '../model/classifier.js';
import { jobId } from '../results/job-id.js';
import type { Job, RunConfig } from '../results/records.js';

/** What the data decides about every network. */
export interface DataShape {
  /** Pixels of an image. */
  inputs: number;
  classes: number;
  /** Pixels of a row of it, which flips and augmentation go by. Without them it may be left out. */
  imageWidth?: number;
}

/**
 * The jobs of a run: architectures in their order, each with its seeds, these with their passes, and these with the
 * learning rates in theirs. In chained mode every job but the first of a seed starts from the weights of the one before.
 * `build` is the build that was chosen, not `auto`; `from` has the SHA-256 of the weights file that an architecture
 * starts from, by its name.
 *
 * @example planJobs(defaultConfig(), { inputs: 784, classes: 10 }, 'relaxed-mt').map(({ id }) => id);
 */
export function planJobs(
  config: RunConfig,
  shape: DataShape,
  build: string,
  from: Readonly<Record<string, string>> = {},
): Job[] {
  const { epochs, batchSize, schedule, keep } = config;
  const passes = countFrom(1, config.passes);
  return config.architectures.flatMap((architecture) => {
    const { name, augment = config.augment } = architecture;
    return countFrom(config.seed, config.seeds).flatMap((seed) => {
      const places = passes.flatMap((pass) =>
        config.learningRates.map((learningRate) => ({ model: name, learningRate, pass })),
      );
      const ids = places.map((place) => jobId({ ...place, seed: config.seeds > 1 ? seed : undefined }));
      return places.map((place, index): Job => {
        const parent = config.mode === 'chained' && index > 0 ? ids[index - 1]! : null;
        return {
          id: ids[index]!,
          ...place,
          schedule,
          spec: specOf(architecture, config, shape, augment !== null),
          epochs,
          batchSize,
          augment,
          seed,
          keep,
          build,
          from: parent === null ? (from[name] ?? null) : null,
          parent,
        };
      });
    });
  });
}

/** The network of an architecture; where images are moved it says what they are. */
function specOf(
  { hidden, dropout }: RunConfig['architectures'][number],
  config: RunConfig,
  { inputs, classes, imageWidth }: DataShape,
  moves: boolean,
): NetworkSpec {
  const shape = imageWidth === undefined ? [inputs] : [inputs / imageWidth, imageWidth];
  return { inputs, hidden, classes, dropout: dropout ?? config.dropout, ...(moves && { shape }) };
}

/** Whole numbers that follow one another. */
export function countFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Ids of all jobs that start, directly or not, from the given job's weights. */
export function descendants(jobs: readonly { id: string; parent: string | null }[], id: string): string[] {
  return jobs
    .filter((job) => job.parent === id)
    .flatMap((child) => [child.id, ...descendants(jobs, child.id)]);
}
