import {
  type ActivationName,
  type Bytes,
  checkModel,
  expectKeys,
  expectOneOf,
  HEADS,
  type Head,
  lowerModel,
  type ModelSpec,
  PLAIN_ACTIVATIONS,
  problem,
  type TensorKey,
  TreadleError,
} from '#bindings';
import { oneLine, quote } from '../../strict/text.js';
import { classifierOf } from '../any-model.js';
import { type Conversions, conversionNotes, floatArray, floatTensor } from '../floats.js';
import { TEST_KEY } from '../hub/test-figures.js';
import {
  ENCODER_KEY,
  encodeModel,
  expectGood,
  LOSS_KEY,
  MODEL_KEY,
  readLoss,
  readSpec,
  type StoredModel,
} from '../model-bytes.js';
import { type NamedTable, numpyNames, torchNames, unnameTensors } from '../names.js';
import { decodeNpz, npyText } from '../npz.js';
import { decodeOnnx } from '../onnx/decode.js';
import { floatArrays, pickledArrays } from '../pickle.js';
import { decodeSafetensors } from '../safetensors.js';
import { beginsWith, expectUnpacked, HDF5 } from '../signatures.js';
import { type FloatTensor, formatError } from '../tensor.js';
import { decodeWeights } from '../weights.js';
import { zipNames } from '../zip.js';
import { graphNetwork } from './graph.js';
import { isKerasZip, kerasHdf5, kerasZip } from './keras.js';
import { namedSteps, stepsOfSpec } from './named.js';
import { assemble, type Step, type Surroundings } from './steps.js';

/** What a file does not say of its network. */
export interface ImportOptions {
  /** Between layers, for files of named tensors. Default: relu. */
  activation?: ActivationName;
  /** What the last layer's outputs are turned into. Default: what the file says, else softmax for several, identity for one. */
  head?: Head;
  /** Names of the classes, in the order of the outputs. */
  classes?: readonly string[];
  /** The whole model, for files of named tensors: its layers take the matrices that have their widths. */
  spec?: ModelSpec;
  /** What the bytes are called in errors. Default: `The file`. */
  source?: string;
}

/** A model of another program's file. */
export interface ImportedModel {
  /** For loadModel, or to be written as they are. */
  bytes: Bytes;
  spec: ModelSpec;
  format: 'safetensors' | 'npz' | 'pickle' | 'onnx' | 'keras';
  /** Whether treadle wrote the file, with the model beside its tensors. */
  stored: boolean;
  /** What was converted or taken for granted, a sentence each. */
  notes: string[];
}

/** Named tensors of a file; null for a counter, which a network does not need. */
type Named = Map<string, FloatTensor | null>;

/** What a file holds: a network as it stands, named tensors, or a model that the file describes itself. */
type Content =
  | { steps: Step[]; around: Surroundings; joined: string | null; texts: Texts }
  | { named: Named }
  | { model: StoredModel; notes?: readonly string[]; texts?: Texts };

/** What a file has beside a model and keeps when it is imported, by key. */
type Texts = Readonly<Record<string, string>>;

/** The encoders of a table, and the figures of a test. They are handed on as they are: who loads them checks them. */
const KEPT = [ENCODER_KEY, TEST_KEY];

const keptTexts = (textOf: (key: string) => string | undefined): Texts =>
  Object.fromEntries(
    KEPT.flatMap((key) => {
      const text = textOf(key);
      return text === undefined ? [] : [[key, text]];
    }),
  );

const KEYS = ['activation', 'head', 'classes', 'spec', 'source'];

/**
 * The model in another program's file: safetensors of a PyTorch state dict, npz or a pickle of arrays, ONNX of a dense
 * network, or a model of Keras (`.keras`, `.h5`, `.weights.h5`). A model of a table that treadle has exported keeps its
 * encoders, for `loadTableModel`. What a file does not say is taken as the options have it, and told. Reading allocates at most 400 times the
 * file, and 10 MiB. Throws `format`, `shape` or `range` for files that hold no dense network, naming what it is, and `usage` for options that cannot be used.
 *
 * @example
 * const { bytes, notes } = importModel(await readFile('torch.safetensors'), { activation: 'gelu' });
 * const model = await loadModel(bytes);
 */
