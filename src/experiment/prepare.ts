import type { AbortSignalLike } from '#bindings';
import { sharedSamples, toShared } from '../data/shared.js';
import { stratifiedSplit, takeStratified } from '../data/split.js';
import { loadDataset } from '../fashion-mnist/dataset.js';
import type { LabelledImages } from '../model/classifier.js';
import type { DatasetRecord, RunConfig } from '../results/records.js';
import type { DataShape } from './jobs.js';
import type { SampleIndices } from './train-job.js';

/** Which dataset a run uses. */
export interface DataChoice {
  /** Folder with the four IDX files; left out, the usual places are searched. */
  data?: string | undefined;
  /** Whether every file must be Fashion-MNIST's own; true when left out. */
  verify?: boolean | undefined;
  /** Told what is being fetched and which source was used, a line each. */
  log?: ((line: string) => void) | undefined;
}

/** A dataset as workers take it: samples and split in shared memory. */
export interface PreparedData {
  record: DatasetRecord;
  shape: DataShape;
  train: LabelledImages;
  test: LabelledImages;
  split: SampleIndices;
}

/** What decides which samples are trained on, and which are held out. */
export type SplitSettings = Pick<RunConfig, 'validationSize' | 'trainSamples' | 'seed'>;

/** Which samples are trained on and which are held out, in shared memory. Throws `range` for more than there are. */
export function splitOf(
  labels: Uint8Array,
  classes: number,
  { validationSize, trainSamples, seed }: SplitSettings,
): SampleIndices {
  const { train, validation } = stratifiedSplit(labels, classes, validationSize, seed);
  const taken = trainSamples === null ? train : takeStratified(train, labels, classes, trainSamples, seed);
  return { train: toShared(taken), validation: toShared(validation) };
}

/**
 * Loads the data and splits it as the settings say.
 * Throws what `loadDataset`, `stratifiedSplit` and `takeStratified` throw, and `interrupted` when the signal aborts.
 */
export async function prepareData(
  choice: DataChoice,
  settings: SplitSettings,
  signal?: AbortSignalLike,
): Promise<PreparedData> {
  const { data, verify = true, log } = choice;
  const dataset = await loadDataset({ data, verify, log, signal });
  const { name, source, hash, imageWidth, imageHeight, classNames, train, test } = dataset;
  const classes = classNames.length;
  const split = splitOf(train.labels, classes, settings);
  const sizes = `${split.train.length} training, ${split.validation.length} validation and ${test.count} test images`;
  log?.(`Data: ${name} from ${source}; ${sizes}.`);
  return {
    record: {
      name,
      source,
      hash,
      imageWidth,
      imageHeight,
      classNames,
      trainSamples: split.train.length,
      validationSamples: split.validation.length,
      testSamples: test.count,
    },
    shape: shapeOfData(dataset),
    train: sharedSamples(train),
    test: sharedSamples(test),
    split,
  };
}

/** What the images of a dataset are to a network. */
export function shapeOfData({
  imageWidth,
  imageHeight,
  classNames,
}: Pick<DatasetRecord, 'imageWidth' | 'imageHeight' | 'classNames'>): DataShape {
  return { inputs: imageWidth * imageHeight, classes: classNames.length, imageWidth };
}

/** The samples of these indices. */
export function samplesOf({ images, labels }: LabelledImages, rows: Uint32Array): LabelledImages {
  const inputs = images.length / labels.length;
  const taken = new Uint8Array(rows.length * inputs);
  for (const [at, row] of rows.entries()) {
    taken.set(images.subarray(row * inputs, (row + 1) * inputs), at * inputs);
  }
  return { images: taken, labels: Uint8Array.from(rows, (row) => labels[row]!) };
}
