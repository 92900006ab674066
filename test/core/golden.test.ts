import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADAM_BETA1, Network, type NetworkTensors } from '../../dist/bindings/index.js';
import { engines, flatten } from './support.js';

/** Ten training steps in PyTorch; test/golden/make_trace.py says how they were made. */
const trace = JSON.parse(readFileSync(new URL('../golden/trace.json', import.meta.url), 'utf8'));
const rows: number = trace.batchSize;
const { inputs, hidden, classes, dropout } = trace.spec;
const spec = { inputs, hidden, classes, dropout };

/** Agreement with another framework in f32: 1e-5 absolute, where both run the same sums in another order. */
function expectClose(found: unknown, expected: unknown, tolerance = 1e-5): void {
  const [a, b] = [flatten(found), flatten(expected)];
  expect(a.length).toBe(b.length);
  const worst = Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  expect(worst).toBeLessThan(tolerance);
}

const parametersOf = ({ dense, batchNorm }: NetworkTensors) => ({
  dense: dense.map(({ weight, bias }) => ({ weight, bias })),
  batchNorm: batchNorm.map(({ gamma, beta }) => ({ gamma, beta })),
});

describe.each(engines)('ten steps of PyTorch in the build $build', (engine) => {
  const images = Uint8Array.from(trace.steps.flatMap((step: { inputs: number[] }) => flatten(step.inputs)));
  const labels = Uint8Array.from(trace.steps.flatMap((step: { labels: number[] }) => step.labels));
  const network = new Network(engine, spec, {
    seed: trace.provenance.seed,
    batchSize: rows,
    data: { images, labels },
  });
  const initial = network.exportTensors();
  network.importTensors({
    ...initial,
    dense: trace.initial.dense.map((tensors: Record<string, number[]>) => ({
      weight: Float32Array.from(tensors.weight!),
      bias: Float32Array.from(tensors.bias!),
    })),
    batchNorm: trace.initial.batchNorm.map((tensors: Record<string, number[]>, l: number) => ({
      ...initial.batchNorm[l]!,
      gamma: Float32Array.from(tensors.gamma!),
      beta: Float32Array.from(tensors.beta!),
    })),
  });
  network.beginEpoch(
    Uint32Array.from(labels, (_, i) => i),
    trace.learningRate,
  );

  it('are followed: losses, first gradient, parameters, running statistics and inference (1e-5)', () => {
    trace.steps.forEach((step: { loss: number; gradients?: unknown }, index: number) => {
      expect(Math.abs(network.trainBatch(index * rows, rows) - step.loss)).toBeLessThan(1e-5);
      if (index > 0) return;
      const { first } = network.exportOptimizer();
      expectClose(
        flatten(first).map((moment) => moment / (1 - ADAM_BETA1)),
        step.gradients,
      );
      expectClose(parametersOf(network.exportTensors()), trace.after['1']);
    });
    const final = network.exportTensors();
    expectClose(parametersOf(final), trace.after['10']);
    expectClose(
      final.batchNorm.map(({ runningMean, runningVar }) => ({ mean: runningMean, variance: runningVar })),
      trace.runningStatistics,
    );
    const softmax = (logits: number[]) => {
      const exponentials = logits.map(Math.exp);
      const sum = exponentials.reduce((total, e) => total + e);
      return exponentials.map((e) => e / sum);
    };
    const expected = Array.from({ length: rows }, (_, b) =>
      softmax(flatten(trace.evaluation.logits).slice(b * classes, (b + 1) * classes)),
    );
    expectClose(network.predict(Uint8Array.from(flatten(trace.evaluation.inputs))), expected);
  });
});
