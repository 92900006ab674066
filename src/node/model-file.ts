import { join } from 'node:path';
import { problem, TreadleError } from '#bindings';
import { describeArrays, describeSafetensors, type TensorDescription } from '../formats/describe.js';
import { checkWidths, readMetadata, storeMetadata, type WeightsMetadata } from '../formats/metadata.js';
import { fromNumpy, fromStateDict, type LoadedNetwork, toNumpy, toStateDict } from '../formats/naming.js';
import { encodePickle, floatArrays, pickledArrays } from '../formats/pickle.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  tensorOf,
} from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import type { NetworkTensors } from '../model/classifier.js';
import { isName, NAME_RULE } from '../strict/names.js';
import { ensureWritableFolder, readFileBounded, writeFileAtomic } from './files.js';

export type { TensorDescription } from '../formats/describe.js';
export type { WeightsMetadata } from '../formats/metadata.js';

/** Formats a model is saved in, in the order in which `saveWeights` writes them. */
export type WeightsFormat = 'safetensors' | 'pickle';

/** A model read from a weight file. */
export interface LoadedWeights extends LoadedNetwork {
  /** Null for a pickle and for a file that treadle did not write. */
  metadata: WeightsMetadata | null;
  format: WeightsFormat;
}

/** What a weight file holds, whether it is a network or not. */
export interface WeightsDescription {
  format: WeightsFormat;
  /** Every tensor or array, in the file's order. */
  tensors: TensorDescription[];
  /** The file's metadata, unparsed; null when it has none, as a pickle. */
  stored: Record<string, string> | null;
  /** The network, if the file is one. */
  network: LoadedWeights | null;
  /** Why the file is no network that can be tested, if so. */
  problem: TreadleError | null;
}

/** The largest weight file that is read: more than WebAssembly's memory can train. */
export const MAX_FILE_BYTES = 2 ** 31;

/**
 * `{model}_weights_{learning rate}.{ext}`, with `_seed{n}` behind the rate for one of several seeds. Throws `usage` for a
 * model name that cannot be part of a file name.
 *
 * @example weightsFileName('large1', 0.005, 'safetensors'); // 'large1_weights_0.005.safetensors'
 */
export function weightsFileName(
  model: string,
  learningRate: number,
  ext: 'safetensors' | 'pkl',
  seed: number | null = null,
): string {
  if (!isName(model)) throw problem('usage', { subject: 'model', found: `'${model}'`, expected: NAME_RULE });
  return `${model}_weights_${learningRate}${seed === null ? '' : `_seed${seed}`}.${ext}`;
}

/** A weights file to be written. */
export interface EncodedWeights {
  name: string;
  bytes: Uint8Array;
}

/**
 * Writes a model's weights as safetensors (with metadata) and as a pickle, each atomically, and returns both paths.
 * The folder is created if need be. Throws `unwritable`, and what `encodeWeights` does before anything is written.
 *
 * @example const [safetensors, pickle] = await saveWeights('weights', tensors, metadata);
 */
export async function saveWeights(
  folder: string,
  tensors: NetworkTensors,
  metadata: WeightsMetadata,
): Promise<string[]> {
  return writeWeights(folder, encodeWeights(tensors, metadata));
}

/** Names of a model's files, in the order in which they are written. Throws as {@link weightsFileName}. */
export function weightsFileNames(
  model: string,
  learningRate: number,
  seed: number | null = null,
): [string, string] {
  const name = (ext: 'safetensors' | 'pkl') => weightsFileName(model, learningRate, ext, seed);
  return [name('safetensors'), name('pkl')];
}

/**
 * A model's files, named for its seed where it is one of several. Throws `shape`, `range` or `format` for weights or
 * metadata that could not be read back.
 */
export function encodeWeights(
  tensors: NetworkTensors,
  metadata: WeightsMetadata,
  seed: number | null = null,
): EncodedWeights[] {
  const named = toStateDict(tensors);
  const { weight, bias } = tensors.dense[0]!;
  const widths = [weight.length / bias.length, ...tensors.dense.map((layer) => layer.bias.length)];
  checkWidths(metadata, widths, 'The network to save');
  const [safetensors, pickle] = weightsFileNames(metadata.model, metadata.learningRate, seed);
  return [
    { name: safetensors, bytes: encodeSafetensors(named, storeMetadata(metadata)) },
    { name: pickle, bytes: encodePickle(toNumpy(tensors)) },
  ];
}

