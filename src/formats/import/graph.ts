import { MAX_LAYERS } from '#bindings';
import { listed, quote } from '../../strict/text.js';
import type { Conversions } from '../floats.js';
import { transpose } from '../names.js';
import { ONNX_TYPE, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor } from '../onnx/schema.js';
import { countOf, floatsOf, integersOf, texts, textsOf } from '../onnx/tensor.js';
import { formatError } from '../tensor.js';
import { type Activation, type Arithmetic, type Step, tidy } from './steps.js';

// An ONNX graph as the steps of a dense network: walked from an output back to the input.

/** What a graph says of a network. */
export interface GraphNetwork {
  steps: Step[];
  isBytes: boolean;
  shape: number[] | null;
  classes: string[] | null;
  featureNames: string[] | null;
  outputNames: string[] | null;
  /** The node that joins columns to the features that the network begins with; null where it begins with an input. */
  joined: string | null;
}

/** Operations that hand on what they are given, or only arrange it anew, which rows do not notice. */
const PASSING = new Set([
  'Identity',
  'Dropout',
  'Cast',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'ZipMap',
]);

const ARITHMETIC: Readonly<Record<string, Arithmetic>> = {
  Add: 'add',
  Sub: 'subtract',
  Mul: 'multiply',
  Div: 'divide',
};

const PLAIN: Readonly<Record<string, Activation>> = {
  Relu: { type: 'relu' },
  Tanh: { type: 'tanh' },
  Sigmoid: { type: 'sigmoid' },
};

/** How often the numbers of a file may be needed: a layer that stands twice in a network is rare. */
const MOST_USES = 4;

/** More than a network of as many layers as are accepted does. It bounds the time that a hostile file can take. */
const MOST_STEPS = 8 * MAX_LAYERS;

/** The network of an ONNX model. Throws `format`, naming the operation, for a graph that is no dense network. */
export function graphNetwork(
  model: OnnxModel,
  fileBytes: number,
  source: string,
  conversions: Conversions,
): GraphNetwork {
  const { graph } = model;
  if (graph === undefined) throw formatError(source, 'it has no graph', 'an ONNX model');
  const walk = new Walk(graph, MOST_USES * fileBytes, source, conversions);
  const steps = walk.steps();
  return { steps, joined: walk.joined, ...inputOf(graph, walk.input!), ...namesOf(model, graph, steps) };
}

function inputOf(graph: OnnxGraph, name: string) {
  const tensorType = graph.input?.find((input) => input.name === name)?.type?.tensorType;
  const sizes = (tensorType?.shape?.dim ?? []).slice(1).map(({ dimValue }) => dimValue ?? 0);
  return {
    isBytes: tensorType?.elemType === ONNX_TYPE.uint8,
    shape: sizes.length > 0 && sizes.every((size) => size >= 1 && Number.isSafeInteger(size)) ? sizes : null,
  };
}

/** Names out of the metadata or, of classes, out of the node that turns an index into one. */
function namesOf({ metadataProps = [] }: OnnxModel, graph: OnnxGraph, steps: readonly Step[]) {
  const listOf = (key: string): string[] | null => {
    try {
      const list: unknown = JSON.parse(metadataProps.find((entry) => entry.key === key)?.value ?? 'null');
      return Array.isArray(list) && list.every((name) => typeof name === 'string') ? list : null;
    } catch {
      return null;
    }
  };
  const outputs = steps.findLast((step) => step.kind === 'dense')?.outputs;
  return {
    classes: listOf('classes') ?? (outputs === undefined ? null : labelNames(graph, outputs)),
    featureNames: listOf('features'),
    outputNames: listOf('outputs'),
  };
}

/** The names that a graph's labels come from: a list of texts for Gather or ArrayFeatureExtractor, or ZipMap's. */
function labelNames({ node = [], initializer = [] }: OnnxGraph, outputs: number): string[] | null {
  const lists = initializer
    .filter(({ name }) => node.some(({ input }) => input?.includes(name!)))
    .map(textsOf);
  for (const { opType, attribute = [] } of node) {
    const strings = attribute.find(({ name }) => name === 'classlabels_strings')?.strings;
    if (opType === 'ZipMap' && strings) lists.push(texts(strings));
  }
  const found = lists.find((list) => list?.length === outputs && new Set(list).size === outputs);
  return found ?? null;
}

