import type { Block } from '../model/blocks.js';
import type { TensorKey } from '../model/tensors.js';
import { at, type Buffer, type Place, roundUp } from './types.js';

// Where a model's tensors stand in linear memory. Weights come first, then the vectors (biases, gammas and betas), all in
// one buffer, so that an optimiser's slots, the gradients and an average of the weights have the same layout.

/** A matrix (rows, columns) in panels (assembly/layout/panel.ts), in a buffer. A vector is a matrix of one row. */
export interface Matrix extends Place {
  readonly rows: number;
  readonly columns: number;
}

/** The tensors of one block. */
export interface BlockParameters {
  readonly weight: Matrix;
  /** Null for a dense layer without one: the core then starts from zeros. */
  readonly bias: Matrix | null;
  readonly norm: {
    readonly gamma: Matrix;
    readonly beta: Matrix;
    readonly runningMean: Matrix;
    readonly runningVar: Matrix;
  } | null;
}

/** A stretch of the parameters that one step covers. */
export interface Stretch {
  /** Bytes from the start of the buffer. */
  readonly offset: number;
  /** Elements. */
  readonly count: number;
}

export interface ParameterPlan {
  /** Weights and vectors of all blocks. */
  readonly parameters: Buffer;
  readonly blocks: readonly BlockParameters[];
  readonly weights: Stretch;
  readonly vectors: Stretch;
  /** Every tensor that stands in memory, by key. */
  readonly matrices: ReadonlyMap<TensorKey, Matrix>;
  /** The buffers of the running statistics. */
  readonly statistics: readonly Buffer[];
}

/** Lays out the tensors of blocks whose rows are padded to `panel` columns. */
export function planParameters(blocks: readonly Block[], panel: number): ParameterPlan {
  let end = 0;
  const take = (rows: number, columns: number) => {
    const place = { offset: end, rows, columns };
    end += rows * roundUp(columns, panel) * 4;
    return place;
  };
  const weightPlaces = blocks.map(({ inputs, outputs }) => take(inputs, outputs));
  const vectorStart = end;
  const vectorPlaces = blocks.map(({ outputs, bias, norm }) => ({
    bias: bias ? take(1, outputs) : null,
    gamma: norm ? take(1, outputs) : null,
    beta: norm ? take(1, outputs) : null,
  }));
  const parameters: Buffer = { name: 'parameters', bytes: end };
  const matrices = new Map<TensorKey, Matrix>();
  const statistics: Buffer[] = [];
  const planned = blocks.map((block, index): BlockParameters => {
    const { layer, outputs } = block;
    const put = (key: TensorKey, place: Omit<Matrix, 'buffer'>, buffer = parameters): Matrix => {
      const matrix = { buffer, ...place };
      matrices.set(key, matrix);
      return matrix;
    };
    const statistic = (key: TensorKey): Matrix => {
      const buffer = { name: key, bytes: roundUp(outputs, panel) * 4 };
      statistics.push(buffer);
      return put(key, { offset: 0, rows: 1, columns: outputs }, buffer);
    };
    const { bias, gamma, beta } = vectorPlaces[index]!;
    const weight = put(`${layer}.weight`, weightPlaces[index]!);
    const biasMatrix = bias && put(`${layer}.bias`, bias);
    const at = block.norm?.layer;
    const norm =
      at === undefined
        ? null
        : {
            gamma: put(`${at}.gamma`, gamma!),
            beta: put(`${at}.beta`, beta!),
            runningMean: statistic(`${at}.runningMean`),
            runningVar: statistic(`${at}.runningVar`),
          };
    return { weight, bias: biasMatrix, norm };
  });
  return {
    parameters,
    blocks: planned,
    weights: { offset: 0, count: vectorStart / 4 },
    vectors: { offset: vectorStart, count: (end - vectorStart) / 4 },
    matrices,
    statistics,
  };
}

/** The place in a buffer of the same layout as the parameters where `matrix` has its counterpart. */
export function counterpart(buffer: Buffer, matrix: Place): Place {
  return at(buffer, matrix.offset);
}
