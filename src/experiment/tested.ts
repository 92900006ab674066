import type { TestFigures } from '../formats/hub/test-figures.js';
import type { WeightsMetadata } from '../formats/metadata.js';
import type { RunResults } from '../results/records.js';

/**
 * The test of the model whose weights have this metadata; null where it is none of the run's. A model is known by its
 * architecture, its rate and the figures of its kept epoch on the run's data, to the last digit.
 */
export function testOfWeights(
  { models, dataset, config }: RunResults,
  metadata: WeightsMetadata,
): TestFigures | null {
  if (dataset.hash !== metadata.dataHash) return null;
  const own = models.find(({ model, learningRate, kept, epochs }) => {
    const figures = epochs.find(({ epoch }) => epoch === kept?.epoch);
    return (
      model === metadata.model &&
      learningRate === metadata.learningRate &&
      figures?.epoch === metadata.keptEpoch &&
      figures.valLoss === metadata.valLoss &&
      figures.valAccuracy === metadata.valAccuracy &&
      figures.valMacroF1 === metadata.valMacroF1
    );
  });
  if (!own?.test) return null;
  const { confusion: _, ...scores } = own.test;
  const isMean = config.average === 'flip';
  return {
    data: isMean ? `${dataset.name} (means over each image and its mirror image)` : dataset.name,
    hash: dataset.hash,
    samples: dataset.testSamples,
    scores,
  };
}