class Walk {
  /** The name of the value that the network begins with: an input of the graph, or what a node joins columns to. */
  input: string | null = null;
  joined: string | null = null;
  readonly #graph: OnnxGraph;
  readonly #source: string;
  readonly #conversions: Conversions;
  readonly #makers = new Map<string, OnnxNode>();
  readonly #constants = new Map<string, OnnxTensor>();
  /** Bytes that may still be copied. */
  #room: number;
  #multiplied: ReadonlySet<OnnxNode> | null = null;

  constructor(graph: OnnxGraph, room: number, source: string, conversions: Conversions) {
    this.#graph = graph;
    this.#room = room;
    this.#source = source;
    this.#conversions = conversions;
    for (const tensor of graph.initializer ?? []) this.#constants.set(tensor.name ?? '', tensor);
    for (const node of graph.node ?? []) {
      const constant = node.opType === 'Constant' ? attributeOf(node, 'value')?.t : undefined;
      for (const output of node.output ?? []) {
        if (constant !== undefined) this.#constants.set(output, { ...constant, name: output });
        else if (output !== '') this.#makers.set(output, node);
      }
    }
  }

  /** The steps to the first output that a dense network leads to. */
  steps(): Step[] {
    const outputs = (this.#graph.output ?? []).map(({ name }) => name ?? '');
    let first: unknown = formatError(this.#source, 'it has no output', 'a graph with one');
    // An output of labels is not what the network computes; one of probabilities is.
    const room = this.#room;
    for (const [index, output] of outputs.entries()) {
      this.#room = room;
      this.#conversions.clear();
      try {
        return this.#back(output);
      } catch (error) {
        if (index === 0 || !isLabels(this.#makers.get(outputs[0]!))) first = index === 0 ? error : first;
        else first = error;
      }
    }
    throw first;
  }

  /** Every step from the input to a value, the last one first while they are found. */
  #back(output: string): Step[] {
    const steps: Step[] = [];
    let value = output;
    for (let count = 0; ; count++) {
      const node = this.#makers.get(value);
      if (node === undefined) break;
      if (this.#joinsColumns(node)) {
        this.joined = nameOf(node);
        this.input = value;
        return steps.reverse();
      }
      if (count > this.#makers.size) throw formatError(this.#source, 'its nodes go in a circle', 'a graph');
      value = this.#step(node, steps);
      if (steps.length <= MOST_STEPS) continue;
      throw formatError(this.#source, `it does more than ${MOST_STEPS} things to a row`, 'a dense network');
    }
    if (!(this.#graph.input ?? []).some(({ name }) => name === value) || this.#constants.has(value)) {
      throw formatError(this.#source, `the value ${quote(value)} is made by no node`, 'an input or a node');
    }
    this.input = value;
    return steps.reverse();
  }

  /** Adds what a node does, and returns the name of the value that it does it to. */
  #step(node: OnnxNode, steps: Step[]): string {
    const { opType = '', input = [] } = node;
    const name = nameOf(node);
    const [x = '', second = ''] = input;
    const activate = (layer: Activation): string => {
      steps.push({ kind: 'activation', name, layer });
      return x;
    };
    if (Object.hasOwn(PLAIN, opType)) return activate(PLAIN[opType]!);
    if (Object.hasOwn(ARITHMETIC, opType)) return this.#arithmetic(node, ARITHMETIC[opType]!, name, steps);
    if (PASSING.has(opType)) return x;
    switch (opType) {
      case 'LeakyRelu':
        return activate({ type: 'leakyRelu', slope: attributeOf(node, 'alpha')?.f ?? 0.01 });
      case 'PRelu': {
        const slopes = this.#floats(second, node);
        if (slopes.length !== 1) throw this.#unknown(node, 'with a slope for each column');
        return activate({ type: 'leakyRelu', slope: slopes[0]! });
      }
      case 'Gelu':
        if (textAttribute(node, 'approximate') === 'tanh') throw this.#unknown(node, 'approximated by tanh');
        return activate({ type: 'gelu' });
      case 'Softmax':
        steps.push({ kind: 'softmax', name });
        return x;
      case 'Gemm':
        this.#gemm(node, name, steps);
        return x;
      case 'MatMul': {
        const { data, inputs, outputs } = this.#matrix(second, node, false);
        steps.push({ kind: 'dense', name, inputs, outputs, weight: data, bias: null });
        return x;
      }
      case 'BatchNormalization': {
        const [gamma, beta, mean, variance] = input.slice(1, 5).map((own) => this.#floats(own, node));
        if (!gamma || !beta || !mean || !variance) throw this.#unknown(node, 'without its statistics');
        const epsilon = attributeOf(node, 'epsilon')?.f ?? 1e-5;
        steps.push({ kind: 'norm', name, gamma, beta, mean, variance, epsilon: tidy(epsilon) });
        return x;
      }
      case 'Scaler': {
        // scikit-learn's StandardScaler: (x - offset) scale.
        const of = (key: string) => Float32Array.from(attributeOf(node, key)?.floats ?? []);
        steps.push({ kind: 'multiply', name, values: of('scale') });
        steps.push({ kind: 'subtract', name, values: of('offset') });
        return x;
      }
      case 'Concat':
        return this.#twoClasses(node, name, steps);
      default:
        throw this.#unknown(node);
    }
  }

  #gemm(node: OnnxNode, name: string, steps: Step[]): void {
    const [, second = '', third = ''] = node.input ?? [];
    if (attributeOf(node, 'transA')?.i) throw this.#unknown(node, 'of a transposed input');
    const { data, inputs, outputs } = this.#matrix(second, node, attributeOf(node, 'transB')?.i === 1);
    const alpha = attributeOf(node, 'alpha')?.f ?? 1;
    const beta = attributeOf(node, 'beta')?.f ?? 1;
    const weight = alpha === 1 ? data : data.map((value) => value * alpha);
    const own = third === '' ? null : this.#floats(third, node);
    if (own !== null && own.length !== outputs && own.length !== 1) {
      throw formatError(this.#source, `${quote(name)} has ${own.length} biases`, `${outputs}`);
    }
    const bias =
      own && Float32Array.from({ length: outputs }, (_, at) => beta * own[own.length === 1 ? 0 : at]!);
    steps.push({ kind: 'dense', name, inputs, outputs, weight, bias });
  }

  /** Arithmetic with constants, or the ways in which SiLU and GELU are written by it. */
  #arithmetic(node: OnnxNode, kind: Arithmetic, name: string, steps: Step[]): string {
    const [a = '', b = ''] = node.input ?? [];
    if (this.#isConstant(b)) {
      const gelu = kind === 'multiply' ? this.#gelu(node) : null;
      if (gelu !== null) return this.#activated('gelu', gelu, name, steps);
      steps.push({ kind, name, values: this.#floats(b, node) });
      return a;
    }
    if (this.#isConstant(a)) {
      const gelu = kind === 'multiply' ? this.#gelu(node) : null;
      if (gelu !== null) return this.#activated('gelu', gelu, name, steps);
      if (kind === 'divide') throw this.#unknown(node, 'by its input');
      if (kind === 'subtract') {
        steps.push({ kind: 'add', name, values: this.#floats(a, node) });
        steps.push({ kind: 'multiply', name, values: Float32Array.of(-1) });
      } else steps.push({ kind, name, values: this.#floats(a, node) });
      return b;
    }
    if (kind === 'multiply') {
      for (const [value, gate] of [
        [a, b],
        [b, a],
      ] as const) {
        const maker = this.#makers.get(gate);
        if (maker?.opType === 'Sigmoid' && maker.input?.[0] === value)
          return this.#activated('silu', value, name, steps);
      }
      const gelu = this.#gelu(node);
      if (gelu !== null) return this.#activated('gelu', gelu, name, steps);
    }
    throw this.#unknown(node, 'of two values');
  }

  #activated(type: 'silu' | 'gelu', value: string, name: string, steps: Step[]): string {
    steps.push({ kind: 'activation', name, layer: { type } });
    return value;
  }

  /** The value that a product of x, 1/2 and 1 + erf(x / sqrt 2), in any order, is GELU of; null for any other product. */
  #gelu(node: OnnxNode): string | null {
    const factors: string[] = [];
    let product = 1;
    const collect = (name: string, depth: number): void => {
      const maker = this.#makers.get(name);
      const constant = this.#number(name);
      if (constant !== null) product *= constant;
      else if (maker?.opType === 'Mul' && depth < 3)
        for (const own of maker.input ?? []) collect(own, depth + 1);
      else factors.push(name);
    };
    for (const own of node.input ?? []) collect(own, 1);
    if (factors.length !== 2 || Math.abs(product - 0.5) > 1e-4) return null;
    for (const [x, gate] of [factors, factors.toReversed()] as [string, string][]) {
      const sum = this.#makers.get(gate);
      const parts = sum?.opType === 'Add' ? (sum.input ?? []) : [];
      const erf = parts.map((part) => this.#makers.get(part)).find((maker) => maker?.opType === 'Erf');
      if (erf === undefined || !parts.some((part) => this.#number(part) === 1)) continue;
      if (this.#isShare(erf.input?.[0] ?? '', x)) return x;
    }
    return null;
  }

  /** Whether a value is x / sqrt 2. */
  #isShare(name: string, x: string): boolean {
    const maker = this.#makers.get(name);
    const [a = '', b = ''] = maker?.input ?? [];
    if (maker?.opType === 'Div') return a === x && Math.abs((this.#number(b) ?? 0) - Math.SQRT2) < 1e-4;
    if (maker?.opType !== 'Mul') return false;
    const factor = a === x ? this.#number(b) : b === x ? this.#number(a) : null;
    return factor !== null && Math.abs(factor - Math.SQRT1_2) < 1e-4;
  }

  /** scikit-learn's two classes out of one probability, (1 - p, p): softmax of (0, z), which gives the same. */
  #twoClasses(node: OnnxNode, name: string, steps: Step[]): string {
    const [rest = '', p = ''] = node.input ?? [];
    const maker = this.#makers.get(rest);
    const sigmoid = this.#makers.get(p);
    const isPair =
      node.input?.length === 2 &&
      maker?.opType === 'Sub' &&
      maker.input?.[1] === p &&
      this.#number(maker.input[0] ?? '') === 1 &&
      sigmoid?.opType === 'Sigmoid';
    if (!isPair) throw this.#unknown(node);
    const second = Float32Array.of(0, 1);
    steps.push({ kind: 'softmax', name });
    steps.push({
      kind: 'dense',
      name: `${name} of two classes`,
      inputs: 1,
      outputs: 2,
      weight: second,
      bias: null,
    });
    return sigmoid.input?.[0] ?? '';
  }

  /** Whether a node puts what becomes of columns beside one another: nothing before it multiplies by a matrix. */
  #joinsColumns(node: OnnxNode): boolean {
    if (node.opType !== 'Concat') return false;
    this.#multiplied ??= behindMatrices(this.#graph.node ?? []);
    return !this.#multiplied.has(node);
  }

  #isConstant(name: string): boolean {
    return this.#constantOf(name) !== null;
  }

  /** A constant, perhaps handed on by Identity, Cast, Unsqueeze or Transpose, and whether it is transposed. */
  #constantOf(name: string): { tensor: OnnxTensor; transposed: boolean } | null {
    let transposed = false;
    for (let at = name, count = 0; count < 8; count++) {
      const tensor = this.#constants.get(at);
      if (tensor !== undefined) return { tensor, transposed };
      const maker = this.#makers.get(at);
      if (maker?.opType === 'Transpose') {
        const order = attributeOf(maker, 'perm')?.ints;
        if (order === undefined || order.join() === '1,0') transposed = !transposed;
        else if (order.join() !== '0,1') return null;
      } else if (!/^(Identity|Cast|Unsqueeze|Squeeze)$/.test(maker?.opType ?? '')) return null;
      at = maker!.input?.[0] ?? '';
    }
    return null;
  }

  /** The value of a constant of one number; null for anything else. */
  #number(name: string): number | null {
    const found = this.#constantOf(name);
    if (found === null || countOf(found.tensor, this.#source) !== 1) return null;
    const whole = integersOf(found.tensor);
    return whole === null ? floatsOf(found.tensor, this.#source, new Map())[0]! : (whole[0] ?? null);
  }

  /** A constant's numbers in a row. Throws `format` for what is no constant of one row. */
  #floats(name: string, node: OnnxNode): Float32Array {
    const found = this.#constantOf(name);
    if (found === null) throw this.#unknown(node, `with ${quote(name)}, which is no constant`);
    const { tensor } = found;
    const count = countOf(tensor, this.#source);
    if ((tensor.dims ?? []).some((size) => size !== 1 && size !== count)) {
      throw this.#unknown(node, `with an array of shape [${tensor.dims}]`);
    }
    this.#take(count);
    return floatsOf(tensor, this.#source, this.#conversions);
  }

  /** A constant matrix as (inputs, outputs). */
  #matrix(name: string, node: OnnxNode, isTransposed: boolean) {
    const found = this.#constantOf(name);
    if (found === null) throw this.#unknown(node, `with ${quote(name)}, which is no constant`);
    const [rows = 0, columns = 0] = found.tensor.dims ?? [];
    if (found.tensor.dims?.length !== 2)
      throw this.#unknown(node, `with an array of shape [${found.tensor.dims}]`);
    this.#take(countOf(found.tensor, this.#source));
    const data = floatsOf(found.tensor, this.#source, this.#conversions);
    if (found.transposed === isTransposed) return { data, inputs: rows, outputs: columns };
    return { data: transpose(data, rows, columns), inputs: columns, outputs: rows };
  }

  #take(count: number): void {
    this.#room -= 4 * count;
    if (this.#room >= 0) return;
    throw formatError(this.#source, 'its layers hold far more numbers than the file', 'numbers of their own');
  }

  #unknown(node: OnnxNode, how = '') {
    const { opType = '' } = node;
    const found = `node ${quote(nameOf(node))} is ${quote(opType)}${how === '' ? '' : ` ${how}`}`;
    return formatError(
      this.#source,
      found,
      `an operation of a dense network (${listed(KNOWN, KNOWN.length)})`,
    );
  }
}

const KNOWN = [
  ...['Gemm', 'MatMul', 'Add', 'Sub', 'Mul', 'Div', 'BatchNormalization', 'Scaler'],
  ...['Relu', 'LeakyRelu', 'Tanh', 'Sigmoid', 'Gelu', 'Softmax', 'Flatten', 'Cast', 'Identity'],
];

/** Whether a node makes labels, which no network is read from. */
function isLabels(node: OnnxNode | undefined): boolean {
  return /^(ArgMax|Gather|ArrayFeatureExtractor|LabelEncoder|Cast|Reshape)$/.test(node?.opType ?? '');
}

/** The nodes that multiply by a matrix, and all that what they give goes on to. */
function behindMatrices(nodes: readonly OnnxNode[]): Set<OnnxNode> {
  const users = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of node.input ?? []) {
      const known = users.get(name);
      if (known === undefined) users.set(name, [node]);
      else known.push(node);
    }
  }
  const found = new Set(nodes.filter(({ opType }) => /^(Gemm|MatMul|Conv)/.test(opType ?? '')));
  // A set goes on to what is added while it is gone through.
  for (const { output = [] } of found) {
    for (const name of output) for (const node of users.get(name) ?? []) found.add(node);
  }
  return found;
}

function nameOf({ name, output }: OnnxNode): string {
  return name || (output?.[0] ?? '');
}

function attributeOf({ attribute = [] }: OnnxNode, name: string) {
  return attribute.find((own) => own.name === name);
}

function textAttribute(node: OnnxNode, name: string): string {
  return texts([attributeOf(node, name)?.s ?? new Uint8Array(0)])?.[0] ?? '';
}
