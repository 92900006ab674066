import {
  checkModel,
  type ModelSpec,
  mlp,
  parameterCount,
  type TensorKey,
  type Tensors,
  tensorTable,
} from '#bindings';

// The classifiers of the published report: blocks of dense, batchNorm, relu and dropout, then dense, on bytes. Weights files
// and jobs speak of them by their widths.

/** A classifier's widths and dropout. */
export interface NetworkSpec {
  /** Features of a sample (pixels). */
  readonly inputs: number;
  /** Width of each hidden block, from the input to the output; at least one. */
  readonly hidden: readonly number[];
  /** Number of classes, from 2 up. */
  readonly classes: number;
  /** Probability that an activation is dropped in training, 0 <= dropout < 1. */
  readonly dropout: number;
  /** What a sample is an array of, such as [28, 28], where augmentation has to know it. */
  readonly shape?: readonly number[];
}

/** Images and their classes. */
export interface LabelledImages {
  /** u8 pixels, (count, pixels). */
  images: Uint8Array;
  /** Class of each image; count of them. */
  labels: Uint8Array;
}

/** What the widths of a classifier are. */
export type NetworkShape = Pick<NetworkSpec, 'inputs' | 'hidden' | 'classes'>;

/** Widths of every layer boundary: `[inputs, ...hidden, classes]`. */
export function widths({ inputs, hidden, classes }: NetworkShape): number[] {
  return [inputs, ...hidden, classes];
}

/**
 * A classifier as a model. Throws `range` for a spec that is none.
 *
 * @example const spec = classifierModel({ inputs: 784, hidden: [1024, 512], classes: 10, dropout: 0.5 });
 */
export function classifierModel({ inputs, hidden, classes, dropout, shape }: NetworkSpec): ModelSpec {
  const model = mlp({
    ...{ inputs, hidden, outputs: classes, dropout, norm: true, inputType: 'u8' },
    ...(shape !== undefined && { shape }),
  });
  return checkModel({ ...model, output: { head: 'softmax' } });
}

/** Trained parameters of a classifier. */
export function classifierParameters(shape: NetworkShape): number {
  return parameterCount(classifierModel({ ...shape, dropout: 0 }));
}

/** One dense layer's parameters. */
export interface DenseTensors {
  /** Shape (in, out), row-major. */
  weight: Float32Array;
  /** Shape (out). */
  bias: Float32Array;
}

/** One BatchNorm's parameters and running statistics, each of shape (out). */
export interface BatchNormTensors {
  gamma: Float32Array;
  beta: Float32Array;
  runningMean: Float32Array;
  runningVar: Float32Array;
}

/** Everything inference needs, as weights files hold it: one dense per layer, one batchNorm per hidden block. */
export interface NetworkTensors {
  /** Hidden layers in order, then the output layer. */
  dense: DenseTensors[];
  /** One per hidden block. */
  batchNorm: BatchNormTensors[];
  /** Training steps seen since initialisation (PyTorch's num_batches_tracked). */
  batchesTracked: number;
}

/** A classifier's tensors, block by block. */
export function toBlocks(model: ModelSpec, tensors: Tensors, batchesTracked: number): NetworkTensors {
  const of = (layer: number, role: string) => tensors.get(`${layer}.${role}` as TensorKey)!;
  const layers = (role: string) =>
    tensorTable(model).flatMap((row) => (row.role === role ? [row.layer] : []));
  return {
    dense: layers('weight').map((layer) => ({ weight: of(layer, 'weight'), bias: of(layer, 'bias') })),
    batchNorm: layers('gamma').map((layer) => ({
      gamma: of(layer, 'gamma'),
      beta: of(layer, 'beta'),
      runningMean: of(layer, 'runningMean'),
      runningVar: of(layer, 'runningVar'),
    })),
    batchesTracked,
  };
}

/** The tensors of blocks by their keys. */
export function fromBlocks(model: ModelSpec, { dense, batchNorm }: NetworkTensors): Tensors {
  let block = -1;
  return new Map(
    tensorTable(model).map(({ key, role }) => {
      if (role === 'weight') block++;
      const from: Record<string, Float32Array> =
        role === 'weight' || role === 'bias' ? { ...dense[block]! } : { ...batchNorm[block]! };
      return [key, from[role]!];
    }),
  );
}
