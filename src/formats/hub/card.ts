import { type ModelSpec, parameterCount } from '#bindings';
import { headOf } from '../../model/head.js';
import type { AnyModel } from '../any-model.js';
import { inOneLine } from '../export/folded.js';
import type { WeightsMetadata } from '../metadata.js';
import { exampleRow, numpyProgram, torchProgram } from './python.js';
import { CARD_FIGURES, type CardFigure, type TestFigures } from './test-figures.js';
import { plain, quoted, toYaml, type Yaml } from './text.js';

/** What a card says of a model's inputs, and how programs give them. */
export interface CardFront {
  /** The Hub's name of the task. */
  readonly task: string;
  /** What a row is, in Markdown. */
  readonly inputs: string;
  /** A row's features by name, where PyTorch and numpy take those and not the row itself; in Markdown. */
  readonly features: string | null;
  /** Names of the classes, labels or numbers. */
  readonly outputs: readonly string[] | undefined;
  /** A row for onnxruntime: an expression of Python. */
  readonly feeds: string;
  /** A program of treadle's, in JavaScript. */
  readonly program: string;
}

/** A card: the `README.md` of a model's folder, with front matter as the Hugging Face Hub reads it. */
export function cardOf(
  name: string,
  { spec, metadata }: Pick<AnyModel, 'spec' | 'metadata'>,
  test: TestFigures | null,
  front: CardFront = frontOfRows(spec),
): string {
  const head = headOf(spec);
  const { outputs } = front;
  const says = {
    softmax: 'the probability of each class',
    sigmoid: 'the probability of each label',
    identity: 'numbers',
  }[head];
  return `---${toYaml(frontMatter(name, metadata, test, front))}
---

# ${plain(name)}

A dense network, \`${inOneLine(spec)}\`, with ${parameterCount(spec).toLocaleString('en-US')} parameters, trained by
[treadle](https://www.npmjs.com/package/treadle).

It takes ${front.inputs}

It gives ${says}${outputs ? `: ${outputs.map(plain).join(', ')}` : ''}.
${metadata === null ? '' : trainingText(metadata)}${test === null ? '' : testText(test)}
## How to load it

In treadle:

\`\`\`js
${front.program}
\`\`\`

In Python with onnxruntime:

\`\`\`py
import numpy
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
print(session.run(None, ${front.feeds}))
\`\`\`

With PyTorch and safetensors:

\`\`\`py
${torchProgram(spec)}
\`\`\`

With numpy and safetensors:

\`\`\`py
${numpyProgram(spec)}
\`\`\`
${front.features === null ? '' : `\nIn PyTorch and numpy \`x\` has these features: ${front.features}.\n`}`;
}

function frontMatter(
  name: string,
  metadata: WeightsMetadata | null,
  test: TestFigures | null,
  { task }: CardFront,
): Yaml {
  const results = [
    ...(metadata === null ? [] : [resultOf(task, 'Validation', validationOf(metadata))]),
    ...(test === null ? [] : [resultOf(task, 'Test', test)]),
  ];
  return {
    library_name: 'treadle',
    pipeline_tag: task,
    tags: ['treadle', 'mlp', 'onnx', 'safetensors'],
    ...(results.length > 0 && {
      metrics: [...new Set(results.flatMap(({ metrics }) => metrics.map(({ type }) => type)))],
      'model-index': [{ name, results }],
    }),
  };
}

/** Figures of the kept epoch on the validation samples. */
function validationOf(metadata: WeightsMetadata): Omit<TestFigures, 'samples'> {
  const { dataset, dataHash, valAccuracy, valMacroF1, valLoss } = metadata;
  return {
    data: dataset,
    hash: dataHash,
    scores: { accuracy: valAccuracy, macroF1: valMacroF1, loss: valLoss },
  };
}

/** Figures in the form of the Hub's model index. */
function resultOf(task: string, split: string, { data, hash, scores }: Omit<TestFigures, 'samples'>) {
  const slug = data
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return {
    task: { type: task },
    dataset: {
      name: data,
      type: slug === '' ? 'data' : slug,
      split: split.toLowerCase(),
      ...(hash !== undefined && { args: { sha256: hash } }),
    },
    metrics: figuresIn(scores).map(({ type, title, value }) => ({ type, name: `${split} ${title}`, value })),
  };
}

function figuresIn(scores: TestFigures['scores']) {
  return Object.entries(scores).map(([name, value]) => ({ ...CARD_FIGURES[name as CardFigure], value }));
}

function testText({ data, samples, scores }: TestFigures): string {
  const lines = figuresIn(scores).map(({ title, value }) => `| ${title} | ${value} |`);
  return `\n## Test\n\nOn ${samples.toLocaleString('en-US')} samples of ${plain(data)} that it was not trained on:\n\n| | |\n|---|---|\n${lines.join('\n')}\n`;
}

function trainingText(metadata: WeightsMetadata): string {
  const rows: [string, string][] = [
    ['data', metadata.dataset],
    ['SHA-256 of the data', metadata.dataHash],
    ['epochs', `${metadata.epochs}, of which number ${metadata.keptEpoch} is kept`],
    ['learning rate', `${metadata.learningRate}${metadata.schedule ? `, ${metadata.schedule}` : ''}`],
    ['batch size', `${metadata.batchSize}`],
    ['seed', `${metadata.seed}`],
    ['validation accuracy', `${metadata.valAccuracy}`],
    ['validation macro-F1', `${metadata.valMacroF1}`],
    ['validation loss', `${metadata.valLoss}`],
  ];
  return `\n## Training\n\n| | |\n|---|---|\n${rows.map(([key, value]) => `| ${key} | ${plain(value)} |`).join('\n')}\n`;
}

/** The front of a model that takes rows of its features. */
function frontOfRows(spec: ModelSpec): CardFront {
  const { features, type, shape, names } = spec.input;
  const isImage = type === 'u8' && shape !== undefined;
  const task = isImage
    ? 'image-classification'
    : `tabular-${headOf(spec) === 'identity' ? 'regression' : 'classification'}`;
  const of = names
    ? `: ${names.map(plain).join(', ')}`
    : shape
      ? `, an array of shape (${shape.join(', ')})`
      : '';
  const row = `[new ${type === 'u8' ? 'Uint8Array' : 'Float32Array'}(${features})]`;
  const rows = type === 'sparse' ? '{ indptr: [0, 1], indices: [0], values: [1] }' : row;
  return {
    task,
    inputs: `rows of ${features} ${type === 'u8' ? 'bytes, 0 to 255' : 'numbers'}${of}.`,
    features: null,
    outputs: spec.classes ?? spec.output?.names,
    feeds: `{"x": ${exampleRow(spec, 'numpy')}}`,
    program: `import { readModel } from ${quoted('treadle')};

const model = await readModel('model.safetensors');
const said = model.predict(${rows});`,
  };
}
