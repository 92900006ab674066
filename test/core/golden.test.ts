import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type Layer,
  type ModelSpec,
  mlp,
  Network,
  type Samples,
  type TensorKey,
  type Tensors,
  type TrainingOptions,
} from '../../dist/bindings/host.js';
import { ADAM_BETA1 } from '../../dist/bindings/model/optimizers.js';
import { cores, flatten, networkOn, range, recipe, withTensors } from './support.js';

// Ten training steps each in PyTorch, step by step; test/golden/make_*.py say how they were made.

function read(name: string) {
  return JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), 'utf8'));
}

/** Agreement with another framework in f32: 1e-5 absolute, where both run the same sums in another order. */
function expectClose(found: unknown, expected: unknown, tolerance = 1e-5): void {
  const [a, b] = [flatten(found), flatten(expected)];
  expect(a.length).toBe(b.length);
  const worst = Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  expect(worst).toBeLessThan(tolerance);
}

describe.each(cores)('ten steps of PyTorch in the build $build', (core) => {
  const trace = read('trace');
  const rows: number = trace.batchSize;
  const { classes } = trace.spec;
  const model = recipe(trace.spec);
  /** The keys of the trace's dense layers and norms. */
  const [dense, norm] = [[0, 4, 8] as const, [1, 5] as const];
  const tree = (tensors: Tensors) => ({
    dense: dense.map((l) => ({ weight: tensors.get(`${l}.weight`), bias: tensors.get(`${l}.bias`) })),
    batchNorm: norm.map((l) => ({ gamma: tensors.get(`${l}.gamma`), beta: tensors.get(`${l}.beta`) })),
  });

  it('are followed: losses, first gradient, parameters, running statistics and inference (1e-5)', () => {
    const steps: { inputs: number[]; labels: number[]; loss: number; gradients?: unknown }[] = trace.steps;
    const inputs = Uint8Array.from(steps.flatMap((step) => step.inputs));
    const targets = Uint8Array.from(steps.flatMap((step) => step.labels));
    const { seed } = trace.provenance;
    const network = networkOn(core, model, { inputs, targets }, { seed, batchSize: rows });
    const { initial } = trace;
    const changed: Partial<Record<TensorKey, Float32Array>> = {};
    for (const [layers, values] of [
      [dense, initial.dense],
      [norm, initial.batchNorm],
    ]) {
      layers.forEach((layer: number, index: number) => {
        for (const [role, numbers] of Object.entries<number[]>(values[index])) {
          changed[`${layer}.${role}` as TensorKey] = Float32Array.from(numbers);
        }
      });
    }
    network.setTensors(withTensors(network.tensors(), changed));
    network.training.begin(range(targets.length));
    steps.forEach((step, index) => {
      const loss = network.training.step(index * rows, rows, trace.learningRate);
      expect(Math.abs(loss - step.loss)).toBeLessThan(1e-5);
      if (index > 0) return;
      const [first] = network.training.exportState().optimizer.slots;
      expectClose(
        flatten(tree(first!)).map((moment) => moment / (1 - ADAM_BETA1)),
        step.gradients,
      );
      expectClose(tree(network.tensors()), trace.after['1']);
    });
    const final = network.tensors();
    expectClose(tree(final), trace.after['10']);
    const running = norm.map((l) => [final.get(`${l}.runningMean`), final.get(`${l}.runningVar`)]);
    expectClose(running, trace.runningStatistics);
    const softmax = (logits: number[]) => {
      const exponentials = logits.map(Math.exp);
      const sum = exponentials.reduce((total, e) => total + e);
      return exponentials.map((e) => e / sum);
    };
    const { logits } = trace.evaluation;
    const expected = Array.from({ length: rows }, (_, b) =>
      softmax(logits.slice(b * classes, (b + 1) * classes)),
    );
    expectClose(network.predict(Uint8Array.from(trace.evaluation.inputs)), expected);
  });
});

/** A trace of test/golden/steps.py. */
interface Trace {
  provenance: { script: string; torch: string };
  model: {
    inputs: number;
    hidden: number[];
    outputs: number;
    activation: 'tanh' | 'gelu' | 'leakyRelu';
    slope?: number;
    norm?: boolean;
    dropout?: number;
  };
  training: TrainingOptions;
  batchSize: number;
  initial: Record<string, number[]>;
  steps: (Batch & { loss: number; rate: number; gradientNorm: number })[];
  gradients: Record<string, number[]>;
  after: Record<'1' | '10', Record<string, number[]>>;
  running: Record<string, number[]>;
  evaluation: Batch & { outputs: number[]; loss: number };
}

interface Batch {
  inputs: number[];
  targets: number[];
  weights?: number[];
}

function modelOf({ slope, ...options }: Trace['model']): ModelSpec {
  const plain = mlp({ ...options, standardize: false });
  const sloped = (layer: Layer): Layer => (layer.type === 'leakyRelu' ? { ...layer, slope: slope! } : layer);
  return { ...plain, layers: plain.layers.map(sloped) };
}

