import {
  type ActivationName,
  createModel,
  type Head,
  type InputType,
  type Model,
  mlp,
} from '../../dist/node.js';

export const ACTIVATIONS: readonly ActivationName[] = [
  'relu',
  'leakyRelu',
  'tanh',
  'sigmoid',
  'gelu',
  'silu',
];

export const FEATURES = 7;
export const ROWS = 40;

/** What a model is made of, and named by. */
export interface Kind {
  head: Head;
  named: boolean;
  activation: ActivationName;
  norm: boolean;
  type: InputType;
}

/** Every activation, head, norm and kind of input: bytes are not standardised, floats are. */
export const KINDS: readonly Kind[] = ACTIVATIONS.flatMap((activation) =>
  (['softmax', 'sigmoid', 'identity'] as const).flatMap((head) =>
    [false, true].flatMap((norm) =>
      (['f32', 'u8'] as const).map((type) => ({ head, named: norm, activation, norm, type })),
    ),
  ),
);

export const titleOf = ({ activation, head, norm, type, named }: Kind) =>
  [type, activation, ...(norm ? ['norm'] : []), head, ...(named ? ['named'] : [])].join(' ');

/** Names that every format has to escape in its own way. */
export const NAMES = ['ä "q"', "b\\n'?", '</c??='];

/** Rows of floats or bytes, of very different sizes column by column. */
export function inputsOf(type: InputType): Float32Array | Uint8Array {
  const count = ROWS * FEATURES;
  if (type === 'u8') return Uint8Array.from({ length: count }, (_, at) => (at * 7919) % 256);
  return Float32Array.from({ length: count }, (_, at) => Math.sin(at * at) * 3 + (at % FEATURES) * 10);
}

/** A model of a kind after a little training, so that no tensor is as it was drawn. */
export async function trained({ head, named, activation, norm, type }: Kind): Promise<Model> {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const y = {
    softmax: named ? rows.map((row) => NAMES[row % 3]!) : rows.map((row) => row % 3),
    sigmoid: rows.map((row) => [row % 2, (row >> 1) % 2]),
    identity: rows.map((row) => [row * 100, Math.sin(row)]),
  }[head];
  const outputs = head === 'softmax' ? 3 : 2;
  const spec = mlp({ inputs: FEATURES, hidden: [16, 8], outputs, norm, activation, inputType: type });
  const model = await createModel(spec, { seed: 1 });
  await model.fit({ x: inputsOf(type), y }, { epochs: 3 });
  return model;
}

/** The largest difference: of probabilities as it is, of numbers beside the largest of their column. */
export function largestDifference(
  head: Head,
  expected: ArrayLike<number>,
  found: ArrayLike<number>,
  width: number,
): number {
  if (expected.length !== found.length) return Number.NaN;
  const sizes = Array.from({ length: width }, () => 1);
  if (head === 'identity') {
    for (let at = 0; at < expected.length; at++)
      sizes[at % width] = Math.max(sizes[at % width]!, Math.abs(expected[at]!));
  }
  let worst = 0;
  for (let at = 0; at < expected.length; at++) {
    const difference = Math.abs(expected[at]! - found[at]!) / sizes[at % width]!;
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}
