import type { Argument, LayerPlan, Matrix, Operation, Place, Plan, PlanConstants } from './plan.js';
import type { NetworkSpec } from './spec.js';

// The layer programs of a network: which operation reads what, in which order, and where threads must meet.
// d0 and d1 take turns in holding the gradient of the activations.

const at = (buffer: string, offset = 0): Place => ({ buffer, offset });
const operation = (opcode: string, ...args: Argument[]): Operation => ({ opcode, args, barrier: false });

/** Marks the last operation: what follows reads what these wrote. */
function barrier(operations: Operation[]): Operation[] {
  const last = operations.at(-1)!;
  return [...operations.slice(0, -1), { ...last, barrier: true }];
}

/** Stands for the rows of the batch wherever an operation takes a dimension. */
const ROWS = 0;

/** What every layer's operations are made from. */
interface Context {
  constants: PlanConstants;
  keepScale: Argument;
  /** Byte offset of the first vector among the parameters: where the buffer `gradients` begins. */
  vectorOffset: number;
}

/**
 * One training step. `compressed[l]` says whether layer l's input is compressed or packed densely; both give the same
 * bytes.
 */
export function trainProgram(
  spec: NetworkSpec,
  layers: LayerPlan[],
  vectors: Plan['vectors'],
  constants: PlanConstants,
  compressed: readonly boolean[],
): Operation[] {
  // A multiple of 2^-16, at least one such step, so that the smallest keep probability still keeps something.
  const keepBelow = Math.max(1, Math.round((1 - spec.dropout) * constants.keepAll));
  const context: Context = {
    constants,
    keepScale: { float: constants.keepAll / keepBelow },
    vectorOffset: vectors.offset,
  };
  const forward = layers.flatMap((layer, l) => [
    ...forwardDense(layer, l, compressed[l]!, context),
    ...forwardNorm(layer, l, keepBelow, context),
  ]);

  const last = layers.length - 1;
  const head = layers[last]!;
  const loss = [
    ...barrier([softmax(head, last, 'labels', 'd0')]),
    tally(head, 'labels'),
    ...barrier([operation('OP_CROSS_ENTROPY_BACKWARD', head.bias.ld, at('d0'), at('labels'))]),
    operation('OP_BIAS_GRADIENT', head.bias.ld, at('d0'), gradientOf(head.bias, context)),
  ];

  const backward = layers
    .map((layer, l) => {
      const [d, next] = (last - l) % 2 === 0 ? ['d0', 'd1'] : ['d1', 'd0'];
      return [
        ...backwardNorm(layer, l, d!, context),
        ...backwardDense(layer, l, compressed[l]!, d!, next!, context),
      ];
    })
    .reverse()
    .flat();

  const update = operation(
    'OP_ADAM',
    vectors.count,
    at('parameters', vectors.offset),
    at('gradients'),
    at('moment1', vectors.offset),
    at('moment2', vectors.offset),
  );
  return [...forward, ...loss, ...backward, update];
}

/** Z = X W + b */
function forwardDense(layer: LayerPlan, l: number, compressed: boolean, { constants }: Context): Operation[] {
  const { inputs, outputs, weight, bias } = layer;
  const packW = operation('OP_PACK_B', inputs, outputs, weight, weight.ld * 4, 0, at(`packedW${l}`));
  if (!compressed) {
    const mr = constants.tileHeight;
    return [...barrier([packInput(layer, l, mr), packW]), ...barrier([dense(layer, l, mr, bias)])];
  }
  const [entries, starts] = [at('rowEntries'), at('rowStarts')];
  const compress =
    l === 0
      ? operation('OP_COMPRESS_PIXEL_ROWS', inputs, at('images'), at('pixels'), entries, starts)
      : operation('OP_COMPRESS_ROWS', inputs, at(`x${l}`), layer.inputStride, entries, starts);
  const multiply = operation(
    'OP_SPMM',
    constants.sparseWidth,
    outputs,
    inputs,
    starts,
    at(`packedW${l}`),
    bias,
    at(`z${l}`),
    bias.ld * 4,
  );
  return [...barrier([compress, packW]), ...barrier([multiply])];
}

/** A of the forward product: the images themselves, or the block before. */
function packInput(layer: LayerPlan, l: number, mr: number): Operation {
  if (l === 0) return operation('OP_GATHER_A', mr, layer.inputs, at('images'), at('packedX'));
  return operation('OP_PACK_A', mr, layer.inputs, at(`x${l}`), layer.inputStride, at('packedX'));
}

/** The product over the packed operands. */
function dense(layer: LayerPlan, l: number, mr: number, bias: Place): Operation {
  const { inputs, outputs } = layer;
  const z = at(`z${l}`);
  return operation(
    'OP_GEMM',
    mr,
    ROWS,
    outputs,
    inputs,
    at('packedX'),
    at(`packedW${l}`),
    bias,
    z,
    layer.bias.ld * 4,
  );
}

function forwardNorm(layer: LayerPlan, l: number, keepBelow: number, { keepScale }: Context): Operation[] {
  if (layer.norm === null) return [];
  const [z, out, vectors] = [at(`z${l}`), at(`x${l + 1}`), at(`vectors${l}`)];
  return barrier([operation('OP_NORM_FORWARD', z, out, layer.bias.ld, vectors, keepBelow, keepScale, l)]);
}

