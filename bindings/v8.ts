import { suitKernels } from './calibrate.js';
import type { Engine } from './engine.js';
import { compileBytes, readWasm } from './load.js';
import { Network } from './network.js';
import type { NetworkSpec } from './spec.js';
import type { NetworkTensors } from './tensors.js';

// V8's flags, each for the whole process. treadle itself sets none on import or on loading: an embedder's engine is the
// embedder's. The command line and its workers do.

/** Major version of the Node that runs this; 0 elsewhere. */
function nodeMajor(): number {
  return Number.parseInt(globalThis.process?.versions?.node ?? '0', 10);
}

function setFlag(flag: string): void {
  globalThis.process.getBuiltinModule('node:v8').setFlagsFromString(flag);
}

/**
 * Turns relaxed SIMD on in an engine that has it behind a flag (Node 20's V8). To be called before loadEngine, and in
 * every worker. No effect elsewhere.
 */
export function enableRelaxedSimd(): void {
  const major = nodeMajor();
  if (major > 0 && major < 22) setFlag('--experimental-wasm-relaxed-simd');
}

/**
 * Lets V8 join pairs of 128-bit operations into 256-bit ones (Node 22 and later on x64), which speeds the kernels up by
 * a third and more. The mode is experimental in V8, so a short training is first run with and without it: unless both
 * give the same bytes, the flag is taken back and the engine returned as it was. No effect elsewhere.
 */
export async function revectorize(engine: Engine): Promise<Engine> {
  if (nodeMajor() < 22 || globalThis.process.arch !== 'x64' || engine.build === 'debug') return engine;
  const expected = probeTraining(engine);
  setFlag('--experimental-wasm-revectorize');
  const module = await compileBytes(withSection(await readWasm(engine.build), 'revectorized'));
  const joined = await suitKernels({ ...engine, module, revectorized: true });
  if (sameBytes(probeTraining(joined), expected)) return joined;
  setFlag('--no-experimental-wasm-revectorize');
  return engine;
}

/** Compressed and dense layers, forward and backward, several panels wide. */
const PROBE: NetworkSpec = { inputs: 96, hidden: [160, 72], classes: 10, dropout: 0.5 };
const PROBE_BATCH = 48;
const PROBE_STEPS = 60;

/** Weights after a short training that V8 has had time to optimise. */
function probeTraining(engine: Engine): NetworkTensors {
  const images = Uint8Array.from({ length: PROBE_BATCH * PROBE.inputs }, (_, i) => (i * 7919) % 256);
  const labels = Uint8Array.from({ length: PROBE_BATCH }, (_, i) => i % PROBE.classes);
  const network = new Network(engine, PROBE, { seed: 1, batchSize: PROBE_BATCH, data: { images, labels } });
  network.beginEpoch(
    Uint32Array.from(labels, (_, i) => i),
    0.01,
  );
  for (let step = 0; step < PROBE_STEPS; step++) network.trainBatch(0, PROBE_BATCH);
  return network.exportTensors();
}

function sameBytes(one: NetworkTensors, other: NetworkTensors): boolean {
  const arrays = ({ dense, batchNorm }: NetworkTensors): Float32Array[] =>
    [...dense, ...batchNorm].flatMap((tensors) => Object.values(tensors) as Float32Array[]);
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
  const others = arrays(other);
  return arrays(one).every((values, index) => {
    const expected = bits(others[index]!);
    return bits(values).every((word, i) => word === expected[i]);
  });
}

/** The module with an empty custom section at its end: other bytes, so that V8 does not reuse code it has compiled. */
function withSection(bytes: Uint8Array<ArrayBuffer>, name: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(name);
  const section = [0, text.length + 1, text.length, ...text];
  const longer = new Uint8Array(bytes.length + section.length);
  longer.set(bytes);
  longer.set(section, bytes.length);
  return longer;
}