export function importModel(bytes: Uint8Array, options: ImportOptions = {}): ImportedModel {
  checkOptions(options);
  const { source = 'The file', activation, head, classes, spec } = options;
  if (!(bytes instanceof Uint8Array)) throw formatError(source, 'it is not bytes', 'a Uint8Array');
  const format = formatIn(bytes, source);
  const conversions: Conversions = new Map();
  const content = READERS[format](bytes, source, conversions);
  const notes: string[] = [];
  const texts = ('texts' in content && content.texts) || {};
  const isOfTable = ENCODER_KEY in texts;
  if (isOfTable && classes !== undefined) throw needless('classes', source);
  let stored: StoredModel;
  if ('named' in content) {
    stored = ofNames(content.named, options, source, notes);
  } else {
    for (const [name, value] of Object.entries({ activation, spec })) {
      if (value !== undefined) throw needless(name, source);
    }
    if ('model' in content) {
      if (head !== undefined) throw needless('head', source);
      stored = content.model;
      notes.push(...(content.notes ?? []));
    } else {
      const asked = head ?? (classes === undefined ? null : 'softmax');
      stored = assemble(content.steps, { ...content.around, head: asked }, source);
      if (isOfTable) stored = { ...stored, spec: ofColumns(stored.spec) };
      else if (content.joined !== null) {
        const { features } = stored.spec.input;
        notes.push(
          `What the file makes of its columns is left out: the network takes the ${features} features that node ${quote(content.joined)} joins.`,
        );
      }
      if (stored.spec.output!.head === 'identity' && head === undefined && !isOfTable) {
        notes.push('The outputs are taken as numbers, since nothing stands behind the last layer.');
      }
      if (head !== undefined && stored.spec.output!.head !== head) {
        const expected = `${stored.spec.output!.head}, which ${source} ends with,`;
        throw problem('usage', { subject: 'head', found: `'${head}'`, expected });
      }
    }
  }
  stored = classes === undefined ? stored : withClasses(stored, classes);
  const checked = checkStored(stored, source);
  notes.push(...conversionNotes(conversions));
  return {
    bytes: encodeModel(checked, texts),
    spec: checked.spec,
    format,
    stored: 'model' in content,
    notes,
  };
}

function checkOptions(options: ImportOptions): void {
  expectKeys('options', options, KEYS);
  const { activation, head, classes, spec } = options;
  if (activation !== undefined) {
    expectOneOf('activation', activation, [...PLAIN_ACTIVATIONS, 'leakyRelu'] as const);
  }
  if (head !== undefined) expectOneOf('head', head, HEADS);
  if (classes !== undefined && !Array.isArray(classes)) {
    throw problem('usage', { subject: 'classes', found: classes, expected: 'an array of names' });
  }
  if (spec === undefined) return;
  lowerModel(checkModel(spec));
  for (const [name, value] of Object.entries({ activation, head, classes })) {
    if (value === undefined) continue;
    throw problem('usage', { subject: name, found: 'given beside spec', expected: 'one of the two' });
  }
}

function needless(option: string, source: string): TreadleError {
  return problem('usage', { subject: option, found: 'given', expected: `nothing, since ${source} says it,` });
}

/** The format by content. Throws `format` for bytes of none. */
function formatIn(bytes: Uint8Array, source: string): ImportedModel['format'] {
  expectUnpacked(bytes, source);
  if (bytes[8] === 0x7b) return 'safetensors';
  if (beginsWith(bytes, [0x50, 0x4b])) return isKerasZip(zipNames(bytes)) ? 'keras' : 'npz';
  if (beginsWith(bytes, HDF5)) return 'keras';
  if (bytes[0] === 0x80) return 'pickle';
  // The first field of every ONNX file is its version.
  if (bytes[0] === 0x08) return 'onnx';
  const found = bytes.length === 0 ? 'it is empty' : 'it begins as no file that is known';
  throw formatError(source, found, 'safetensors, npz, a pickle of arrays, ONNX or a model of Keras');
}

const READERS: Readonly<
  Record<ImportedModel['format'], (bytes: Uint8Array, source: string, conversions: Conversions) => Content>
