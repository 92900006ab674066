import { type Head, type Layer, MAX_WIDTH, type ModelSpec, type TensorKey } from '#bindings';
import { quote } from '../../strict/text.js';
import type { StoredModel } from '../model-bytes.js';
import { formatError } from '../tensor.js';

// What a network of another program does to a row, step by step, and how that becomes a model of treadle's: blocks of dense,
// batchNorm and activation. Scales and shifts that have no layer here become part of the dense layer beside them.

/** One thing that is done to a row. Arrays have one value, for all columns, or one a column. */
export type Step =
  | {
      readonly kind: 'dense';
      readonly name: string;
      readonly inputs: number;
      readonly outputs: number;
      /** (inputs, outputs), row-major. */
      readonly weight: Float32Array;
      readonly bias: Float32Array | null;
    }
  | {
      readonly kind: 'norm';
      readonly name: string;
      readonly gamma: Float32Array;
      readonly beta: Float32Array;
      readonly mean: Float32Array;
      readonly variance: Float32Array;
      readonly epsilon: number;
    }
  | { readonly kind: Arithmetic; readonly name: string; readonly values: Float32Array }
  | { readonly kind: 'activation'; readonly name: string; readonly layer: Activation }
  | { readonly kind: 'softmax'; readonly name: string };

export type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide';
export type Activation = Exclude<Layer, { type: 'dense' | 'batchNorm' | 'dropout' }>;
type Norm = Extract<Step, { kind: 'norm' }>;

/** What is known of a network beside its steps. */
export interface Surroundings {
  /** Bytes in place of floats; then the steps begin with a division by 255. */
  readonly isBytes: boolean;
  /** What a row is an array of; null where that is not known. */
  readonly shape: readonly number[] | null;
  readonly featureNames?: readonly string[] | null;
  readonly outputNames?: readonly string[] | null;
  readonly classes: readonly string[] | null;
  /** What outputs are turned into where the steps do not say it. */
  readonly head: Head | null;
}

/** A dense layer and what follows it, while it is put together. */
interface Block {
  name: string;
  inputs: number;
  outputs: number;
  weight: Float32Array;
  bias: Float32Array | null;
  norm: Norm | null;
  activation: Activation | null;
}

/** x -> x scale + shift, column by column. */
interface Affine {
  scale: Float64Array;
  shift: Float64Array;
}

/**
 * The model that does what the steps do. Throws `format`, naming the step, where there is none; `source` is the file's name.
 * It allocates what the dense layers hold at most twice.
 */
export function assemble(steps: readonly Step[], around: Surroundings, source: string): StoredModel {
  const builder = new Builder(steps, source);
  for (const step of steps) builder.take(step);
  return builder.finish(around);
}

class Builder {
  readonly #source: string;
  readonly #lastDense: number;
  readonly #blocks: Block[] = [];
  /** Steps before the first dense layer, and arithmetic behind the last. */
  readonly #first: Step[] = [];
  readonly #last: Step[] = [];
  /** What is done between an activation and the next dense layer. */
  #pending: Step[] = [];
  /** What is done between a dense layer, or its norm, and the activation. */
  #after: Step[] = [];
  #head: Head | null = null;
  #at = 0;

