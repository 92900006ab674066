import { CLASSES } from 'virtual:fashion-mnist';
import type { ModelSpec } from 'treadle';
import type { Trainer } from '../../panel/trainer.ts';
import { PIXELS } from './images.ts';

/**
 * Opens a weights file, such as `run-all` writes, and gives its network. Rejects for one of another kind of model; the model before
 * stays then.
 */
export async function openWeights(trainer: Trainer, file: File): Promise<ModelSpec> {
  const { importModel } = await import('./importing.ts');
  const source = new Uint8Array(await file.arrayBuffer());
  const { bytes, spec } = importModel(source, { source: file.name });
  const { input, layers } = spec;
  const last = layers.findLast((layer) => layer.type === 'dense');
  if (input.features !== PIXELS || last?.units !== CLASSES.length) {
    throw new Error(
      `${file.name} takes ${input.features} values and gives ${last?.units ?? 0}; a model of ${PIXELS} and ${CLASSES.length} is expected.`,
    );
  }
  const name = file.name.replace(/\.safetensors$/, '');
  await trainer.open(new Uint8Array(bytes), { name, epochs: [], best: 0 });
  return spec;
}
