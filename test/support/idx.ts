import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** One part of a dataset as the IDX writer takes it; `images` has shape (labels.length, height, width). */
export interface IdxPart {
  images: Uint8Array;
  labels: Uint8Array;
  height: number;
  width: number;
}

export interface IdxDataset {
  train: IdxPart;
  test: IdxPart;
}

/** An IDX file of unsigned bytes with the given dimensions. */
export function idxBytes(dimensions: readonly number[], content: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x0800 + dimensions.length, 0);
  dimensions.forEach((size, index) => {
    header.writeUInt32BE(size, 4 + 4 * index);
  });
  return Buffer.concat([header, content]);
}

/** Writes the four IDX files of a dataset into a folder, which is created; with `gzip`, compressed and named `.gz`. */
export async function writeIdxDataset(
  folder: string,
  { train, test, gzip = false }: IdxDataset & { gzip?: boolean },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [prefix, part] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    const count = part.labels.length;
    const images = idxBytes([count, part.height, part.width], part.images);
    const labels = idxBytes([count], part.labels);
    for (const [name, bytes] of [
      [`${prefix}-images-idx3-ubyte`, images],
      [`${prefix}-labels-idx1-ubyte`, labels],
    ] as const) {
      await writeFile(join(folder, gzip ? `${name}.gz` : name), gzip ? gzipSync(bytes) : bytes);
    }
  }
}

/**
 * A dataset that a small network learns: every class has a fixed random prototype, and every sample is its class's
 * prototype plus noise. Labels go round the classes, so counts differ by one at most.
 */
export function syntheticDataset(options: {
  classes: number;
  height: number;
  width: number;
  /** Number of training samples. */
  train: number;
  /** Number of test samples. */
  test: number;
  seed: number;
}): IdxDataset {
  const { classes, height, width } = options;
  const pixels = height * width;
  const random = uniform(options.seed);
  const prototypes = Array.from({ length: classes * pixels }, () => (random() < 0.5 ? 0 : 255 * random()));
  const part = (count: number): IdxPart => {
    const labels = Uint8Array.from({ length: count }, (_, index) => index % classes);
    const images = new Uint8Array(count * pixels);
    for (let index = 0; index < images.length; index++) {
      const label = labels[Math.floor(index / pixels)]!;
      const value = prototypes[label * pixels + (index % pixels)]! + 60 * (random() - 0.5);
      images[index] = Math.min(255, Math.max(0, Math.round(value)));
    }
    return { images, labels, height, width };
  };
  return { train: part(options.train), test: part(options.test) };
}

/** Uniform numbers in [0, 1) from a 32-bit linear congruential generator (Numerical Recipes' constants). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
