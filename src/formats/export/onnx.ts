import type { Bytes } from '#bindings';
import { encodeOnnx } from '../onnx/encode.js';
import { ONNX_TYPE, type OnnxValueInfo } from '../onnx/schema.js';
import { type FoldedLayer, type FoldedModel, inOneLine, type Statistics } from './folded.js';
import { Graph, ofFloat, ofInt, ofRows } from './graph.js';

// ONNX of operator set 17, of which each operation used here is in every runtime since 2022. Rows are free in number.

/** The first release of ONNX with operator set 17 has version 8 of the file format. */
const IR_VERSION = 8;
const OPSET = 17;

/** What a model takes in place of rows of features: adds inputs to a graph, and the nodes that make features of them. */
export interface OnnxFront {
  /** Returns the name of the features (rows, features), as 32-bit floats. */
  add(graph: Graph): string;
  /** Said of the inputs in the metadata. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * A model as ONNX: the input `x` (rows, features), of bytes or of floats, or those of `front`; the output `probabilities` and,
 * behind it, `label` (class names or indices, or rows of 0 and 1), or `predictions` of numbers. Names of classes are in the
 * metadata as `classes`, a JSON list, and so are `texts`.
 */
export function toOnnx(
  model: FoldedModel,
  front: OnnxFront | null = null,
  texts: Readonly<Record<string, string>> = {},
): Bytes {
  const graph = new Graph();
  let value = front === null ? addInput(graph, model) : front.add(graph);
  model.layers.forEach((layer, index) => {
    value = addLayer(graph, layer, value, `layer${index}`, index === model.layers.length - 1);
  });
  const { nodes, initializers, inputs, opsets } = graph;
  const output = addHead(graph, model, value);
  return encodeOnnx({
    irVersion: IR_VERSION,
    producerName: 'treadle',
    docString: inOneLine(model.spec),
    graph: { node: nodes, name: 'model', initializer: initializers, input: inputs, output },
    opsetImport: [{ domain: '', version: OPSET }, ...opsets],
    metadataProps: [
      ...metadataOf(model, front),
      ...Object.entries(texts).map(([key, value]) => ({ key, value })),
    ],
  });
}

function metadataOf(
  { classes, spec }: FoldedModel,
  front: OnnxFront | null,
): { key: string; value: string }[] {
  const lists = { classes, features: spec.input.names, outputs: spec.output?.names, ...front?.metadata };
  return Object.entries(lists).flatMap(([key, names]) =>
    names ? [{ key, value: JSON.stringify(names) }] : [],
  );
}

/** The values that the first layer takes: bytes divided by 255, floats standardised. */
function addInput(graph: Graph, { inputType, input, features }: FoldedModel): string {
  const x = graph.input('x', inputType === 'u8' ? ONNX_TYPE.uint8 : ONNX_TYPE.float, features);
  if (inputType === 'u8') {
    const floats = graph.node('Cast', [x], 'x_floats', [ofInt('to', ONNX_TYPE.float)]);
    return graph.node('Div', [floats, graph.number('largest_byte', 255)], 'x_scaled');
  }
  if (input === null) return x;
  const [mean, deviation] = addStatistics(graph, 'input', input, features);
  return graph.node('Div', [graph.node('Sub', [x, mean], 'x_centred'), deviation], 'x_standardized');
}

function addStatistics(
  graph: Graph,
  name: string,
  { mean, deviation }: Statistics,
  width: number,
): [string, string] {
  return [graph.floats(`${name}.mean`, mean, [width]), graph.floats(`${name}.deviation`, deviation, [width])];
}

function addLayer(graph: Graph, layer: FoldedLayer, from: string, name: string, isLast: boolean): string {
  const weight = graph.floats(`${name}.weight`, layer.weight, [layer.inputs, layer.outputs]);
  const bias = graph.floats(`${name}.bias`, layer.bias, [layer.outputs]);
  const sums = graph.node('Gemm', [from, weight, bias], isLast ? 'scores' : `${name}_sums`);
  const out = `${name}_out`;
  switch (layer.activation) {
    case 'identity':
      return sums;
    case 'relu':
      return graph.node('Relu', [sums], out);
    case 'leakyRelu':
      return graph.node('LeakyRelu', [sums], out, [ofFloat('alpha', layer.slope)]);
    case 'tanh':
      return graph.node('Tanh', [sums], out);
    case 'sigmoid':
      return graph.node('Sigmoid', [sums], out);
    case 'silu':
      return graph.node('Mul', [sums, graph.node('Sigmoid', [sums], `${name}_gate`)], out);
    case 'gelu': {
      // x (1 + erf(x / sqrt 2)) / 2: the operation Gelu came with operator set 20 only.
      const share = graph.node('Div', [sums, graph.number(`${name}.sqrt2`, Math.SQRT2)], `${name}_share`);
      const one = graph.number(`${name}.one`, 1);
      const gate = graph.node('Add', [graph.node('Erf', [share], `${name}_erf`), one], `${name}_gate`);
      const twice = graph.node('Mul', [sums, gate], `${name}_twice`);
      return graph.node('Mul', [twice, graph.number(`${name}.half`, 0.5)], out);
    }
  }
}

/** What the head makes of the last layer's outputs, and the labels behind it: the outputs of the graph. */
function addHead(
  graph: Graph,
  { head, classes, target, outputs }: FoldedModel,
  scores: string,
): OnnxValueInfo[] {
  if (head === 'identity') {
    const made = addTarget(graph, target, outputs, scores);
    return [ofRows(made, ONNX_TYPE.float, outputs)];
  }
  if (head === 'sigmoid') {
    const made = graph.node('Sigmoid', [scores], 'probabilities');
    const likely = graph.node('GreaterOrEqual', [made, graph.number('half', 0.5)], 'likely');
    const label = graph.node('Cast', [likely], 'label', [ofInt('to', ONNX_TYPE.int64)]);
    return [ofRows(made, ONNX_TYPE.float, outputs), ofRows(label, ONNX_TYPE.int64, outputs)];
  }
  const made = graph.node('Softmax', [scores], 'probabilities', [ofInt('axis', 1)]);
  const probabilities = ofRows(made, ONNX_TYPE.float, outputs);
  const best = [ofInt('axis', 1), ofInt('keepdims', 0)];
  if (classes === null) {
    return [probabilities, ofRows(graph.node('ArgMax', [made], 'label', best), ONNX_TYPE.int64, null)];
  }
  const names = graph.texts('classes', classes);
  const index = graph.node('ArgMax', [made], 'label_index', best);
  return [probabilities, ofRows(graph.node('Gather', [names, index], 'label'), ONNX_TYPE.string, null)];
}

function addTarget(graph: Graph, target: Statistics | null, width: number, scores: string): string {
  if (target === null) return graph.node('Identity', [scores], 'predictions');
  const [mean, deviation] = addStatistics(graph, 'target', target, width);
  return graph.node('Add', [graph.node('Mul', [scores, deviation], 'scaled'), mean], 'predictions');
}
