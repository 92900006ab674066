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
    ...barrier([operation('OP_CROSS_ENTROPY_BACKWARD', head.outputStride / 4, at('d0'), at('labels'))]),
    operation('OP_BIAS_GRADIENT', head.outputStride / 4, at('d0'), gradientOf(head.bias, context)),
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

/** Z = X W + b. The compressed rows of a hidden input are kept: they say which input gradients backward needs. */
function forwardDense(layer: LayerPlan, l: number, compressed: boolean, { constants }: Context): Operation[] {
  const { weight, bias } = layer;
  const mr = constants.tileHeight;
  const compress = l === 0 ? compressPixels(layer, 'images') : compressRows(layer, l);
  if (compressed) return [...barrier([compress]), ...barrier([sparse(layer, l, constants, weight, bias)])];
  const packs = [packInput(layer, l, mr), ...(l === 0 ? [] : [compress])];
  return [...barrier(packs), ...barrier([dense(layer, l, mr, weight, bias)])];
}

function compressPixels({ inputs }: LayerPlan, images: string): Operation {
  return operation('OP_COMPRESS_PIXEL_ROWS', inputs, at(images), at('entries0'), at('starts0'));
}

function compressRows(layer: LayerPlan, l: number): Operation {
  const { inputs, inputStride } = layer;
  return operation('OP_COMPRESS_ROWS', inputs, at(`x${l}`), inputStride, at(`entries${l}`), at(`starts${l}`));
}

/** A of the forward product: the images themselves, or the block before. */
function packInput(layer: LayerPlan, l: number, mr: number): Operation {
  if (l === 0) return operation('OP_GATHER_A', mr, layer.inputs, at('images'), at('packedX'));
  return operation('OP_PACK_A', mr, layer.inputs, at(`x${l}`), layer.inputStride, at('packedX'));
}

/** The product over the packed input and weights in panels. */
function dense(layer: LayerPlan, l: number, mr: number, weight: Place, bias: Place): Operation {
  const { inputs, outputs, outputStride } = layer;
  return operation(
    'OP_GEMM',
    mr,
    ROWS,
    outputs,
    inputs,
    at('packedX'),
    weight,
    bias,
    at(`z${l}`),
    outputStride,
  );
}

/** The product over the compressed input and weights in panels. */
function sparse(
  layer: LayerPlan,
  l: number,
  constants: PlanConstants,
  weight: Place,
  bias: Place,
): Operation {
  const { inputs, outputs, outputStride } = layer;
  return operation(
    'OP_SPMM',
    constants.sparseWidth,
    outputs,
    inputs,
    at(`starts${l}`),
    weight,
    bias,
    at(`z${l}`),
    outputStride,
  );
}

function forwardNorm(layer: LayerPlan, l: number, keepBelow: number, { keepScale }: Context): Operation[] {
  if (layer.norm === null) return [];
  const [z, out, vectors] = [at(`z${l}`), at(`x${l + 1}`), at(`vectors${l}`)];
  return barrier([
    operation(
      'OP_NORM_FORWARD',
      z,
      out,
      layer.outputStride / 4,
      vectors,
      keepBelow,
      keepScale,
      l,
      layer.columns,
    ),
  ]);
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
      layer.outputStride / 4,
      at(`vectors${l}`),
      gradientOf(layer.norm.gamma, context),
      gradientOf(layer.norm.beta, context),
      context.keepScale,
      layer.columns,
    ),
  ]);
}

function gradientOf(place: Matrix, { vectorOffset }: Context): Place {
  return at('gradients', place.offset - vectorOffset);
}

/**
 * d holds dZ; `next` takes dX = dZ W^T where X is not zero, and then W takes its Adam step with the gradient X^T dZ. A
 * hidden bias gets no gradient: BatchNorm subtracts it again, so its exact gradient is zero.
 */
function backwardDense(
  layer: LayerPlan,
  l: number,
  compressed: boolean,
  d: string,
  next: string,
  { constants }: Context,
): Operation[] {
  const { inputs, outputs, weight, inputStride, outputStride } = layer;
  const mr = constants.tileHeight;
  const packDZ = operation('OP_PACK_B', ROWS, outputs, at(d), outputStride, at('packedDB'));
  const moments = [weight, at('moment1', weight.offset), at('moment2', weight.offset)];
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
  const inputGradient =
    l === 0
      ? []
      : [
          operation(
            'OP_SDDMM',
            constants.sparseWidth,
            outputs,
            inputs,
            at(`starts${l}`),
            at(d),
            outputStride,
            weight,
            at(next),
            inputStride,
          ),
        ];
  return [...barrier([packDZ, transpose, ...inputGradient]), ...barrier([update])];
}

/** X^T of the weight gradient, compressed. */
function compressTransposed(layer: LayerPlan, l: number): Operation {
  const [entries, starts] = [at('columnEntries'), at('columnStarts')];
  if (l === 0) {
    return operation('OP_COMPRESS_PIXEL_COLUMNS', layer.inputs, at('images'), entries, starts);
  }
  return operation('OP_COMPRESS_COLUMNS', layer.inputs, at(`x${l}`), layer.inputStride, entries, starts);
}

function softmax(head: LayerPlan, l: number, labels: string, probabilities: string): Operation {
  return operation(
    'OP_SOFTMAX',
    head.outputs,
    head.outputStride / 4,
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
            layer.columns,
            at(`vectors${l}`),
            at(`scale${l}`),
            at(`folded${l}`),
          ),
        ],
  );
  const scale = layers.flatMap((layer, l) => {
    const { inputs, outputs, weight } = layer;
    if (layer.norm === null) return [];
    return [operation('OP_SCALE_PANELS', inputs, outputs, weight, at(`scale${l}`), at(`foldedW${l}`))];
  });
  return [...barrier(fold), ...scale];
}

/** Forward over the samples in the buffer `images`, whose pixels are compressed or packed. */
export function inferenceProgram(
  layers: LayerPlan[],
  images: string,
  labels: string,
  constants: PlanConstants,
  compressed: boolean,
): Operation[] {
  const mr = constants.tileHeight;
  const forward = layers.flatMap((layer, l) => {
    const [weight, bias] =
      layer.norm === null ? [layer.weight, layer.bias] : [at(`foldedW${l}`), at(`folded${l}`)];
    if (l === 0 && compressed) {
      return [
        ...barrier([compressPixels(layer, images)]),
        ...barrier([sparse(layer, l, constants, weight, bias)]),
      ];
    }
    const pack =
      l === 0
        ? operation('OP_GATHER_A', mr, layer.inputs, at(images), at('packedX'))
        : operation('OP_PACK_RELU_A', mr, layer.inputs, at(`z${l - 1}`), layer.inputStride, at('packedX'));
    return [...barrier([pack]), ...barrier([dense(layer, l, mr, weight, bias)])];
  });
  const last = layers.length - 1;
  return [...forward, ...barrier([softmax(layers[last]!, last, labels, 'd0')]), tally(layers[last]!, labels)];
}
