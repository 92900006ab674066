import { ARCHITECTURES, CLASSES, DEFAULTS } from 'virtual:fashion-mnist';
import { trainingCode } from '../../panel/code.ts';
import { type Block, blocks, type Setup } from '../../panel/setup.ts';
import type { Subject } from '../../panel/trainer.ts';
import { loadClothes, PIXELS, type SetName, SIDE } from './images.ts';

/** The report's networks by name, and any other. */
export const NETWORKS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(ARCHITECTURES).map(([name, { hidden }]) => [name, `${name}: ${hidden.join(', ')}`]),
  ),
  own: 'One’s own',
};

/** The hidden blocks of a network of the report. */
export const blocksOf = (name: string): Block[] =>
  blocks(ARCHITECTURES[name]!.hidden, { norm: true, dropout: DEFAULTS.dropout });

/** The network of the report that has these hidden blocks; `own` for none. */
export function nameOf(own: readonly Block[]): string {
  const text = JSON.stringify(own);
  return Object.keys(ARCHITECTURES).find((name) => JSON.stringify(blocksOf(name)) === text) ?? 'own';
}

export const USUAL: Setup = {
  blocks: blocksOf('small'),
  optimizer: 'adam',
  rate: 0.003,
  schedule: 'constant',
  batch: DEFAULTS.batchSize,
  epochs: DEFAULTS.epochs,
  patience: 0,
  seed: 0,
};

/** What this room trains: pixels in, a probability for each kind of clothes out. */
export function subjectOf(set: SetName): Subject {
  return {
    task: 'classification',
    input: { features: PIXELS, type: 'u8', shape: [SIDE, SIDE] },
    outputs: CLASSES.length,
    classes: CLASSES,
    samplesKey: set,
    samples: async () => {
      const { train, validation } = await loadClothes(set);
      return {
        train: { x: train.x, y: train.y },
        validation: { x: validation.x, y: validation.y },
        rows: train.count,
      };
    },
  };
}

/** Code that trains the same network on all of Fashion-MNIST. */
export function clothesCode(setup: Setup): string {
  const before = `
import { loadDataset } from 'treadle/experiment';

const { train } = await loadDataset({ verify: true });
const learnt = train.count - Math.floor(train.count / 6);
const x = train.images.subarray(0, learnt * ${PIXELS});
const y = train.labels.subarray(0, learnt);
const validation = { x: train.images.subarray(learnt * ${PIXELS}), y: train.labels.subarray(learnt) };`;
  return trainingCode(before, subjectOf('all'), 'classification', setup);
}
