import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { classifierParameters } from '../model/classifier.js';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { csvField, oneLine, preview } from '../strict/text.js';
import { byMerit, type Candidate } from './best.js';
import { CLASSIFIER_FIGURES } from './epochs.js';
import { passOf } from './job-id.js';
import type { DatasetRecord, ModelRecord, RunConfig, RunResults, TestRecord } from './records.js';
import { schemaOf } from './schema.js';

/** Deeper than results are, for later versions; a run of a hundred thousand epochs has fewer values. */
const LIMITS: JsonLimits = { depth: 16, values: 1_000_000 };

/** The parts of {@link RunResults} that a run knows itself. */
export type RunParts = Pick<
  RunResults,
  'environment' | 'config' | 'dataset' | 'models' | 'earlier' | 'ensemble'
>;

/** Puts a run's results together and picks the best model. */
export function buildResults({
  environment,
  config,
  dataset,
  models,
  earlier = [],
  ensemble,
}: RunParts): RunResults {
  const best = pickBest(models, smallestFirst(config, dataset));
  return {
    schema: 2,
    environment,
    config,
    dataset,
    models,
    ...(earlier.length > 0 && { earlier }),
    ...(ensemble !== undefined && { ensemble }),
    best,
  };
}

/**
 * The best model by {@link byMerit}, where `order` tells sizes (see {@link smallestFirst}), ties to the one listed first.
 * Null when no model has a kept epoch.
 */
export function pickBest(models: readonly ModelRecord[], order: readonly string[]): RunResults['best'] {
  return byMeritOf(models, order)[0]?.id ?? null;
}

/** The models that have a kept epoch, the best first by {@link byMerit}; `order` tells sizes (see {@link smallestFirst}). */
export function byMeritOf(models: readonly ModelRecord[], order: readonly string[]): ModelRecord[] {
  const candidate = ({ model, kept }: ModelRecord): Candidate => ({
    ...kept!,
    size: order.includes(model) ? order.indexOf(model) : order.length,
  });
  return models.filter(({ kept }) => kept !== null).sort((a, b) => byMerit(candidate(a), candidate(b)));
}

/** Names of the architectures, fewest trainable parameters first. */
export function smallestFirst(config: RunConfig, dataset: DatasetRecord): string[] {
  return config.architectures
    .map(({ name, hidden }) => ({ name, parameters: classifierParameters(shapeOf(hidden, dataset)) }))
    .sort((a, b) => a.parameters - b.parameters)
    .map(({ name }) => name);
}

/** The shape of a network with these hidden widths on this data. */
export function shapeOf(hidden: readonly number[], { imageWidth, imageHeight, classNames }: DatasetRecord) {
  return { inputs: imageWidth * imageHeight, hidden, classes: classNames.length };
}

/** The record of the best model; undefined when all failed. */
export function bestModel(results: RunResults): ModelRecord | undefined {
  return results.models.find(({ id }) => id === results.best);
}

/** A model that was tested. */
export type TestedModel = ModelRecord & { test: TestRecord };

export function isTested(model: ModelRecord): model is TestedModel {
  return model.test !== null;
}

/**
 * The results in a `results.json`: its text, or the value parsed from it. `source` (such as the path) is named in
 * errors. A text may hold a million values; parsing takes at most 64 bytes a character. Throws `format` for what
 * is not JSON or not of the form of {@link RunResults}, and `shape` for parts that
 * do not fit together.
 *
 * @example const { best, models } = parseResults(await readFile('runs/x/results.json', 'utf8'), 'results.json');
 */
export function parseResults(json: unknown, source: string): RunResults {
  const value = typeof json === 'string' ? parseResultsJson(json, source) : json;
  const result = v.safeParse(schemaOf(value), value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const subject = v.getDotPath(issue) ?? 'the content';
    const found = issue.input === undefined ? 'missing' : preview(issue.input);
    throw new TreadleError('format', `${source}: ${subject} is ${found}; ${issue.message} is expected.`, {
      subject: `${source}: ${subject}`,
      found: issue.input,
      expected: issue.message,
    });
  }
  checkModels(result.output, source);
  return result.output;
}

