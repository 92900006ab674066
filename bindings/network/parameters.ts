import { seedWords } from '../core/seed.js';
import { sizeOf, type TensorKey, type TensorRow, type Tensors } from '../model/tensors.js';
import type { Matrix } from '../program/parameters.js';
import { at, type Buffer } from '../program/types.js';
import type { NetworkMemory } from './memory.js';

/** Copies of the tensors of `rows`, without padding, in the arrays of `into`, earlier copies, where it has them. */
export function readTensors(
  memory: NetworkMemory,
  rows: readonly TensorRow[],
  into?: Tensors,
  buffer?: Buffer,
): Map<TensorKey, Float32Array> {
  return new Map(
    rows.map(({ key, shape }) => {
      const values = into?.get(key) ?? new Float32Array(sizeOf(shape));
      copyMatrix(memory, matrixOf(memory, key, buffer), values, true);
      return [key, values];
    }),
  );
}

/** Writes the tensors of `rows`, which `tensors` has. */
export function writeTensors(
  memory: NetworkMemory,
  rows: readonly TensorRow[],
  tensors: Tensors,
  buffer?: Buffer,
): void {
  for (const { key } of rows) copyMatrix(memory, matrixOf(memory, key, buffer), tensors.get(key)!, false);
}

/** Where a tensor stands: in its own buffer, or at its counterpart in one of the layout of the parameters. */
function matrixOf(memory: NetworkMemory, key: TensorKey, buffer?: Buffer): Matrix {
  const matrix = memory.plan.parameters.matrices.get(key)!;
  return buffer === undefined ? matrix : { ...matrix, ...at(buffer, matrix.offset) };
}

/** Draws initial weights; sets biases and betas to zero, gammas and running variances to one. */
export function initialise(memory: NetworkMemory, rows: readonly TensorRow[], seed: number): void {
  const { functions } = memory.instance;
  const [key0, key1] = seedWords(seed);
  const scratch = memory.address(memory.plan.scratch);
  let tensor = 0;
  for (const { key, shape, init, role } of rows) {
    const matrix = memory.plan.parameters.matrices.get(key)!;
    if (role === 'weight') {
      const address = memory.address(matrix.buffer) + matrix.offset;
      const [inputs, outputs] = shape as [number, number];
      if (init === 'heNormal') functions.heNormal(address, inputs, outputs, tensor, key0, key1, scratch);
      else if (init === 'glorotUniform')
        functions.glorotUniform(address, inputs, outputs, tensor, key0, key1, scratch);
      tensor++;
    } else if (init === 'ones') {
      copyMatrix(memory, matrix, new Float32Array(sizeOf(shape)).fill(1), false);
    }
  }
}

/** Copies a matrix between its panels and row-major values, one way or the other. */
function copyMatrix(
  memory: NetworkMemory,
  { buffer, offset, rows, columns }: Matrix,
  values: Float32Array,
  isRead: boolean,
): void {
  const { panel } = memory.instance.constants;
  const floats = memory.f32(buffer);
  // Plain loops: runs of 32 elements are too short for subarray() and set().
  for (let first = 0; first < columns; first += panel) {
    const width = Math.min(panel, columns - first);
    for (let row = 0; row < rows; row++) {
      const place = offset / 4 + first * rows + row * panel;
      const from = row * columns + first;
      if (isRead) for (let i = 0; i < width; i++) values[from + i] = floats[place + i]!;
      else for (let i = 0; i < width; i++) floats[place + i] = values[from + i]!;
    }
  }
}
