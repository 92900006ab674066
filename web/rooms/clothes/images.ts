import { CLASSES } from 'virtual:fashion-mnist';
import type { ModelSpec } from 'treadle';
import { fetchIdx } from './idx.ts';

/** Pixels along a side of an image, and in all. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

/** Images, (count, 28, 28), grey from 0 to 255, with the class of each. */
export interface Images {
  x: Uint8Array;
  y: Uint8Array;
  count: number;
}

/** Pixels as a model takes them: bytes, or numbers from 0 to 1 where it was not made here. */
export function inputsOf({ input }: ModelSpec, pixels: Uint8Array): Uint8Array | Float32Array {
  return input.type === 'u8' ? pixels : Float32Array.from(pixels, (pixel) => pixel / 255);
}

/** What is trained on, chosen by and measured on. */
export interface Clothes {
  train: Images;
  validation: Images;
  test: Images;
}

/** How many images there are to choose from. */
export const SETS = { few: 'A few: 2,900', all: 'All 70,000' } as const;
export type SetName = keyof typeof SETS;

const FOLDERS: Readonly<Record<SetName, string>> = { few: 'fashion-mnist-small', all: 'fashion-mnist' };

/** The part of the training images that is held out, as the library has it by itself. */
const HELD_OUT = 6;

const loaded = new Map<SetName, Promise<Clothes>>();

/** The images, fetched when they are first asked for. Rejects where they do not lie beside the page. */
export function loadClothes(name: SetName): Promise<Clothes> {
  const found = loaded.get(name);
  if (found !== undefined) return found;
  const loading = fetchClothes(FOLDERS[name]);
  loaded.set(name, loading);
  loading.catch(() => loaded.delete(name));
  return loading;
}

async function fetchClothes(folder: string): Promise<Clothes> {
  const [train, test] = await Promise.all([fetchImages(folder, 'train'), fetchImages(folder, 't10k')]);
  // The published files are shuffled: their last images are as good as any.
  const learnt = train.count - Math.floor(train.count / HELD_OUT);
  return {
    train: partOf(train, 0, learnt),
    validation: partOf(train, learnt, train.count),
    test,
  };
}

async function fetchImages(folder: string, part: 'train' | 't10k'): Promise<Images> {
  const address = (kind: string) => `./${folder}/${part}-${kind}-ubyte.gz`;
  const [images, labels] = await Promise.all([
    fetchIdx(address('images-idx3'), 3),
    fetchIdx(address('labels-idx1'), 1),
  ]);
  const [count, height, width] = images.sizes;
  if (height !== SIDE || width !== SIDE || labels.sizes[0] !== count || labels.bytes.some(isNoClass)) {
    throw new Error(
      `The files in ${folder} beside this page do not fit together; those of Fashion-MNIST are expected.`,
    );
  }
  return { x: images.bytes, y: labels.bytes, count: count! };
}

const isNoClass = (label: number) => label >= CLASSES.length;

/** Images `from` to `to`, in the same memory. */
export function partOf({ x, y }: Images, from: number, to: number): Images {
  return { x: x.subarray(from * PIXELS, to * PIXELS), y: y.subarray(from, to), count: to - from };
}