/** d holds the gradient of the block's output on entry, that of its Dense layer's output on return. */
function backwardNorm(layer: LayerPlan, l: number, d: string, context: Context): Operation[] {
  if (layer.norm === null) return [];
  return barrier([
    operation(
      'OP_NORM_BACKWARD',
      at(`z${l}`),
      at(`x${l + 1}`),
      at(d),
      layer.bias.ld,
      at(`vectors${l}`),
      gradientOf(layer.norm.gamma, context),
      gradientOf(layer.norm.beta, context),
      context.keepScale,
    ),
  ]);
}

function gradientOf(place: Matrix, { vectorOffset }: Context): Place {
  return at('gradients', place.offset - vectorOffset);
}

/**
 * d holds dZ; `next` takes dX = dZ W^T, and W takes its Adam step with the gradient X^T dZ. Both read packed copies,
 * so they need not wait for each other. A hidden bias gets no gradient: BatchNorm subtracts it again, so its exact
 * gradient is zero.
 */
function backwardDense(
  layer: LayerPlan,
  l: number,
  compressed: boolean,
  d: string,
  next: string,
  { constants }: Context,
): Operation[] {
  const { inputs, outputs, weight, inputStride } = layer;
  const stride = weight.ld * 4;
  const mr = constants.tileHeight;
  const packDZ = operation('OP_PACK_B', ROWS, outputs, at(d), layer.bias.ld * 4, 0, at('packedDB'));
  const moments = [weight, at('moment1', weight.offset), at('moment2', weight.offset), stride];
  const [transpose, update] = compressed
    ? [
        compressTransposed(layer, l),
        operation(
          'OP_UPDATE_COMPRESSED',
          constants.sparseWidth,
          inputs,
          outputs,
          at('columnStarts'),
          at('packedDB'),
          ...moments,
        ),
      ]
    : [
        l === 0
          ? operation('OP_GATHER_TRANSPOSED_A', mr, inputs, at('images'), at('packedXT'))
          : operation('OP_PACK_TRANSPOSED_A', mr, inputs, at(`x${l}`), inputStride, at('packedXT')),
        operation('OP_UPDATE_DENSE', mr, inputs, outputs, at('packedXT'), at('packedDB'), ...moments),
      ];
  if (l === 0) return [...barrier([packDZ, transpose]), ...barrier([update])];
  const packs = [
    packDZ,
    transpose,
    operation('OP_PACK_A', mr, outputs, at(d), layer.bias.ld * 4, at('packedD')),
    operation('OP_PACK_TRANSPOSED_B', inputs, outputs, weight, stride, at('packedWT')),
  ];
  const inputGradient = operation(
    'OP_GEMM',
    mr,
    ROWS,
    inputs,
    outputs,
    at('packedD'),
    at('packedWT'),
    at('zeros'),
    at(next),
    inputStride,
  );
  return [...barrier(packs), ...barrier([inputGradient, update])];
}

/** X^T of the weight gradient, compressed. */
function compressTransposed(layer: LayerPlan, l: number): Operation {
  const [entries, starts] = [at('columnEntries'), at('columnStarts')];
  if (l === 0) {
    return operation('OP_COMPRESS_PIXEL_COLUMNS', layer.inputs, at('images'), at('pixels'), entries, starts);
  }
  return operation('OP_COMPRESS_COLUMNS', layer.inputs, at(`x${l}`), layer.inputStride, entries, starts);
}

function softmax(head: LayerPlan, l: number, labels: string, probabilities: string): Operation {
  return operation(
    'OP_SOFTMAX',
    head.outputs,
    head.bias.ld,
    at(`z${l}`),
    at(probabilities),
    at(labels),
    at('predicted'),
    at('losses'),
  );
}

function tally(head: LayerPlan, labels: string): Operation {
  return operation('OP_TALLY', head.outputs, at(labels), at('predicted'), at('losses'), at('confusion'));
}

export function prepareProgram(layers: LayerPlan[]): Operation[] {
  const fold = layers.flatMap((layer, l) =>
    layer.norm === null
      ? []
      : [
          operation(
            'OP_FOLD_NORM',
            layer.bias,
            layer.bias.ld,
            at(`vectors${l}`),
            at(`scale${l}`),
            at(`folded${l}`),
          ),
        ],
  );
  const pack = layers.map((layer, l) =>
    operation(
      'OP_PACK_B',
      layer.inputs,
      layer.outputs,
      layer.weight,
      layer.weight.ld * 4,
      layer.norm === null ? 0 : at(`scale${l}`),
      at(`packedW${l}`),
    ),
  );
  return [...barrier(fold), ...pack];
}

export function inferenceProgram(
  layers: LayerPlan[],
  images: string,
  labels: string,
  mr: number,
): Operation[] {
  const forward = layers.flatMap((layer, l) => [
    ...barrier([
      l === 0
        ? operation('OP_GATHER_A', mr, layer.inputs, at(images), at('packedX'))
        : operation('OP_PACK_RELU_A', mr, layer.inputs, at(`z${l - 1}`), layer.inputStride, at('packedX')),
    ]),
    ...barrier([dense(layer, l, mr, layer.norm === null ? layer.bias : at(`folded${l}`))]),
  ]);
  const last = layers.length - 1;
  return [...forward, ...barrier([softmax(layers[last]!, last, labels, 'd0')]), tally(layers[last]!, labels)];
}
