import { readFile, writeFile } from 'node:fs/promises';
import { createModel, loadModel, mlp, writeModel } from 'treadle';
import { loadDataset } from 'treadle/experiment';

// What Node hands over, and takes back.

export async function train(): Promise<void> {
  const model = await createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }));
  await model.fit({ x: [[0, 1]], y: ['odd'] }, { signal: AbortSignal.timeout(1000) });
  await writeFile('model.safetensors', model.save());
  await loadModel(await readFile('model.safetensors'));
  await writeModel('model.safetensors', model);
  await loadDataset({ verify: true, fetch, signal: new AbortController().signal });
}
