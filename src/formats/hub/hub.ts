import type { Bytes, ModelSpec } from '#bindings';
import { type AnyModel, decodeAnyModel } from '../any-model.js';
import {
  bytesOf,
  checkExportOptions,
  type ExportOptions,
  type Fronts,
  type FrontsOf,
  writeFormat,
} from '../export/formats.js';
import { cardOf } from './card.js';
import { checkTest, type TestFigures, testIn } from './test-figures.js';

// A folder as the Hugging Face Hub shows it: a card, what it counts downloads by, and the model in two formats.

/** Options of exportHub. */
export interface HubOptions extends ExportOptions {
  /** A test on samples that the model was not trained on. Default: the one that the file tells, as files of `treadle fit` do. */
  test?: TestFigures;
}

/**
 * A model as the files of a folder that can be uploaded to the Hugging Face Hub, by name: `README.md`, the model's card with
 * its task, figures and the data's hash where the file tells them, and programs that load it in treadle, onnxruntime, PyTorch
 * and numpy; `config.json`; `model.safetensors`; `model.onnx`. `options.name` is the model's name. Throws as `exportModel`,
 * and `usage` for a test that is none.
 *
 * @example for (const [name, bytes] of exportHub(model, { name: 'flowers' })) await writeFile(`flowers/${name}`, bytes);
 */
export function exportHub(
  model: Uint8Array | { save(): Uint8Array },
  options: HubOptions = {},
): Map<string, Bytes> {
  return hubWithFronts(model, options, () => null);
}

/** {@link exportHub} of a model that takes something else than its features. */
export function hubWithFronts(
  model: Uint8Array | { save(): Uint8Array },
  options: HubOptions,
  frontsOf: FrontsOf,
): Map<string, Bytes> {
  const { test: given, ...own } = options;
  const { name, source } = checkExportOptions(own);
  const bytes = bytesOf(model);
  const stored = decodeAnyModel(bytes, source);
  const fronts = frontsOf(bytes, stored, source);
  const test = given === undefined ? testIn(bytes, source) : checkTest(given);
  const text = (content: string): Bytes => new TextEncoder().encode(content);
  return new Map([
    ['README.md', text(cardOf(name, stored, test, fronts?.card))],
    ['config.json', text(`${JSON.stringify(configOf(stored, fronts), null, 2)}\n`)],
    ['model.safetensors', writeFormat('safetensors', stored, name, fronts)],
    ['model.onnx', writeFormat('onnx', stored, name, fronts)],
  ]);
}

/** What the Hub reads of a model: its type, and the names of its classes both ways; and what made it. */
function configOf({ spec, loss, metadata }: AnyModel, fronts: Fronts | null): object {
  const more = Object.entries(fronts?.texts ?? {}).map(([key, json]) => [key, JSON.parse(json)]);
  return {
    model_type: 'treadle',
    ...labelsOf(spec),
    treadle_model: spec,
    treadle_loss: loss,
    ...Object.fromEntries(more),
    ...(metadata !== null && { training: metadata }),
  };
}

function labelsOf({ classes }: ModelSpec): object {
  if (classes === undefined) return {};
  return {
    id2label: Object.fromEntries(classes.map((name, id) => [id, name])),
    label2id: Object.fromEntries(classes.map((name, id) => [name, id])),
  };
}
