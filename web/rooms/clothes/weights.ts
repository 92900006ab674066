import { CLASSES } from 'virtual:fashion-mnist';
import type { ModelSpec } from 'treadle';
import type { Trainer } from '../../panel/trainer.ts';
import { PIXELS } from './images.ts';

/** What files of models are called. */
const ENDS = ['.safetensors', '.npz', '.pkl', '.onnx', '.keras', '.h5'];

/** What a choice of files offers beside pictures. */
export const WEIGHTS = ENDS.join(',');

/** A file's name without the end that files of models have; null for others. */
export function nameOfWeights(file: string): string | null {
  const end = ENDS.find((own) => file.toLowerCase().endsWith(own));
  return end === undefined ? null : file.slice(0, -end.length);
}

/**
 * Opens a file of weights, such as `run-all` writes or any that the library imports, and gives its network. Rejects for another
 * kind of model; the one before stays then.
 */
export async function openWeights(trainer: Trainer, file: File): Promise<ModelSpec> {
  const { importModel } = await import('./importing.ts');
  const source = new Uint8Array(await file.arrayBuffer());
  const { bytes, spec } = importModel(source, { source: file.name });
  const { input, layers } = spec;
  const last = layers.findLast((layer) => layer.type === 'dense');
  if (input.type === 'sparse' || input.features !== PIXELS || last?.units !== CLASSES.length) {
    throw new Error(
      `${file.name} takes ${input.features} values and gives ${last?.units ?? 0}; a model of ${PIXELS} and ${CLASSES.length} is expected.`,
    );
  }
  const name = nameOfWeights(file.name) ?? file.name;
  await trainer.open(new Uint8Array(bytes), { name, epochs: [], best: 0 });
  return spec;
}
