import { describe, expect, it } from 'vitest';
import { jobId } from '../../dist/results/job-id.js';
import type { ModelRecord, RunResults } from '../../dist/results/records.js';
import {
  bestModel,
  buildResults,
  epochsCsv,
  parseResults,
  pickBest,
  smallestFirst,
} from '../../dist/results/results.js';
import { failure } from '../support/errors.js';
import { failedModel, publishedLikeResults, randomResults, runConfig } from '../support/results.js';

const ORDER = ['small', 'large2', 'large1'];

function kept(model: string, learningRate: number, epoch: number, valMacroF1: number): ModelRecord {
  const id = jobId({ model, learningRate });
  return { id, model, learningRate, epochs: [], kept: { epoch, valMacroF1 }, weights: [], test: null };
}

describe('pickBest', () => {
  it('takes the highest validation macro-F1', () => {
    const models = [
      kept('large1', 0.005, 1, 0.9),
      kept('small', 0.001, 9, 0.901),
      kept('large2', 0.005, 1, 0.899),
    ];
    expect(pickBest(models, ORDER)).toBe('small_0.001');
  });

  it('takes the earlier epoch of equal scores, before the smaller model', () => {
    const models = [
      kept('small', 0.005, 7, 0.9),
      kept('large1', 0.003, 6, 0.9),
      kept('large2', 0.003, 8, 0.9),
    ];
    expect(pickBest(models, ORDER)).toBe('large1_0.003');
  });

  it('takes the smaller model of equal scores and epochs, then the one listed first', () => {
    const models = [
      kept('large1', 0.005, 7, 0.9),
      kept('small', 0.004, 7, 0.9),
      kept('small', 0.003, 7, 0.9),
    ];
    expect(pickBest(models, ORDER)).toBe('small_0.004');
    expect(pickBest(models.toReversed(), ORDER)).toBe('small_0.003');
  });

  it('passes over models that failed', () => {
    expect(pickBest([failedModel('small', 0.1), kept('large1', 0.2, 1, 0.1)], ORDER)).toBe('large1_0.2');
    expect(pickBest([failedModel('small', 0.1)], ORDER)).toBeNull();
    expect(pickBest([], ORDER)).toBeNull();
  });
});

describe('the size of a model', () => {
  const { dataset } = publishedLikeResults();
  it('orders the architectures from the smallest on', () => {
    expect(smallestFirst(runConfig(), dataset)).toEqual(['small', 'large2', 'large1']);
  });
});

