import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { stratifiedSplit } from '../../dist/data/split.js';
import { loadDataset } from '../../dist/fashion-mnist/dataset.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { type IdxDataset, idxBytes, syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { realDataFolder } from '../support/real-data.js';

const toy = syntheticDataset({ classes: 3, height: 5, width: 4, train: 12, test: 6, seed: 1 });

async function written(dataset: IdxDataset & { gzip?: boolean } = toy): Promise<string> {
  const folder = await temporaryFolder();
  await writeIdxDataset(folder, dataset);
  return folder;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

describe('any dataset, without verification', () => {
  it.each([false, true])('loads with gzip: %s', async (gzip) => {
    const folder = await written({ ...toy, gzip });
    const dataset = await loadDataset({ data: folder, verify: false });
    const { images, labels } = toy.train;
    expect(dataset).toEqual({
      name: basename(folder),
      source: `${folder} (data)`,
      hash: dataset.hash,
      imageWidth: 4,
      imageHeight: 5,
      classNames: ['0', '1', '2'],
      train: { images, labels, count: 12 },
      test: { images: toy.test.images, labels: toy.test.labels, count: 6 },
    });
    const files = [
      idxBytes([12, 5, 4], images),
      idxBytes([12], labels),
      idxBytes([6, 5, 4], toy.test.images),
      idxBytes([6], toy.test.labels),
    ];
    expect(dataset.hash).toBe(sha256(Buffer.concat(files.map(sha256))).toString('hex'));
  });

  it('hands out arrays that own their buffers, in shared memory', async () => {
    const { train, test } = await loadDataset({ data: await written(), verify: false });
    for (const array of [train.images, train.labels, test.images, test.labels]) {
      expect(array.byteLength).toBe(array.buffer.byteLength);
      expect(array.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it('loads up to 256 classes', async () => {
    const many = syntheticDataset({ classes: 256, height: 1, width: 1, train: 256, test: 1, seed: 2 });
    const { classNames } = await loadDataset({ data: await written(many), verify: false });
    expect([classNames.length, classNames[255]]).toEqual([256, '255']);
  });

  /** The toy dataset with other labels, loaded, and what is told of it. */
  async function relabelled(relabel: (label: number) => number, relabelTest = relabel) {
    const part = (own: IdxDataset['train'], change: typeof relabel) => ({
      ...own,
      labels: own.labels.map(change),
    });
    const told: string[] = [];
    const data = await written({ train: part(toy.train, relabel), test: part(toy.test, relabelTest) });
    const dataset = await loadDataset({ data, verify: false, log: (line) => told.push(line) });
    return { ...dataset, told, file: join(data, 'train-labels-idx1-ubyte') };
  }

  it('takes labels that begin at 1 as classes of these names, and says so', async () => {
    const { classNames, train, test, told, file } = await relabelled((label) => label + 1);
    expect(classNames).toEqual(['1', '2', '3']);
    expect(train.labels).toEqual(toy.train.labels);
    expect(test.labels).toEqual(toy.test.labels);
    expect(told).toEqual([`${file} has labels from 1 to 3; they are taken as 3 classes of these names.`]);
  });

  it('takes the lowest label from the test as well', async () => {
    const { classNames, train, test } = await relabelled(
      (label) => label + 2,
      (label) => label + 1,
    );
    expect(classNames).toEqual(['1', '2', '3', '4']);
    expect([Math.min(...train.labels), Math.min(...test.labels)]).toEqual([1, 0]);
  });

  it('takes labels that leave one out: a class without samples, of which is told', async () => {
    const { classNames, train, told, file } = await relabelled((label) => 2 * label);
    expect(classNames).toEqual(['0', '1', '2', '3', '4']);
    expect([...new Set(train.labels)]).toEqual([0, 2, 4]);
    expect(told).toEqual([`${file} has no sample of 1, 3; what does not occur in training is never learnt.`]);
  });

  it('says nothing of labels from 0 that leave none out', async () => {
    expect((await relabelled((label) => label)).told).toEqual([]);
  });

  it.each<[string, (name: string) => string]>([
    ['dots for dashes', (name) => name.replace('-idx', '.idx')],
    ['dots for dashes, compressed', (name) => `${name.replace('-idx', '.idx')}.gz`],
    ['EMNIST’s names', (name) => `emnist-letters-${name.replace('t10k', 'test')}.gz`],
    ['capitals', (name) => name.toUpperCase()],
  ])('finds files of other names: %s', async (_, rename) => {
    const folder = await written();
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      await rm(join(folder, name));
      const other = rename(name);
      await writeFile(join(folder, other), other.endsWith('.gz') ? gzipSync(bytes) : bytes);
    }
    const { train, test } = await loadDataset({ data: folder, verify: false });
    expect([train.images, test.labels]).toEqual([toy.train.images, toy.test.labels]);
  });

  it('passes over a folder of a file’s name where the file is beside it', async () => {
    const folder = await written();
    const name = 'train-images-idx3-ubyte';
    await rename(join(folder, name), join(folder, 'train-images.idx3-ubyte'));
    await mkdir(join(folder, name));
    expect((await loadDataset({ data: folder, verify: false })).train.count).toBe(12);
  });

  it('takes numbers of other types that are bytes', async () => {
    const folder = await written();
    const images = Buffer.alloc(16 + 4 * toy.train.images.length);
    Buffer.from('00000d030000000c0000000500000004', 'hex').copy(images);
    for (const [index, pixel] of toy.train.images.entries()) images.writeFloatBE(pixel, 16 + 4 * index);
    await rm(join(folder, 'train-images-idx3-ubyte'));
    await writeFile(join(folder, 'train-images-idx3-float.gz'), gzipSync(images));
    const { train } = await loadDataset({ data: folder, verify: false });
    expect(train.images).toEqual(toy.train.images);
  });

  it('prefers a plain file to a compressed one', async () => {
    const folder = await written();
    await writeFile(join(folder, 'train-labels-idx1-ubyte.gz'), 'not gzip');
    expect((await loadDataset({ data: folder, verify: false })).train.count).toBe(12);
  });
});

describe('a dataset that cannot be used', () => {
  const labels = (...values: number[]) => Uint8Array.from(values);

  it.each([
    [
      'labels and images that differ in number',
      'shape',
      { ...toy, train: { ...toy.train, labels: labels(0, 1, 2) } },
      'train-labels-idx1-ubyte',
      'has 3 labels; 12 are expected, one for each image of',
    ],
    [
      'test images of another size',
      'shape',
      { ...toy, test: { ...toy.test, height: 4, width: 5 } },
      't10k-images-idx3-ubyte',
      'has images of 4 x 5; 5 x 4 is expected',
    ],
    [
      'a test label beyond the training classes',
      'data',
      { ...toy, test: { ...toy.test, labels: labels(0, 1, 2, 0, 3, 0) } },
      't10k-labels-idx1-ubyte',
      'has the label 3 (sample 4); 0 to 2 is expected',
    ],
    [
      'one class only',
      'data',
      { ...toy, train: { ...toy.train, labels: new Uint8Array(12).fill(3) } },
      'train-labels-idx1-ubyte',
      'has only the label 3; at least two labels are expected',
    ],
  ])('%s', async (_, code, dataset, name, message) => {
    // The writer takes the count from the labels; images keep their own.
    const folder = await written();
    for (const [prefix, part, original] of [
      ['train', dataset.train, toy.train],
      ['t10k', dataset.test, toy.test],
    ] as const) {
      const sizes = [original.labels.length, part.height, part.width];
      await writeFile(join(folder, `${prefix}-images-idx3-ubyte`), idxBytes(sizes, part.images));
      await writeFile(
        join(folder, `${prefix}-labels-idx1-ubyte`),
        idxBytes([part.labels.length], part.labels),
      );
    }
    const error = await failure(code, () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toContain(`${join(folder, name)} ${message}`);
    expect(error.subject).toBe(join(folder, name));
  });

  it('a folder that is not there, or is a file', async () => {
    const folder = await temporaryFolder();
    const gone = await failure('not-found', () => loadDataset({ data: join(folder, 'gone'), verify: true }));
    expect(gone.message).toBe(
      `${join(folder, 'gone')} does not exist; a folder with the four IDX files is expected.`,
    );
    await writeFile(join(folder, 'file'), '');
    const file = await failure('unreadable', () => loadDataset({ data: join(folder, 'file'), verify: true }));
    expect(file.message).toBe(
      `${join(folder, 'file')} is a file; a folder with the four IDX files is expected.`,
    );
  });

  it.each([
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
    't10k-images-idx3-ubyte',
    't10k-labels-idx1-ubyte',
  ])('a missing %s', async (name) => {
    const folder = await written();
    await rm(join(folder, name));
    const error = await failure('not-found', () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toBe(`${folder} has no ${name}; that file is expected, plain or with .gz.`);
  });

  it('files that are named alike, but are none of the four', async () => {
    const folder = await written();
    await rm(join(folder, 'train-images-idx3-ubyte'));
    await writeFile(join(folder, 'train-images.npy'), '');
    const error = await failure('not-found', () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toBe(
      `${folder} has train-images.npy and no train-images-idx3-ubyte; that file is expected, plain or with .gz.`,
    );
  });

  it('two datasets in a folder', async () => {
    const folder = await written();
    const path = join(folder, 'train-images-idx3-ubyte');
    for (const set of ['digits', 'letters'])
      await copyFile(path, join(folder, `emnist-${set}-train-images-idx3-ubyte`));
    expect((await loadDataset({ data: folder, verify: false })).train.count).toBe(12);
    await rm(path);
    const error = await failure('usage', () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toBe(
      `${folder} has emnist-digits-train-images-idx3-ubyte, emnist-letters-train-images-idx3-ubyte for train-images-idx3-ubyte; one dataset in a folder is expected.`,
    );
  });

  it('a folder where a file should be', async () => {
    const folder = await written();
    const path = join(folder, 't10k-labels-idx1-ubyte');
    await rm(path);
    await mkdir(path);
    const error = await failure('unreadable', () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toBe(`${path} is not a file; a regular file is expected.`);
  });

  it.each([
    [
      'a truncated',
      (bytes: Buffer) => bytes.subarray(0, -1),
      'has 19 bytes; expected: 12 labels in 20 bytes',
    ],
    ['a truncated gzip', (bytes: Buffer) => gzipSync(bytes).subarray(0, -4), 'is damaged gzip'],
    ['an image file as', () => idxBytes([12, 5, 4], toy.train.images), 'is an image file'],
  ])('%s label file', async (_, change, message) => {
    const folder = await written();
    const path = join(folder, 'train-labels-idx1-ubyte');
    await writeFile(path, change(await readFile(path)));
    const error = await failure('format', () => loadDataset({ data: folder, verify: false }));
    expect(error.message).toContain(`${path} ${message}`);
  });
});

describe('verification', () => {
  it('refuses another dataset and says how to use it', async () => {
    const folder = await written();
    const error = await failure('checksum', () => loadDataset({ data: folder, verify: true }));
    expect(error.message).toBe(
      `${folder}/train-images-idx3-ubyte has 256 bytes; Fashion-MNIST's file has 47,040,016 bytes (another dataset needs --no-verify).`,
    );
  });

  it('inflates no more than the published size', async () => {
    const folder = await written();
    await rm(join(folder, 'train-images-idx3-ubyte'));
    const large = gzipSync(idxBytes([60001, 28, 28], new Uint8Array(60001 * 784)));
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), large);
    const error = await failure('checksum', () => loadDataset({ data: folder, verify: true }));
    expect(error.found).toBe('more than 47,040,016 bytes');
  });

  it('names a damaged file before it compares', async () => {
    const folder = await written();
    const path = join(folder, 'train-images-idx3-ubyte');
    await copyFile(join(folder, 'train-labels-idx1-ubyte'), path);
    const error = await failure('format', () => loadDataset({ data: folder, verify: true }));
    expect(error.message).toContain(`${path} is a label file`);
  });
});

describe.skipIf(!realDataFolder)('Fashion-MNIST itself', () => {
  it('loads verified and splits into 50,000 and 10,000 with 1,000 of each class', async () => {
    const dataset = await loadDataset({ data: realDataFolder, verify: true });
    expect([dataset.name, dataset.train.count, dataset.test.count]).toEqual([
      'Fashion-MNIST',
      60_000,
      10_000,
    ]);
    expect([dataset.imageHeight, dataset.imageWidth]).toEqual([28, 28]);
    expect(dataset.classNames[9]).toBe('Ankle boot');
    // The first training sample is an ankle boot, the second and third are T-shirts.
    expect([...dataset.train.labels.subarray(0, 5)]).toEqual([9, 0, 0, 3, 0]);
    expect(dataset.train.images.length).toBe(47_040_000);
    // Worked out by hand from the four published digests.
    expect(dataset.hash).toBe('4d8e31d2057f6f938ff47097ba334038e7aafbaf24b67665d2dd1ecda01730a3');

    const { train, validation } = stratifiedSplit(dataset.train.labels, 10, 10_000, 0);
    const held = new Array<number>(10).fill(0);
    for (const index of validation) held[dataset.train.labels[index]!]!++;
    expect(held).toEqual(new Array(10).fill(1000));
    expect(train.length).toBe(50_000);
    expect(stratifiedSplit(dataset.train.labels, 10, null, 0)).toEqual({ train, validation });
  });

  it('is known by its content without verification too', async () => {
    const dataset = await loadDataset({ data: realDataFolder, verify: false });
    expect([dataset.name, dataset.classNames[0]]).toEqual(['Fashion-MNIST', 'T-shirt/top']);
  });

  it('is refused when one byte differs', async () => {
    const folder = await temporaryFolder();
    for (const name of ['train-images-idx3', 't10k-images-idx3', 't10k-labels-idx1']) {
      await copyFile(join(realDataFolder!, `${name}-ubyte.gz`), join(folder, `${name}-ubyte.gz`));
    }
    const labels = gunzipSync(await readFile(join(realDataFolder!, 'train-labels-idx1-ubyte.gz')));
    labels[8] = 8;
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels);
    const error = await failure('checksum', () => loadDataset({ data: folder, verify: true }));
    expect(error.message).toBe(
      `${folder}/train-labels-idx1-ubyte has SHA-256 ${sha256(labels).toString('hex')}; Fashion-MNIST's file has SHA-256 ` +
        'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9 (another dataset needs --no-verify).',
    );
    expect((await loadDataset({ data: folder, verify: false })).name).toBe(basename(folder));
  });
});
