import { join } from 'node:path';
import type { Evaluation } from '../model/evaluation.js';
import { stemOf } from '../node/model-names.js';
import type { Hyperparameter } from '../tensorboard/events.js';
import { type TensorBoard, tensorBoard } from '../tensorboard/tensorboard.js';

/** A folder of its own for a training that `fit` does, named by the model's file and the time. */
export function openFitBoard(
  folder: string,
  model: string,
  hyperparameters: Readonly<Record<string, Hyperparameter>>,
): Promise<TensorBoard> {
  const stamp = new Date().toISOString().replace(/[-:]/g, '');
  return tensorBoard(join(folder, `${stemOf(model)}-${stamp}`), { hyperparameters });
}

/** Writes the scores of the test at the epoch that is kept, and ends the training. Rejects with `unwritable`. */
export async function closeFitBoard(
  board: TensorBoard,
  epoch: number,
  scores: Evaluation,
  classes: readonly string[],
): Promise<void> {
  const numbers = Object.entries(scores).filter(
    ([name, value]) => typeof value === 'number' && name !== 'samples',
  );
  board.scalars(epoch, Object.fromEntries(numbers.map(([name, value]) => [`test/${name}`, value as number])));
  if (scores.task === 'classification') {
    board.scalars(epoch, { 'test/macro_f1': scores.macro.f1 });
    board.confusion(epoch, scores.confusion, classes);
  }
  await board.close();
}

/** Trains, and ends the training's folder as failed where that does not come to its end. Rejects as `train` does. */
export async function withFitBoard<T>(board: TensorBoard | null, train: () => Promise<T>): Promise<T> {
  try {
    return await train();
  } catch (error) {
    await board?.close('failed').catch(() => {}); // The first error is the one to tell.
    throw error;
  }
}
