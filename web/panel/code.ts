import { type Setup, type Shape, scheduleOf, specOf } from './setup.ts';

/** Code that trains the same network in Node, on `x` and `y` that the code before it makes. */
export function trainingCode(before: string, shape: Shape, task: string, setup: Setup): string {
  const json = (value: unknown) =>
    JSON.stringify(value, null, 2)
      .replace(/"(\w+)":/g, '$1:')
      .replaceAll('"', "'")
      .replace(/\n/g, '\n  ');
  const batch = setup.batch > 0 ? `\n  batchSize: ${setup.batch},` : '';
  const patience = setup.patience > 0 ? `\n  patience: ${setup.patience},` : '';
  return `import { createModel, writeModel } from 'treadle';

${before.trim()}

const spec = ${json(specOf(shape, setup)).replace(/\n {2}/g, '\n')};
const model = await createModel(spec, { seed: ${setup.seed}, threads: 'auto' });
const history = await model.fit({ x, y }, {
  task: '${task}',
  validation,
  epochs: ${setup.epochs},${patience}${batch}
  optimizer: { type: '${setup.optimizer}' },
  learningRate: ${JSON.stringify(scheduleOf(setup))
    .replace(/"(\w+)":/g, '$1: ')
    .replaceAll('"', "'")
    .replaceAll(',', ', ')},
  seed: ${setup.seed},
  onEpoch: ({ epoch, trainLoss, valLoss }) => console.log(epoch, trainLoss, valLoss),
});
console.log('kept epoch', history.best);
await writeModel('model.safetensors', model);
`;
}
