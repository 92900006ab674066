import { PLAIN_ACTIVATIONS } from '#bindings';
import { quote } from '../../strict/text.js';
import type { Conversions } from '../floats.js';
import { type Hdf5, openHdf5 } from '../hdf5.js';
import { elementCount, type FloatTensor, formatError } from '../tensor.js';
import { unzip } from '../zip.js';
import { type KerasLayer, layersOfConfig } from './keras-config.js';
import { deviationOf, namedWeights } from './keras-weights.js';
import {
  type Activation,
  type Arithmetic,
  dividesBy255,
  type Step,
  type Surroundings,
  tidy,
} from './steps.js';

// Models and weights as Keras saves them: model.keras, a zip of config.json and model.weights.h5; model.h5 of Keras 2 and
// before, HDF5 with the configuration among its attributes; and weights alone, which do not say what is between them.

/** What a file of Keras holds: a network, or its weights alone, under names as {@link namedSteps} takes them. */
export type KerasContent =
  | { readonly steps: Step[]; readonly around: Surroundings }
  | { readonly named: Map<string, FloatTensor> };

const CONFIG = 'config.json';
const WEIGHTS = 'model.weights.h5';

/** Whether a zip with these names is a model of Keras. */
export const isKerasZip = (names: readonly string[]) =>
  names.includes(CONFIG) && !names.includes(`${CONFIG}.npy`);

/** A model.keras. Throws `format` for others, naming the layer that treadle has not. */
export function kerasZip(bytes: Uint8Array, source: string, conversions: Conversions): KerasContent {
  const files = unzip(bytes, 'files of Keras', source);
  const [config, weights] = [files.get(CONFIG), files.get(WEIGHTS)];
  if (config === undefined || weights === undefined) {
    const missing = config === undefined ? CONFIG : WEIGHTS;
    throw formatError(source, `it has no ${missing}`, 'what model.save of Keras writes, in one file,');
  }
  return modelOf(new TextDecoder().decode(config), openHdf5(weights, source), source, conversions);
}

/** A model.h5 or model.weights.h5. Throws `format` for others, naming the layer or the array that treadle has not. */
export function kerasHdf5(bytes: Uint8Array, source: string, conversions: Conversions): KerasContent {
  const file = openHdf5(bytes, source);
  const config = file.text('', 'model_config');
  return config === null
    ? { named: namedWeights(file, source, conversions) }
    : modelOf(config, file, source, conversions);
}

function modelOf(config: string, file: Hdf5, source: string, conversions: Conversions): KerasContent {
  const layers = layersOfConfig(config, source);
  const reader = new LayerReader(file, source, conversions);
  const steps = layers.flatMap((layer) => reader.steps(layer));
  const input = layers.find(({ className }) => className === 'InputLayer')?.config ?? layers[0]?.config ?? {};
  const sizes = input.batch_shape ?? input.batch_input_shape;
  const isShape = Array.isArray(sizes) && sizes.slice(1).every((size) => Number.isInteger(size) && size > 0);
  const shape = isShape ? (sizes.slice(1) as number[]) : null;
  const first = steps.find((step) => step.kind === 'dense');
  if (first !== undefined && shape !== null && elementCount(shape) !== first.inputs) {
    const found = `its inputs have shape [${shape}], and the layer ${quote(first.name)} takes ${first.inputs} values`;
    throw formatError(source, found, 'a Flatten before it');
  }
  const [scale] = steps;
  const isScaled = dividesBy255(scale) && scale.values.length === 1;
  // A Rescaling of pixels.
  const isOfImages = shape !== null && shape.length > 1 && isScaled;
  return {
    steps,
    around: { isBytes: input.dtype === 'uint8' || isOfImages, shape, classes: null, head: null },
  };
}

/** Layers that change nothing once training is over, or only what a row's values are called. */
const PASSING =
  /^(InputLayer|Flatten|Reshape|Identity|ActivityRegularization|(Alpha|Gaussian|Spatial.D)?Dropout|GaussianNoise)$/;

const KNOWN =
  'Dense, BatchNormalization, Normalization, Rescaling, activations that treadle has, Dropout or Flatten';

