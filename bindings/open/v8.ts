import type { Core } from '../core/core.js';
import { checkModel } from '../model/layers.js';
import type { Tensors } from '../model/tensors.js';
import { Network } from '../network/network.js';
import { suitKernels } from './calibrate.js';
import { compileBytes, readWasm } from './wasm.js';

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
 * Turns relaxed SIMD on in an engine that has it behind a flag (Node 20's V8). To be called before loadCore, and in
 * every worker. No effect elsewhere.
 *
 * @example
 * enableRelaxedSimd(); // Node 20, before
 * const core = await loadCore();
 */
export function enableRelaxedSimd(): void {
  const major = nodeMajor();
  if (major > 0 && major < 22) setFlag('--experimental-wasm-relaxed-simd');
}

/**
 * Lets V8 join pairs of 128-bit operations into 256-bit ones (Node 22 and later on x64), which speeds the kernels up by
 * a third and more. The mode is experimental in V8, so a short training is first run with and without it: unless both
 * give the same bytes, the flag is taken back and the core returned as it was. No effect elsewhere.
 *
 * @example const core = await revectorize(await loadCore());
 */
export async function revectorize(core: Core): Promise<Core> {
  if (nodeMajor() < 22 || globalThis.process.arch !== 'x64' || core.build === 'debug') return core;
  const expected = probeTraining(core);
  setFlag('--experimental-wasm-revectorize');
  const module = await compileBytes(withSection(await readWasm(core.build), 'revectorized'));
  const joined = await suitKernels({ ...core, module, revectorized: true });
  if (sameBytes(probeTraining(joined), expected)) return joined;
  setFlag('--no-experimental-wasm-revectorize');
  return core;
}

/** Compressed and dense blocks, forward and backward, several panels wide. */
const PROBE = checkModel({
  input: { features: 96, type: 'u8' },
  layers: [
    { type: 'dense', units: 160 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'dropout', rate: 0.5 },
    { type: 'dense', units: 72 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'dropout', rate: 0.5 },
    { type: 'dense', units: 10 },
  ],
});
const PROBE_ROWS = 48;
const PROBE_STEPS = 60;

/** Tensors after a short training that V8 has had time to optimise. */
function probeTraining(core: Core): Tensors {
  const { features } = PROBE.input;
  const inputs = Uint8Array.from({ length: PROBE_ROWS * features }, (_, i) => (i * 7919) % 256);
  const rows = Uint32Array.from({ length: PROBE_ROWS }, (_, row) => row);
  const network = new Network(core, PROBE, {
    seed: 1,
    batchSize: PROBE_ROWS,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: PROBE_ROWS }],
  });
  network.load(0, { inputs, targets: rows.map((row) => row % 10) });
  network.training.begin(rows);
  for (let step = 0; step < PROBE_STEPS; step++) network.training.step(0, PROBE_ROWS, 0.01);
  const tensors = network.tensors();
  network.dispose();
  return tensors;
}

function sameBytes(one: Tensors, other: Tensors): boolean {
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
  return [...one].every(([key, values]) => {
    const expected = bits(other.get(key)!);
    return bits(values).every((word, i) => word === expected[i]);
  });
}

/** The module with an empty custom section at its end: other bytes, so that V8 does not reuse code it has compiled. */
function withSection(bytes: Uint8Array, name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  const section = [0, text.length + 1, text.length, ...text];
  const longer = new Uint8Array(bytes.length + section.length);
  longer.set(bytes);
  longer.set(section, bytes.length);
  return longer;
}
