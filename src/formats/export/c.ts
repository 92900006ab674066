import type { ActivationName, Bytes, Head } from '#bindings';
import { type FoldedLayer, type FoldedModel, inOneLine } from './folded.js';

// A C99 header for microcontrollers: 32-bit floats, tables that can stay in flash, no allocation. Scratch memory is the
// caller's, so that nothing large stands on the stack and several threads may run the model.

/** An activation as an expression of x. */
const ACTIVATIONS: Readonly<Record<ActivationName, (slope: number) => string>> = {
  relu: () => 'x > 0.0f ? x : 0.0f',
  leakyRelu: (slope) => `x > 0.0f ? x : ${literal(slope)} * x`,
  tanh: () => 'tanhf(x)',
  sigmoid: () => '1.0f / (1.0f + expf(-x))',
  gelu: () => '0.5f * x * (1.0f + erff(x * 0.707106781f))',
  silu: () => 'x / (1.0f + expf(-x))',
};

/** A 32-bit float as C writes it: nine digits say it exactly. */
function literal(value: number): string {
  const digits = Number(Math.fround(value).toPrecision(9)).toString();
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
}

/** A text as a C string: what is not plain ASCII in octal, which no digit behind it can prolong. */
function text(value: string): string {
  const letters = [...new TextEncoder().encode(value)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(String.fromCharCode(byte));
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${letters.join('')}"`;
}

function table(name: string, values: Float32Array): string {
  const lines: string[] = [];
  for (let at = 0; at < values.length; at += 8) {
    lines.push(`  ${Array.from(values.subarray(at, at + 8), literal).join(', ')},`);
  }
  return `static const float ${name}[${values.length}] = {\n${lines.join('\n')}\n};\n`;
}

/** Words of C that no name of a model may be, with what is put in front of a digit. */
const PREFIX = 'model_';

/** A name that C takes, made of a file's or a model's. */
export function cName(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return /^[a-z]/.test(plain) ? plain.slice(0, 64) : `${PREFIX}${plain}`.slice(0, 64);
}

/** A model as a C header; \`name\` stands before everything in it. */
export function toC(model: FoldedModel, name: string): Bytes {
  return new TextEncoder().encode(headerOf(model, cName(name)));
}

function headerOf(model: FoldedModel, name: string): string {
  const { features, outputs, layers, inputType, input, target, classes } = model;
  const upper = name.toUpperCase();
  const type = inputType === 'u8' ? 'unsigned char' : 'float';
  const widest = Math.max(features, ...layers.map((layer) => layer.outputs));
  const tables = layers.flatMap(({ weight, bias }, index) => [
    table(`${name}_weight_${index}`, weight),
    table(`${name}_bias_${index}`, bias),
  ]);
  if (input !== null) {
    tables.push(table(`${name}_input_mean`, input.mean), table(`${name}_input_deviation`, input.deviation));
  }
  if (target !== null) {
    tables.push(
      table(`${name}_target_mean`, target.mean),
      table(`${name}_target_deviation`, target.deviation),
    );
  }
  const names =
    classes === null
      ? ''
      : `/* Names of the classes, in UTF-8. */\nstatic const char *const ${name}_classes[${outputs}] = {\n${classes.map((own) => `  ${text(own)},`).join('\n')}\n};\n`;
  return `/* A model made by treadle: ${inOneLine(model.spec)}.
 * C99, 32-bit floats, no allocation; needs math.h. Include it in one source file. */
#ifndef ${upper}_H
#define ${upper}_H

#include <math.h>

#define ${upper}_INPUTS ${features}
#define ${upper}_OUTPUTS ${outputs}
/* Floats of the memory that ${name}_run works in. */
#define ${upper}_SCRATCH ${2 * widest}

${tables.join('\n')}
${names}
/* sums = bias + in * weight, weights (inputs, units). */
static inline void ${name}_dense(const float *in, int inputs, const float *weight, const float *bias, int units, float *sums) {
  for (int unit = 0; unit < units; unit++) sums[unit] = bias[unit];
  for (int input = 0; input < inputs; input++) {
    const float value = in[input];
    const float *row = weight + (long)input * units;
    if (value == 0.0f) continue;
    for (int unit = 0; unit < units; unit++) sums[unit] += value * row[unit];
  }
}

/* Works out the ${outputs} ${OUTPUTS[model.head]} of one row. */
static inline void ${name}_run(const ${type} in[${upper}_INPUTS], float out[${upper}_OUTPUTS], float scratch[${upper}_SCRATCH]) {
  float *from = scratch;
  float *to = scratch + ${widest};
  float *spare;
  for (int i = 0; i < ${features}; i++) from[i] = ${encoder(model, name)};
${layers.map((layer, index) => layerText(layer, index, name)).join('\n')}
${HEADS[model.head](model, name)}
}
${classifierText(model, name, type)}
#endif
`;
}

const OUTPUTS: Readonly<Record<Head, string>> = {
  softmax: 'probabilities of the classes',
  sigmoid: 'probabilities of the labels',
  identity: 'predicted numbers',
};

function encoder({ inputType, input }: FoldedModel, name: string): string {
  if (inputType === 'u8') return '(float)in[i] / 255.0f';
  return input === null ? 'in[i]' : `(in[i] - ${name}_input_mean[i]) / ${name}_input_deviation[i]`;
}

function layerText({ inputs, outputs, activation, slope }: FoldedLayer, index: number, name: string): string {
  const act =
    activation === 'identity'
      ? ''
      : `
  for (int i = 0; i < ${outputs}; i++) {
    const float x = to[i];
    to[i] = ${ACTIVATIONS[activation](slope)};
  }`;
  return `
  ${name}_dense(from, ${inputs}, ${name}_weight_${index}, ${name}_bias_${index}, ${outputs}, to);${act}
  spare = from;
  from = to;
  to = spare;`;
}

const HEADS: Readonly<Record<Head, (model: FoldedModel, name: string) => string>> = {
  softmax: ({ outputs }) => `
  float largest = from[0];
  for (int i = 1; i < ${outputs}; i++) if (from[i] > largest) largest = from[i];
  float sum = 0.0f;
  for (int i = 0; i < ${outputs}; i++) {
    out[i] = expf(from[i] - largest);
    sum += out[i];
  }
  for (int i = 0; i < ${outputs}; i++) out[i] /= sum;`,
  sigmoid: ({ outputs }) => `
  for (int i = 0; i < ${outputs}; i++) out[i] = 1.0f / (1.0f + expf(-from[i]));`,
  identity: ({ outputs, target }, name) => {
    const value =
      target === null ? 'from[i]' : `from[i] * ${name}_target_deviation[i] + ${name}_target_mean[i]`;
    return `
  for (int i = 0; i < ${outputs}; i++) out[i] = ${value};`;
  },
};

/** The index of the likeliest class. */
function classifierText({ head, outputs }: FoldedModel, name: string, type: string): string {
  if (head !== 'softmax') return '';
  const upper = name.toUpperCase();
  return `
/* The index of the likeliest class of one row; out gets the probabilities. */
static inline int ${name}_predict(const ${type} in[${upper}_INPUTS], float out[${upper}_OUTPUTS], float scratch[${upper}_SCRATCH]) {
  int best = 0;
  ${name}_run(in, out, scratch);
  for (int i = 1; i < ${outputs}; i++) if (out[i] > out[best]) best = i;
  return best;
}
`;
}
