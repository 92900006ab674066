import { createModel, loadModel, mlp, type WorkerModel } from 'treadle';
import { type Core, loadCore, Network } from 'treadle/core';
import * as experiment from 'treadle/experiment';
import * as inline from 'treadle/inline';

// What compiles without the types of the DOM and of Node.

const spec = mlp({ inputs: 2, hidden: [16], outputs: 2 });

export async function train(
  signal: { aborted: boolean } & experiment.TestFilesOptions['signal'],
): Promise<string[]> {
  const core: Core = await loadCore({ wasm: new Uint8Array(8) });
  const model = await createModel(spec, { seed: 0, core });
  for await (const { epoch, trainLoss } of model.fit({ x: [[0, 1]], y: ['odd'] }, { epochs: 3, signal })) {
    if (trainLoss < epoch) break;
  }
  const there: WorkerModel = await loadModel(model.save(), { worker: true, threads: 'auto' });
  const network = new Network(core, spec, { batchSize: 4 });
  network.dispose();
  const { x, y } = { x: Float32Array.of(0, 1), y: ['odd'] };
  const found = await there.evaluate({ x, y });
  return [String(found.loss), experiment.defaultConfig().build, inline.mlp.name];
}
