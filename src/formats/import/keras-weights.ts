import { quote } from '../../strict/text.js';
import type { Conversions } from '../floats.js';
import type { Hdf5 } from '../hdf5.js';
import { type FloatTensor, formatError } from '../tensor.js';

// Weights that Keras has saved without the model: under names that say what they are, or in Keras 3's numbers.

/** What training keeps, and generators of Dropout. */
const BESIDE = /(^|\/)(optimizer|optimizer_weights|seed_generator|metrics|_?compile_metrics)(\/|$)/;

const NORMALIZATION = /(^|\/)normalization(_\d+)?$/;

/** Weights alone, named as their layers' parts: those of Keras 3 have numbers in place of names. */
export function namedWeights(file: Hdf5, source: string, conversions: Conversions): Map<string, FloatTensor> {
  const named = new Map<string, FloatTensor>();
  const folders = new Map<string, { number: number; tensor: FloatTensor }[]>();
  for (const path of file.paths) {
    if (BESIDE.test(path) || /\/count(:0)?$/.test(path)) continue;
    const [, folder = '', number] = /^(?:(.*)\/)?vars\/(\d+)$/.exec(path) ?? [];
    if (number === undefined) {
      named.set(path.replace(/:0$/, '').replace(/\/(?=[^/]*$)/, '.'), file.floats(path, conversions));
      continue;
    }
    // A Normalization counts what it has seen.
    if (number === '2' && NORMALIZATION.test(folder)) continue;
    const parts = folders.get(folder) ?? [];
    folders.set(folder, parts);
    parts.push({ number: Number(number), tensor: file.floats(path, conversions) });
  }
  for (const [folder, own] of folders) {
    const parts = own.toSorted((a, b) => a.number - b.number).map(({ tensor }) => tensor);
    for (const [at, name] of partNames(folder, parts, source).entries()) {
      named.set(`${folder}.${name}`, parts[at]!);
    }
  }
  return standardized(named);
}

function partNames(folder: string, parts: readonly FloatTensor[], source: string): readonly string[] {
  const shapes = parts.map(({ shape }) => `[${shape}]`).join(', ');
  if (parts[0]?.shape.length === 2 && parts.length <= 2) return ['kernel', 'bias'].slice(0, parts.length);
  if (parts.every(({ shape }) => shape.length === 1)) {
    if (parts.length === 4) return ['gamma', 'beta', 'moving_mean', 'moving_variance'];
    if (parts.length === 2 && /(^|\/)batch_normalization(_\d+)?$/.test(folder))
      return ['moving_mean', 'moving_variance'];
    if (parts.length === 2 && NORMALIZATION.test(folder)) return ['mean', 'variance'];
  }
  const found = `${quote(folder)} has weights of shapes ${shapes}, which do not say what they are`;
  throw formatError(source, found, "a file of model.save('model.keras')");
}

/** Weights with the mean and the variance of a Normalization under treadle's names of them. */
function standardized(named: ReadonlyMap<string, FloatTensor>): Map<string, FloatTensor> {
  return new Map(
    [...named].map(([name, tensor]) => {
      const [, part] = /(?:^|\/)normalization(?:_\d+)?\.(mean|variance)$/.exec(name) ?? [];
      if (part === undefined) return [name, tensor];
      if (part === 'mean') return ['input.mean', tensor];
      return ['input.deviation', { ...tensor, data: deviationOf(tensor.data) }];
    }),
  );
}

/** What a Normalization divides by: as Keras has it, 1e-7 at the least. */
export function deviationOf(variance: Float32Array): Float32Array {
  return variance.map((value) => Math.max(Math.sqrt(value), 1e-7));
}
