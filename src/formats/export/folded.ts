import {
  type ActivationName,
  type Head,
  type InputType,
  lowerModel,
  type ModelSpec,
  type TensorKey,
} from '#bindings';
import { headOf } from '../../model/head.js';
import type { StoredModel } from '../model-bytes.js';

// What other programs run of a model: dense layers and activations. BatchNorm is part of the layer before it, as in
// treadle's own inference, and dropout is gone.

/** A dense layer, with BatchNorm folded into it, and the activation behind it. */
export interface FoldedLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** (inputs, outputs), row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly activation: ActivationName | 'identity';
  /** Of leakyRelu; 0 for others. */
  readonly slope: number;
}

/** Means and deviations that values are standardised by. */
export interface Statistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

/** A model as other programs run it. */
export interface FoldedModel {
  readonly features: number;
  readonly inputType: InputType;
  readonly input: Statistics | null;
  readonly layers: readonly FoldedLayer[];
  readonly head: Head;
  readonly outputs: number;
  readonly target: Statistics | null;
  readonly classes: readonly string[] | null;
  /** The model as it was, for descriptions. */
  readonly spec: ModelSpec;
}

/** Folds a model; sums in 64 bits, each result rounded once. */
export function foldModel({ spec, tensors }: StoredModel): FoldedModel {
  const of = (key: TensorKey) => tensors.get(key)!;
  const statistics = (what: 'input' | 'target'): Statistics | null =>
    tensors.has(`${what}.mean`) ? { mean: of(`${what}.mean`), deviation: of(`${what}.deviation`) } : null;
  const layers = lowerModel(spec).map((block): FoldedLayer => {
    const { layer, inputs, outputs, bias: hasBias, norm, activation, slope } = block;
    const weight = of(`${layer}.weight`);
    const bias = hasBias ? of(`${layer}.bias`) : new Float32Array(outputs);
    const whole = { inputs, outputs, activation, slope };
    if (norm === null) return { ...whole, weight, bias };
    const [gamma, beta] = [of(`${norm.layer}.gamma`), of(`${norm.layer}.beta`)];
    const [mean, variance] = [of(`${norm.layer}.runningMean`), of(`${norm.layer}.runningVar`)];
    const scale = Float64Array.from(
      gamma,
      (value, unit) => value / Math.sqrt(variance[unit]! + norm.epsilon),
    );
    return {
      ...whole,
      weight: weight.map((value, at) => value * scale[at % outputs]!),
      bias: bias.map((value, unit) => (value - mean[unit]!) * scale[unit]! + beta[unit]!),
    };
  });
  return {
    features: spec.input.features,
    inputType: spec.input.type,
    input: statistics('input'),
    layers,
    head: headOf(spec),
    outputs: layers.at(-1)!.outputs,
    target: statistics('target'),
    classes: spec.classes ?? null,
    spec,
  };
}

/** A model in a line: `4 -> 32 relu -> 3, softmax`. */
export function inOneLine(spec: ModelSpec): string {
  const widths = lowerModel(spec).map(({ outputs, activation }) =>
    activation === 'identity' ? `${outputs}` : `${outputs} ${activation}`,
  );
  return `${[spec.input.features, ...widths].join(' -> ')}, ${headOf(spec)}`;
}