> = {
  safetensors(bytes, source, conversions) {
    const { tensors, metadata } = decodeSafetensors(bytes, source);
    if (metadata !== null && Object.hasOwn(metadata, 'treadle')) return ownWeights(bytes, source);
    const named: Named = new Map();
    for (const [name, entry] of tensors) {
      const isCounter = /(^|\.)num_batches_tracked$/.test(name);
      named.set(name, isCounter ? null : floatTensor(entry, name, source, conversions));
    }
    const textOf = (key: string) => metadata?.[key];
    return textOf(MODEL_KEY) === undefined ? { named } : described(textOf, named, torchNames, source);
  },
  npz(bytes, source, conversions) {
    const arrays = decodeNpz(bytes, source);
    const texts = new Map<string, string>();
    for (const key of arrays.has(MODEL_KEY) ? [MODEL_KEY, ...KEPT] : []) {
      const array = arrays.get(key);
      if (array === undefined) continue;
      const text = npyText(array);
      if (text === null) throw formatError(source, `array ${quote(key)} is no text`, 'a model in JSON');
      texts.set(key, text);
      arrays.delete(key);
    }
    if ([...arrays.keys()].some((name) => /(^|\/)data\.pkl$/.test(name))) {
      const expected = "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')";
      throw formatError(source, 'it is what torch.save writes', expected);
    }
    const named: Named = new Map(
      [...arrays].map(([name, array]) => [name, floatArray(array, name, source, conversions)]),
    );
    return texts.size === 0 ? { named } : described((key) => texts.get(key), named, numpyNames, source);
  },
  pickle(bytes, source, conversions) {
    return { named: floatArrays(pickledArrays(bytes, source), source, conversions) };
  },
  onnx(bytes, source, conversions) {
    const file = decodeOnnx(bytes, source);
    const { steps, joined, ...around } = graphNetwork(file, bytes.length, source, conversions);
    const texts =
      joined === null
        ? {}
        : keptTexts((key) => file.metadataProps?.find((entry) => entry.key === key)?.value);
    return { steps, around: { ...around, head: null }, joined, texts };
  },
  keras(bytes, source, conversions) {
    const read = beginsWith(bytes, HDF5) ? kerasHdf5 : kerasZip;
    const content = read(bytes, source, conversions);
    return 'named' in content ? content : { ...content, joined: null, texts: {} };
  },
};

function ownWeights(bytes: Uint8Array, source: string): Content {
  const { notes, ...model } = classifierOf(decodeWeights(bytes, source));
  return { model, notes };
}

/** A model of a file that has treadle's own description beside the tensors. */
function described(
  textOf: (key: string) => string | undefined,
  named: Named,
  namesOf: (spec: ModelSpec) => NamedTable,
  source: string,
): Content {
  const spec = readSpec(textOf(MODEL_KEY)!, source);
  const lossText = textOf(LOSS_KEY);
  const loss = lossText === undefined ? null : readLoss(lossText, spec, source);
  const table = namesOf(spec);
  for (const { name, shape } of table.rows) {
    const found = named.get(name);
    if (found && found.shape.join() === shape.join()) continue;
    const what = found ? `has shape [${found.shape}]` : 'is missing';
    throw formatError(source, `tensor ${quote(name)} ${what}`, `[${shape}], as its model says,`);
  }
  const tensors = unnameTensors(table, named as Map<string, FloatTensor>);
  return { model: { spec, tensors, loss }, texts: keptTexts(textOf) };
}

/** Statistics of inputs and targets among named tensors, under either of treadle's names. */
const STATISTICS = /^(input|target)[._](mean|deviation)$/;

/** The model of named tensors, by the spec that was asked for, or as their names and widths have it. */
function ofNames(named: Named, options: ImportOptions, source: string, notes: string[]): StoredModel {
  const { activation = 'relu', head, spec } = options;
  const statistics = new Map<TensorKey, Float32Array>();
  const layers: Named = new Map();
  for (const [name, tensor] of named) {
    const [, of, what] = STATISTICS.exec(name) ?? [];
    if (of === undefined || tensor === null) layers.set(name, tensor);
    else statistics.set(`${of}.${what}` as TensorKey, tensor.data);
  }
  if (spec !== undefined) return bySpec(spec, layers, statistics, source);
  const found = namedSteps(layers, { type: activation }, source);
  notes.push(...found.notes);
  const { outputs } = found.steps.findLast((step) => step.kind === 'dense')!;
  const ended = head ?? (statistics.has('target.mean') || outputs === 1 ? 'identity' : 'softmax');
  if (found.assumesActivation && options.activation === undefined) {
    notes.push('relu is taken for the activation between layers, which the file does not say.');
  }
  if (head === undefined) notes.push(`${ended} is taken for the head, which the file does not say.`);
  const around = { isBytes: false, shape: null, classes: null, head: ended };
  return assemble(
    [...standardizing(statistics), ...found.steps, ...unstandardizing(statistics)],
    around,
    source,
  );
}

