import {
  BATCH_NORM_EPSILON,
  type NetworkSpec,
  type NetworkTensors,
  type Samples,
} from '../../dist/bindings/index.js';

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
export function predictionError(
  network: { spec: NetworkSpec; predict(images: Uint8Array): Float32Array; exportTensors(): NetworkTensors },
  { images, labels }: Samples,
): number {
  const { inputs } = network.spec;
  const tensors = network.exportTensors();
  const errors = Array.from({ length: 3 }, () => {
    const sample = Math.floor(Math.random() * labels.length);
    const image = images.subarray(sample * inputs, (sample + 1) * inputs);
    const found = network.predict(image);
    return Math.max(...float64Probabilities(tensors, image).map((p, c) => Math.abs(p - found[c]!)));
  });
  return Math.max(...errors);
}
