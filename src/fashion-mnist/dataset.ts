import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { TreadleError } from '#bindings';
import { release, sharedSamples } from '../data/shared.js';
import { listFolder, readFileBounded } from '../node/files.js';
import { MAX_IDX_BYTES, readIdxImages, readIdxLabels } from '../node/idx.js';
import { throwIfAborted } from '../strict/abort.js';
import { findIdxFile } from './find-file.js';
import { FASHION_MNIST, FASHION_MNIST_CLASSES, IDX_FILES, type IdxFileName, PUBLISHED } from './identity.js';
import { type IdxFile, openIdxFile } from './idx-file.js';
import { takeClasses } from './labels.js';
import { fromFirstSource, LOADING, type SourceOptions } from './sources.js';

/** One part of a dataset. Both arrays own their buffers, shared memory each exactly as long as its content. */
export interface ImageSet {
  /** Shape (count, imageHeight, imageWidth), grey, 0 to 255. */
  images: Uint8Array;
  /** Shape (count), class indices: 0 for the lowest label in the files. */
  labels: Uint8Array;
  count: number;
}

export interface Dataset {
  /** `Fashion-MNIST` when every file is the published one, else the folder's name. */
  name: string;
  /** Where the files came from, in words a person understands. */
  source: string;
  /** SHA-256 (hex) over the four decompressed files' own SHA-256 digests, in the order of IDX_FILES. */
  hash: string;
  imageWidth: number;
  imageHeight: number;
  /** One per class; the labels in the files, from the lowest to the highest, when the dataset is not Fashion-MNIST. */
  classNames: string[];
  train: ImageSet;
  test: ImageSet;
}

export interface LoadOptions extends SourceOptions {
  /** Whether every file must be Fashion-MNIST's own, by size and SHA-256. */
  verify: boolean;
}

/**
 * Loads a dataset of four IDX files from the first source that has it.
 * Throws `not-found`, `unreadable`, `format`, `range` or `checksum` for a file that cannot be used; `shape` for
 * files that do not fit together; `data` for labels that cannot be trained on; `network` when there is no source,
 * `interrupted` when the signal aborts.
 *
 * @example const { train, test, classNames } = await loadDataset({ data: 'fashion-mnist' });
 */
export async function loadDataset(options: LoadOptions): Promise<Dataset> {
  const { source, value } = await fromFirstSource(options, (folder) => loadFolder(folder, options));
  throwIfAborted(options.signal, LOADING);
  return { ...value, source };
}

async function loadFolder(folder: string, { verify, log }: LoadOptions): Promise<Omit<Dataset, 'source'>> {
  const entries = await listFolder(folder, 'a folder with the four IDX files');
  const trainImages = await open(folder, entries, IDX_FILES[0], verify);
  const trainLabels = await open(folder, entries, IDX_FILES[1], verify);
  const testImages = await open(folder, entries, IDX_FILES[2], verify);
  const testLabels = await open(folder, entries, IDX_FILES[3], verify);

  const train = samples(trainImages, trainLabels);
  const test = samples(testImages, testLabels);
  checkSameSize(train, trainImages.file, test, testImages.file);
  const classes = takeClasses(
    { labels: train.labels, file: trainLabels.file },
    { labels: test.labels, file: testLabels.file },
    log,
  );

  const digests = [trainImages, trainLabels, testImages, testLabels].map(({ digest }) => digest);
  const published = IDX_FILES.every(
    (name, index) => Buffer.from(digests[index]!).toString('hex') === PUBLISHED[name].sha256,
  );
  return {
    name: published ? FASHION_MNIST : basename(folder) || folder,
    hash: createHash('sha256').update(Buffer.concat(digests)).digest('hex'),
    imageWidth: train.width,
    imageHeight: train.height,
    classNames: published ? [...FASHION_MNIST_CLASSES] : classes,
    train: { images: train.images, labels: train.labels, count: train.count },
    test: { images: test.images, labels: test.labels, count: test.count },
  };
}

async function open(folder: string, entries: string[], name: IdxFileName, verify: boolean): Promise<IdxFile> {
  const file = await findIdxFile(folder, entries, name);
  const bytes = await readFileBounded(file, MAX_IDX_BYTES);
  const opened = openIdxFile(name, file, bytes, verify);
  if (opened.content.buffer !== bytes.buffer) release(bytes);
  return opened;
}

interface SizedImages extends ImageSet {
  height: number;
  width: number;
}

function samples(imageFile: IdxFile, labelFile: IdxFile): SizedImages {
  const { images, count, height, width } = readIdxImages(imageFile.content, imageFile.file);
  const { labels, count: labelCount } = readIdxLabels(labelFile.content, labelFile.file);
  if (labelCount !== count) {
    throw new TreadleError(
      'shape',
      `${labelFile.file} has ${labelCount} labels; ${count} are expected, one for each image of ${imageFile.file}.`,
      { subject: labelFile.file, found: labelCount, expected: count },
    );
  }
  const shared = { ...sharedSamples({ images, labels }), count, height, width };
  release(imageFile.content);
  return shared;
}

function checkSameSize(train: SizedImages, trainFile: string, test: SizedImages, testFile: string): void {
  if (train.height === test.height && train.width === test.width) return;
  const found = `${test.height} x ${test.width}`;
  const expected = `${train.height} x ${train.width}`;
  throw new TreadleError(
    'shape',
    `${testFile} has images of ${found}; ${expected} is expected, the size in ${trainFile}.`,
    { subject: testFile, found, expected },
  );
}
