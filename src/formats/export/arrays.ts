import type { Bytes } from '#bindings';
import { MODEL_KEY, type StoredModel } from '../model-bytes.js';
import { nameTensors, numpyNames } from '../names.js';
import { encodeNpz, type NpzEntry } from '../npz.js';
import { encodePickle } from '../pickle.js';
import type { FloatTensor } from '../tensor.js';

// Arrays for numpy, under the names of a network written by hand: W1 (inputs, units), b1, gamma1, ..., input_mean.

function arraysOf({ spec, tensors }: StoredModel): Map<string, FloatTensor> {
  return nameTensors(numpyNames(spec), tensors, 0) as Map<string, FloatTensor>;
}

/** A model as a pickle of a dict of arrays, for `pickle.load`. */
export function toPickle(model: StoredModel): Bytes {
  return new Uint8Array(encodePickle(arraysOf(model)));
}

/** A model as npz, for `numpy.load`; `treadle_model` is its description, as JSON, and `more` are other texts. */
export function toNpz(model: StoredModel, more: Readonly<Record<string, string>> = {}): Bytes {
  const texts = Object.entries({ [MODEL_KEY]: JSON.stringify(model.spec), ...more });
  return encodeNpz(new Map<string, NpzEntry>([...arraysOf(model), ...texts]));
}
