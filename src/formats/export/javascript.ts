import type { ActivationName, Bytes, Head } from '#bindings';
import { floatsToBase64 } from './base64.js';
import { type FoldedModel, inOneLine, type Statistics } from './folded.js';

// A JavaScript module without imports. What it needs only is written: one activation, one head.

/** An activation as an expression of x; `slope` is the layer's. */
const ACTIVATIONS: Readonly<Record<ActivationName, string>> = {
  relu: 'x > 0 ? x : 0',
  leakyRelu: 'x > 0 ? x : slope * x',
  tanh: 'Math.tanh(x)',
  sigmoid: '1 / (1 + Math.exp(-x))',
  gelu: '(x * (1 + erf(x / Math.SQRT2))) / 2',
  silu: 'x / (1 + Math.exp(-x))',
};

/** Abramowitz and Stegun's 7.1.26. */
const ERF = `
/** The error function, to 1.5e-7 (Abramowitz and Stegun, 7.1.26). */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const factors = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const rest = factors.reduce((sum, factor) => sum * t + factor, 0) * t * Math.exp(-x * x);
  return x >= 0 ? 1 - rest : rest - 1;
}
`;

const HEADS: Readonly<Record<Head, string>> = {
  softmax: `
  const largest = values.reduce((a, b) => Math.max(a, b));
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);`,
  sigmoid: `
  return values.map((value) => 1 / (1 + Math.exp(-value)));`,
  identity: `
  return values;`,
};

/** What the functions of a module take, and what stands in it before the network. */
export interface JsFront {
  /** What a row is, in words. */
  readonly takes: string;
  /** Lists that the module exports, by name. */
  readonly lists: Readonly<Record<string, readonly unknown[] | undefined>>;
  /** The text of \`encode(row)\`, an array of features, and of what it needs. */
  readonly encode: string;
  /** What the functions give, as an expression of \`values\`, the array that the network gives. */
  readonly outputs: string;
}

/**
 * A model as a JavaScript module: \`probabilities(row)\` or, for numbers, \`outputs(row)\`, and \`predict(row)\`; a row is an
 * array of features, or what \`front\` says.
 */
export function toJavaScript(model: FoldedModel, front: JsFront = frontOfRows(model)): Bytes {
  return new TextEncoder().encode(moduleOf(model, front));
}

function moduleOf(model: FoldedModel, front: JsFront): string {
  const { layers, head, classes, spec, input, target } = model;
  const used = new Set(layers.map(({ activation }) => activation));
  const run = head === 'identity' ? 'outputs' : 'probabilities';
  const lists = Object.entries({ ...front.lists, classes, outputNames: spec.output?.names }).flatMap(
    ([name, list]) => (list ? [listText(name, list)] : []),
  );
  const activations = [...used].flatMap((name) =>
    name === 'identity'
      ? []
      : [`  ${name}: (x${name === 'leakyRelu' ? ', slope' : ''}) => ${ACTIVATIONS[name]},`],
  );
  return `// A model made by treadle: ${inOneLine(model.spec)}.
// ${run}(row) takes ${front.takes}; predict(row) says ${PREDICTS[head]}.

${lists.join('\n')}
${front.encode}
/** 32-bit floats out of Base64. */
function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}
${used.has('gelu') ? ERF : ''}
const activations = {
  identity: (x) => x,
${activations.join('\n')}
};
${statisticsText('input', input)}${statisticsText('target', target)}
/** Layers in order: weights (inputs, units), a bias for each unit. */
const layers = [
${layers.map(layerText).join('\n')}
];

/** What the network makes of a row's features. */
function run(features) {
  let values = ${encoder(model)};
  for (const { weight, bias, activation, slope } of layers) {
    const sums = Float64Array.from(bias);
    values.forEach((value, input) => {
      if (value === 0) return;
      const start = input * sums.length;
      for (let unit = 0; unit < sums.length; unit++) sums[unit] += value * weight[start + unit];
    });
    values = Array.from(sums, (sum) => activations[activation](sum, slope));
  }${
    target === null
      ? HEADS[head]
      : `
  return values.map((value, index) => value * target.deviation[index] + target.mean[index]);`
  }
}

/** ${head === 'identity' ? 'The numbers that are predicted for a row.' : `The probability of each ${head === 'softmax' ? 'class' : 'label'} for a row.`} */
export function ${run}(row) {
  const values = run(encode(row));
  return ${front.outputs};
}

/** What the model says of a row: ${PREDICTS[head]}. */
export function predict(row) {
  const values = run(encode(row));
  return ${predictText(model, front)};
}
`;
}

/** A list that the module exports: in one line, or an element a line where these are objects. */
function listText(name: string, list: readonly unknown[]): string {
  const items = list.map((item) => JSON.stringify(item));
  const isOfObjects = typeof list[0] === 'object';
  const text = isOfObjects ? `[\n${items.map((item) => `  ${item},\n`).join('')}]` : `[${items.join(',')}]`;
  return `export const ${name} = ${text};`;
}

/** The front of a model whose rows are arrays of its features. */
function frontOfRows({ features, inputType, spec }: FoldedModel): JsFront {
  return {
    takes: `${features} ${inputType === 'u8' ? 'bytes, 0 to 255' : 'numbers'}`,
    lists: { featureNames: spec.input.names },
    encode: `
/** Numbers of one row. */
export const features = ${features};

/** A row that has as many numbers as it must. */
function encode(row) {
  if (row.length === features) return row;
  throw new RangeError(\`The row has \${row.length} values; \${features} are expected.\`);
}
`,
    outputs: 'values',
  };
}

const PREDICTS: Readonly<Record<Head, string>> = {
  softmax: 'its class',
  sigmoid: '0 or 1 for each label',
  identity: 'a number, or several',
};

function encoder({ inputType, input }: FoldedModel): string {
  if (inputType === 'u8') return 'Array.from(features, (byte) => byte / 255)';
  if (input === null) return 'Array.from(features)';
  return 'Array.from(features, (value, index) => (value - input.mean[index]) / input.deviation[index])';
}

function statisticsText(name: string, statistics: Statistics | null): string {
  if (statistics === null) return '';
  return `
/** What ${name === 'input' ? 'inputs' : 'targets'} are standardised by. */
const ${name} = {
  mean: floats('${floatsToBase64(statistics.mean)}'),
  deviation: floats('${floatsToBase64(statistics.deviation)}'),
};
`;
}

function layerText({ weight, bias, activation, slope }: FoldedModel['layers'][number]): string {
  const rest = activation === 'leakyRelu' ? `,\n    slope: ${slope}` : '';
  return `  {
    activation: '${activation}'${rest},
    bias: floats('${floatsToBase64(bias)}'),
    weight: floats('${floatsToBase64(weight)}'),
  },`;
}

function predictText({ head, classes, outputs }: FoldedModel, front: JsFront): string {
  if (head === 'softmax') {
    const best = 'values.reduce((best, value, index) => (value > values[best] ? index : best), 0)';
    return classes === null ? best : `classes[${best}]`;
  }
  if (outputs === 1) return head === 'sigmoid' ? '(values[0] >= 0.5 ? 1 : 0)' : 'values[0]';
  return head === 'sigmoid' ? 'values.map((value) => (value >= 0.5 ? 1 : 0))' : front.outputs;
}
