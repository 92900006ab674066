import { ARCHITECTURES } from '../fashion-mnist/architectures.js';
import { FASHION_MNIST } from '../fashion-mnist/identity.js';
import {
  PUBLISHED_BEST,
  PUBLISHED_MODELS,
  type PublishedEpoch,
  type PublishedModel,
} from '../fashion-mnist/published.js';
import { classificationScores } from '../metrics/classification.js';
import type { ModelRecord, RunResults } from './records.js';

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
 * architecture of the same name and widths was trained at the same rate.
 */
export function publishedFigures(
  { config, dataset }: RunResults,
  { model, learningRate }: Pick<ModelRecord, 'model' | 'learningRate'>,
): PublishedFigures | null {
  const hidden = config.architectures.find(({ name }) => name === model)?.hidden;
  const published = PUBLISHED_MODELS.find(
    (other) => other.model === model && other.learningRate === learningRate,
  );
  if (dataset.name !== FASHION_MNIST || published === undefined) return null;
  if (hidden?.join() !== ARCHITECTURES[model]?.hidden.join()) return null;
  return figuresOf(published, config.keep);
}

/** Whether any model of this run has published figures. */
export function isCompared(results: RunResults): boolean {
  return results.models.some((model) => publishedFigures(results, model) !== null);
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
