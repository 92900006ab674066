import { imageShape } from '../model/augment.js';
import type { Parts } from './activations.js';
import type { Buffers } from './buffers.js';
import { barrier, type Operation, operation } from './operations.js';
import { SAMPLE_SLACK } from './samples.js';
import { at, type Buffer } from './types.js';
import type { TrainingUse } from './use.js';

/** The images of a batch as training sees them. */
export interface Augmented {
  /** u8 rows, one behind the other. */
  readonly images: Buffer;
  /** What makes them from the batch's samples. */
  readonly operations: readonly Operation[];
}

/** Plans the augmentation of a batch; null where there is none. */
export function planAugment(
  { model, use }: Parts,
  { augment }: TrainingUse,
  buffers: Buffers,
): Augmented | null {
  if (augment === undefined) return null;
  const { features } = model.input;
  const shape = imageShape('augment', model.input);
  // As borderedBytes of assembly/image/augment.ts: three rows and columns of zeros, and what is read past the last.
  const roomBytes = (shape.height + 3) * (shape.width + 3) * shape.channels + 16;
  const images = buffers.bytes('augmented images', use.rows * features + SAMPLE_SLACK);
  const room = buffers.bytes('bordered images', roomBytes * use.threads);
  const { flip = 0, share = 1, rotation = 0, zoom = 0, aspect = 0, shear = 0, shift = 0 } = augment;
  const ranges = { flip, share, rotation: (rotation * Math.PI) / 180, zoom, aspect, shear, shift };
  return {
    images,
    operations: barrier([
      operation('AugmentImages', {
        stride: features,
        out: at(images),
        room: at(room),
        roomBytes,
        ...shape,
        ...ranges,
      }),
    ]),
  };
}
