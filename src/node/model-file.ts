import { join } from 'node:path';
import { type ModelSpec, problem, TreadleError } from '#bindings';
import { importModel } from '../formats/import/import.js';
import { checkWidths, storeMetadata, type WeightsMetadata } from '../formats/metadata.js';
import { toNumpy, toStateDict } from '../formats/naming.js';
import { encodePickle } from '../formats/pickle.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import {
  decodeWeights,
  describeWeights,
  type LoadedWeights,
  openWeights,
  type TensorDescription,
  tensorsOf,
  type WeightsDescription,
} from '../formats/weights.js';
import type { NetworkTensors } from '../model/classifier.js';
import { isName, NAME_RULE } from '../strict/names.js';
import { ensureWritableFolder, readFileBounded, writeFileAtomic } from './files.js';

export type { WeightsMetadata } from '../formats/metadata.js';
export {
  decodeWeights,
  describeWeights,
  type LoadedWeights,
  type TensorDescription,
  type WeightsDescription,
  type WeightsFormat,
} from '../formats/weights.js';

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

/** What a file holds, and what treadle can do with it. */
export interface FileDescription extends WeightsDescription {
  /** How its model is run: by test and predict, as a model of the library, or once it is imported; null where it is not. */
  runs: 'test' | 'model' | 'import' | null;
  /** Its model; null where there is none that treadle can run. */
  model: ModelSpec | null;
  /** Why there is none, if so. */
  reason: TreadleError | null;
}

/** Describes a weight file of any tensors. Throws `not-found`, `unreadable` or `format`. */
export async function inspectWeights(path: string): Promise<FileDescription> {
  const bytes = await readFileBounded(path, MAX_FILE_BYTES);
  const described = describeWeights(bytes, path);
  try {
    const { spec, stored } = importModel(bytes, { source: path });
    return {
      ...described,
      runs: described.network ? 'test' : stored ? 'model' : 'import',
      model: spec,
      reason: null,
    };
  } catch (reason) {
    if (!(reason instanceof TreadleError)) throw reason;
    return { ...described, runs: null, model: null, reason };
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
