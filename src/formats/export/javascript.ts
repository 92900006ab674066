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

/** A model as a JavaScript module: \`probabilities(row)\` or, for numbers, \`outputs(row)\`, and \`predict(row)\`. */
export function toJavaScript(model: FoldedModel): Bytes {
  return new TextEncoder().encode(moduleOf(model));
}

function moduleOf(model: FoldedModel): string {
  const { features, layers, head, classes, spec, inputType, input, target } = model;
  const used = new Set(layers.map(({ activation }) => activation));
  const run = head === 'identity' ? 'outputs' : 'probabilities';
  const names = { features: spec.input.names, classes, outputs: spec.output?.names };
  const lists = Object.entries(names).flatMap(([name, list]) =>
    list
      ? [
          `export const ${name === 'features' ? 'featureNames' : name === 'outputs' ? 'outputNames' : name} = ${JSON.stringify(list)};`,
        ]
      : [],
  );
  const activations = [...used].flatMap((name) =>
    name === 'identity'
      ? []
      : [`  ${name}: (x${name === 'leakyRelu' ? ', slope' : ''}) => ${ACTIVATIONS[name]},`],
  );
  return `// A model made by treadle: ${inOneLine(model.spec)}.
// ${run}(row) takes ${features} ${inputType === 'u8' ? 'bytes, 0 to 255' : 'numbers'}; predict(row) says ${PREDICTS[head]}.

/** Numbers of one row. */
export const features = ${features};
${lists.join('\n')}

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

/** ${head === 'identity' ? 'The numbers that are predicted for a row.' : `The probability of each ${head === 'softmax' ? 'class' : 'label'} for a row.`} */
export function ${run}(row) {
  if (row.length !== features) throw new RangeError(\`The row has \${row.length} values; \${features} are expected.\`);
  let values = Array.from(row${encoder(model)});
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

/** What the model says of a row: ${PREDICTS[head]}. */
export function predict(row) {
${predictText(model, run)}
}
`;
}

const PREDICTS: Readonly<Record<Head, string>> = {
  softmax: 'its class',
  sigmoid: '0 or 1 for each label',
  identity: 'a number, or several',
};

function encoder({ inputType, input }: FoldedModel): string {
  if (inputType === 'u8') return ', (byte) => byte / 255';
  return input === null ? '' : ', (value, index) => (value - input.mean[index]) / input.deviation[index]';
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

function predictText({ head, classes, outputs }: FoldedModel, run: string): string {
  const all = `${run}(row)`;
  if (head === 'softmax') {
    const best = 'all.reduce((best, value, index) => (value > all[best] ? index : best), 0)';
    return `  const all = ${all};\n  return ${classes === null ? best : `classes[${best}]`};`;
  }
  const answers = head === 'sigmoid' ? `${all}.map((value) => (value >= 0.5 ? 1 : 0))` : all;
  return `  return ${answers}${outputs === 1 ? '[0]' : ''};`;
}
