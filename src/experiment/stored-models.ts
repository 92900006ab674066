import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { ARCHITECTURES } from '../fashion-mnist/architectures.js';
import { classifierParameters } from '../model/classifier.js';
import { listFolder } from '../node/files.js';
import { type LoadedWeights, loadWeights, type WeightsMetadata } from '../node/model-file.js';
import { byMerit, type Candidate } from '../results/best.js';

/** A weights file of a folder and what is known of it without its tensors. */
export interface StoredModel {
  file: string;
  /** Null when the file has none or cannot be read. */
  metadata: WeightsMetadata | null;
  parameters: number;
  /** Why the file cannot be used, if so. */
  error?: TreadleError;
}

/**
 * The models saved in a folder, in the order of the report: architectures in theirs, learning rates from the
 * highest, files without metadata last. A `.pkl` beside a `.safetensors` of the same name is the same model.
 * Throws `not-found` or `unreadable` for the folder, and `not-found` when it holds no weights file.
 */
export async function listModels(folder: string): Promise<StoredModel[]> {
  const names = await listFolder(folder, 'a folder with weights files');
  const files = names.filter(
    (name) =>
      name.endsWith('.safetensors') ||
      (name.endsWith('.pkl') && !names.includes(name.replace(/pkl$/, 'safetensors'))),
  );
  if (files.length === 0) {
    throw new TreadleError(
      'not-found',
      `${folder} has no weights; files that end in .safetensors or .pkl are expected ('treadle run-all' makes them).`,
      { subject: folder, found: 'no weights files', expected: '.safetensors or .pkl files' },
    );
  }
  const models: StoredModel[] = [];
  for (const name of files) models.push(await describe(join(folder, name)));
  return models.sort(inReportOrder);
}

/**
 * The best by {@link byMerit} of the models that can be read. Throws `data` when no file has validation figures.
 */
export function bestStored(models: readonly StoredModel[], folder: string): StoredModel {
  const [best] = models
    .filter((model) => model.metadata !== null)
    .sort((a, b) => byMerit(candidateOf(a), candidateOf(b)));
  if (best !== undefined) return best;
  throw new TreadleError(
    'data',
    `No weights file in ${folder} says how it did in validation; a .safetensors file that treadle wrote is expected for --best.`,
    { subject: folder, found: 'no validation figures', expected: 'a .safetensors file written by treadle' },
  );
}

function candidateOf({ metadata, parameters }: StoredModel): Candidate {
  const { valMacroF1, keptEpoch } = metadata!;
  return { valMacroF1, epoch: keptEpoch, size: parameters };
}

async function describe(file: string): Promise<StoredModel> {
  let loaded: LoadedWeights;
  try {
    loaded = await loadWeights(file);
  } catch (error) {
    if (!(error instanceof TreadleError)) throw error;
    return { file, metadata: null, parameters: 0, error };
  }
  const { inputs, hidden, classes, metadata } = loaded;
  return { file, metadata, parameters: classifierParameters({ inputs, hidden, classes }) };
}

function inReportOrder(a: StoredModel, b: StoredModel): number {
  if (a.metadata === null || b.metadata === null)
    return Number(a.metadata === null) - Number(b.metadata === null);
  const rank = (model: string): number => {
    const index = Object.keys(ARCHITECTURES).indexOf(model);
    return index < 0 ? Number.MAX_SAFE_INTEGER : index;
  };
  return (
    rank(a.metadata.model) - rank(b.metadata.model) ||
    a.metadata.model.localeCompare(b.metadata.model, 'en') ||
    b.metadata.learningRate - a.metadata.learningRate ||
    a.metadata.seed - b.metadata.seed
  );
}
