import { ARCHITECTURES } from '../fashion-mnist/architectures.js';
import { FASHION_MNIST } from '../fashion-mnist/identity.js';
import {
  PUBLISHED_BEST,
  PUBLISHED_MODELS,
  type PublishedEpoch,
  type PublishedModel,
} from '../fashion-mnist/published.js';
import { classificationScores } from '../metrics/classification.js';
import type { ModelRecord, RunConfig, RunResults } from './records.js';

/** A model's published figures; null where the report prints none. */
export interface PublishedFigures {
  /** Of the epoch that this run's `keep` would keep: the best or the last. */
  valMacroF1: number;
  testAccuracy: number | null;
  /** From the printed confusion matrix. */
  testMacroF1: number | null;
  epochs: readonly PublishedEpoch[];
}

/**
 * The published figures of a model of this run; null unless the dataset is Fashion-MNIST, and a published
 * architecture of the same name and widths was trained at the same rate, which did not change, on the images as they are.
 */
export function publishedFigures(
  { config, dataset }: RunResults,
  { model, learningRate }: Pick<ModelRecord, 'model' | 'learningRate'>,
): PublishedFigures | null {
  const published = PUBLISHED_MODELS.find(
    (other) => other.model === model && other.learningRate === learningRate,
  );
  const architecture = config.architectures.find(({ name }) => name === model);
  if (dataset.name !== FASHION_MNIST || published === undefined || !isPublished(architecture)) return null;
  if (config.schedule !== 'constant' || (architecture?.augment ?? config.augment) !== null) return null;
  return figuresOf(published, config.keep);
}

/** Whether any model of this run has published figures. */
export function isCompared(results: RunResults): boolean {
  return results.models.some((model) => publishedFigures(results, model) !== null);
}

/** Whether the run is of the published data and of any published architecture, however it was trained. */
export function hasPublishedArchitecture({ config, dataset }: RunResults): boolean {
  return dataset.name === FASHION_MNIST && config.architectures.some(isPublished);
}

function isPublished(architecture: RunConfig['architectures'][number] | undefined): boolean {
  const own = architecture && ARCHITECTURES[architecture.name];
  return own !== undefined && own.hidden.join() === architecture!.hidden.join();
}

/** The model that the published report calls its best, with the scores of its printed confusion matrix. */
export function publishedBest() {
  const { model, learningRate } = PUBLISHED_BEST;
  const best = PUBLISHED_MODELS.find(
    (other) => other.model === model && other.learningRate === learningRate,
  )!;
  return { model, learningRate, ...classificationScores(best.test!.confusion) };
}

function figuresOf({ epochs, test }: PublishedModel, keep: 'best' | 'last'): PublishedFigures {
  const scores = epochs.map(([, , , , valMacroF1]) => valMacroF1);
  return {
    valMacroF1: keep === 'best' ? Math.max(...scores) : scores.at(-1)!,
    testAccuracy: test?.accuracy ?? null,
    testMacroF1: test === null ? null : classificationScores(test.confusion).macro.f1,
    epochs,
  };
}
