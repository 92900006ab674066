import {
  ATTRIBUTE_TYPE,
  ONNX_TYPE,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../onnx/schema.js';

/** Operations on texts and categories. */
const ML = 'ai.onnx.ml';
const ML_OPSET = 2;

const bytesOf = (text: string) => new TextEncoder().encode(text);

export const ofInt = (name: string, i: number): OnnxAttribute => ({ name, i, type: ATTRIBUTE_TYPE.int });
export const ofFloat = (name: string, f: number): OnnxAttribute => ({ name, f, type: ATTRIBUTE_TYPE.float });
export const ofInts = (name: string, ints: number[]): OnnxAttribute => ({
  ...{ name, ints, type: ATTRIBUTE_TYPE.ints },
});
export const ofFloats = (name: string, floats: number[]): OnnxAttribute => ({
  ...{ name, floats: Float32Array.from(floats), type: ATTRIBUTE_TYPE.floats },
});
export const ofTexts = (name: string, texts: readonly string[]): OnnxAttribute => ({
  ...{ name, strings: texts.map(bytesOf), type: ATTRIBUTE_TYPE.texts },
});

/** A value of so many rows: an input or an output. `width` null: one value a row, without a second dimension. */
export function ofRows(name: string, elemType: number, width: number | null): OnnxValueInfo {
  const dim = [{ dimParam: 'rows' }, ...(width === null ? [] : [{ dimValue: width }])];
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** A graph that is being built; each method adds to it, and returns the name of the value that it makes. */
export class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly inputs: OnnxValueInfo[] = [];
  /** Sets of operations beside ONNX's own. */
  readonly opsets: { domain: string; version: number }[] = [];
  readonly #taken = new Set<string>();

  /** The name itself, or with as many `_` behind it as it takes to be the only one: columns may be called anything. */
  #own(name: string): string {
    let own = name;
    while (own === '' || this.#taken.has(own)) own += '_';
    this.#taken.add(own);
    return own;
  }

  input(name: string, elemType: number, width: number): string {
    const own = this.#own(name);
    this.inputs.push(ofRows(own, elemType, width));
    return own;
  }

  node(opType: string, input: string[], output: string, attribute: OnnxAttribute[] = []): string {
    return this.#add({ input, opType }, output, attribute);
  }

  /** A node of ONNX's operations on texts and categories. */
  mlNode(opType: string, input: string[], output: string, attribute: OnnxAttribute[]): string {
    if (this.opsets.length === 0) this.opsets.push({ domain: ML, version: ML_OPSET });
    return this.#add({ input, opType, domain: ML }, output, attribute);
  }

  #add(node: OnnxNode, output: string, attribute: OnnxAttribute[]): string {
    const own = this.#own(output);
    const attributes = attribute.length > 0 ? { attribute } : {};
    this.nodes.push({ ...node, output: [own], name: `/${own}`, ...attributes });
    return own;
  }

  floats(name: string, data: Float32Array, dims: number[]): string {
    return this.#numbers(name, data, ONNX_TYPE.float, dims);
  }

  #numbers(name: string, data: Float32Array | Float64Array, dataType: number, dims: number[]): string {
    const own = this.#own(name);
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ dims, dataType, name: own, rawData });
    return own;
  }

  texts(name: string, texts: readonly string[]): string {
    const own = this.#own(name);
    const stringData = texts.map(bytesOf);
    this.initializers.push({ dims: [texts.length], dataType: ONNX_TYPE.string, stringData, name: own });
    return own;
  }

  /** A number that stands for itself in a node. */
  number(name: string, value: number): string {
    return this.floats(name, Float32Array.of(value), []);
  }

  /** The same in 64 bits. */
  double(name: string, value: number): string {
    return this.#numbers(name, Float64Array.of(value), ONNX_TYPE.double, []);
  }
}
