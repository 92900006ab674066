import { type Point, randomNumbers } from './points.ts';

/** A unit of a small network: its weights, one for each number before it, and its bias. */
export interface SmallUnit {
  weights: number[];
  bias: number;
}

/** A small network: two inputs, tanh units, and an output for each class or for the number. */
export interface SmallNetwork {
  hidden: SmallUnit[];
  output: SmallUnit[];
}

/** What a unit has to do with one point. */
export interface UnitPass {
  /** The weighted sum with the bias. */
  sum: number;
  /** What the unit gives. */
  value: number;
  /** How the loss grows with the sum. */
  delta: number;
  /** How it grows with each weight; with the bias it grows by delta. */
  gradients: number[];
}

/** One point forward and backward through a network, in numbers. */
export interface Pass {
  inputs: [number, number];
  target: number;
  hidden: UnitPass[];
  output: UnitPass[];
  loss: number;
}

/** Fresh weights: He's for what is before a bend (Glorot's for tanh and the output). */
export function smallNetwork(units: number, outputs: number, seed: number): SmallNetwork {
  const random = randomNumbers(seed);
  const layer = (count: number, inputs: number): SmallUnit[] => {
    const reach = Math.sqrt(6 / (inputs + count));
    return Array.from({ length: count }, () => ({
      weights: Array.from({ length: inputs }, () => reach * (2 * random() - 1)),
      bias: 0,
    }));
  };
  return { hidden: layer(units, 2), output: layer(outputs, units) };
}

/**
 * A point through the network: sums and values forward, then backward how the loss changes with each of them, by the chain rule.
 * Classes: softmax and cross-entropy. A number: its squared error.
 */
export function passOf({ hidden, output }: SmallNetwork, { x, y, target }: Point, isNumber: boolean): Pass {
  const inputs: [number, number] = [x, y];
  const sumOf = ({ weights, bias }: SmallUnit, values: readonly number[]) =>
    weights.reduce((sum, weight, at) => sum + weight * values[at]!, bias);
  const hiddenSums = hidden.map((unit) => sumOf(unit, inputs));
  const hiddenValues = hiddenSums.map(Math.tanh);
  const sums = output.map((unit) => sumOf(unit, hiddenValues));
  const most = Math.max(...sums);
  const exponents = sums.map((sum) => Math.exp(sum - most));
  const total = exponents.reduce((a, b) => a + b, 0);
  const values = isNumber ? sums : exponents.map((exponent) => exponent / total);
  const loss = isNumber ? (values[0]! - target) ** 2 : -Math.log(values[target]!);
  const deltas = values.map((value, at) =>
    isNumber ? 2 * (value - target) : value - (at === target ? 1 : 0),
  );
  const hiddenDeltas = hiddenValues.map(
    (value, unit) =>
      (1 - value ** 2) * output.reduce((sum, { weights }, at) => sum + deltas[at]! * weights[unit]!, 0),
  );
  const unitPass = (sum: number, value: number, delta: number, before: readonly number[]): UnitPass => ({
    sum,
    value,
    delta,
    gradients: before.map((own) => delta * own),
  });
  return {
    inputs,
    target,
    hidden: hiddenSums.map((sum, at) => unitPass(sum, hiddenValues[at]!, hiddenDeltas[at]!, inputs)),
    output: sums.map((sum, at) => unitPass(sum, values[at]!, deltas[at]!, hiddenValues)),
    loss,
  };
}

/** The network after a step of plain gradient descent. */
export function stepped({ hidden, output }: SmallNetwork, pass: Pass, rate: number): SmallNetwork {
  const move = (units: readonly SmallUnit[], passes: readonly UnitPass[]): SmallUnit[] =>
    units.map(({ weights, bias }, at) => ({
      weights: weights.map((weight, input) => weight - rate * passes[at]!.gradients[input]!),
      bias: bias - rate * passes[at]!.delta,
    }));
  return { hidden: move(hidden, pass.hidden), output: move(output, pass.output) };
}
