import type { NetworkTensors } from '../../dist/model/classifier.js';
import type { WeightsMetadata } from '../../dist/node/model-file.js';

/** A network of the given widths whose every value is different, so that no mix-up goes unseen. */
export function network(widths: number[], batchesTracked = 7): NetworkTensors {
  let count = 0;
  const values = (length: number) => Float32Array.from({ length }, () => ++count / 8 - 3);
  const dense = widths
    .slice(1)
    .map((out, layer) => ({ weight: values(widths[layer]! * out), bias: values(out) }));
  const batchNorm = widths.slice(1, -1).map((out) => ({
    gamma: values(out),
    beta: values(out),
    runningMean: values(out),
    runningVar: values(out).map(Math.abs),
  }));
  return { dense, batchNorm, batchesTracked };
}

export function metadataOf(widths: number[]): WeightsMetadata {
  return {
    treadle: '1',
    model: 'tiny',
    hidden: widths.slice(1, -1),
    inputs: widths[0]!,
    classes: widths.at(-1)!,
    dropout: 0.5,
    learningRate: 0.005,
    epochs: 10,
    keptEpoch: 8,
    batchSize: 256,
    seed: 42,
    mode: 'chained',
    build: 'simd',
    dataHash: 'c0ffee',
    dataset: 'Fashion-MNIST',
    classNames: Array.from({ length: widths.at(-1)! }, (_, index) => `class "${index}" é`),
    imageWidth: 2,
    imageHeight: 1,
    valLoss: 1e-7,
    valAccuracy: 0.875,
    valMacroF1: 0.8740234375,
  };
}
