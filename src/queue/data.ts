import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { sharedSamples } from '../data/shared.js';
import { type PreparedData, splitOf } from '../experiment/prepare.js';
import type { SampleIndices } from '../experiment/train-job.js';
import { cacheFolder } from '../fashion-mnist/cache.js';
import { DEBIAN_FOLDER, IDX_FILES, type IdxFileName, PUBLISHED } from '../fashion-mnist/identity.js';
import { openIdxFile } from '../fashion-mnist/idx-file.js';
import { formatError } from '../formats/tensor.js';
import type { LabelledImages } from '../model/classifier.js';
import { ensureWritableFolder, readFileBounded, writeFileAtomic } from '../node/files.js';
import { MAX_IDX_BYTES, readIdxImages, readIdxLabels } from '../node/idx.js';
import { fetchData, pushData } from './objects.js';
import type { QueuedRun } from './records.js';
import type { Store } from './store.js';

/** The two files that models are trained on, as the IDX files that they came from. */
export interface TrainingFiles {
  images: Uint8Array;
  labels: Uint8Array;
}

/** The training files of a run's data, byte for byte those that it was read from. */
export function trainingFiles({ train, record }: PreparedData): TrainingFiles {
  const count = train.labels.length;
  return {
    images: idx([count, record.imageHeight, record.imageWidth], train.images),
    labels: idx([count], train.labels),
  };
}

/** An IDX file of unsigned bytes: magic number and sizes, big-endian, then the elements. */
function idx(sizes: readonly number[], content: Uint8Array): Uint8Array {
  const header = 4 + 4 * sizes.length;
  const file = new Uint8Array(header + content.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 + sizes.length);
  for (const [index, size] of sizes.entries()) view.setUint32(4 + 4 * index, size);
  file.set(content, header);
  return file;
}

/** What a run's record says of its data. */
export function describeData({ images, labels }: TrainingFiles, classes: number): QueuedRun['data'] {
  const describe = (bytes: Uint8Array) => ({ sha256: digestOf(bytes), bytes: bytes.length });
  return { images: describe(images), labels: describe(labels), classes };
}

/** Puts a run's training files into the store, unless they are there. */
export async function publishData(
  store: Store,
  files: TrainingFiles,
  { images, labels }: QueuedRun['data'],
): Promise<void> {
  await pushData(store, images.sha256, files.images);
  await pushData(store, labels.sha256, files.labels);
}

/**
 * A run's data at a worker: out of its cache, from where Fashion-MNIST lies on this machine, or else fetched once from the
 * store into the cache. Throws `format`, `range` or `shape` for what is not what the record says.
 */
export async function obtainData(
  { data, split }: Pick<QueuedRun, 'data' | 'split'>,
  store: Store,
  cache: string,
  log: (line: string) => void,
): Promise<{ data: LabelledImages; split: SampleIndices }> {
  const folder = join(cache, 'data');
  await ensureWritableFolder(folder);
  const file = async ({ sha256, bytes }: QueuedRun['data']['images']) => {
    const path = join(folder, `${sha256}.idx`);
    const own = (await cached(path, sha256)) ?? (await published(sha256));
    if (own !== null) return { path, content: own };
    log(`Fetching ${bytes} bytes of data (SHA-256 ${sha256}) from ${store.location}.`);
    const content = await fetchData(store, sha256, bytes);
    await writeFileAtomic(path, content);
    return { path, content };
  };
  const images = await file(data.images);
  const labels = await file(data.labels);
  const pictures = readIdxImages(images.content, images.path);
  const classes = readIdxLabels(labels.content, labels.path);
  if (classes.count !== pictures.count)
    throw formatError(labels.path, `it has ${classes.count} labels`, `${pictures.count}, one for each image`);
  const highest = classes.labels.reduce((most, label) => Math.max(most, label), 0);
  if (highest >= data.classes)
    throw formatError(labels.path, `it has the label ${highest}`, `0 to ${data.classes - 1}`);
  const taken = sharedSamples({ images: pictures.images, labels: classes.labels });
  return { data: taken, split: splitOf(taken.labels, data.classes, split) };
}

/** A file of the cache; null where there is none, or another than its name says. */
async function cached(path: string, sha256: string): Promise<Uint8Array | null> {
  const bytes = await orNull(() => readFileBounded(path, MAX_IDX_BYTES));
  return bytes !== null && digestOf(bytes) === sha256 ? bytes : null;
}

/** Fashion-MNIST's own file of this SHA-256, from where it usually lies; null where it does not. */
async function published(sha256: string): Promise<Uint8Array | null> {
  const name = IDX_FILES.find((file) => PUBLISHED[file].sha256 === sha256);
  if (name === undefined) return null;
  const folders = [process.env.TREADLE_DATA, cacheFolder(process.env), DEBIAN_FOLDER];
  for (const folder of folders) {
    for (const end of ['', '.gz']) {
      if (!folder) continue;
      const content = await orNull(() => publishedFile(name, join(folder, name + end)));
      if (content !== null) return content;
    }
  }
  return null;
}

async function publishedFile(name: IdxFileName, path: string): Promise<Uint8Array> {
  return openIdxFile(name, path, await readFileBounded(path, MAX_IDX_BYTES), true).content;
}

async function orNull<T>(action: () => Promise<T>): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof TreadleError) return null;
    throw error;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
