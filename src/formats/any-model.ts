import { classifierModel, fromBlocks } from '../model/classifier.js';
import { headOf } from '../model/head.js';
import type { WeightsMetadata } from './metadata.js';
import { decodeModel, MODEL_KEY, type StoredModel } from './model-bytes.js';
import { decodeSafetensors } from './safetensors.js';
import { formatError } from './tensor.js';
import { decodeWeights, formatOf, type LoadedWeights } from './weights.js';

/** A model with what its file tells of it. */
export interface AnyModel extends StoredModel {
  notes: readonly string[];
  /** Of weights that `run-all` saved; null for others. */
  metadata: WeightsMetadata | null;
}

/**
 * The model in bytes of any kind that treadle writes: a file of `model.save()`, or a classifier's weights. Its head is
 * stated. Throws `format`, `shape` or `range` for bytes that are none; `source` is the file's name.
 */
export function decodeAnyModel(bytes: Uint8Array, source: string): AnyModel {
  if (!(bytes instanceof Uint8Array)) throw formatError(source, 'it is not bytes', 'a Uint8Array');
  const isModel =
    formatOf(bytes) === 'safetensors' && MODEL_KEY in (decodeSafetensors(bytes, source).metadata ?? {});
  if (!isModel) {
    const weights = decodeWeights(bytes, source);
    return { ...classifierOf(weights), metadata: weights.metadata };
  }
  const stored = decodeModel(bytes, source);
  const { spec } = stored;
  return {
    ...stored,
    spec: { ...spec, output: spec.output ?? { head: headOf(spec) } },
    notes: [],
    metadata: null,
  };
}

/** A classifier's weights as a model, with the names of its classes where its file has them. */
export function classifierOf({
  tensors,
  inputs,
  hidden,
  classes,
  metadata,
  notes = [],
}: LoadedWeights): StoredModel & { notes: readonly string[] } {
  const { imageHeight = 0, imageWidth = 0 } = metadata ?? {};
  const spec = classifierModel({
    ...{ inputs, hidden, classes, dropout: metadata?.dropout ?? 0 },
    ...(imageHeight * imageWidth === inputs && { shape: [imageHeight, imageWidth] }),
  });
  const isNamed = metadata !== null && new Set(metadata.classNames).size === classes;
  return {
    spec: { ...spec, ...(isNamed && { classes: metadata.classNames }) },
    tensors: fromBlocks(spec, tensors),
    loss: { type: 'crossEntropy' },
    notes,
  };
}
