import { checkWeights, type Inputs, type Loss, type ModelSpec, problem, rangeError } from '#bindings';
import { adaptFeatures } from '../data/features.js';
import { adaptTargets } from '../data/targets.js';
import type { Data, FitOptions } from './options.js';

/** Samples in the core's form. */
export interface CoreSamples {
  inputs: Inputs;
  rows: number;
  targets: Uint32Array | Float64Array;
  weights?: Float32Array;
}

/** Checks data in memory and puts it into the core's form. */
export function adaptData(
  subject: string,
  data: Data,
  spec: ModelSpec,
  loss: Loss,
  classes: readonly string[] | null,
): { samples: CoreSamples; classes: readonly string[] | null } {
  const name = (part: string) => (subject === '' ? part : `${subject}.${part}`);
  if (typeof data !== 'object' || data === null || !('x' in data) || !('y' in data)) {
    throw problem('usage', { subject: subject || 'data', found: data, expected: 'an object with x and y' });
  }
  const { inputs, rows } = adaptFeatures(name('x'), data.x, spec);
  if (rows === 0) throw rangeError(`The number of samples in ${name('x')}`, 0, 'at least one');
  const targets = adaptTargets(name('y'), data.y, rows, spec, loss, classes);
  const weights = data.weights === undefined ? undefined : adaptWeights(name('weights'), data.weights, rows);
  return {
    samples: { inputs, rows, targets: targets.values, ...(weights && { weights }) },
    classes: targets.classes,
  };
}

function adaptWeights(subject: string, weights: ArrayLike<number>, rows: number): Float32Array {
  checkWeights(subject, weights, rows);
  return Float32Array.from(weights);
}

/** Sample weights times the weights of their classes. */
export function classWeighted(
  { rows, targets, weights }: CoreSamples,
  perClass: ArrayLike<number>,
): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => (weights?.[row] ?? 1) * perClass[targets[row]!]!);
}

/** The weight of each class: those given, or balanced over the rows that are trained on. Throws `shape` or `range`. */
export function weightsOfClasses(
  targets: ArrayLike<number>,
  classWeights: NonNullable<FitOptions['classWeights']>,
  train: Uint32Array,
  classes: number,
): ArrayLike<number> {
  const perClass = classWeights === 'balanced' ? balanced(targets, train, classes) : classWeights;
  if (perClass.length !== classes) {
    throw problem('shape', {
      subject: 'classWeights.length',
      found: perClass.length,
      expected: `${classes}, one a class,`,
    });
  }
  for (let label = 0; label < classes; label++) {
    const weight = perClass[label]!;
    if (!(Number.isFinite(weight) && weight >= 0))
      throw rangeError(`classWeights[${label}]`, weight, 'a finite number from 0 up');
  }
  return perClass;
}

/** scikit-learn's: rows / (classes x rows of the class); 0 for a class without rows. */
function balanced(targets: ArrayLike<number>, train: Uint32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const row of train) counts[targets[row]!]! += 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : train.length / (present * count)));
}
