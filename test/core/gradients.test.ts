import { describe, expect, it } from 'vitest';
import {
  type Layer,
  type Loss,
  type ModelSpec,
  PLAIN_ACTIVATIONS,
  type Samples,
  type TensorKey,
  type TrainingOptions,
} from '../../dist/bindings/host.js';
import { cores, networkOn, range, sparse, toySamples, uniform, withTensors } from './support.js';

// Gradients through whole networks against central differences of their loss.

const ROWS = 31;
const FEATURES = 20;
const OUTPUTS = 4;

interface Case {
  name: string;
  activation: Layer | null;
  norm?: boolean;
  frozen?: boolean;
  dropout?: number;
  input?: 'u8' | 'f32' | 'sparse';
  loss?: Loss;
  weighted?: boolean;
  training?: Partial<TrainingOptions>;
}

const ACTIVATIONS: (Layer | null)[] = [
  null,
  ...PLAIN_ACTIVATIONS.map((type) => ({ type })),
  { type: 'leakyRelu', slope: 0.2 },
];
const LOSSES: Loss[] = [
  { type: 'crossEntropy' },
  { type: 'crossEntropy', labelSmoothing: 0.2 },
  { type: 'binaryCrossEntropy' },
  { type: 'squaredError' },
  { type: 'huber', delta: 0.3 },
];
const named = (value: object | null) => (value === null ? 'no activation' : JSON.stringify(value));

const cases: Case[] = [
  ...ACTIVATIONS.flatMap((activation): Case[] => [
    { name: `${named(activation)} alone`, activation, input: 'f32' },
    { name: `${named(activation)} behind BatchNorm, and dropout`, activation, norm: true, dropout: 0.4 },
    { name: `${named(activation)} and dropout`, activation, dropout: 0.4 },
    { name: `${named(activation)} behind frozen statistics`, activation, norm: true, frozen: true },
  ]),
  ...LOSSES.flatMap((loss): Case[] => [
    { name: named(loss), activation: { type: 'silu' }, input: 'f32', loss },
    { name: `${named(loss)}, weighted`, activation: { type: 'tanh' }, norm: true, loss, weighted: true },
  ]),
  ...(['u8', 'f32', 'sparse'] as const).flatMap((input): Case[] => [
    { name: `${input} input`, activation: { type: 'gelu' }, input },
    { name: `${input} input behind BatchNorm and ReLU`, activation: { type: 'relu' }, norm: true, input },
    { name: `${input} input, stored`, activation: { type: 'relu' }, input, training: { clipNorm: 1e6 } },
  ]),
];

function modelOf({ activation, norm, dropout, input = 'u8' }: Case): ModelSpec {
  const block = (units: number): Layer[] => [
    { type: 'dense', units },
    ...(norm ? [{ type: 'batchNorm' } as const] : []),
    ...(activation ? [activation] : []),
    ...(dropout ? [{ type: 'dropout', rate: dropout } as const] : []),
  ];
  const layers: Layer[] = [...block(24), ...block(12), { type: 'dense', units: OUTPUTS }];
  return { input: { features: FEATURES, type: input }, layers };
}

function samplesOf({ input = 'u8', loss, weighted }: Case): Samples {
  const { inputs, targets } = toySamples({ inputs: FEATURES, classes: OUTPUTS }, ROWS, 3);
  const next = uniform(6);
  const floats = Float32Array.from(inputs, (pixel) => pixel / 100);
  const isClass = loss === undefined || loss.type === 'crossEntropy';
  const range = loss?.type === 'binaryCrossEntropy' ? 1 : 3;
  return {
    inputs: input === 'u8' ? inputs : input === 'f32' ? floats : sparse(floats, FEATURES),
    targets: isClass ? targets : Float32Array.from({ length: ROWS * OUTPUTS }, () => range * next()),
    ...(weighted && { weights: Float32Array.from({ length: ROWS }, (_, row) => (row % 3) * next()) }),
  };
}

