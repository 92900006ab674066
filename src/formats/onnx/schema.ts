import type { Messages } from '../protobuf.js';

// The part of the ONNX format (onnx.proto3, IR version 8) that dense networks need: one table for writing and reading.

/** An element type of a tensor, by ONNX's number. */
export const ONNX_TYPE = {
  float: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  string: 8,
  float16: 10,
  double: 11,
  bfloat16: 16,
} as const;

/** ONNX's numbers of the kinds of attributes. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7, texts: 8 } as const;

export interface OnnxTensor {
  dims?: number[];
  dataType?: number;
  floatData?: Float32Array | number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: number[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: Float64Array | number[];
  /** 1: the values are in another file. */
  dataLocation?: number;
}

export interface OnnxAttribute {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: OnnxTensor;
  floats?: Float32Array | number[];
  ints?: number[];
  strings?: Uint8Array[];
  type?: number;
}

export interface OnnxNode {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: OnnxAttribute[];
  domain?: string;
}

export interface OnnxValueInfo {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: { dimValue?: number; dimParam?: string }[] } } };
}

export interface OnnxGraph {
  node?: OnnxNode[];
  name?: string;
  initializer?: OnnxTensor[];
  input?: OnnxValueInfo[];
  output?: OnnxValueInfo[];
}

export interface OnnxModel {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  docString?: string;
  graph?: OnnxGraph;
  opsetImport?: { domain?: string; version?: number }[];
  metadataProps?: { key?: string; value?: string }[];
}

/** Fields of each message by their names here: ONNX's number of the field, and its kind. */
export const MESSAGES: Messages = {
  Model: {
    irVersion: [1, 'int'],
    producerName: [2, 'text'],
    producerVersion: [3, 'text'],
    docString: [6, 'text'],
    graph: [7, ['Graph', false]],
    opsetImport: [8, ['OperatorSet', true]],
    metadataProps: [14, ['Entry', true]],
  },
  OperatorSet: { domain: [1, 'text'], version: [2, 'int'] },
  Entry: { key: [1, 'text'], value: [2, 'text'] },
  Graph: {
    node: [1, ['Node', true]],
    name: [2, 'text'],
    initializer: [5, ['Tensor', true]],
    input: [11, ['ValueInfo', true]],
    output: [12, ['ValueInfo', true]],
  },
  Node: {
    input: [1, 'texts'],
    output: [2, 'texts'],
    name: [3, 'text'],
    opType: [4, 'text'],
    attribute: [5, ['Attribute', true]],
    domain: [7, 'text'],
  },
  Attribute: {
    name: [1, 'text'],
    f: [2, 'float'],
    i: [3, 'int'],
    s: [4, 'bytes'],
    t: [5, ['Tensor', false]],
    floats: [7, 'floats'],
    ints: [8, 'ints'],
    strings: [9, 'byteses'],
    type: [20, 'int'],
  },
  Tensor: {
    dims: [1, 'ints'],
    dataType: [2, 'int'],
    floatData: [4, 'floats'],
    int32Data: [5, 'ints'],
    stringData: [6, 'byteses'],
    int64Data: [7, 'ints'],
    name: [8, 'text'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'doubles'],
    dataLocation: [14, 'int'],
  },
  ValueInfo: { name: [1, 'text'], type: [2, ['Type', false]] },
  Type: { tensorType: [1, ['TensorType', false]] },
  TensorType: { elemType: [1, 'int'], shape: [2, ['Shape', false]] },
  Shape: { dim: [1, ['Dimension', true]] },
  Dimension: { dimValue: [1, 'int'], dimParam: [2, 'text'] },
};
