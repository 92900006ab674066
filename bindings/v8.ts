/**
 * Turns relaxed SIMD on in an engine that has it behind a flag (Node 20's V8). To be called before loadEngine, and in
 * every worker. treadle itself never calls it on import: an embedder's engine is the embedder's. No effect elsewhere.
 */
export function enableRelaxedSimd(): void {
  const { process } = globalThis;
  if (process?.versions?.node === undefined || Number.parseInt(process.versions.node, 10) >= 22) return;
  process.getBuiltinModule('node:v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
}