  constructor(steps: readonly Step[], source: string) {
    this.#source = source;
    this.#lastDense = steps.findLastIndex(({ kind }) => kind === 'dense');
    if (this.#lastDense < 0) throw formatError(source, 'it has no dense layer', 'a network of dense layers');
  }

  take(step: Step): void {
    const at = this.#at++;
    const block = this.#blocks.at(-1);
    if (this.#head !== null) throw this.#misplaced(step, `behind ${this.#head}`, 'nothing behind the head');
    if (step.kind === 'dense') this.#takeDense(step);
    else if (step.kind === 'softmax') this.#end('softmax', step, at);
    else if (step.kind === 'activation') this.#takeActivation(step, at);
    else if (block === undefined) this.#first.push(step);
    else if (block.activation !== null) this.#pending.push(step);
    else if (at > this.#lastDense) this.#last.push(step);
    else if (step.kind === 'norm' && block.norm === null) {
      this.#settle(block);
      block.norm = this.#fitting(step, block.outputs);
    } else this.#after.push(step);
  }

  /** Lets a block do what follows its dense layer or its norm; once for all of it, since each time copies the weights. */
  #settle(block: Block): void {
    if (this.#after.length === 0) return;
    const affine = this.#affine(this.#after, block.outputs);
    if (block.norm === null) scaleOutputs(block, affine);
    else block.norm = intoNorm(block.norm, affine);
    this.#after = [];
  }

  #takeDense(step: Extract<Step, { kind: 'dense' }>): void {
    const { name, inputs, outputs, weight, bias } = step;
    const before = this.#blocks.at(-1);
    if (before !== undefined) this.#settle(before);
    const width = before?.outputs;
    if (width !== undefined && width !== inputs) {
      const found = `the dense layer ${quote(name)} takes ${inputs} values`;
      throw formatError(this.#source, found, `${width}, as the layer before it gives,`);
    }
    for (const size of [inputs, outputs]) {
      if (size >= 1 && size <= MAX_WIDTH) continue;
      const found = `the dense layer ${quote(name)} is ${size} wide`;
      throw formatError(this.#source, found, `1 to ${MAX_WIDTH}`);
    }
    const block: Block = { name, inputs, outputs, weight, bias, norm: null, activation: null };
    if (this.#pending.length > 0) scaleInputs(block, this.#affine(this.#pending, inputs));
    this.#pending = [];
    this.#blocks.push(block);
  }

  #takeActivation(step: Extract<Step, { kind: 'activation' }>, at: number): void {
    const { layer } = step;
    const block = this.#blocks.at(-1);
    if (at > this.#lastDense) {
      if (layer.type === 'sigmoid') this.#end('sigmoid', step, at);
      else throw this.#misplaced(step, 'behind the last dense layer', 'softmax, sigmoid or nothing there');
    } else if (block === undefined) {
      throw this.#misplaced(step, 'before the first dense layer', 'a dense layer before it');
    } else if (block.activation !== null) {
      throw this.#misplaced(step, `behind ${block.activation.type}`, 'a dense layer between activations');
    } else {
      this.#settle(block);
      block.activation = layer;
    }
  }

  #end(head: Head, step: Step, at: number): void {
    if (at < this.#lastDense) throw this.#misplaced(step, 'before a dense layer', 'it behind the last');
    this.#head = head;
  }

  finish({ isBytes, shape, classes, featureNames, outputNames, head }: Surroundings): StoredModel {
    const [first, last] = [this.#blocks[0]!, this.#blocks.at(-1)!];
    const tensors = new Map<TensorKey, Float32Array>();
    const input = isBytes ? this.#bytesFirst() : inputStatistics(this.#first, first.inputs);
    if (input === null && this.#first.length > 0) scaleInputs(first, this.#affine(this.#first, first.inputs));
    const ended = this.#head ?? head ?? 'identity';
    const target = ended === 'identity' ? targetStatistics(this.#last, last.outputs) : null;
    if (target === null && this.#last.length > 0) scaleOutputs(last, this.#affine(this.#last, last.outputs));

    const layers = this.#blocks.flatMap((block) => layersOf(block));
    let index = 0;
    for (const { weight, bias, norm, activation } of this.#blocks) {
      tensors.set(`${index}.weight`, weight);
      if (bias !== null) tensors.set(`${index}.bias`, bias);
      index++;
      if (norm !== null) {
        tensors.set(`${index}.gamma`, norm.gamma);
        tensors.set(`${index}.beta`, norm.beta);
        tensors.set(`${index}.runningMean`, norm.mean);
        tensors.set(`${index}.runningVar`, norm.variance);
        index++;
      }
      if (activation !== null) index++;
    }
    for (const [name, statistics] of [
      ['input', input],
      ['target', target],
    ] as const) {
      if (statistics === null) continue;
      tensors.set(`${name}.mean`, statistics.mean);
      tensors.set(`${name}.deviation`, statistics.deviation);
    }
    const isShape = shape !== null && shape.length > 1 && product(shape) === first.inputs;
    const spec: ModelSpec = {
      input: {
        features: first.inputs,
        type: isBytes ? 'u8' : 'f32',
        ...(input !== null && { standardize: true }),
        ...(isShape && { shape }),
        ...(featureNames && { names: featureNames }),
      },
      layers,
      output: {
        head: ended,
        ...(target !== null && { standardize: true }),
        ...(outputNames && { names: outputNames }),
      },
      ...(classes !== null && ended === 'softmax' && { classes }),
    };
    return { spec, tensors, loss: null };
  }

  /** Bytes are divided by 255 first; what comes behind that becomes part of the first layer. */
  #bytesFirst(): null {
    const [step] = this.#first;
    if (!dividesBy255(step))
      throw formatError(this.#source, 'its bytes are not divided by 255', 'bytes that are');
    this.#first.shift();
    return null;
  }

  /** Arithmetic and norms in a row as one scale and shift a column. */
  #affine(steps: readonly Step[], width: number): Affine {
    const affine = { scale: new Float64Array(width).fill(1), shift: new Float64Array(width) };
    for (const step of steps) {
      if (step.kind === 'norm') normAffine(affine, this.#fitting(step, width));
      else arithmetic(affine, this.#fitting(step as Extract<Step, { kind: Arithmetic }>, width));
    }
    return affine;
  }

  #fitting<T extends Step>(step: T, width: number): T {
    const arrays =
      'values' in step
        ? [step.values]
        : 'gamma' in step
          ? [step.gamma, step.beta, step.mean, step.variance]
          : [];
    const wrong = arrays.find(({ length }) => length !== width && (length !== 1 || step.kind === 'norm'));
    if (wrong === undefined) return step;
    throw formatError(this.#source, `${quote(step.name)} has ${wrong.length} values`, `${width}`);
  }

  #misplaced({ kind, name, ...rest }: Step, where: string, expected: string) {
    const what = 'layer' in rest ? (rest as { layer: Activation }).layer.type : kind;
    return formatError(this.#source, `${quote(name)} is ${what} ${where}`, expected);
  }
}

/** Whether a step turns bytes into numbers from 0 to 1. */
export function dividesBy255(step: Step | undefined): step is Extract<Step, { kind: Arithmetic }> {
  return (
    (step?.kind === 'divide' && step.values.every((value) => value === 255)) ||
    (step?.kind === 'multiply' && step.values.every((value) => Math.abs(value * 255 - 1) < 1e-6))
  );
}

function layersOf({ outputs, bias, norm, activation }: Block): Layer[] {
  return [
    { type: 'dense', units: outputs, ...(bias === null && { bias: false }) },
    ...(norm === null ? [] : [{ type: 'batchNorm', epsilon: norm.epsilon } as const]),
    ...(activation === null ? [] : [activation]),
  ];
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

const at = (values: Float32Array, column: number) => values[values.length === 1 ? 0 : column]!;

function arithmetic({ scale, shift }: Affine, { kind, values }: Extract<Step, { kind: Arithmetic }>): void {
  for (let column = 0; column < scale.length; column++) {
    const value = at(values, column);
    if (kind === 'add') shift[column]! += value;
    else if (kind === 'subtract') shift[column]! -= value;
    else {
      const factor = kind === 'multiply' ? value : 1 / value;
      scale[column]! *= factor;
      shift[column]! *= factor;
    }
  }
}

function normAffine({ scale, shift }: Affine, { gamma, beta, mean, variance, epsilon }: Norm): void {
  for (let column = 0; column < scale.length; column++) {
    const factor = gamma[column]! / Math.sqrt(variance[column]! + epsilon);
    scale[column]! *= factor;
    shift[column] = (shift[column]! - mean[column]!) * factor + beta[column]!;
  }
}

/** Lets a dense layer do what was done to its inputs before: (x s + t) W + b = x (s W) + (t W + b). */
function scaleInputs(block: Block, { scale, shift }: Affine): void {
  const { inputs, outputs, weight } = block;
  const bias = Float64Array.from({ length: outputs }, (_, unit) => block.bias?.[unit] ?? 0);
  const scaled = new Float32Array(weight.length);
  for (let input = 0; input < inputs; input++) {
    for (let unit = 0; unit < outputs; unit++) {
      const value = weight[input * outputs + unit]!;
      scaled[input * outputs + unit] = value * scale[input]!;
      bias[unit]! += value * shift[input]!;
    }
  }
  block.weight = scaled;
  block.bias = Float32Array.from(bias);
}

/** Lets a dense layer do what is done to its outputs: (x W + b) s + t = x (W s) + (b s + t). */
function scaleOutputs(block: Block, { scale, shift }: Affine): void {
  const { outputs, weight, bias } = block;
  if (scale.some((value) => value !== 1)) {
    block.weight = weight.map((value, index) => value * scale[index % outputs]!);
  }
  block.bias = Float32Array.from(shift, (value, unit) => value + (bias?.[unit] ?? 0) * scale[unit]!);
}

function intoNorm(norm: Norm, { scale, shift }: Affine): Norm {
  return {
    ...norm,
    gamma: norm.gamma.map((value, unit) => value * scale[unit]!),
    beta: norm.beta.map((value, unit) => value * scale[unit]! + shift[unit]!),
  };
}

interface Statistics {
  mean: Float32Array;
  deviation: Float32Array;
}

const spread = (values: Float32Array, width: number) =>
  values.length === width ? values : new Float32Array(width).fill(values[0]!);

const isDeviation = (value: number) => value > 0 && Number.isFinite(value);

/** Mean and deviation where the steps are (x - mean) / deviation or part of it; null for anything else. */
function inputStatistics(steps: readonly Step[], width: number): Statistics | null {
  const [first, second] = steps;
  if (first === undefined || steps.length > 2) return null;
  const centred = first.kind === 'subtract' ? first : null;
  const scaled = centred === null ? first : second;
  if (steps.length === 2 && centred === null) return null;
  if (scaled !== undefined && scaled.kind !== 'divide' && scaled.kind !== 'multiply') return null;
  for (const step of [centred, scaled]) {
    if (step && step.values.length !== 1 && step.values.length !== width) return null;
  }
  const mean = centred === null ? new Float32Array(width) : spread(centred.values, width);
  let deviation = scaled === undefined ? new Float32Array(width).fill(1) : spread(scaled.values, width);
  if (scaled?.kind === 'multiply') deviation = deviation.map((value) => 1 / value);
  return deviation.every(isDeviation) ? { mean, deviation } : null;
}

/** Mean and deviation where the steps are y deviation + mean; null for anything else. */
function targetStatistics(steps: readonly Step[], width: number): Statistics | null {
  const [scaled, shifted] = steps;
  if (steps.length !== 2 || scaled?.kind !== 'multiply' || shifted?.kind !== 'add') return null;
  for (const { values } of [scaled, shifted]) if (values.length !== 1 && values.length !== width) return null;
  const deviation = spread(scaled.values, width);
  return deviation.every(isDeviation) ? { mean: spread(shifted.values, width), deviation } : null;
}

/** A 32-bit float as the decimal number that was meant, where seven digits say it: 1e-5 and not 9.999999747378752e-6. */
export function tidy(value: number): number {
  const meant = Number(value.toPrecision(7));
  return Math.fround(meant) === value ? meant : value;
}