/** Tensors by treadle's keys. */
function byKey(tensors: Record<string, number[]>, model: ModelSpec): Map<TensorKey, Float32Array> {
  return new Map(
    Object.entries(tensors).map(([name, numbers]) => {
      const [layer, parameter] = name.split('.') as [string, string];
      const isNorm = model.layers[Number(layer)]!.type === 'batchNorm';
      const roles: Record<string, string> = {
        weight: isNorm ? 'gamma' : 'weight',
        bias: isNorm ? 'beta' : 'bias',
        running_mean: 'runningMean',
        running_var: 'runningVar',
      };
      return [`${layer}.${roles[parameter]}` as TensorKey, Float32Array.from(numbers)];
    }),
  );
}

function samplesOf(batches: readonly Batch[]): Samples {
  const all = (name: keyof Batch) => Float32Array.from(batches.flatMap((batch) => batch[name]!));
  const weights = batches[0]!.weights ? { weights: all('weights') } : {};
  return { inputs: all('inputs'), targets: all('targets'), ...weights };
}

/** What a head makes of a row of logits. */
function ofHead(loss: string, logits: number[]): number[] {
  if (loss === 'squaredError') return logits;
  if (loss === 'binaryCrossEntropy') return logits.map((x) => 1 / (1 + Math.exp(-x)));
  const sum = logits.reduce((total, x) => total + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / sum);
}

/** The gradients of a first step: what the optimiser's state holds of them after it. */
function firstGradients(state: readonly Tensors[], { training }: Trace): Map<TensorKey, number[]> {
  const share = training.optimizer.type === 'sgd' ? 1 : 1 - ADAM_BETA1;
  return new Map([...state[0]!].map(([key, values]) => [key, [...values].map((m) => m / share)]));
}

describe.each(['regression', 'multilabel', 'smoothed'])('ten steps of PyTorch: %s', (name) => {
  const trace: Trace = read(name);
  const model = modelOf(trace.model);
  const rows = trace.batchSize;
  const expected = (tensors: Record<string, number[]>) => byKey(tensors, model);
  /** The parameters of PyTorch in the order of its trace. */
  const inOrder = (found: ReadonlyMap<TensorKey, unknown>, like: ReadonlyMap<TensorKey, unknown>) =>
    [...like.keys()].map((key) => found.get(key));

  it.each(cores)('followed by the build $build: losses, gradients, parameters, inference (1e-5)', (core) => {
    const samples = samplesOf(trace.steps);
    const seed = name === 'smoothed' ? 20250213 : 0;
    const options = { seed, batchSize: rows, training: trace.training };
    const network = networkOn(core, model, samples, options);
    network.setTensors(withTensors(network.tensors(), Object.fromEntries(expected(trace.initial))));
    network.training.begin(range(trace.steps.length * rows));
    trace.steps.forEach(({ loss, rate, gradientNorm }, index) => {
      expect(Math.abs(network.training.step(index * rows, rows, rate) - loss)).toBeLessThan(1e-5);
      if (index > 0) return;
      const { optimizer } = network.training.exportState();
      const gradients = firstGradients(optimizer.slots, trace);
      const { clipNorm } = trace.training;
      const scale = clipNorm === undefined ? 1 : Math.min(1, clipNorm / (gradientNorm + 1e-6));
      // L2 is in SGD's gradients.
      const l2 = trace.training.optimizer.type === 'sgd' ? trace.training.optimizer.l2! : 0;
      const initial = expected(trace.initial);
      const wanted = new Map(
        [...expected(trace.gradients)].map(([key, values]) => [
          key,
          [...values].map((g, i) => g * scale + (/weight/.test(key) ? l2 * initial.get(key)![i]! : 0)),
        ]),
      );
      expectClose(inOrder(gradients, wanted), [...wanted.values()]);
      const after = expected(trace.after['1']);
      expectClose(inOrder(network.tensors(), after), [...after.values()]);
    });
    for (const tensors of [expected(trace.after['10']), expected(trace.running)]) {
      if (tensors.size > 0) expectClose(inOrder(network.tensors(), tensors), [...tensors.values()]);
    }
    const { outputs, loss } = trace.evaluation;
    const width = trace.model.outputs;
    const predictions = Array.from({ length: rows }, (_, b) =>
      ofHead(trace.training.loss.type, outputs.slice(b * width, (b + 1) * width)),
    );
    const last = samplesOf([trace.evaluation]);
    expectClose(network.predict(last.inputs), predictions);
    // Evaluations report the loss that is trained for, smoothing and weights included.
    expectClose(network.evaluateOn(last).loss, loss);
    const only = new Network(core, { ...model, output: { head: network.head } });
    only.setTensors(network.tensors());
    expectClose(only.predict(last.inputs), predictions);
  });
});