describe.each(cores)('the gradient in the build $build', (core) => {
  it.each(cases)('agrees with central differences (2 %): $name', (each) => {
    const { loss = { type: 'crossEntropy' }, frozen = false } = each;
    // After a first step the momentum is the gradient.
    const optimizer = { type: 'sgd', momentum: 0.9 } as const;
    const training = { loss, optimizer, frozenStatistics: frozen, ...each.training };
    const network = networkOn(core, modelOf(each), samplesOf(each), { seed: 11, batchSize: ROWS, training });
    const next = uniform(100);
    const initial = network.training.exportState();
    const start = new Map(
      network.table.map(({ key, role }) => {
        const values = initial.tensors.get(key)!;
        const centre = role === 'gamma' || role === 'runningVar' ? 1 : 0;
        return [key, role === 'weight' ? values : values.map(() => centre + 0.4 * (next() - 0.5))];
      }),
    );
    // The counter of dropout masks begins anew, so every step draws the same mask.
    const lossOf = (tensors: ReadonlyMap<TensorKey, Float32Array>) => {
      network.training.importState({ ...initial, tensors });
      return network.training.step(0, ROWS, 1e-3);
    };
    network.training.begin(range(ROWS));
    lossOf(start);
    const [gradients] = network.training.exportState().optimizer.slots;
    let largest = 0;
    for (const { key, trained, frozen: still } of network.table) {
      if (!trained) continue;
      const gradient = gradients!.get(key)!;
      if (still) {
        expect(gradient.every((value) => value === 0)).toBe(true);
        continue;
      }
      const size = Math.hypot(...gradient);
      largest = Math.max(largest, size);
      for (let trial = 0; trial < 2; trial++) {
        const direction = gradient.map(() => (next() < 0.5 ? -1 : 1));
        const norm = Math.sqrt(direction.length);
        const exact = gradient.reduce((sum, g, i) => sum + (g * direction[i]!) / norm, 0);
        const h = 2e-3;
        const along = (sign: number) => {
          const moved = start.get(key)!.map((value, i) => value + (sign * h * direction[i]!) / norm);
          return lossOf(withTensors(start, { [key]: moved }));
        };
        const difference = (along(1) - along(-1)) / (2 * h);
        const found = `${key}: difference ${difference}, gradient ${exact} of size ${size}`;
        expect(Math.abs(difference - exact), found).toBeLessThan(0.02 * size + 2e-4);
      }
    }
    // A size that the comparison can see.
    expect(largest).toBeGreaterThan(0.02);
  });
});

it.each(cores)('stored gradients step as those that are never stored, byte for byte: $build', (core) => {
  for (const activation of [{ type: 'relu' }, { type: 'gelu' }] as const) {
    for (const norm of [true, false]) {
      const each: Case = { name: '', activation, norm, dropout: 0.4 };
      for (const optimizer of [
        { type: 'adam' },
        { type: 'adamW' },
        { type: 'sgd', momentum: 0.9 },
      ] as const) {
        const [fused, stored] = [{}, { clipNorm: 1e6 }].map((extra) => {
          const training = { loss: LOSSES[0]!, optimizer, ...extra };
          const network = networkOn(core, modelOf(each), samplesOf(each), { batchSize: ROWS, training });
          network.training.begin(range(ROWS));
          for (let step = 0; step < 5; step++) network.training.step(0, ROWS, 0.01);
          return network.training.exportState();
        });
        expect(stored).toEqual(fused);
      }
    }
  }
});

it.each(cores)('clipping scales all gradients by one factor: $build', (core) => {
  const each: Case = { name: '', activation: { type: 'tanh' }, norm: true };
  const gradients = (clipNorm: number) => {
    const training = { loss: LOSSES[0]!, optimizer: { type: 'sgd', momentum: 0.9 }, clipNorm } as const;
    const network = networkOn(core, modelOf(each), samplesOf(each), { batchSize: ROWS, training });
    network.training.begin(range(ROWS));
    network.training.step(0, ROWS, 0.01);
    const [slot] = network.training.exportState().optimizer.slots;
    return [...slot!.values()].flatMap((values) => [...values]);
  };
  const whole = gradients(1e6);
  const norm = Math.hypot(...whole);
  const limit = norm / 3;
  gradients(limit).forEach((g, i) => {
    expect(Math.abs(g - (whole[i]! * limit) / (norm + 1e-6))).toBeLessThan(1e-7);
  });
  // Just above the norm nothing is clipped.
  expect(gradients(norm * 1.001)).toEqual(whole);
});
