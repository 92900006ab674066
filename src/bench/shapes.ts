import type { GemmShape } from '#bindings';
import { widths } from '../model/classifier.js';

/** What the shapes of a model's matrix products depend on. */
export interface LayerSizes {
  inputs: number;
  hidden: readonly number[];
  classes: number;
}

/**
 * The matrix products of one training step of each model, a shape only once. A Dense layer of I inputs and O outputs
 * has three at a batch of B: forward `X W` (NN), weight gradient `X^T dZ` (TN), and input gradient `dZ W^T` (NT), which
 * the first layer has no use for.
 */
export function gemmShapes(models: readonly LayerSizes[], batchSize: number): GemmShape[] {
  const shapes = models.flatMap((model) => layerShapes(model, batchSize));
  const byName = new Map(shapes.map((shape) => [shapeName(shape), shape]));
  return [...byName.values()];
}

/** A shape in words: `NN 256 x 512 x 1024` for C (256, 512) summed over 1024. */
export function shapeName({ form, m, n, k }: GemmShape): string {
  return `${form} ${m} x ${n} x ${k}`;
}

function layerShapes(model: LayerSizes, batchSize: number): GemmShape[] {
  const sizes = widths(model);
  return sizes.slice(1).flatMap((outputs, layer): GemmShape[] => {
    const inputs = sizes[layer]!;
    const forward: GemmShape = { form: 'NN', m: batchSize, n: outputs, k: inputs };
    const weightGradient: GemmShape = { form: 'TN', m: inputs, n: outputs, k: batchSize };
    const inputGradient: GemmShape = { form: 'NT', m: batchSize, n: inputs, k: outputs };
    return layer === 0 ? [forward, weightGradient] : [forward, weightGradient, inputGradient];
  });
}
