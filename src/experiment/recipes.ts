import { ARCHITECTURES } from '../fashion-mnist/architectures.js';
import type { RunConfig } from '../results/records.js';

/** What `--recipe` takes. */
export const RECIPE_NAMES = ['published', 'best'] as const;
export type RecipeName = (typeof RECIPE_NAMES)[number];

/** How images are moved: the ranges of docs/accuracy.md, times a factor. */
const moved = (share: number, factor = 1) => ({
  flip: 0.5,
  share,
  rotation: 8 * factor,
  zoom: 0.08 * factor,
  aspect: 0.12 * factor,
  shear: 0.12 * factor,
  shift: factor,
  until: 0.8,
});

const architecture = (name: string) => ({ name, hidden: [...ARCHITECTURES[name]!.hidden] });

/**
 * Settings by name, in place of the defaults. `published`: the grid of the published report, as the defaults have it. `best`: the same three architectures, four seeds
 * of each, on images that are flipped and moved, along a cosine; tested by the mean of mirror images, alone and together.
 * docs/accuracy.md says what each part is worth.
 */
export const RECIPES = {
  published: {},
  best: {
    architectures: [
      { ...architecture('large1'), dropout: 0.2 },
      { ...architecture('large2'), dropout: 0.1 },
      { ...architecture('small'), dropout: 0, augment: moved(0.3, 0.5) },
    ],
    learningRates: [0.003],
    schedule: 'cosine',
    mode: 'independent',
    epochs: 100,
    batchSize: 512,
    augment: moved(0.7),
    seeds: 4,
    keep: 'last',
    average: 'flip',
  },
} satisfies Readonly<Record<RecipeName, Partial<RunConfig>>>;
