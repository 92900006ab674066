import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { problem, TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { classifierModel, fromBlocks } from '../model/classifier.js';
import { readFileBounded, writeFileAtomic } from '../node/files.js';
import { decodeWeights, MAX_FILE_BYTES } from '../node/model-file.js';
import type { RunConfig } from '../results/records.js';
import type { Weights } from '../train/loop.js';
import type { DataShape } from './jobs.js';
import { digestOf } from './replacement.js';
import { bestStored, listModels } from './stored-models.js';

/** The weights that an architecture starts from. */
export interface StartingWeights {
  /** SHA-256 (hex) of the file. */
  digest: string;
  bytes: Uint8Array;
  weights: Weights;
}

/** The weights of a run's architectures, by their names. */
export type Starts = ReadonlyMap<string, StartingWeights>;

/**
 * The weights that each architecture of a run starts from, by its name: none where `from` is undefined; of a file, which all have to fit, or of a folder,
 * where it is the best by validation of the models of that name. Throws `not-found`, `unreadable` and what reading a file
 * throws, `not-found` for an architecture that a folder has no weights of, and `shape` for weights of other widths.
 */
export async function startingWeights(
  from: string | undefined,
  { architectures }: Pick<RunConfig, 'architectures'>,
  shape: DataShape,
): Promise<Starts> {
  if (from === undefined) return new Map();
  const files = await filesOf(from, architectures);
  const starts = new Map<string, StartingWeights>();
  for (const { name, hidden } of architectures) {
    const file = files.get(name)!;
    starts.set(name, startOf(await readFileBounded(file, MAX_FILE_BYTES), file, name, hidden, shape));
  }
  return starts;
}

async function filesOf(
  from: string,
  architectures: RunConfig['architectures'],
): Promise<Map<string, string>> {
  const isFolder = (await stat(from).catch(() => null))?.isDirectory() ?? false;
  if (!isFolder) return new Map(architectures.map(({ name }) => [name, from]));
  const models = await listModels(from);
  return new Map(
    architectures.map(({ name }) => {
      const own = models.filter(({ metadata }) => metadata?.model === name);
      if (own.length > 0) return [name, bestStored(own, from).file];
      throw new TreadleError(
        'not-found',
        `${from} has no weights of ${name} to start from; a .safetensors file that treadle wrote is expected for each architecture.`,
        { subject: from, found: `no weights of ${name}`, expected: `weights of ${name}` },
      );
    }),
  );
}

/** Starting weights from a file's bytes. Throws what reading them throws, and `shape` for weights of other widths. */
export function startOf(
  bytes: Uint8Array,
  file: string,
  name: string,
  hidden: readonly number[],
  { inputs, classes }: DataShape,
): StartingWeights {
  const stored = decodeWeights(bytes, file);
  const found = [stored.inputs, ...stored.hidden, stored.classes].join(' -> ');
  const expected = [inputs, ...hidden, classes].join(' -> ');
  if (found !== expected) {
    throw problem('shape', {
      subject: file,
      found: `${found} wide`,
      expected: `${expected}, as ${name} is,`,
    });
  }
  const model = classifierModel({ inputs, hidden, classes, dropout: 0 });
  const { tensors } = stored;
  return {
    digest: digestOf(bytes),
    bytes,
    weights: { tensors: fromBlocks(model, tensors), batchesTracked: tensors.batchesTracked },
  };
}

/** The SHA-256 (hex) of each architecture's weights, by its name. */
export function digestsOf(starts: Starts): Record<string, string> {
  return Object.fromEntries([...starts].map(([name, { digest }]) => [name, digest]));
}

/** Keeps a run's starting weights among its checkpoints: what they were read from may be written over. */
export async function keepStarts(folder: string, starts: Starts): Promise<void> {
  for (const [name, { bytes }] of starts) await writeFileAtomic(keptPath(folder, name), bytes);
}

/**
 * The starting weights that {@link keepStarts} has kept, of these digests. Throws `not-found`, `unreadable`, and `format`
 * for a file that is no longer what was kept.
 */
export async function keptStarts(
  folder: string,
  digests: Readonly<Record<string, string>>,
  { architectures }: Pick<RunConfig, 'architectures'>,
  shape: DataShape,
): Promise<Starts> {
  const starts = new Map<string, StartingWeights>();
  for (const { name, hidden } of architectures) {
    const digest = digests[name];
    if (digest === undefined) continue;
    const path = keptPath(folder, name);
    const bytes = await readFileBounded(path, MAX_FILE_BYTES);
    const found = digestOf(bytes);
    if (found !== digest) throw formatError(path, `its SHA-256 is ${found}`, digest);
    starts.set(name, startOf(bytes, path, name, hidden, shape));
  }
  return starts;
}

function keptPath(folder: string, name: string): string {
  return join(folder, `start-of-${name}`);
}
