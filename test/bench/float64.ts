import { BATCH_NORM_EPSILON, type Network } from '../../dist/bindings/host.js';
import { type LabelledImages, type NetworkTensors, toBlocks } from '../../dist/model/classifier.js';

/** Probabilities of one image, worked out in float64: Dense, BatchNorm with running statistics, ReLU; softmax at last. */
export function float64Probabilities({ dense, batchNorm }: NetworkTensors, image: Uint8Array): number[] {
  const scores = dense.reduce(
    (x, { weight, bias }, layer) => {
      const z = Array.from(bias, (start, column) =>
        x.reduce((sum, value, row) => sum + value * weight[row * bias.length + column]!, start),
      );
      const norm = batchNorm[layer];
      if (norm === undefined) return z;
      return z.map((value, c) => {
        const deviation = Math.sqrt(norm.runningVar[c]! + BATCH_NORM_EPSILON);
        return Math.max(0, ((value - norm.runningMean[c]!) / deviation) * norm.gamma[c]! + norm.beta[c]!);
      });
    },
    Array.from(image, (pixel) => pixel / 255),
  );
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** The largest difference between a network's probabilities and the float64 ones, over a few random samples. */
export function predictionError(network: Network, { images, labels }: LabelledImages): number {
  const { features } = network.model.input;
  const blocks = toBlocks(network.model, network.tensors(), 0);
  const errors = Array.from({ length: 3 }, () => {
    const sample = Math.floor(Math.random() * labels.length);
    const image = images.subarray(sample * features, (sample + 1) * features);
    const found = network.predict(image);
    return Math.max(...float64Probabilities(blocks, image).map((p, c) => Math.abs(p - found[c]!)));
  });
  return Math.max(...errors);
}
