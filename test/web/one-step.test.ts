import { describe, expect, it } from 'vitest';
import { createModel, type ModelSpec, mlp, type TensorKey } from '../../dist/index.js';
import { passOf, type SmallUnit, smallNetwork, stepped } from '../../web/rooms/playground/one-step.ts';
import { hiddenOutputs } from '../../web/rooms/playground/units.ts';

const POINT = { x: 0.31, y: -0.72, target: 1 };
const RATE = 0.5;

const weightsOf = (units: readonly SmallUnit[], inputs: number) =>
  Float32Array.from({ length: inputs * units.length }, (_, at) => {
    return units[at % units.length]!.weights[Math.floor(at / units.length)]!;
  });
const biasesOf = (units: readonly SmallUnit[]) => Float32Array.from(units, ({ bias }) => bias);

describe('one step in numbers', () => {
  it.each([
    ['of two classes', 2, false],
    ['of five classes', 5, false],
    ['of a number', 1, true],
  ] as const)('is the step that the library takes: %s', async (_, outputs, isNumber) => {
    const network = smallNetwork(3, outputs, 7);
    const spec = mlp({ inputs: 2, hidden: [3], outputs, activation: 'tanh', standardize: false });
    const model = await createModel({ ...spec, output: { head: isNumber ? 'identity' : 'softmax' } });
    model.setTensors(
      new Map<TensorKey, Float32Array>([
        ['0.weight', weightsOf(network.hidden, 2)],
        ['0.bias', biasesOf(network.hidden)],
        ['2.weight', weightsOf(network.output, 3)],
        ['2.bias', biasesOf(network.output)],
      ]),
    );
    const pass = passOf(network, POINT, isNumber);
    const said = model.probabilities([[POINT.x, POINT.y]]);
    for (const [at, { value }] of pass.output.entries()) expect(said[at]).toBeCloseTo(value, 5);
    const { epochs } = await model.fit(
      { x: [[POINT.x, POINT.y]], y: [POINT.target] },
      {
        epochs: 1,
        learningRate: RATE,
        optimizer: { type: 'sgd', momentum: 0 },
        task: isNumber ? 'regression' : 'classification',
      },
    );
    expect(epochs[0]!.trainLoss).toBeCloseTo(pass.loss, 5);
    const after = stepped(network, pass, RATE);
    const tensors = model.tensors();
    const near = (found: Float32Array, expected: Float32Array) => {
      expect(found).toHaveLength(expected.length);
      for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 5);
    };
    near(tensors.get('0.weight')!, weightsOf(after.hidden, 2));
    near(tensors.get('0.bias')!, biasesOf(after.hidden));
    near(tensors.get('2.weight')!, weightsOf(after.output, 3));
    near(tensors.get('2.bias')!, biasesOf(after.output));
  });

  it('has the gradients that small changes of the weights show', () => {
    const network = smallNetwork(3, 3, 2);
    const pass = passOf(network, POINT, false);
    const change = 1e-5;
    for (const layer of ['hidden', 'output'] as const) {
      for (const [unit, { weights }] of network[layer].entries()) {
        for (const input of weights.keys()) {
          const lossAt = (by: number) => {
            const moved = structuredClone(network);
            moved[layer][unit]!.weights[input]! += by;
            return passOf(moved, POINT, false).loss;
          };
          const slope = (lossAt(change) - lossAt(-change)) / (2 * change);
          expect(pass[layer][unit]!.gradients[input]).toBeCloseTo(slope, 7);
        }
      }
    }
  });
});

describe('the pictures of hidden units', () => {
  it.each(['relu', 'leakyRelu', 'tanh', 'sigmoid', 'gelu', 'silu'] as const)(
    'show what the network gives: %s',
    async (activation) => {
      const identity = Float32Array.from({ length: 16 }, (_, at) => Number(at % 5 === 0));
      const spec: ModelSpec = {
        input: { features: 2, type: 'f32' },
        layers: [
          { type: 'dense', units: 4 },
          { type: 'batchNorm' },
          { type: activation },
          { type: 'dropout', rate: 0.5 },
          { type: 'dense', units: 4 },
        ],
        output: { head: 'identity' },
      };
      const model = await createModel(spec);
      const tensors = new Map(model.tensors());
      tensors.set('4.weight', identity);
      tensors.set('1.runningMean', Float32Array.of(0.1, -0.2, 0.3, 0));
      tensors.set('1.runningVar', Float32Array.of(0.5, 1, 2, 1));
      tensors.set('1.beta', Float32Array.of(0, 0.4, -0.1, 0.2));
      model.setTensors(tensors);
      const places = Float32Array.of(0.4, -0.3, -1, 0.8, 0.05, 0.6);
      const [block] = hiddenOutputs(model.spec, tensors, places);
      const expected = model.probabilities(places);
      expect(block!.values).toHaveLength(expected.length);
      for (const [at, value] of expected.entries()) {
        expect(Math.abs(block!.values[at]! - value)).toBeLessThan(activation === 'gelu' ? 1e-3 : 1e-5);
      }
    },
  );
});
