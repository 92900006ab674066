import { loadModel } from '../create.js';
import type { ModelOptions } from '../model/create.js';
import type { Model } from '../model/model.js';
import { readFileBounded, writeFileAtomic } from './files.js';

/** The largest file that is read: more than any model holds. */
const MAX_FILE_BYTES = 2 ** 31;

/** The bytes of a model's file, of whatever program. Rejects with `not-found`, `unreadable` or `format` (too large). */
export function readModelFile(path: string): Promise<Uint8Array> {
  return readFileBounded(path, MAX_FILE_BYTES);
}

/**
 * The model in a file that {@link writeModel} or `model.save()` made. Rejects with `not-found` or `unreadable`, and as
 * loadModel does.
 *
 * @example const model = await readModel('flowers.safetensors');
 */
export async function readModel(path: string, options: ModelOptions = {}): Promise<Model> {
  return loadModel(await readModelFile(path), options);
}

/**
 * Writes a model to a file: whole, or not at all. Rejects with `unwritable`.
 *
 * @example await writeModel('flowers.safetensors', model);
 */
export async function writeModel(path: string, model: Model): Promise<void> {
  await writeFileAtomic(path, model.save());
}
