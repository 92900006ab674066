import { type BuildName, type Core, measurePeak, Network } from '../../dist/bindings/host.js';
import { openCore } from '../../dist/cli/core.js';
import { describeEnvironment } from '../../dist/experiment/environment.js';
import { RECIPES } from '../../dist/experiment/recipes.js';
import { ARCHITECTURES } from '../../dist/fashion-mnist/architectures.js';
import {
  classifierModel,
  type LabelledImages,
  type NetworkSpec,
  widths,
} from '../../dist/model/classifier.js';

/** What a group of benches ran on. */
export interface BenchMachine {
  machine: string;
  node: string;
  v8: string;
  build: string;
  kernels: string;
  revectorized: boolean;
  /** 128-bit multiply-adds in registers alone, on one thread. */
  peakGflops: number;
}

/** What the reporter is told about a group of benches. */
export interface BenchGroup {
  machine: BenchMachine;
  /** Threads that a call uses; 1 when left out. */
  threads?: number;
  /** Floating-point operations of one call, by the bench's name. */
  work: Record<string, number>;
}

declare module 'vitest' {
  interface TaskMeta {
    group?: BenchGroup;
  }
}

/** How long one bench is run, in milliseconds. */
export const BRIEFLY = { time: 100, warmupTime: 40 };
export const LONGER = { time: 600, warmupTime: 200 };
/** How often a call of seconds is run, which needs no warm-up. */
export const ONCE = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 };
export const THRICE = { ...ONCE, iterations: 3 };

/**
 * A build as the command line opens it, by default the one that it takes by itself ($TREADLE_BUILD chooses another), and
 * what it runs on.
 */
export async function openMachine(
  wanted: BuildName | 'auto' = 'auto',
): Promise<{ core: Core; machine: BenchMachine }> {
  const core = await openCore(wanted);
  const { cpu, cores, node, v8, build, kernels, revectorized } = describeEnvironment(core, 0);
  const { peakGflops } = measurePeak(core, []);
  return {
    core,
    machine: { machine: `${cpu}, ${cores} cores`, node, v8, build, kernels, revectorized, peakGflops },
  };
}

/** The architectures on Fashion-MNIST's sizes. */
export const MODELS: [name: string, spec: NetworkSpec][] = Object.entries(ARCHITECTURES).map(
  ([name, { hidden }]) => [name, { inputs: 784, hidden, classes: 10, dropout: 0.5, shape: [28, 28] }],
);

/**
 * Floating-point operations of the matrix products for `rows` samples, zeros included: forward alone, or a whole
 * training step with the gradients of weights and inputs. What is not a product is not counted.
 */
export function productWork(spec: NetworkSpec, rows: number, pass: 'forward' | 'training'): number {
  const sizes = widths(spec);
  const layers = sizes.slice(1).map((outputs, layer) => 2 * rows * sizes[layer]! * outputs);
  const forward = layers.reduce((sum, layer) => sum + layer, 0);
  return pass === 'forward' ? forward : 3 * forward - layers[0]!;
}

/** Samples that a network learns, half of whose pixels are zero as in Fashion-MNIST: an image for each class, and noise. */
export function madeUpSamples({ inputs, classes }: NetworkSpec, count: number): LabelledImages {
  let word = 1;
  const next = (): number => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 32;
  };
  const prototypes = Uint8Array.from({ length: classes * inputs }, () =>
    next() < 0.5 ? 0 : 1 + Math.floor(next() * 200),
  );
  const labels = Uint8Array.from({ length: count }, () => Math.floor(next() * classes));
  const images = new Uint8Array(count * inputs);
  for (let i = 0; i < images.length; i++) {
    const pixel = prototypes[labels[Math.floor(i / inputs)]! * inputs + (i % inputs)]!;
    images[i] = pixel === 0 ? 0 : pixel + Math.floor(next() * 55);
  }
  return { images, labels };
}

/** A network of a spec that trains on the samples, as they are or moved as by the recipe `best`. */
export function trainer(
  core: Core,
  spec: NetworkSpec,
  batchSize: number,
  data: LabelledImages,
  moved = false,
): Network {
  const { until: _, ...augment } = RECIPES.best.augment!;
  const network = new Network(core, classifierModel(spec), {
    seed: 1,
    batchSize,
    training: {
      loss: { type: 'crossEntropy' },
      optimizer: { type: 'adam' },
      ...(moved && { augment }),
    },
    sets: [{ rows: data.labels.length }],
  });
  network.load(0, { inputs: data.images, targets: data.labels });
  return network;
}