/** The JSON of a run's `results.json`. Throws `format`. */
export function parseResultsJson(text: string, source: string): unknown {
  const problem = structureProblem(text, LIMITS);
  if (problem !== null) {
    const expected = 'the results.json of a run';
    throw new TreadleError('format', `${source} ${problem}; ${expected} is expected.`, {
      subject: source,
      found: problem,
      expected,
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = oneLine((cause as Error).message);
    throw new TreadleError(
      'format',
      `${source} is not JSON (${reason}); the results.json of a run is expected.`,
      {
        subject: source,
        found: reason,
        expected: 'the results.json of a run',
        cause,
      },
    );
  }
}

function checkModels(results: RunResults, source: string): void {
  const { config, dataset, models, earlier = [], best } = results;
  const classes = dataset.classNames.length;
  const known = config.architectures.map(({ name }) => name);
  const fail = (subject: string, found: string | number, expected: string): never => {
    throw new TreadleError('shape', `${source}: ${subject} is ${found}; ${expected} is expected.`, {
      subject: `${source}: ${subject}`,
      found,
      expected,
    });
  };
  const expectSize = (place: string, test: TestRecord | null): void => {
    const sizes = test === null ? [] : [test.confusion.length, ...test.confusion.map((row) => row.length)];
    const wrong = sizes.find((size) => size !== classes);
    if (wrong === undefined) return;
    fail(`the size of ${place}.confusion`, wrong, `${classes} (one row and one column per class)`);
  };
  const ids = new Set<string>();
  const all = [
    ...models.map((model, index) => ({ ...model, place: `models.${index}` })),
    ...earlier.map((model, index) => ({ ...model, place: `earlier.${index}` })),
  ];
  all.forEach(({ id, model, kept, epochs, test, place }) => {
    if (ids.has(id)) fail(`${place}.id`, JSON.stringify(id), 'an id that no model before it has');
    ids.add(id);
    if (!known.includes(model)) fail(`${place}.model`, JSON.stringify(model), `one of ${known.join(', ')}`);
    if (kept !== null && !epochs.some(({ epoch }) => epoch === kept.epoch)) {
      fail(`${place}.kept.epoch`, kept.epoch, 'one of its epochs');
    }
    expectSize(`${place}.test`, test);
  });
  const stranger = results.ensemble?.members.find((member) => !models.some(({ id }) => id === member));
  if (stranger !== undefined)
    fail('ensemble.members', JSON.stringify(stranger), 'the id of one of the models');
  expectSize('ensemble.test', results.ensemble?.test ?? null);
  if (best !== null && bestModel(results) === undefined) {
    fail('best', JSON.stringify(best), 'the id of one of the models');
  }
}

/**
 * `epochs.csv`: one line per model and epoch, in the results' order, passes before the last first; figures to six digits,
 * seconds to three. Runs of several passes have a column for the pass.
 */
export function epochsCsv(results: RunResults): string {
  const columns = CLASSIFIER_FIGURES.map(({ column }) => column);
  const { models, earlier = [], config } = results;
  const passes = config.passes > 1;
  const heading = ['model', ...(passes ? ['pass'] : []), 'learning_rate', 'epoch', ...columns, 'seconds'];
  const lines = [...earlier, ...models].flatMap(({ id, model, learningRate, epochs }) =>
    epochs.map((epoch) => {
      const figures = CLASSIFIER_FIGURES.map(({ name }) => rounded(epoch[name], 6));
      const pass = passes ? [passOf(id)] : [];
      return [csvField(model), ...pass, learningRate, epoch.epoch, ...figures, rounded(epoch.seconds, 3)];
    }),
  );
  return `${[heading, ...lines].map((line) => line.join(',')).join('\n')}\n`;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
