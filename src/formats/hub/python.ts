import {
  type ActivationName,
  type Head,
  type Layer,
  LEAKY_RELU_SLOPE,
  lowerModel,
  type ModelSpec,
} from '#bindings';
import { headOf } from '../../model/head.js';

// Programs for one model in Python, that run as they stand in the folder of its files.

const MODULES: Readonly<Record<Exclude<ActivationName, 'leakyRelu'>, string>> = {
  relu: 'nn.ReLU()',
  tanh: 'nn.Tanh()',
  sigmoid: 'nn.Sigmoid()',
  gelu: 'nn.GELU()',
  silu: 'nn.SiLU()',
};

/** Activations of numpy arrays. */
const FORMULAS: Readonly<Record<ActivationName, (slope: number) => string>> = {
  relu: () => 'numpy.maximum(values, 0)',
  leakyRelu: (slope) => `numpy.where(values > 0, values, ${slope} * values)`,
  tanh: () => 'numpy.tanh(values)',
  sigmoid: () => '1 / (1 + numpy.exp(-values))',
  gelu: () => 'values * (1 + numpy.vectorize(math.erf)(values / math.sqrt(2))) / 2',
  silu: () => 'values / (1 + numpy.exp(-values))',
};

function moduleOf(layer: Layer, inputs: number): string {
  switch (layer.type) {
    case 'dense':
      return `nn.Linear(${inputs}, ${layer.units}${layer.bias === false ? ', bias=False' : ''})`;
    case 'batchNorm':
      return `nn.BatchNorm1d(${inputs}${layer.epsilon === undefined ? '' : `, eps=${layer.epsilon}`})`;
    case 'dropout':
      return `nn.Dropout(${layer.rate})`;
    case 'leakyRelu':
      return `nn.LeakyReLU(${layer.slope ?? LEAKY_RELU_SLOPE})`;
    default:
      return MODULES[layer.type];
  }
}

/** A row to try the model with, as an expression of numpy or PyTorch. */
export function exampleRow({ input }: ModelSpec, library: 'numpy' | 'torch'): string {
  const type = input.type === 'u8' ? 'uint8' : 'float32';
  return `${library}.zeros((1, ${input.features}), dtype=${library}.${type})`;
}

/** What the first layer takes of `x`. */
function firstValues({ input }: ModelSpec, library: 'numpy' | 'torch'): string {
  if (input.type === 'u8') return library === 'numpy' ? 'x / numpy.float32(255)' : 'x / 255';
  return input.standardize === true ? '(x - tensors["input.mean"]) / tensors["input.deviation"]' : 'x';
}

const TORCH_HEADS: Readonly<Record<Head, string>> = {
  softmax: 'values.softmax(1)',
  sigmoid: 'values.sigmoid()',
  identity: 'values',
};

/** How numbers are turned back to what they were learnt of. */
function lastValues(spec: ModelSpec, heads: Readonly<Record<Head, string>>): string {
  return spec.output?.standardize === true
    ? 'values * tensors["target.deviation"] + tensors["target.mean"]'
    : heads[headOf(spec)];
}

/** The model as torch.nn.Sequential, its weights, and what it says of a row `x`. */
export function torchProgram(spec: ModelSpec): string {
  let width = spec.input.features;
  const modules = spec.layers.map((layer) => {
    const text = `    ${moduleOf(layer, width)},`;
    if (layer.type === 'dense') width = layer.units;
    return text;
  });
  return `import torch
from safetensors.torch import load_file
from torch import nn

model = nn.Sequential(
${modules.join('\n')}
)
tensors = load_file("model.safetensors")
model.load_state_dict({name: value for name, value in tensors.items() if name[0].isdigit()})
model.eval()

x = ${exampleRow(spec, 'torch')}
with torch.no_grad():
    values = model(${firstValues(spec, 'torch')})
    print(${lastValues(spec, TORCH_HEADS)})`;
}

const NUMPY_HEADS: Readonly<Record<Head, string>> = {
  softmax: 'values / values.sum(1, keepdims=True)',
  sigmoid: '1 / (1 + numpy.exp(-values))',
  identity: 'values',
};

/** The same in numpy, layer by layer. */
export function numpyProgram(spec: ModelSpec): string {
  const blocks = lowerModel(spec);
  const lines = blocks.flatMap(({ layer, bias, norm, activation, slope }) => {
    const of = (at: number, name: string) => `tensors["${at}.${name}"]`;
    const sums = `values = values @ ${of(layer, 'weight')}.T${bias ? ` + ${of(layer, 'bias')}` : ''}`;
    const own = [sums];
    if (norm !== null) {
      const [mean, variance] = [of(norm.layer, 'running_mean'), of(norm.layer, 'running_var')];
      own.push(
        `values = (values - ${mean}) / numpy.sqrt(${variance} + ${norm.epsilon})`,
        `values = values * ${of(norm.layer, 'weight')} + ${of(norm.layer, 'bias')}`,
      );
    }
    if (activation !== 'identity') own.push(`values = ${FORMULAS[activation](slope)}`);
    return own;
  });
  if (headOf(spec) === 'softmax') lines.push('values = numpy.exp(values - values.max(1, keepdims=True))');
  const usesMath = blocks.some(({ activation }) => activation === 'gelu');
  return `${usesMath ? 'import math\n\n' : ''}import numpy
from safetensors.numpy import load_file

tensors = load_file("model.safetensors")
x = ${exampleRow(spec, 'numpy')}
values = ${firstValues(spec, 'numpy')}
${lines.join('\n')}
print(${lastValues(spec, NUMPY_HEADS)})`;
}