function standardizing(statistics: ReadonlyMap<TensorKey, Float32Array>): Step[] {
  const [mean, deviation] = [statistics.get('input.mean'), statistics.get('input.deviation')];
  return [
    ...(mean ? [{ kind: 'subtract', name: 'input.mean', values: mean } as const] : []),
    ...(deviation ? [{ kind: 'divide', name: 'input.deviation', values: deviation } as const] : []),
  ];
}

function unstandardizing(statistics: ReadonlyMap<TensorKey, Float32Array>): Step[] {
  const [mean, deviation] = [statistics.get('target.mean'), statistics.get('target.deviation')];
  return [
    ...(deviation ? [{ kind: 'multiply', name: 'target.deviation', values: deviation } as const] : []),
    ...(mean ? [{ kind: 'add', name: 'target.mean', values: mean } as const] : []),
  ];
}

/** The model of a spec whose tensors a file has under other names. */
function bySpec(
  spec: ModelSpec,
  layers: Named,
  statistics: ReadonlyMap<TensorKey, Float32Array>,
  source: string,
): StoredModel {
  const tensors = new Map<TensorKey, Float32Array>();
  const blocks = lowerModel(spec);
  stepsOfSpec(spec, layers, source).forEach(({ dense, norm }, at) => {
    const { layer, bias, norm: place } = blocks[at]!;
    tensors.set(`${layer}.weight`, dense.weight);
    if (bias) tensors.set(`${layer}.bias`, dense.bias ?? new Float32Array(dense.outputs));
    else if (dense.bias !== null) {
      const found = `${quote(dense.path)} has a bias, and layers[${layer}] of the spec has none`;
      throw formatError(source, found, 'a spec with it');
    }
    if (norm === null || place === null) return;
    tensors.set(`${place.layer}.gamma`, norm.gamma);
    tensors.set(`${place.layer}.beta`, norm.beta);
    tensors.set(`${place.layer}.runningMean`, norm.mean);
    tensors.set(`${place.layer}.runningVar`, norm.variance);
  });
  for (const [of, isAsked, width] of [
    ['input', spec.input.standardize, spec.input.features],
    ['target', spec.output?.standardize, blocks.at(-1)!.outputs],
  ] as const) {
    if (!isAsked) continue;
    for (const what of ['mean', 'deviation'] as const) {
      const values = statistics.get(`${of}.${what}`);
      if (values === undefined || values.length !== width) {
        const found = values === undefined ? 'missing' : `of ${values.length} values`;
        throw formatError(source, `${of}.${what} is ${found}`, `${width} values, as the spec standardizes,`);
      }
      tensors.set(`${of}.${what}`, values);
    }
  }
  return { spec, tensors, loss: null };
}

/** The spec of a network that takes the features which encoders make of columns: most of them are zero. */
function ofColumns(spec: ModelSpec): ModelSpec {
  return { ...spec, input: { ...spec.input, type: 'sparse' } };
}

function withClasses(stored: StoredModel, classes: readonly string[]): StoredModel {
  return { ...stored, spec: checkModel({ ...stored.spec, classes: [...classes] }) };
}

/** A model whose values can be what they stand for. Throws `format` for others, or for a spec that no model has. */
function checkStored(stored: StoredModel, source: string): StoredModel {
  let table: NamedTable;
  try {
    lowerModel(checkModel(stored.spec));
    table = torchNames(stored.spec);
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    throw formatError(source, `it makes no model: ${oneLine(error.message)}`, 'a dense network');
  }
  for (const { row, name, shape } of table.rows) {
    const values = stored.tensors.get(row.key);
    const size = shape.reduce((total, own) => total * own, 1);
    if (values?.length !== size) {
      throw formatError(source, `${name} has ${values?.length ?? 0} values`, `${size}`);
    }
    expectGood(values, name, source);
  }
  return stored;
}
