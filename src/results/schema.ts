import * as v from 'valibot';
import { AUGMENT_KEYS } from '#bindings';
import { PANELS } from '../metrics/figures.js';
import { count, id, name, notNegative, number, positive } from '../strict/values.js';
import { CLASSIFIER_FIGURES } from './epochs.js';
import { jobId } from './job-id.js';
import type { RunResults } from './records.js';

const share = v.pipe(number, v.minValue(0, 'a number from 0 to 1'), v.maxValue(1, 'a number from 0 to 1'));
const learningRate = v.pipe(
  number,
  v.check((rate) => rate > 0, 'a number above 0'),
);
const text = v.string('a text');

function list<T extends v.GenericSchema>(item: T, what: string) {
  return v.array(item, `a list of ${what}`);
}

function oneOf<const T extends readonly string[]>(choices: T) {
  return v.picklist(choices, `one of ${choices.join(', ')}`);
}

function record<T extends v.ObjectEntries>(entries: T) {
  return v.object(entries, 'an object');
}

const environment = record({
  node: text,
  v8: text,
  build: text,
  kernels: text,
  revectorized: v.boolean('true or false'),
  cpu: text,
  cores: count,
  seconds: notNegative,
});

const AUGMENT_ENTRIES = Object.fromEntries(
  AUGMENT_KEYS.map((key) => [key, v.optional(notNegative)]),
) as Record<(typeof AUGMENT_KEYS)[number], v.OptionalSchema<typeof notNegative, undefined>>;

const augment = v.nullable(record({ ...AUGMENT_ENTRIES, until: v.optional(share) }));

const config = record({
  architectures: v.pipe(
    list(
      record({
        name,
        hidden: list(positive, 'widths'),
        dropout: v.optional(share),
        augment: v.optional(augment),
      }),
      'architectures',
    ),
    v.minLength(1, 'at least one architecture'),
  ),
  learningRates: v.pipe(list(learningRate, 'learning rates'), v.minLength(1, 'at least one learning rate')),
  schedule: v.optional(oneOf(['constant', 'cosine']), 'constant'),
  mode: oneOf(['chained', 'independent']),
  passes: v.optional(positive, 1),
  epochs: positive,
  batchSize: positive,
  dropout: share,
  augment: v.optional(augment, null),
  seed: count,
  seeds: v.optional(positive, 1),
  validationSize: v.nullable(count),
  trainSamples: v.nullable(count),
  keep: oneOf(['best', 'last']),
  average: v.optional(oneOf(['none', 'flip']), 'none'),
  jobs: positive,
  threads: positive,
  build: text,
});

const dataset = record({
  name: text,
  source: text,
  hash: text,
  imageWidth: positive,
  imageHeight: positive,
  classNames: v.pipe(list(text, 'class names'), v.minLength(2, 'at least two class names')),
  trainSamples: count,
  validationSamples: count,
  testSamples: count,
});

const figures = Object.fromEntries(
  CLASSIFIER_FIGURES.map(({ name, panel }) => [name, PANELS[panel].most === 1 ? share : number]),
) as Record<(typeof CLASSIFIER_FIGURES)[number]['name'], typeof number>;

const epoch = record({
  epoch: positive,
  ...figures,
  seconds: notNegative,
});

const test = record({
  accuracy: share,
  precision: share,
  recall: share,
  macroF1: share,
  loss: number,
  confusion: list(list(count, 'counts'), 'rows'),
});

const model = record({
  id,
  model: name,
  learningRate,
  epochs: list(epoch, 'epochs'),
  kept: v.nullable(record({ epoch: positive, valMacroF1: share })),
  weights: list(text, 'paths'),
  test: v.nullable(test),
  error: v.optional(text),
  interrupted: v.optional(v.boolean('true or false')),
});

const ensemble = record({
  members: v.pipe(list(id, 'ids'), v.minLength(1, 'at least one id')),
  valAccuracy: share,
  agreement: share,
  test,
});

const CURRENT = record({
  schema: v.literal(2, 'schema version 1 or 2'),
  environment,
  config,
  dataset,
  models: list(model, 'models'),
  earlier: v.optional(list(model, 'models')),
  ensemble: v.optional(ensemble),
  best: v.nullable(id),
});

/** What treadle 0.1 wrote: models had no ids, `best` was an architecture and a rate. */
const FIRST = v.pipe(
  record({
    ...CURRENT.entries,
    schema: v.literal(1),
    models: list(v.omit(model, ['id']), 'models'),
    best: v.nullable(record({ model: name, learningRate })),
  }),
  v.transform(
    ({ models, best, ...rest }): RunResults => ({
      ...rest,
      schema: 2,
      models: models.map((model) => ({ id: jobId(model), ...model })),
      best: best && jobId(best),
    }),
  ),
);

/**
 * The form of a `results.json`, by the version that it states; messages say what is expected. What spans several fields
 * is checked elsewhere.
 */
export function schemaOf(json: unknown): v.GenericSchema<unknown, RunResults> {
  return (json as { schema?: unknown } | null | undefined)?.schema === 1 ? FIRST : CURRENT;
}
