import {
  createModel,
  encodeCheckpoint,
  type History,
  type Model,
  type ModelSpec,
  mlp,
} from '../../dist/index.js';
import { bytesOf, uniform } from '../core/support.js';

/** Samples with two features. */
export interface Points<Y> {
  x: number[][];
  y: Y[];
}

/** Points in the unit square, and what `target` says of each. */
export function points<Y>(count: number, seed: number, target: (a: number, b: number) => Y): Points<Y> {
  const next = uniform(seed);
  // A linear congruential generator's first numbers follow its seed too closely.
  for (let skipped = 0; skipped < 8; skipped++) next();
  const x = Array.from({ length: count }, () => [next(), next()]);
  return { x, y: x.map(([a, b]) => target(a!, b!)) };
}

/** Three classes of points, one beside the other. */
export function stripes(count: number, seed: number): Points<number> {
  return points(count, seed, (a) => Math.min(2, Math.floor(3 * a)));
}

/** A small network of two features; `norm` and `dropout` make everything part of it that a training keeps. */
export function small(outputs: number, more: Partial<Parameters<typeof mlp>[0]> = {}): ModelSpec {
  return mlp({ inputs: 2, hidden: [8], outputs, ...more });
}

/** A model of {@link small}. */
export function smallModel(outputs: number, more: Partial<Parameters<typeof mlp>[0]> = {}): Promise<Model> {
  return createModel(small(outputs, more), { seed: 3 });
}

/** Everything that training has left in a model and its history, but for times. */
export function trained(model: Model, { epochs, best, ended, checkpoint }: History): Buffer {
  const timeless = (list: History['epochs']) => list.map((figures) => ({ ...figures, seconds: 0 }));
  const training = { ...checkpoint.training, epochs: timeless(checkpoint.training.epochs) };
  return Buffer.concat([
    bytesOf([model.tensors(), timeless(epochs), best, Number(ended === 'epochs')]),
    encodeCheckpoint({ ...checkpoint, training }),
  ]);
}
