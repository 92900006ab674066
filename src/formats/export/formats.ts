import { type Bytes, expectKeys, problem } from '#bindings';
import { decodeAnyModel } from '../any-model.js';
import type { CardFront } from '../hub/card.js';
import { encodeModel, type StoredModel } from '../model-bytes.js';
import { toNpz, toPickle } from './arrays.js';
import { toC } from './c.js';
import { foldModel } from './folded.js';
import { type JsFront, toJavaScript } from './javascript.js';
import { type OnnxFront, toOnnx } from './onnx.js';

/** What a model takes in place of its features, for the formats that have a place for it. */
export interface Fronts {
  readonly onnx: OnnxFront;
  readonly js: JsFront;
  /** What files that have a place for texts have beside the model, by key. */
  readonly texts: Readonly<Record<string, string>>;
  readonly card: CardFront;
}

/** Says by a model and its bytes what it takes in place of its features; null for nothing. */
export type FrontsOf = (bytes: Uint8Array, stored: StoredModel, source: string) => Fronts | null;

/** A format that models are exported in. */
interface Format {
  /** How its files end. */
  readonly extension: string;
  /** Who reads it, in words. */
  readonly readers: string;
  write(model: StoredModel, name: string, fronts: Fronts | null): Bytes;
}

/** Every format, by the name that it is asked for by. */
const FORMATS = {
  onnx: {
    extension: '.onnx',
    readers: 'onnxruntime and everything else that runs ONNX',
    write: (model, _, fronts) => toOnnx(foldModel(model), fronts?.onnx, fronts?.texts),
  },
  npz: { extension: '.npz', readers: 'numpy.load', write: (model, _, fronts) => toNpz(model, fronts?.texts) },
  pkl: { extension: '.pkl', readers: "Python's pickle, with numpy", write: toPickle },
  safetensors: {
    extension: '.safetensors',
    readers: 'treadle, and PyTorch by safetensors.torch.load_file',
    write: (model, _, fronts) => encodeModel(model, fronts?.texts),
  },
  js: {
    // Node takes it for a module in projects of either type.
    extension: '.mjs',
    readers: 'Node, Deno, Bun and browsers, as a module',
    write: (model, _, fronts) => toJavaScript(foldModel(model), fronts?.js),
  },
  c: {
    extension: '.h',
    readers: 'C and C++ compilers, for microcontrollers too',
    write: (model, name) => toC(foldModel(model), name),
  },
} as const satisfies Readonly<Record<string, Format>>;

/** Name of a format that models are exported in. */
export type ExportFormat = keyof typeof FORMATS;

/**
 * The formats of exportModel: how their files end, and who reads them.
 *
 * @example for (const [name, { extension, readers }] of Object.entries(EXPORT_FORMATS)) console.log(name, extension, readers);
 */
export const EXPORT_FORMATS: Readonly<Record<ExportFormat, Pick<Format, 'extension' | 'readers'>>> = FORMATS;

/** Options of exportModel. */
export interface ExportOptions {
  /** What names in C begin with; letters, digits and `_` are kept. Default: `model`. */
  name?: string;
  /** What the bytes are called in errors. Default: `The model`. */
  source?: string;
}

/**
 * A model as the bytes of a file that other programs read. `model` is what createModel or loadModel gave, or the bytes of a
 * file: of `model.save()`, or of weights that the command line saved. Equal models give equal bytes. Throws `usage` for a
 * format that is none, and `format`, `shape` or `range` for bytes that hold no model.
 *
 * @example await writeFile('flowers.onnx', exportModel(model, 'onnx'));
 * @example await writeFile('flowers.h', exportModel(await worker.save(), 'c', { name: 'flowers' }));
 */
export function exportModel(
  model: Uint8Array | { save(): Uint8Array },
  format: ExportFormat,
  options: ExportOptions = {},
): Bytes {
  return exportWithFronts(model, format, options, () => null);
}

/** {@link exportModel} of a model that takes something else than its features. */
export function exportWithFronts(
  model: Uint8Array | { save(): Uint8Array },
  format: ExportFormat,
  options: ExportOptions,
  frontsOf: FrontsOf,
): Bytes {
  const { name, source } = checkExportOptions(options);
  if (!Object.hasOwn(FORMATS, format)) {
    const expected = `one of ${Object.keys(FORMATS).join(', ')}`;
    throw problem('usage', {
      subject: 'format',
      found: typeof format === 'string' ? `'${format}'` : format,
      expected,
    });
  }
  const bytes = bytesOf(model);
  const stored = decodeAnyModel(bytes, source);
  return writeFormat(format, stored, name, frontsOf(bytes, stored, source));
}

/** A model in a format. */
export function writeFormat(
  format: ExportFormat,
  stored: StoredModel,
  name: string,
  fronts: Fronts | null,
): Bytes {
  return (FORMATS[format] as Format).write(stored, name, fronts);
}

/** The options with their defaults. Throws `usage`. */
export function checkExportOptions(options: ExportOptions): Required<ExportOptions> {
  expectKeys('options', options, ['name', 'source']);
  const { name = 'model', source = 'The model' } = options;
  if (typeof name === 'string') return { name, source };
  throw problem('usage', { subject: 'name', found: name, expected: 'a string' });
}

/** The bytes of a model. Throws `usage` for what has none. */
export function bytesOf(model: Uint8Array | { save(): Uint8Array }): Uint8Array {
  if (model instanceof Uint8Array) return model;
  const bytes: unknown = typeof model?.save === 'function' ? model.save() : null;
  if (bytes instanceof Uint8Array) return bytes;
  const expected = 'a model, or its bytes (await worker.save())';
  throw problem('usage', { subject: 'model', found: bytes ?? model, expected });
}
