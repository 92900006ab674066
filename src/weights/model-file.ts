import { join } from 'node:path';
import { type NetworkTensors, TreadleError } from '#bindings';
import { ensureWritableFolder, readFileBounded, writeFileAtomic } from '../files.js';
import { checkWidths, readMetadata, storeMetadata, type WeightsMetadata } from './metadata.js';
import { fromNumpy, fromStateDict, type LoadedNetwork, toNumpy, toStateDict } from './naming.js';
import { decodePickle, encodePickle } from './pickle.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from './safetensors.js';
import { formatError, type Tensor } from './tensor.js';

export type { WeightsMetadata } from './metadata.js';

/** Formats a model is saved in, in the order in which `saveWeights` writes them. */
export type WeightsFormat = 'safetensors' | 'pickle';

/** A model read from a weight file. */
export interface LoadedWeights extends LoadedNetwork {
  /** Null for a pickle and for a file that treadle did not write. */
  metadata: WeightsMetadata | null;
  format: WeightsFormat;
}

/** One tensor of a weight file, in the file's own name and layout. */
export interface TensorDescription {
  name: string;
  /** As the format calls it: `F32` or `I64` in safetensors, `float32` in a pickle. */
  dtype: string;
  shape: number[];
  /** Null for a tensor without elements; NaN when a value is NaN. */
  min: number | null;
  max: number | null;
  mean: number | null;
}

/** The largest weight file that is read: more than WebAssembly's memory can train. */
const MAX_FILE_BYTES = 2 ** 31;

/** `{model}_weights_{learning rate}.{ext}`. Throws `usage` for a model name that cannot be part of a file name. */
export function weightsFileName(model: string, learningRate: number, ext: 'safetensors' | 'pkl'): string {
  if (!/^[\w.-]+$/.test(model)) {
    const expected = 'letters, digits, "_", "." and "-"';
    throw new TreadleError(
      'usage',
      `Model name ${JSON.stringify(model)} cannot name a file; ${expected} can.`,
      {
        subject: 'model',
        found: model,
        expected,
      },
    );
  }
  return `${model}_weights_${learningRate}.${ext}`;
}

/** A weights file to be written. */
export interface EncodedWeights {
  name: string;
  bytes: Uint8Array;
}

/**
 * Writes a model's weights as safetensors (with metadata) and as a pickle, each atomically, and returns both paths.
 * The folder is created if need be. Throws `unwritable`, and what {@link encodeWeights} does before anything is written.
 */
export async function saveWeights(
  folder: string,
  tensors: NetworkTensors,
  metadata: WeightsMetadata,
): Promise<string[]> {
  return writeWeights(folder, encodeWeights(tensors, metadata));
}

/** Names of a model's files, in the order in which they are written. Throws as {@link weightsFileName}. */
export function weightsFileNames(model: string, learningRate: number): [string, string] {
  return [weightsFileName(model, learningRate, 'safetensors'), weightsFileName(model, learningRate, 'pkl')];
}

/** A model's files. Throws `shape`, `range` or `format` for weights or metadata that could not be read back. */
export function encodeWeights(tensors: NetworkTensors, metadata: WeightsMetadata): EncodedWeights[] {
  const named = toStateDict(tensors);
  const { weight, bias } = tensors.dense[0]!;
  const widths = [weight.length / bias.length, ...tensors.dense.map((layer) => layer.bias.length)];
  checkWidths(metadata, widths, 'The network to save');
  const [safetensors, pickle] = weightsFileNames(metadata.model, metadata.learningRate);
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

/** Reads a model's weights. Throws `not-found`, `unreadable` and what {@link decodeWeights} does. */
export async function loadWeights(path: string): Promise<LoadedWeights> {
  return decodeWeights(await readFileBounded(path, MAX_FILE_BYTES), path);
}

/**
 * The model in the bytes of a weight file; the format is told by the content, never by the name.
 * Throws `format` (bytes that are neither format, or break its rules), `shape` (tensors that are no dense network, or
 * not the one that the metadata states) or `range` (values that cannot be weights).
 */
export function decodeWeights(bytes: Uint8Array, path: string): LoadedWeights {
  const file = decodeTensors(bytes, path);
  if (file.format === 'pickle') {
    return { ...fromNumpy(file.tensors, path), metadata: null, format: 'pickle' };
  }
  const network = fromStateDict(file.tensors, path);
  const metadata = readMetadata(file.metadata, path);
  if (metadata !== null) checkWidths(metadata, [network.inputs, ...network.hidden, network.classes], path);
  return { ...network, metadata, format: 'safetensors' };
}

/**
 * Name, dtype, shape and range of every tensor of a weight file, in the file's order; the tensors need not be a
 * network. Throws `not-found`, `unreadable` or `format`.
 */
export async function describeTensors(path: string): Promise<TensorDescription[]> {
  const { format, tensors } = decodeTensors(await readFileBounded(path, MAX_FILE_BYTES), path);
  return [...(tensors as ReadonlyMap<string, Tensor>)].map(([name, { dtype, shape, data }]) => ({
    name,
    dtype: format === 'pickle' ? 'float32' : dtype,
    shape,
    ...summary(data),
  }));
}

type FileContent =
  | { format: 'safetensors'; tensors: Map<string, Tensor>; metadata: Record<string, string> | null }
  | { format: 'pickle'; tensors: ReturnType<typeof decodePickle> };

function decodeTensors(bytes: Uint8Array, path: string): FileContent {
  const format = formatOf(bytes);
  if (format === 'pickle') return { format, tensors: decodePickle(bytes, path) };
  if (format === null) {
    const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const found = bytes.length === 0 ? 'the file is empty' : `the file begins with the bytes ${start}`;
    throw formatError(path, found, 'a safetensors file or a pickle');
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const copied = new Map([...tensors].map(([name, entry]) => [name, tensorOf(entry, name, path)] as const));
  return { format, tensors: copied, metadata };
}

/**
 * The format by content: a safetensors header begins with "{" at byte 8, where a pickle of a dict has the upper bytes
 * of a frame's or a name's length, far too large a number if they were "{".
 */
function formatOf(bytes: Uint8Array): WeightsFormat | null {
  if (bytes[8] === 0x7b) return 'safetensors';
  return bytes[0] === 0x80 ? 'pickle' : null;
}

function summary(data: Float32Array | BigInt64Array): Pick<TensorDescription, 'min' | 'max' | 'mean'> {
  if (data.length === 0) return { min: null, max: null, mean: null };
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (let index = 0; index < data.length; index++) {
    const value = Number(data[index]);
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, max, mean: sum / data.length };
}
