import { type Core, type GemmFigure, measurePeak, TreadleError } from '#bindings';
import { defaultConfig } from '../experiment/config.js';
import { describeEnvironment } from '../experiment/environment.js';
import { FEWEST_BATCHES } from '../experiment/time-epochs.js';
import { ARCHITECTURES } from '../fashion-mnist/architectures.js';
import type { Dataset } from '../fashion-mnist/dataset.js';
import type { LabelledImages } from '../model/classifier.js';
import { type EpochFigure, measureEpoch } from './epochs.js';
import { gemmShapes } from './shapes.js';

/** What is measured. */
export interface BenchSettings {
  /** Names in ARCHITECTURES. */
  models: readonly string[];
  batchSize: number;
  threads: number;
  /** Training samples of an epoch: the first ones of the dataset. */
  samples: number;
}

/** What a measurement found. */
export interface BenchReport {
  epochs: EpochFigure[];
  /** The products of one training step of the models, on one thread, packing included. */
  gemm: GemmFigure[];
  /** Multiply-adds in registers alone, on one thread. */
  peakGflops: number;
  machine: string;
  node: string;
  v8: string;
  build: string;
  /** The micro-kernels in use, such as `6x8/32`, and whether V8 joined 128-bit operations. */
  kernels: string;
  revectorized: boolean;
}

/** Fewest training samples that make an epoch worth timing. */
export function fewestSamples(batchSize: number): number {
  return FEWEST_BATCHES * batchSize;
}

/**
 * Times epochs of the models on the data, and their matrix products at that batch size. `log` is
 * told what is being done, a line each. Throws `range` when there are fewer samples than asked for, and what `measureEpoch`
 * throws.
 */
export async function runBench(
  core: Core,
  settings: BenchSettings,
  dataset: Dataset,
  log: (line: string) => void,
): Promise<BenchReport> {
  const shape = { inputs: dataset.imageWidth * dataset.imageHeight, classes: dataset.classNames.length };
  const samples = firstSamples(dataset, settings.samples, shape.inputs);
  const specOf = (model: string) => ({ ...shape, hidden: ARCHITECTURES[model]!.hidden });

  const epochs: EpochFigure[] = [];
  for (const model of settings.models) {
    log(`Epochs of ${model}`);
    const spec = { ...specOf(model), dropout: defaultConfig().dropout };
    const { batchSize, threads } = settings;
    epochs.push(await measureEpoch(core, { model, spec, batchSize, threads, data: samples }));
  }
  log('Matrix products');
  const { peakGflops, gemm } = measurePeak(core, gemmShapes(settings.models.map(specOf), settings.batchSize));
  const { cpu, cores, node, v8, build, kernels, revectorized } = describeEnvironment(core, 0);
  const machine = `${cpu}, ${cores} cores`;
  return { epochs, gemm, peakGflops, machine, node, v8, build, kernels, revectorized };
}

/** The training samples that every epoch goes over. Throws `range`. */
function firstSamples({ train }: Dataset, count: number, inputs: number): LabelledImages {
  if (count > train.count) {
    const expected = `at most ${train.count}, the training images that there are`;
    throw new TreadleError('range', `samples is ${count}; ${expected}, is expected.`, {
      subject: 'samples',
      found: count,
      expected,
    });
  }
  return { images: train.images.subarray(0, count * inputs), labels: train.labels.subarray(0, count) };
}
