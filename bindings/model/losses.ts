import { expectKeys, expectNumber, expectOneOf } from '../errors/checks.js';
import type { Head } from './layers.js';

/** What training minimises: a mean over the batch, weighted where samples have weights. */
export type Loss =
  /** Targets: class indices. With smoothing s the target is (1 - s) one-hot + s / classes (Szegedy et al., 2016). */
  | { readonly type: 'crossEntropy'; readonly labelSmoothing?: number }
  /** Targets: numbers from 0 to 1, (rows, outputs). Mean over the outputs, from the logits. */
  | { readonly type: 'binaryCrossEntropy' }
  /** Targets: numbers, (rows, outputs). Mean over the outputs of (y - t)^2. */
  | { readonly type: 'squaredError' }
  /** As squared error's half within `delta` of the target, linear beyond (Huber, 1964). */
  | { readonly type: 'huber'; readonly delta?: number };

export type LossName = Loss['type'];

/** What a loss takes and makes. */
export interface LossFacts {
  readonly head: Head;
  /** Class indices, or a matrix of numbers with a column for each output. */
  readonly targets: 'classes' | 'matrix';
}

/** Every loss: the head it stands on and the targets it takes. */
export const LOSSES: Readonly<Record<LossName, LossFacts>> = {
  crossEntropy: { head: 'softmax', targets: 'classes' },
  binaryCrossEntropy: { head: 'sigmoid', targets: 'matrix' },
  squaredError: { head: 'identity', targets: 'matrix' },
  huber: { head: 'identity', targets: 'matrix' },
};

/** The default loss of a head. */
export function usualLoss(head: Head): Loss {
  return {
    type: head === 'softmax' ? 'crossEntropy' : head === 'sigmoid' ? 'binaryCrossEntropy' : 'squaredError',
  };
}

/** PyTorch's default. */
export const HUBER_DELTA = 1;

/** Throws `usage` or `range` for what is no loss. */
export function checkLoss(loss: unknown): asserts loss is Loss {
  expectKeys('loss', loss, ['type', 'labelSmoothing', 'delta']);
  const { type } = loss as Loss;
  expectOneOf('loss.type', type, Object.keys(LOSSES) as LossName[]);
  if (type === 'crossEntropy') {
    expectKeys('loss', loss, ['type', 'labelSmoothing']);
    const { labelSmoothing = 0 } = loss as Extract<Loss, { type: 'crossEntropy' }>;
    const rule = 'a number from 0 to below 1';
    expectNumber('loss.labelSmoothing', labelSmoothing, rule, (value) => value >= 0 && value < 1);
  } else if (type === 'huber') {
    expectKeys('loss', loss, ['type', 'delta']);
    const { delta = HUBER_DELTA } = loss as Extract<Loss, { type: 'huber' }>;
    expectNumber('loss.delta', delta, 'a number above 0', (value) => value > 0);
  } else {
    expectKeys('loss', loss, ['type']);
  }
}
