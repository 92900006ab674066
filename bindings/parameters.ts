import { expectLength } from './checks.js';
import type { NetworkMemory } from './memory.js';
import type { Matrix } from './plan.js';
import { seedWords } from './seed.js';
import type { ParameterTensors } from './tensors.js';

/** The buffers that hold one value for each trained parameter. */
export type ParameterBuffer = 'parameters' | 'moment1' | 'moment2';

/** The hidden blocks' statistics that inference uses. */
export const RUNNING_STATISTICS = ['runningMean', 'runningVar'] as const;

/** A copy of the values in a buffer, without its padding, in the arrays of `into` where they are given. */
export function readParameters(
  memory: NetworkMemory,
  buffer: ParameterBuffer,
  into?: ParameterTensors,
): ParameterTensors {
  const panel = memory.core.constant('PANEL');
  const read = (matrix: Matrix, values: Float32Array = new Float32Array(matrix.rows * matrix.columns)) => {
    copyMatrix(memory.floats(buffer), matrix, panel, values, true);
    return values;
  };
  const { layers } = memory.plan;
  return {
    dense: layers.map((layer, l) => ({
      weight: read(layer.weight, into?.dense[l]?.weight),
      bias: read(layer.bias, into?.dense[l]?.bias),
    })),
    batchNorm: layers.flatMap(({ norm }, l) =>
      norm
        ? [
            {
              gamma: read(norm.gamma, into?.batchNorm[l]?.gamma),
              beta: read(norm.beta, into?.batchNorm[l]?.beta),
            },
          ]
        : [],
    ),
  };
}

/** Writes values into a buffer. Throws `shape` when they are not this network's. */
export function writeParameters(
  memory: NetworkMemory,
  buffer: ParameterBuffer,
  tensors: ParameterTensors,
): void {
  const { layers } = memory.plan;
  expectLength('dense', tensors.dense.length, layers.length);
  expectLength('batchNorm', tensors.batchNorm.length, layers.length - 1);
  const write = (name: string, matrix: Matrix, values: Float32Array) => {
    expectLength(name, values.length, matrix.rows * matrix.columns);
    writeMatrix(memory.floats(buffer), matrix, memory.core.constant('PANEL'), values);
  };
  layers.forEach((layer, l) => {
    write(`dense[${l}].weight`, layer.weight, tensors.dense[l]!.weight);
    write(`dense[${l}].bias`, layer.bias, tensors.dense[l]!.bias);
    if (layer.norm) {
      write(`batchNorm[${l}].gamma`, layer.norm.gamma, tensors.batchNorm[l]!.gamma);
      write(`batchNorm[${l}].beta`, layer.norm.beta, tensors.batchNorm[l]!.beta);
    }
  });
}

/** He-normal weights before ReLU, Glorot-uniform in the output layer, zero biases, identity BatchNorm. */
export function initialiseParameters(memory: NetworkMemory, seed: number): void {
  const { functions, constant } = memory.core;
  const [key0, key1] = seedWords(seed);
  const scratch = memory.address('state') + constant('STATE_SCRATCH');
  const parameters = memory.address('parameters');
  memory.plan.layers.forEach(({ weight, inputs, outputs, norm }, l) => {
    const draw = norm ? functions.heNormal : functions.glorotUniform;
    draw(parameters + weight.offset, inputs, outputs, l, key0, key1, scratch);
    if (!norm) return;
    const ones = new Float32Array(outputs).fill(1);
    writeMatrix(memory.floats('parameters'), norm.gamma, constant('PANEL'), ones);
    memory.floats(`runningVar${l}`).set(ones);
    memory
      .uints(`vectors${l}`)
      .set([
        parameters + norm.gamma.offset,
        parameters + norm.beta.offset,
        ...[...RUNNING_STATISTICS, 'mean', 'rstd'].map((name) => memory.address(`${name}${l}`)),
      ]);
  });
}

function writeMatrix(buffer: Float32Array, matrix: Matrix, panel: number, values: Float32Array): void {
  copyMatrix(buffer, matrix, panel, values, false);
}

/** Copies a matrix between its panels in a buffer and row-major values, one way or the other. */
function copyMatrix(
  buffer: Float32Array,
  { offset, rows, columns }: Matrix,
  panel: number,
  values: Float32Array,
  isRead: boolean,
): void {
  // Plain loops: runs of 32 elements are too short for subarray() and set().
  for (let first = 0; first < columns; first += panel) {
    const width = Math.min(panel, columns - first);
    for (let row = 0; row < rows; row++) {
      const at = offset / 4 + first * rows + row * panel;
      const from = row * columns + first;
      if (isRead) for (let i = 0; i < width; i++) values[from + i] = buffer[at + i]!;
      else for (let i = 0; i < width; i++) buffer[at + i] = values[from + i]!;
    }
  }
}