describe('parseResults', () => {
  it('reads back what a run wrote, from text or from the parsed value', () => {
    const results = publishedLikeResults();
    const json = JSON.stringify(results);
    expect(parseResults(json, 'results.json')).toEqual(results);
    expect(parseResults(JSON.parse(json), 'results.json')).toEqual(results);
  });

  it('reads failed models and a run without a best one', () => {
    const { environment, config, dataset } = publishedLikeResults();
    const results = buildResults({ environment, config, dataset, models: [failedModel('small', 0.005)] });
    expect(results.best).toBeNull();
    expect(parseResults(JSON.stringify(results), 'results.json')).toEqual(results);
  });

  // biome-ignore lint/suspicious/noExplicitAny: the changes make what no type allows
  it.each<[string, (results: any) => void, string, string]>([
    ['another schema', (r) => (r.schema = 3), 'format', 'schema is 3; schema version 1 or 2 is expected.'],
    ['a missing part', (r) => delete r.dataset, 'format', 'dataset is missing; an object is expected.'],
    [
      'a score above 1',
      (r) => (r.models[0].test.accuracy = 90),
      'format',
      'models.0.test.accuracy is 90; a number from 0 to 1',
    ],
    [
      'a loss that was NaN',
      (r) => (r.models[1].epochs[2].valLoss = null),
      'format',
      'models.1.epochs.2.valLoss is null; a number',
    ],
    [
      'a name with a slash',
      (r) => (r.models[0].model = '../x'),
      'format',
      'models.0.model is "../x"; a name of 1 to 64 letters',
    ],
    [
      'half a count',
      (r) => (r.models[0].test.confusion[1][2] = 0.5),
      'format',
      'models.0.test.confusion.1.2 is 0.5; a whole number',
    ],
    [
      'an unknown mode',
      (r) => (r.config.mode = 'both'),
      'format',
      'config.mode is "both"; one of chained, independent is',
    ],
    [
      'a rate of zero',
      (r) => (r.config.learningRates[0] = 0),
      'format',
      'config.learningRates.0 is 0; a number above 0 is',
    ],
    [
      'a matrix of another size',
      (r) => r.models[0].test.confusion.pop(),
      'shape',
      'the size of models.0.test.confusion is 9; 10 (one',
    ],
    [
      'a row of another size',
      (r) => r.models[0].test.confusion[3].push(1),
      'shape',
      'the size of models.0.test.confusion is 11; 10',
    ],
    [
      'a model that is not configured',
      (r) => (r.models[0].model = 'huge'),
      'shape',
      'models.0.model is "huge"; one of large1, large2, small is',
    ],
    [
      'a kept epoch that is not there',
      (r) => (r.models[0].kept.epoch = 99),
      'shape',
      'models.0.kept.epoch is 99; one of its epochs is',
    ],
    [
      'a best model that is not there',
      (r) => (r.best = 'large2_0.7'),
      'shape',
      'best is "large2_0.7"; the id of one of the models is',
    ],
    [
      'an id twice',
      (r) => (r.models[1].id = r.models[0].id),
      'shape',
      'models.1.id is "large1_0.005"; an id that no model before it has is',
    ],
    [
      'an id that is a path',
      (r) => (r.models[0].id = '../large1'),
      'format',
      'models.0.id is "../large1"; an id of',
    ],
  ])('refuses %s', async (_, change, code, sentence) => {
    const results = JSON.parse(JSON.stringify(publishedLikeResults()));
    change(results);
    const error = await failure(code, () => parseResults(results, 'runs/x/results.json'));
    expect(error.message).toContain(`runs/x/results.json: ${sentence}`);
  });

  it('reads what version 1 wrote, where a model was told by its architecture and rate', () => {
    const now = publishedLikeResults();
    const { model, learningRate } = bestModel(now)!;
    const models = now.models.map(({ id: _, ...rest }) => rest);
    expect(parseResults({ ...now, schema: 1, models, best: { model, learningRate } }, 'a.json')).toEqual(now);
    expect(parseResults({ ...now, schema: 1, models, best: null }, 'a.json').best).toBeNull();
  });

  it.each(['', '{"schema":1', 'results'])('refuses the text %j', async (text) => {
    const error = await failure('format', () => parseResults(text, 'a.json'));
    expect(error.message).toMatch(/^a\.json is not JSON \(.+\); the results\.json of a run is expected\.$/);
    expect(error.subject).toBe('a.json');
  });

  it.each([
    ['deep', `{"models":${'['.repeat(500_000)}`, 'a.json is nested deeper than 16 levels'],
    ['long', `{"models":[${'0,'.repeat(1_000_000)}0]}`, 'a.json lists more than 1000000 values'],
    ['of a key twice', '{"schema":1,"schema":1}', 'a.json has the key "schema" twice'],
  ])('refuses a text that is %s', async (_, text, message) => {
    const error = await failure('format', () => parseResults(text, 'a.json'));
    expect(error.message).toBe(`${message}; the results.json of a run is expected.`);
  });

  it('stops at the first mistake', async () => {
    const text = `{"schema":1,"environment":{},"models":[${'[],'.repeat(100_000)}0]}`;
    const before = process.memoryUsage().heapUsed;
    await failure('format', () => parseResults(text, 'a.json'));
    // Every mistake, noted, would take half a kilobyte.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 25);
  });

  it('lets no line ends or escape sequences into the message', async () => {
    const broken = await failure('format', () => parseResults('{"schema":\n\u001b[2J}', 'a.json'));
    expect(broken.message).toMatch(/^[ -~]+$/);
    const results = JSON.parse(JSON.stringify(publishedLikeResults()));
    results.environment.revectorized = '\u0007\n';
    const wrong = await failure('format', () => parseResults(results, 'a.json'));
    expect(wrong.message).toBe(
      'a.json: environment.revectorized is "\\u0007\\n"; true or false is expected.',
    );
  });

  it.each([null, [], 7])('refuses the value %j', async (value) => {
    const error = await failure('format', () => parseResults(value, 'a.json'));
    expect(error.message).toContain('an object is expected.');
  });
});

describe('epochsCsv', () => {
  it('has one line per model and epoch, in the columns of the published table and seconds', () => {
    const results: RunResults = randomResults(2, { epochs: 1, learningRates: [0.01] });
    results.models[0]!.epochs[0] = {
      epoch: 1,
      trainLoss: 0.123456789,
      trainAccuracy: 0.5,
      valLoss: 2,
      valAccuracy: 0.75,
      valMacroF1: 0.7499999,
      seconds: 1.23456,
    };
    expect(epochsCsv(results)).toBe(
      'model,learning_rate,epoch,train_loss,train_accuracy,val_loss,val_accuracy,val_macro_f1,seconds\n' +
        'tiny,0.01,1,0.123457,0.5,2,0.75,0.75,1.235\n',
    );
  });

  it('has 119 lines of figures for the published epochs', () => {
    expect(epochsCsv(publishedLikeResults()).trimEnd().split('\n')).toHaveLength(1 + 119);
  });
});
