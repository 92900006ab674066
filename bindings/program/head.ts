import { HUBER_DELTA, type Loss } from '../model/losses.js';
import { type Operation, operation } from './operations.js';
import { at, type Buffer } from './types.js';

// The head and the loss: what the last product is turned into, and where its gradient comes from.

/** What a head reads and writes. */
export interface HeadPlaces {
  /** Logits or predictions, (B, C). */
  readonly x: Buffer;
  /** Probabilities or predictions, (B, C); in training then the gradient of x. */
  readonly p: Buffer;
  readonly C: number;
  readonly ld: number;
  /** Predicted class of each row, i32; softmax only. */
  readonly predicted: Buffer;
  /** Loss of each row, f32. */
  readonly losses: Buffer;
}

/** Probabilities or predictions, and each row's loss where the batch has targets. */
export function headForward(loss: Loss, places: HeadPlaces): Operation {
  const { C, ld } = places;
  const [x, p, losses] = [at(places.x), at(places.p), at(places.losses)];
  switch (loss.type) {
    case 'crossEntropy': {
      const smoothing = loss.labelSmoothing ?? 0;
      return operation('Softmax', { C, ld, x, p, predicted: at(places.predicted), losses, smoothing });
    }
    case 'binaryCrossEntropy':
      return operation('Sigmoid', { C, ld, x, p, losses });
    default:
      return operation('Regression', { ...kindOf(loss), C, ld, x, p, losses });
  }
}

/** p becomes the gradient of x. */
export function headBackward(loss: Loss, { p, C, ld }: HeadPlaces): Operation {
  switch (loss.type) {
    case 'crossEntropy':
      return operation('CrossEntropyBackward', { C, ld, p: at(p), smoothing: loss.labelSmoothing ?? 0 });
    case 'binaryCrossEntropy':
      return operation('SigmoidBackward', { C, ld, p: at(p) });
    default:
      return operation('RegressionBackward', { ...kindOf(loss), C, ld, p: at(p) });
  }
}

/** The kind in the numbers of assembly/loss/squared.ts. */
function kindOf(loss: Extract<Loss, { type: 'squaredError' | 'huber' }>): { kind: number; delta: number } {
  return loss.type === 'huber' ? { kind: 1, delta: loss.delta ?? HUBER_DELTA } : { kind: 0, delta: 1 };
}
