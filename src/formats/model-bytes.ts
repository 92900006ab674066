import {
  type Bytes,
  checkLoss,
  checkModel,
  LOSSES,
  type Loss,
  lowerModel,
  type ModelSpec,
  type Tensors,
  TreadleError,
} from '#bindings';
import { structureProblem } from '../strict/json.js';
import { oneLine, quote } from '../strict/text.js';
import { nameTensors, torchNames, unnameTensors } from './names.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from './safetensors.js';
import { formatError, type Tensor } from './tensor.js';

/** The metadata's key under which a safetensors file holds the model, as JSON. */
export const MODEL_KEY = 'treadle_model';

/** The key of the loss that the model was trained with, as JSON; files of models that were not trained have none. */
export const LOSS_KEY = 'treadle_loss';

/** The key of the encoders of a table, as JSON; files of other models have none. */
export const ENCODER_KEY = 'treadle_table';

const LIMITS = { depth: 5, values: 3_000_000 };

/** What a file of a model holds. */
export interface StoredModel {
  spec: ModelSpec;
  tensors: Tensors;
  /** What it was trained with; null when it was not trained. */
  loss: Loss | null;
}

/**
 * A model as a safetensors file: tensors under PyTorch's names, spec and loss in the metadata, with `more`. Equal models give
 * equal bytes.
 */
export function encodeModel(
  { spec, tensors, loss }: StoredModel,
  more: Readonly<Record<string, string>> = {},
): Bytes {
  return encodeSafetensors(nameTensors(torchNames(spec), tensors, 0), {
    [MODEL_KEY]: JSON.stringify(spec),
    ...(loss !== null && { [LOSS_KEY]: JSON.stringify(loss) }),
    ...more,
  });
}

/** The model in a file's bytes. Throws `format`, `shape` or `range` for bytes that are none; `source` is the file's name. */
export function decodeModel(bytes: Uint8Array, source = 'The model'): StoredModel {
  if (!(bytes instanceof Uint8Array)) throw formatError(source, 'it is not bytes', 'a Uint8Array');
  const { tensors: entries, metadata } = decodeSafetensors(bytes, source);
  const text = metadata?.[MODEL_KEY];
  if (text === undefined)
    throw formatError(source, `the metadata has no ${MODEL_KEY}`, 'a model that treadle saved');
  const spec = readSpec(text, source);
  const table = torchNames(spec);
  const extra = new Set(entries.keys());
  const found = new Map<string, Tensor>();
  for (const { name, shape } of table.rows) {
    const entry = entries.get(name);
    if (entry === undefined)
      throw formatError(source, `tensor ${quote(name)} is missing`, "the model's tensors");
    if (entry.dtype !== 'F32' || entry.shape.join() !== shape.join()) {
      throw formatError(
        source,
        `tensor ${quote(name)} is ${entry.dtype} of shape [${entry.shape}]`,
        `F32 of shape [${shape}]`,
      );
    }
    extra.delete(name);
    const tensor = tensorOf(entry, name, source);
    expectGood(tensor.data as Float32Array, name, source);
    found.set(name, tensor);
  }
  for (const name of table.counters) extra.delete(name);
  const [stray] = extra;
  if (stray !== undefined)
    throw formatError(source, `tensor ${quote(stray)} is not the model's`, "the model's tensors only");
  const stored = metadata![LOSS_KEY];
  const loss = stored === undefined ? null : readLoss(stored, spec, source);
  return { spec, tensors: unnameTensors(table, found), loss };
}

/** The model in a metadata's text. Throws `format`. */
export function readSpec(text: string, source: string): ModelSpec {
  return parseSpec(readJson(MODEL_KEY, text, source), source);
}

/** The loss in a metadata's text. Throws `format`. */
export function readLoss(text: string, { output }: ModelSpec, source: string): Loss {
  const loss = readJson(LOSS_KEY, text, source);
  try {
    checkLoss(loss);
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    throw formatError(
      source,
      `${LOSS_KEY} is no loss: ${oneLine(error.message)}`,
      'a model that treadle saved',
    );
  }
  if (LOSSES[loss.type].head !== output?.head) {
    throw formatError(source, `${LOSS_KEY} is ${loss.type}`, `a loss of the model's head`);
  }
  return loss;
}

function readJson(key: string, text: string, source: string): unknown {
  const problem = structureProblem(text, LIMITS);
  if (problem !== null) throw formatError(source, `${key} ${problem}`, 'a model in JSON');
  try {
    return JSON.parse(text);
  } catch {
    throw formatError(source, `${key} is no JSON`, 'a model that treadle saved');
  }
}

/** The model that an object describes. Throws `format` for one that is none; `source` is the file's name. */
export function parseSpec(json: unknown, source: string): ModelSpec {
  try {
    const spec = checkModel(json);
    lowerModel(spec);
    return spec;
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    throw formatError(source, `it has no model: ${oneLine(error.message)}`, 'a model that treadle saved');
  }
}

/** Throws `format` for values that a tensor of its name cannot have: not finite, variances below 0, deviations not above 0. */
export function expectGood(values: Float32Array, name: string, source: string): void {
  const isVariance = name.endsWith('running_var');
  const isDeviation = name.endsWith('.deviation');
  const isGood = (value: number) => (isDeviation ? value > 0 : !isVariance || value >= 0);
  const wrong = values.findIndex((value) => !(Number.isFinite(value) && isGood(value)));
  if (wrong < 0) return;
  const expected = `a finite number${isVariance ? ' from 0' : isDeviation ? ' above 0' : ''}`;
  throw formatError(source, `tensor ${quote(name)} holds ${values[wrong]} at element ${wrong}`, expected);
}
