import { createModel, loadCore, loadModel, mlp, openWorker } from 'treadle';

// What a page hands over, and takes back.

export async function train(bytes: Uint8Array, signal: AbortSignal): Promise<WebAssembly.Module> {
  const start = () => new Worker(new URL('worker.js', location.href), { type: 'module' });
  const core = await loadCore({ wasm: fetch('simd.wasm') });
  await loadCore({ wasm: new URL('simd.wasm', location.href) });
  await loadCore({ wasm: await WebAssembly.compileStreaming(fetch('simd.wasm')) });
  await loadCore({ wasm: bytes });
  const spec = mlp({ inputs: 2, hidden: [16], outputs: 2 });
  const model = await createModel(spec, { core, worker: openWorker({ start }) });
  await model.fit({ x: [[0, 1]], y: ['odd'] }, { signal });
  const saved = await model.save();
  await fetch('models', { method: 'POST', body: saved });
  await crypto.subtle.digest('SHA-256', saved);
  await loadModel(await new Blob([saved]).arrayBuffer());
  return core.module;
}