/** Writes encoded files, each atomically, into a folder, which is created if need be. Throws `unwritable`. */
export async function writeWeights(folder: string, files: readonly EncodedWeights[]): Promise<string[]> {
  await ensureWritableFolder(folder);
  const paths: string[] = [];
  for (const { name, bytes } of files) {
    const path = join(folder, name);
    await writeFileAtomic(path, bytes);
    paths.push(path);
  }
  return paths;
}

/**
 * Reads a model's weights. Throws `not-found`, `unreadable` and what `decodeWeights` does.
 *
 * @example const { tensors, metadata } = await loadWeights('weights/large1_weights_0.001.safetensors');
 */
export async function loadWeights(path: string): Promise<LoadedWeights> {
  return decodeWeights(await readFileBounded(path, MAX_FILE_BYTES), path);
}

/**
 * The model in the bytes of a weight file; the format is told by the content, never by the name.
 * Throws `format` (bytes that are neither format, or break its rules), `shape` (tensors that are no dense network, or
 * not the one that the metadata states) or `range` (values that cannot be weights).
 */
export function decodeWeights(bytes: Uint8Array, path: string): LoadedWeights {
  return networkOf(openWeights(bytes, path), path);
}

/** Describes a weight file of any tensors. Throws `not-found`, `unreadable` or `format`. */
export async function inspectWeights(path: string): Promise<WeightsDescription> {
  return describeWeights(await readFileBounded(path, MAX_FILE_BYTES), path);
}

/** Describes the bytes of a weight file. Throws `format` for bytes that are neither format, or break its rules. */
export function describeWeights(bytes: Uint8Array, path: string): WeightsDescription {
  const content = openWeights(bytes, path);
  const { format } = content;
  const tensors = tensorsOf(content, path);
  const stored = format === 'safetensors' ? content.metadata : null;
  try {
    return { format, tensors, stored, network: networkOf(content, path), problem: null };
  } catch (problem) {
    if (!(problem instanceof TreadleError)) throw problem;
    return { format, tensors, stored, network: null, problem };
  }
}

/**
 * Name, dtype, shape and range of every tensor of a weight file, in the file's order; the tensors need not be a
 * network. Throws `not-found`, `unreadable` or `format`.
 *
 * @example for (const { name, shape, min, max } of await describeTensors('model.safetensors')) console.log(name, shape, min, max);
 */
export async function describeTensors(path: string): Promise<TensorDescription[]> {
  return tensorsOf(openWeights(await readFileBounded(path, MAX_FILE_BYTES), path), path);
}

/** A file whose form has been checked, its tensors unread. */
type FileContent =
  | ({ format: 'safetensors' } & SafetensorsFile)
  | { format: 'pickle'; arrays: ReturnType<typeof pickledArrays> };

function openWeights(bytes: Uint8Array, path: string): FileContent {
  const format = formatOf(bytes);
  if (format === 'pickle') return { format, arrays: pickledArrays(bytes, path) };
  if (format === 'safetensors') return { format, ...decodeSafetensors(bytes, path) };
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const found = bytes.length === 0 ? 'the file is empty' : `the file begins with the bytes ${start}`;
  throw formatError(path, found, 'a safetensors file or a pickle');
}

function tensorsOf(content: FileContent, path: string): TensorDescription[] {
  return content.format === 'pickle'
    ? describeArrays(content.arrays, path)
    : describeSafetensors(content.tensors);
}

function networkOf(content: FileContent, path: string): LoadedWeights {
  if (content.format === 'pickle') {
    return { ...fromNumpy(floatArrays(content.arrays, path), path), metadata: null, format: 'pickle' };
  }
  const tensors = new Map(
    [...content.tensors].map(([name, entry]) => [name, tensorOf(entry, name, path)] as const),
  );
  const network = fromStateDict(tensors, path);
  const metadata = readMetadata(content.metadata, path);
  if (metadata !== null) checkWidths(metadata, [network.inputs, ...network.hidden, network.classes], path);
  return { ...network, metadata, format: 'safetensors' };
}

/**
 * The format by content: a safetensors header begins with "{" at byte 8, where a pickle of a dict has the upper bytes
 * of a frame's or a name's length, far too large a number if they were "{".
 */
function formatOf(bytes: Uint8Array): WeightsFormat | null {
  if (bytes[8] === 0x7b) return 'safetensors';
  return bytes[0] === 0x80 ? 'pickle' : null;
}
