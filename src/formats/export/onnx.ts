import type { Bytes } from '#bindings';
import { encodeOnnx } from '../onnx/encode.js';
import {
  ATTRIBUTE_TYPE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/schema.js';
import { type FoldedLayer, type FoldedModel, inOneLine, type Statistics } from './folded.js';

// ONNX of operator set 17, of which each operation used here is in every runtime since 2022. Rows are free in number.

/** The first release of ONNX with operator set 17 has version 8 of the file format. */
const IR_VERSION = 8;
const OPSET = 17;

/** A graph that is being built; each method adds to it, and returns the name of the value that it makes. */
class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];

  node(opType: string, input: string[], output: string, attribute: OnnxAttribute[] = []): string {
    const attributes = attribute.length > 0 ? { attribute } : {};
    this.nodes.push({ input, output: [output], name: `/${output}`, opType, ...attributes });
    return output;
  }

  floats(name: string, data: Float32Array, dims: number[]): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ dims, dataType: ONNX_TYPE.float, name, rawData });
    return name;
  }

  texts(name: string, texts: readonly string[]): string {
    const stringData = texts.map((text) => new TextEncoder().encode(text));
    this.initializers.push({ dims: [texts.length], dataType: ONNX_TYPE.string, stringData, name });
    return name;
  }

  /** A number that stands for itself in a node. */
  number(name: string, value: number): string {
    return this.floats(name, Float32Array.of(value), []);
  }
}

const ofInt = (name: string, i: number): OnnxAttribute => ({ name, i, type: ATTRIBUTE_TYPE.int });
const ofFloat = (name: string, f: number): OnnxAttribute => ({ name, f, type: ATTRIBUTE_TYPE.float });

/**
 * A model as ONNX: the input `x` (rows, features), of bytes or of floats; the output `probabilities` and, behind it, `label`
 * (class names or indices, or rows of 0 and 1), or `predictions` of numbers. Names of classes are in the metadata as `classes`, a JSON list.
 */
export function toOnnx(model: FoldedModel): Bytes {
  const graph = new Graph();
  const { features, outputs, head, classes, inputType } = model;
  let value = addInput(graph, model);
  model.layers.forEach((layer, index) => {
    value = addLayer(graph, layer, value, `layer${index}`, index === model.layers.length - 1);
  });
  const scores = addHead(graph, model, value);
  const ofRows = (name: string, elemType: number, width: number | null) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: [{ dimParam: 'rows' }, ...(width === null ? [] : [{ dimValue: width }])] },
      },
    },
  });
  const made = [ofRows(scores, ONNX_TYPE.float, outputs)];
  if (head === 'softmax') {
    made.push(ofRows('label', classes === null ? ONNX_TYPE.int64 : ONNX_TYPE.string, null));
  } else if (head === 'sigmoid') made.push(ofRows('label', ONNX_TYPE.int64, outputs));
  return encodeOnnx({
    irVersion: IR_VERSION,
    producerName: 'treadle',
    docString: inOneLine(model.spec),
    graph: {
      node: graph.nodes,
      name: 'model',
      initializer: graph.initializers,
      input: [ofRows('x', inputType === 'u8' ? ONNX_TYPE.uint8 : ONNX_TYPE.float, features)],
      output: made,
    },
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: metadataOf(model),
  });
}

function metadataOf({ classes, spec }: FoldedModel): { key: string; value: string }[] {
  const lists = { classes, features: spec.input.names, outputs: spec.output?.names };
  return Object.entries(lists).flatMap(([key, names]) =>
    names ? [{ key, value: JSON.stringify(names) }] : [],
  );
}

/** The values that the first layer takes: bytes divided by 255, floats standardised. */
function addInput(graph: Graph, { inputType, input, features }: FoldedModel): string {
  if (inputType === 'u8') {
    const floats = graph.node('Cast', ['x'], 'x_floats', [ofInt('to', ONNX_TYPE.float)]);
    return graph.node('Div', [floats, graph.number('largest_byte', 255)], 'x_scaled');
  }
  if (input === null) return 'x';
  const [mean, deviation] = addStatistics(graph, 'input', input, features);
  return graph.node('Div', [graph.node('Sub', ['x', mean], 'x_centred'), deviation], 'x_standardized');
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

/** What the head makes of the last layer's outputs, and the labels behind it; returns the name of the first. */
function addHead(graph: Graph, { head, classes, target, outputs }: FoldedModel, scores: string): string {
  if (head === 'identity') {
    if (target === null) return graph.node('Identity', [scores], 'predictions');
    const [mean, deviation] = addStatistics(graph, 'target', target, outputs);
    return graph.node('Add', [graph.node('Mul', [scores, deviation], 'scaled'), mean], 'predictions');
  }
  if (head === 'sigmoid') {
    const made = graph.node('Sigmoid', [scores], 'probabilities');
    const likely = graph.node('GreaterOrEqual', [made, graph.number('half', 0.5)], 'likely');
    graph.node('Cast', [likely], 'label', [ofInt('to', ONNX_TYPE.int64)]);
    return made;
  }
  const made = graph.node('Softmax', [scores], 'probabilities', [ofInt('axis', 1)]);
  const best = [ofInt('axis', 1), ofInt('keepdims', 0)];
  if (classes === null) graph.node('ArgMax', [made], 'label', best);
  else {
    const names = graph.texts('classes', classes);
    graph.node('Gather', [names, graph.node('ArgMax', [made], 'label_index', best)], 'label');
  }
  return made;
}
