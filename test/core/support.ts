import {
  type Engine,
  enableRelaxedSimd,
  loadEngine,
  type NetworkSpec,
  type Samples,
} from '../../dist/bindings/index.js';

enableRelaxedSimd();

/** The builds without threads run everywhere; those with threads are tried in threads.test.ts too. */
export const ALL_BUILDS = ['debug', 'simd', 'relaxed', 'simd-mt', 'relaxed-mt'] as const;

export const engines: Engine[] = await Promise.all(ALL_BUILDS.map((build) => loadEngine({ build })));

/** Numbers in [0, 1) from a 32-bit linear congruential generator. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Samples that a small network learns: each class is a fixed random image, blurred by noise and with empty pixels. */
export function toySamples(spec: NetworkSpec, count: number, seed: number): Samples {
  const next = uniform(seed);
  const prototypes = Array.from({ length: spec.classes }, () =>
    Array.from({ length: spec.inputs }, () => (next() < 0.5 ? 0 : Math.floor(next() * 200))),
  );
  const labels = Uint8Array.from({ length: count }, () => Math.floor(next() * spec.classes));
  const images = new Uint8Array(count * spec.inputs);
  labels.forEach((label, sample) => {
    prototypes[label]!.forEach((pixel, i) => {
      images[sample * spec.inputs + i] = pixel === 0 ? 0 : pixel + Math.floor(next() * 55);
    });
  });
  return { images, labels };
}

/** 0, 1, ..., count - 1 */
export function range(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}

/** Every number in a tree of arrays, typed arrays and objects, in order. */
export function flatten(tree: unknown): number[] {
  if (typeof tree === 'number') return [tree];
  if (ArrayBuffer.isView(tree)) return [...(tree as Float32Array)];
  return Object.values(tree as object).flatMap(flatten);
}
