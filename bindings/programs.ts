import type { Argument, LayerPlan, Matrix, Operation, Place, PlanConstants } from './plan.js';
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

const gradientOf = (place: Matrix): Place => at('gradients', place.offset);

/** Stands for the rows of the batch wherever an operation takes a dimension. */
const ROWS = 0;

export function trainProgram(
  spec: NetworkSpec,
  layers: LayerPlan[],
  parameterCount: number,
  constants: PlanConstants,
): Operation[] {
  const mr = constants.tileHeight;
  // A multiple of 2^-16, at least one such step, so that the smallest keep probability still keeps something.
  const keepBelow = Math.max(1, Math.round((1 - spec.dropout) * constants.keepAll));
  const keepScale = { float: constants.keepAll / keepBelow };

  const forward = layers.flatMap((layer, l) => [
    ...barrier([
      packInput(layer, l, mr),
      operation(
        'OP_PACK_B',
        layer.inputs,
        layer.outputs,
        layer.weight,
        layer.weight.ld * 4,
        0,
        at(`packedW${l}`),
      ),
    ]),
    ...barrier([dense(layer, l, mr, layer.bias)]),
    ...(layer.norm === null
      ? []
      : barrier([
          operation(
            'OP_NORM_FORWARD',
            at(`z${l}`),
            at(`x${l + 1}`),
            layer.bias.ld,
            at(`vectors${l}`),
            keepBelow,
            keepScale,
            l,
          ),
        ])),
  ]);

  const last = layers.length - 1;
  const head = layers[last]!;
  const loss = [
    ...barrier([softmax(head, last, 'labels', 'd0')]),
    tally(head, 'labels'),
    ...barrier([operation('OP_CROSS_ENTROPY_BACKWARD', head.bias.ld, at('d0'), at('labels'))]),
    operation('OP_BIAS_GRADIENT', head.bias.ld, at('d0'), gradientOf(head.bias)),
  ];

  const backward = layers
    .map((layer, l) => backwardLayer(layer, l, `d${(last - l) % 2}`, `d${(last - l + 1) % 2}`, keepScale, mr))
    .reverse()
    .flat();

  const update = operation(
    'OP_ADAM',
    parameterCount,
    at('parameters'),
    at('gradients'),
    at('moment1'),
    at('moment2'),
  );
  return [...forward, ...loss, ...backward, update];
}

/** A of the forward product: the images themselves, or the block before. */
function packInput(layer: LayerPlan, l: number, mr: number): Operation {
  if (l === 0) return operation('OP_GATHER_A', mr, layer.inputs, at('images'), at('packedX'));
  return operation('OP_PACK_A', mr, layer.inputs, at(`x${l}`), layer.inputStride, at('packedX'));
}

/** Z = X W + b */
function dense(layer: LayerPlan, l: number, mr: number, bias: Place): Operation {
  const z = at(`z${l}`);
  const ld = layer.bias.ld;
  return operation(
    'OP_GEMM',
    mr,
    ROWS,
    layer.outputs,
    layer.inputs,
    at('packedX'),
    at(`packedW${l}`),
    bias,
    z,
    ld * 4,
  );
}

/**
 * d holds the gradient of layer l's output on entry; `next` takes that of its input. A hidden bias gets no gradient:
 * BatchNorm subtracts it again, so its exact gradient is zero.
 */
function backwardLayer(
  layer: LayerPlan,
  l: number,
  d: string,
  next: string,
  keepScale: Argument,
  mr: number,
): Operation[] {
  const ld = layer.bias.ld;
  const { inputs, outputs } = layer;
  const norm =
    layer.norm === null
      ? []
      : barrier([
          operation(
            'OP_NORM_BACKWARD',
            at(`z${l}`),
            at(`x${l + 1}`),
            at(d),
            ld,
            at(`vectors${l}`),
            gradientOf(layer.norm.gamma),
            gradientOf(layer.norm.beta),
            keepScale,
          ),
        ]);
  const packs = [
    operation('OP_PACK_B', ROWS, outputs, at(d), ld * 4, 0, at('packedDB')),
    l === 0
      ? operation('OP_GATHER_TRANSPOSED_A', mr, inputs, at('images'), at('packedXT'))
      : operation('OP_PACK_TRANSPOSED_A', mr, inputs, at(`x${l}`), layer.inputStride, at('packedXT')),
  ];
  const weightGradient = operation(
    'OP_GEMM',
    mr,
    inputs,
    outputs,
    ROWS,
    at('packedXT'),
    at('packedDB'),
    at('zeros'),
    gradientOf(layer.weight),
    layer.weight.ld * 4,
  );
  if (l === 0) return [...norm, ...barrier(packs), ...barrier([weightGradient])];
  return [
    ...norm,
    ...barrier([
      ...packs,
      operation('OP_PACK_A', mr, outputs, at(d), ld * 4, at('packedD')),
      operation('OP_PACK_TRANSPOSED_B', inputs, outputs, layer.weight, layer.weight.ld * 4, at('packedWT')),
    ]),
    ...barrier([
      weightGradient,
      operation(
        'OP_GEMM',
        mr,
        ROWS,
        inputs,
        outputs,
        at('packedD'),
        at('packedWT'),
        at('zeros'),
        at(next),
        layer.inputStride,
      ),
    ]),
  ];
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