/** Activations by Keras' names. */
const ACTIVATIONS: Readonly<Record<string, Activation | null>> = {
  linear: null,
  swish: { type: 'silu' },
  leaky_relu: { type: 'leakyRelu', slope: 0.2 },
  ...Object.fromEntries(PLAIN_ACTIVATIONS.map((type) => [type, { type }])),
};

/** What layers do to a row. */
class LayerReader {
  readonly #file: Hdf5;
  readonly #source: string;
  readonly #conversions: Conversions;

  constructor(file: Hdf5, source: string, conversions: Conversions) {
    this.#file = file;
    this.#source = source;
    this.#conversions = conversions;
  }

  steps(layer: KerasLayer): Step[] {
    const { className, name, config } = layer;
    if (PASSING.test(className)) {
      if (config.data_format === 'channels_first') throw this.#unknown(layer, 'with its channels first');
      return [];
    }
    switch (className) {
      case 'Dense':
        return [this.#dense(layer), ...this.#activation(layer)];
      case 'BatchNormalization':
        return [this.#norm(layer)];
      case 'Normalization':
        return this.#normalization(layer);
      case 'Rescaling':
        return [
          this.#arithmetic(layer, 'multiply', config.scale),
          ...(config.offset === 0 ? [] : [this.#arithmetic(layer, 'add', config.offset)]),
        ];
      case 'Activation':
        return this.#activation(layer);
      case 'Softmax':
        return [{ kind: 'softmax', name }];
      case 'ReLU':
        if ((config.max_value ?? null) !== null || (config.threshold ?? 0) !== 0) {
          throw this.#unknown(layer, 'with a largest value or a threshold');
        }
        return [{ kind: 'activation', name, layer: this.#relu(layer, config.negative_slope ?? 0) }];
      case 'LeakyReLU':
        return [
          { kind: 'activation', name, layer: this.#relu(layer, config.negative_slope ?? config.alpha) },
        ];
      default:
        throw this.#unknown(layer);
    }
  }

  #dense(layer: KerasLayer): Step {
    const { name, config } = layer;
    const [weight, bias] = this.#weights(layer, ['kernel', ...(config.use_bias === false ? [] : ['bias'])]);
    const [inputs = 0, outputs = 0] = weight!.shape;
    if (weight!.shape.length !== 2 || (bias !== undefined && bias.data.length !== outputs)) {
      const found = `the layer ${quote(name)} has a kernel of shape [${weight!.shape}]`;
      throw formatError(this.#source, found, 'inputs and units, and as many biases');
    }
    return { kind: 'dense', name, inputs, outputs, weight: weight!.data, bias: bias?.data ?? null };
  }

  #norm(layer: KerasLayer): Step {
    const { name, config } = layer;
    const hasGamma = config.scale !== false;
    const hasBeta = config.center !== false;
    const names = [
      ...(hasGamma ? ['gamma'] : []),
      ...(hasBeta ? ['beta'] : []),
      'moving_mean',
      'moving_variance',
    ];
    const found = this.#weights(layer, names).map(({ data }) => data);
    const gamma = hasGamma ? found.shift()! : null;
    const beta = hasBeta ? found.shift()! : null;
    const [mean, variance] = found as [Float32Array, Float32Array];
    if (typeof config.epsilon !== 'number') throw this.#unknown(layer, 'without its epsilon');
    return {
      ...{ kind: 'norm', name, mean, variance, epsilon: tidy(config.epsilon) },
      gamma: gamma ?? new Float32Array(mean.length).fill(1),
      beta: beta ?? new Float32Array(mean.length),
    };
  }

  #normalization(layer: KerasLayer): Step[] {
    const { name, config } = layer;
    if (config.invert === true) throw this.#unknown(layer, 'inverted');
    const isGiven = (config.mean ?? null) !== null;
    const [mean, variance] = isGiven
      ? [this.#numbers(layer, config.mean), this.#numbers(layer, config.variance)]
      : this.#weights(layer, ['mean', 'variance']).map(({ data }) => data);
    return [
      { kind: 'subtract', name, values: mean! },
      { kind: 'divide', name, values: deviationOf(variance!) },
    ];
  }

  #arithmetic(layer: KerasLayer, kind: Arithmetic, value: unknown): Step {
    return { kind, name: layer.name, values: this.#numbers(layer, value) };
  }

  /** A number or a list of them, perhaps in lists of one. */
  #numbers(layer: KerasLayer, value: unknown): Float32Array {
    const list = Array.isArray(value) ? value.flat(8) : [value];
    if (list.length > 0 && list.every((own) => typeof own === 'number')) return Float32Array.from(list);
    throw this.#unknown(layer, 'with values that are no numbers');
  }

  #activation(layer: KerasLayer): Step[] {
    const { name } = layer;
    const { activation = 'linear' } = layer.config;
    const said = activation as { class_name?: unknown; config?: unknown } | string;
    // A function by its name, or an activation that is a layer of its own.
    if (typeof said === 'object' && said !== null && said.class_name !== 'function') {
      const config = said.config as Record<string, unknown>;
      if (typeof said.class_name !== 'string' || typeof config !== 'object' || config === null) {
        throw this.#unknown(layer, 'with an activation that is not described');
      }
      return this.steps({ ...layer, className: said.class_name, config });
    }
    const called = String(typeof said === 'string' ? said : said?.config);
    if (called === 'softmax') return [{ kind: 'softmax', name }];
    const known = Object.hasOwn(ACTIVATIONS, called) ? ACTIVATIONS[called] : undefined;
    if (known === undefined) throw this.#unknown(layer, `with the activation ${quote(called)}`);
    return known === null ? [] : [{ kind: 'activation', name, layer: known }];
  }

  #relu(layer: KerasLayer, slope: unknown): Activation {
    if (typeof slope !== 'number') throw this.#unknown(layer, 'without its slope');
    return slope === 0 ? { type: 'relu' } : { type: 'leakyRelu', slope: tidy(slope) };
  }

  /** The arrays of a layer, in the order in which Keras creates them. */
  #weights(layer: KerasLayer, names: readonly string[]): FloatTensor[] {
    const paths = this.#byPlace(layer, names) ?? this.#byName(layer, names);
    return paths.map((path, at) => {
      if (path !== undefined) return this.#file.floats(path, this.#conversions);
      throw formatError(this.#source, `the layer ${quote(layer.name)} has no ${names[at]}`, 'its weights');
    });
  }

  /** Keras 3: layers/dense_1/vars/0, by the layer's class and how many of it stand before. */
  #byPlace(layer: KerasLayer, names: readonly string[]): string[] | null {
    const { paths } = this.#file;
    for (const container of CONTAINERS) {
      const folder = [...layer.models, layer].map((own) => `${container}/${numbered(own)}`).join('/');
      const found = names.map((_, at) => `${folder}/vars/${at}`);
      if (!found.every((path) => paths.includes(path))) continue;
      const called = this.#file.text(`${folder}/vars`, 'name');
      if (called !== null && called !== layer.name) {
        const what = `the weights at ${quote(folder)} are those of ${quote(called)}`;
        throw formatError(this.#source, what, quote(layer.name));
      }
      return found;
    }
    return null;
  }

  /** Keras 2: model_weights/dense_1/…/dense_1/kernel:0, under the name of the outermost model that the layer is in. */
  #byName(layer: KerasLayer, names: readonly string[]): (string | undefined)[] {
    const [outermost = layer] = layer.models;
    const own = this.#file.paths.filter(
      (path) => path.startsWith(`model_weights/${outermost.name}/`) && path.split('/').at(-2) === layer.name,
    );
    return names.map((name) => own.find((path) => path.split('/').at(-1)!.replace(/:0$/, '') === name));
  }

  #unknown({ name, className }: KerasLayer, how = '') {
    const found = `the layer ${quote(name)} is ${quote(className)}${how === '' ? '' : ` ${how}`}`;
    return formatError(this.#source, found, KNOWN);
  }
}

/** Where Keras 3 and the last of Keras 2 have the layers of a model. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies'];

/** `batch_normalization_2`: a class as Keras 3's files have it, with the layer's number. */
function numbered({ className, place }: KerasLayer): string {
  const snake = className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
  return place === 0 ? snake : `${snake}_${place}`;
}
