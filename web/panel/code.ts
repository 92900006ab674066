import { type Setup, type Shape, scheduleOf, specOf } from './setup.ts';

/** A value as code writes it, in one line. */
export function literal(value: unknown): string {
  if (typeof value === 'string') {
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, own]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : literal(key)}: ${literal(own)}`,
  );
  return `{ ${entries.join(', ')} }`;
}

/** Layers in lines of their own. */
export const layerLines = (layers: readonly unknown[]): string =>
  layers.map((layer) => `\n    ${typeof layer === 'string' ? layer : literal(layer)},`).join('');

/** The options of `fit` that the set-up decides, in lines of their own. */
export function fitLines(setup: Setup): string {
  const lines = [
    `epochs: ${setup.epochs}`,
    ...(setup.patience > 0 ? [`patience: ${setup.patience}`] : []),
    ...(setup.batch > 0 ? [`batchSize: ${setup.batch}`] : []),
    `optimizer: ${literal({ type: setup.optimizer })}`,
    `learningRate: ${literal(scheduleOf(setup))}`,
    `seed: ${setup.seed}`,
    'onEpoch: ({ epoch, trainLoss, valLoss }) => console.log(epoch, trainLoss, valLoss)',
  ];
  return lines.map((line) => `\n  ${line},`).join('');
}

/** Code that trains the same network in Node, on `x` and `y` that the code before it makes. */
export function trainingCode(before: string, shape: Shape, task: string, setup: Setup): string {
  const { layers, ...others } = specOf(shape, setup);
  const rest = Object.entries(others).map(([key, value]) => `\n  ${key}: ${literal(value)},`);
  return `import { createModel, writeModel } from 'treadle';

${before.trim()}

const spec = {${rest.join('')}
  layers: [${layerLines(layers)}
  ],
};
const model = await createModel(spec, { seed: ${setup.seed}, threads: 'auto' });
const history = await model.fit({ x, y }, {
  task: '${task}',
  validation,${fitLines(setup)}
});
console.log('kept epoch', history.best);
await writeModel('model.safetensors', model);
`;
}
