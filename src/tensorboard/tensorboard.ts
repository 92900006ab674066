import { expectKeys, isList, problem } from '#bindings';
import type { ConfusionMatrix } from '../metrics/classification.js';
import type { EpochFigures } from '../train/loop.js';
import { openEventFile } from './event-file.js';
import {
  endingRecord,
  type Hyperparameter,
  hyperparametersRecords,
  imageRecord,
  scalarsRecord,
} from './events.js';
import { comparedTags, epochScalars } from './figures.js';

/** What a training is shown with. */
export interface TensorBoardOptions {
  /** What the training was told, for the view that compares trainings. */
  hyperparameters?: Readonly<Record<string, Hyperparameter>>;
  /** Remove event files that treadle has left in the folder before. Default: false. */
  replace?: boolean;
}

/** Figures that trainings are compared by. */
const COMPARED = ['valLoss', 'valAccuracy', 'valMacroF1', 'valRmse', 'valR2', 'trainLoss'];

/** How a training has ended; one that is interrupted may go on. */
export type TrainingStatus = 'done' | 'failed' | 'interrupted';

/** A folder for TensorBoard that a training is written into. Made by {@link tensorBoard}. */
export interface TensorBoard {
  /** Give it to `fit`: writes the epoch's figures. */
  readonly onEpoch: (figures: EpochFigures) => void;
  /** Writes numbers by tags such as `test/accuracy`, at a step. */
  scalars(step: number, scalars: Readonly<Record<string, number>>): void;
  /** Draws a confusion matrix, `confusion[actual][predicted]`, at a step. Throws `usage` for names that are not as many. */
  confusion(step: number, confusion: ConfusionMatrix, names: readonly string[]): void;
  /** Writes what is left, and how the training has ended: default `done`. Rejects with `unwritable` where something could not be written. */
  close(status?: TrainingStatus): Promise<void>;
}

/**
 * Opens a folder for TensorBoard, in Node: figures by epoch, hyper-parameters, confusion matrices. A folder for each training;
 * `tensorboard --logdir` takes the folder above. Rejects with `unwritable`, and with `usage` for a folder that has event
 * files already and for options that are none.
 *
 * @example
 * const board = await tensorBoard('logs/first', { hyperparameters: { hidden: 32 } });
 * await model.fit({ x, y }, { onEpoch: board.onEpoch });
 * await board.close();
 */
export async function tensorBoard(folder: string, options: TensorBoardOptions = {}): Promise<TensorBoard> {
  if (typeof folder !== 'string' || folder === '') {
    throw problem('usage', { subject: 'folder', found: folder, expected: 'the path of a folder' });
  }
  expectKeys('options', options, ['hyperparameters', 'replace']);
  const { hyperparameters = {}, replace = false } = options;
  checkHyperparameters(hyperparameters);
  const first = hyperparametersRecords(hyperparameters, comparedTags(COMPARED), Date.now());
  const file = await openEventFile(folder, first, replace);
  // Callbacks do not wait: what they give is written one after another, and the first failure is told at the end.
  let written: Promise<void> = Promise.resolve();
  const add = (record: () => Uint8Array | Promise<Uint8Array>): void => {
    written = written.then(async () => file.add([await record()]));
    written.catch(() => {});
  };
  return {
    onEpoch: (figures) => add(() => scalarsRecord(figures.epoch, epochScalars(figures), Date.now())),
    scalars: (step, scalars) => add(() => scalarsRecord(step, scalars, Date.now())),
    confusion(step, confusion, names) {
      checkNames(confusion, names);
      add(async () => {
        const { confusionPng } = await import('./confusion.js');
        return imageRecord(step, 'confusion', await confusionPng(confusion, names), Date.now());
      });
    },
    async close(status = 'done') {
      if (status !== 'interrupted') add(() => endingRecord(status, Date.now()));
      await written;
    },
  };
}

function checkHyperparameters(given: unknown): void {
  const isGood =
    typeof given === 'object' &&
    given !== null &&
    Object.values(given).every((value) => ['string', 'number', 'boolean'].includes(typeof value));
  if (isGood) return;
  const expected = 'an object of texts, numbers, true and false';
  throw problem('usage', { subject: 'hyperparameters', found: given, expected });
}

function checkNames(confusion: ConfusionMatrix, names: readonly string[]): void {
  if (isList(names) && names.length === confusion.length) return;
  const expected = `a name for each of ${confusion.length} classes`;
  throw problem('usage', { subject: 'names', found: names, expected });
}
