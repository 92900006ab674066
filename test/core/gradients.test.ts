import { describe, expect, it } from 'vitest';
import { ADAM_BETA1, Network, type NetworkSpec, type NetworkTensors } from '../../dist/bindings/index.js';
import { engines, flatten, range, toySamples, uniform } from './support.js';

const spec: NetworkSpec = { inputs: 20, hidden: [24, 12], classes: 4, dropout: 0.4 };
const BATCH = 31;
const data = toySamples(spec, BATCH, 3);

/** The trained tensors in one list, so that a direction can be added to them. */
function trained(tensors: NetworkTensors): Float32Array[] {
  return [
    ...tensors.dense.map(({ weight }) => weight),
    tensors.dense.at(-1)!.bias,
    ...tensors.batchNorm.flatMap(({ gamma, beta }) => [gamma, beta]),
  ];
}

describe.each(engines)(
  'the gradient through BatchNorm and a fixed dropout mask in the build $build',
  (engine) => {
    // The same seed draws the same mask in every network's first step.
    const create = () => new Network(engine, spec, { seed: 11, batchSize: BATCH, data });
    const start = create().exportTensors();

    function lossAt(shift: (tensor: number, element: number) => number): number {
      const tensors = structuredClone(start);
      trained(tensors).forEach((values, t) => {
        values.forEach((value, i) => {
          values[i] = value + shift(t, i);
        });
      });
      const network = create();
      network.importTensors(tensors);
      network.beginEpoch(range(BATCH), 0.1);
      return network.trainBatch(0, BATCH);
    }

    const network = create();
    network.beginEpoch(range(BATCH), 1e-3);
    network.trainBatch(0, BATCH);
    const { first } = network.exportOptimizer();
    const gradients = trained({
      ...start,
      dense: first.dense,
      batchNorm: first.batchNorm as NetworkTensors['batchNorm'],
    }).map((values) => values.map((value) => value / (1 - ADAM_BETA1)));

    it.each(gradients.map((_, t) => t))(
      'agrees with central differences along random directions of tensor %i (2 %)',
      (t) => {
        const next = uniform(100 + t);
        for (let trial = 0; trial < 3; trial++) {
          const direction = gradients[t]!.map(() => (next() < 0.5 ? -1 : 1));
          const norm = Math.sqrt(direction.length);
          const exact = gradients[t]!.reduce((sum, g, i) => sum + (g * direction[i]!) / norm, 0);
          const h = 2e-3;
          const along = (sign: number) =>
            lossAt((tensor, i) => (tensor === t ? (sign * h * direction[i]!) / norm : 0));
          const difference = (along(1) - along(-1)) / (2 * h);
          const size = Math.hypot(...gradients[t]!);
          expect(Math.abs(difference - exact), `difference ${difference}, gradient ${exact}`).toBeLessThan(
            0.02 * size + 2e-4,
          );
        }
      },
    );

    it('has a size that the comparison above can see', () => {
      for (const gradient of gradients) expect(Math.hypot(...gradient)).toBeGreaterThan(0.01);
      expect(flatten(first.dense.slice(0, -1).map(({ bias }) => bias)).every((value) => value === 0)).toBe(
        true,
      );
    });
  },
);
