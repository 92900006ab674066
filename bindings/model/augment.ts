import { expectKeys, expectNumber } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import type { InputSpec } from './layers.js';

/**
 * How images are changed before each training step, anew in every epoch: flipped, and moved by a random affine map about
 * their centre, interpolated bilinearly, with zeros outside. Every range is uniform from minus itself to itself. The inputs
 * are bytes of a `shape`: [height, width] or [height, width, channels].
 */
export interface Augment {
  /** Share of the images that are flipped left to right. Default: 0. */
  readonly flip?: number;
  /** Share of the images that are moved. Default: 1. */
  readonly share?: number;
  /** Degrees, at most 180. Default: 0, as of all that follow. */
  readonly rotation?: number;
  /** Logarithm of the factor of both sides, at most 0.5. */
  readonly zoom?: number;
  /** Logarithm of the factor of the width, and minus that of the height, at most 0.5. */
  readonly aspect?: number;
  /** Columns for each row away from the centre, at most 2. */
  readonly shear?: number;
  /** Pixels, in both directions. */
  readonly shift?: number;
}

export const AUGMENT_KEYS: readonly (keyof Augment)[] = [
  'flip',
  'share',
  'rotation',
  'zoom',
  'aspect',
  'shear',
  'shift',
];

/** The largest value of each. */
export const AUGMENT_MOST: Readonly<Record<keyof Augment, number>> = {
  flip: 1,
  share: 1,
  rotation: 180,
  zoom: 0.5,
  aspect: 0.5,
  shear: 2,
  shift: 1024,
};

/** Throws `usage` or `range` for what is no augmentation, or not of these inputs. */
export function checkAugment(
  subject: string,
  augment: unknown,
  input: InputSpec,
): asserts augment is Augment {
  expectKeys(subject, augment, AUGMENT_KEYS);
  for (const key of AUGMENT_KEYS) {
    const value = (augment as Augment)[key];
    if (value === undefined) continue;
    const most = AUGMENT_MOST[key];
    expectNumber(
      `${subject}.${key}`,
      value,
      `a number from 0 to ${most}`,
      (given) => given >= 0 && given <= most,
    );
  }
  imageShape(subject, input);
}

/** The size of the images that inputs are. Throws `usage` for inputs that are none. */
export function imageShape(
  subject: string,
  { type, shape }: InputSpec,
): { height: number; width: number; channels: number } {
  const [height, width, channels = 1] = shape ?? [];
  if (type !== 'u8' || height === undefined || width === undefined || shape!.length > 3) {
    throw problem('usage', {
      subject,
      found: 'given',
      because:
        shape === undefined ? 'the inputs have no shape' : `the inputs are ${type} of shape [${shape}]`,
      expected: 'u8 inputs of shape [height, width] or [height, width, channels]',
    });
  }
  return { height, width, channels };
}
