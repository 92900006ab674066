import {
  type Core,
  enableRelaxedSimd,
  loadCore,
  type ModelSpec,
  mlp,
  Network,
  type NetworkOptions,
  type Samples,
  type TensorKey,
  type Tensors,
  type TrainingOptions,
} from '../../dist/bindings/host.js';

enableRelaxedSimd();

/** The builds without threads run everywhere; those with threads are tried in threads.test.ts too. */
export const ALL_BUILDS = ['debug', 'simd', 'relaxed', 'simd-mt', 'relaxed-mt'] as const;

export const cores: Core[] = await Promise.all(ALL_BUILDS.map((build) => loadCore({ build })));

/** The core of one build. */
export function coreOf(build: string): Core {
  return cores.find((core) => core.build === build)!;
}

/** A classifier of u8 samples as the default recipe has it. */
export interface Shape {
  inputs: number;
  hidden: readonly number[];
  classes: number;
  dropout: number;
}

/** The default recipe's model: blocks of dense, BatchNorm, ReLU and dropout. */
export function recipe({ inputs, hidden, classes, dropout }: Shape): ModelSpec {
  return mlp({ inputs, hidden, outputs: classes, dropout, norm: true, inputType: 'u8' });
}

/** What the default recipe trains with. */
export const RECIPE: TrainingOptions = { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } };

/** Samples of labelled images. */
export interface Images extends Samples {
  inputs: Uint8Array;
  targets: Uint8Array;
}

/** A network whose only set holds `data`. */
export function networkOn(
  core: Core,
  model: ModelSpec,
  data: Samples,
  options: NetworkOptions = {},
  rows = rowsOf(model, data),
): Network {
  const entries = 'indices' in data.inputs ? data.inputs.indices.length : undefined;
  const set = entries === undefined ? { rows } : { rows, entries };
  const network = new Network(core, model, { training: RECIPE, sets: [set], ...options });
  network.load(0, data);
  return network;
}

function rowsOf({ input }: ModelSpec, { inputs }: Samples): number {
  return 'indptr' in inputs ? inputs.indptr.length - 1 : inputs.length / input.features;
}

/** Numbers in [0, 1) from a 32-bit linear congruential generator. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Samples that a small network learns: each class is a fixed random image, blurred by noise and with empty pixels. */
export function toySamples(shape: Pick<Shape, 'inputs' | 'classes'>, count: number, seed: number): Images {
  const next = uniform(seed);
  const prototypes = Array.from({ length: shape.classes }, () =>
    Array.from({ length: shape.inputs }, () => (next() < 0.5 ? 0 : Math.floor(next() * 200))),
  );
  const targets = Uint8Array.from({ length: count }, () => Math.floor(next() * shape.classes));
  const inputs = new Uint8Array(count * shape.inputs);
  targets.forEach((label, sample) => {
    prototypes[label]!.forEach((pixel, i) => {
      inputs[sample * shape.inputs + i] = pixel === 0 ? 0 : pixel + Math.floor(next() * 55);
    });
  });
  return { inputs, targets };
}

/** 0, 1, ..., count - 1 */
export function range(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}

/** The rows of a dense matrix without their zeros. */
export function sparse(values: ArrayLike<number>, features: number) {
  const indptr = [0];
  const indices: number[] = [];
  const kept: number[] = [];
  for (let at = 0; at < values.length; at++) {
    if (values[at] !== 0) {
      indices.push(at % features);
      kept.push(values[at]!);
    }
    if (at % features === features - 1) indptr.push(indices.length);
  }
  return { indptr, indices, values: Float32Array.from(kept) };
}

/** A copy of tensors in which those of `changed` stand instead. */
export function withTensors(
  tensors: Tensors,
  changed: Partial<Record<TensorKey, Float32Array>>,
): Map<TensorKey, Float32Array> {
  const copy = new Map<TensorKey, Float32Array>([...tensors].map(([key, values]) => [key, values.slice()]));
  for (const [key, values] of Object.entries(changed)) copy.set(key as TensorKey, values!);
  return copy;
}

/** Every number in a tree of arrays, typed arrays, maps and objects, in order. */
export function flatten(tree: unknown): number[] {
  if (typeof tree === 'number') return [tree];
  if (tree === null) return [];
  if (ArrayBuffer.isView(tree)) return [...(tree as Float32Array)];
  return (tree instanceof Map ? [...tree.values()] : Object.values(tree as object)).flatMap(flatten);
}

/** Every number in a tree as f64 bytes, which two trainings of the same bytes have in common. */
export function bytesOf(tree: unknown): Buffer {
  return Buffer.from(Float64Array.from(flatten(tree)).buffer);
}
