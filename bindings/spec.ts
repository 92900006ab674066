import { expectWhole, rangeError } from './checks.js';
import { TreadleError } from './errors.js';

/** A dense classifier: blocks of Dense -> BatchNorm -> ReLU -> Dropout, then Dense -> softmax. */
export interface NetworkSpec {
  /** Features per sample (pixels). */
  readonly inputs: number;
  /** Width of each hidden block, from the input to the output; at least one. */
  readonly hidden: readonly number[];
  /** Number of classes, from 2 up. */
  readonly classes: number;
  /** Probability that an activation is dropped in training, 0 <= dropout < 1. */
  readonly dropout: number;
}

/** BatchNorm's epsilon and running-statistics momentum, and Adam's constants: PyTorch's defaults. */
export const BATCH_NORM_EPSILON = 1e-5;
export const BATCH_NORM_MOMENTUM = 0.1;
export const ADAM_BETA1 = 0.9;
export const ADAM_BETA2 = 0.999;
export const ADAM_EPSILON = 1e-8;

/** The largest width, input size or class count that is accepted. */
export const MAX_WIDTH = 1 << 20;

/** Widths of every layer boundary: `[inputs, ...hidden, classes]`. */
export function widths({
  inputs,
  hidden,
  classes,
}: Pick<NetworkSpec, 'inputs' | 'hidden' | 'classes'>): number[] {
  return [inputs, ...hidden, classes];
}

/** Trained parameters: weights and biases of every Dense, gamma and beta of every BatchNorm. */
export function parameterCount(shape: Pick<NetworkSpec, 'inputs' | 'hidden' | 'classes'>): number {
  const sizes = widths(shape);
  const dense = sizes.slice(1).reduce((total, outputs, layer) => total + (sizes[layer]! + 1) * outputs, 0);
  return dense + shape.hidden.reduce((total, width) => total + 2 * width, 0);
}

/** Throws a `range` error for a spec that is not a network. */
export function checkSpec(spec: NetworkSpec): void {
  expectWhole('inputs', spec.inputs, 1, MAX_WIDTH);
  if (spec.hidden.length === 0) {
    throw new TreadleError('range', 'hidden has no widths; at least one hidden block is expected.', {
      subject: 'hidden',
      found: [],
      expected: 'one width or more',
    });
  }
  spec.hidden.forEach((width, index) => {
    expectWhole(`hidden[${index}]`, width, 1, MAX_WIDTH);
  });
  expectWhole('classes', spec.classes, 2, MAX_WIDTH);
  if (!(spec.dropout >= 0 && spec.dropout < 1)) {
    throw rangeError('dropout', spec.dropout, 'a number from 0 to below 1');
  }
}
