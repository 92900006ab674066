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

// A folder as the Hugging Face Hub shows it: a card, what it counts downloads by, and the model in two formats.

/**
 * A model as the files of a folder that can be uploaded to the Hugging Face Hub, by name: `README.md`, the model's card with
 * its task, figures and the data's hash where the file tells them, and programs that load it in treadle, onnxruntime, PyTorch
 * and numpy; `config.json`; `model.safetensors`; `model.onnx`. `options.name` is the model's name. Throws as `exportModel`.
 *
 * @example for (const [name, bytes] of exportHub(model, { name: 'flowers' })) await writeFile(`flowers/${name}`, bytes);
 */
export function exportHub(
  model: Uint8Array | { save(): Uint8Array },
  options: ExportOptions = {},
): Map<string, Bytes> {
  return hubWithFronts(model, options, () => null);
}

/** {@link exportHub} of a model that takes something else than its features. */
export function hubWithFronts(
  model: Uint8Array | { save(): Uint8Array },
  options: ExportOptions,
  frontsOf: FrontsOf,
): Map<string, Bytes> {
  const { name, source } = checkExportOptions(options);
  const bytes = bytesOf(model);
  const stored = decodeAnyModel(bytes, source);
  const fronts = frontsOf(bytes, stored, source);
  const text = (content: string): Bytes => new TextEncoder().encode(content);
  return new Map([
    ['README.md', text(cardOf(name, stored.spec, stored.metadata, fronts?.card))],
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
