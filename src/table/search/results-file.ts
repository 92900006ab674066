import * as v from 'valibot';
import { TreadleError } from '#bindings';
import { preview } from '../../strict/text.js';
import type { SearchResults } from './results.js';
import { SCORE_NAMES } from './scores.js';

const text = v.string('a text');
const number = v.number('a number');
const trial = v.looseObject(
  {
    id: text,
    rows: v.looseObject({ train: number, validation: number, scored: number }, 'counts of rows'),
    epochs: v.array(v.looseObject({ epoch: number, seconds: number }), 'a list of epochs'),
    kept: v.nullable(number),
    scores: v.nullable(v.looseObject({ task: text })),
  },
  'a training',
);
const RESULTS = v.looseObject({
  environment: v.looseObject({ node: text, cpu: text, build: text, seconds: number }, 'an object'),
  table: v.looseObject({ hash: text }, 'an object'),
  task: v.picklist(['classification', 'regression'], 'a task'),
  columns: v.array(
    v.looseObject({ name: text, kind: text, reason: text, missing: number, distinct: number }),
    'a list of columns',
  ),
  score: v.picklist(SCORE_NAMES, 'a score'),
  candidates: v.pipe(
    v.array(
      v.looseObject({
        id: text,
        settings: v.looseObject({}),
        scores: v.nullable(v.record(text, v.looseObject({}))),
        halvedAt: v.nullable(number),
        trials: v.pipe(v.array(trial), v.minLength(1, 'a training at least')),
      }),
      'a list of candidates',
    ),
    v.minLength(1, 'a candidate at least'),
  ),
  final: trial,
  test: v.nullable(v.looseObject({ task: text, samples: number }, 'a test')),
  importance: v.looseObject(
    {
      rows: number,
      repeats: number,
      columns: v.array(v.looseObject({ column: text, loss: v.nullable(number) }), 'a list of columns'),
    },
    'an object',
  ),
  model: text,
  modelHash: text,
});

/** Whether a run's results are those of a search. */
export function isOfSearch(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'kind' in json && json.kind === 'search';
}

/** What `results.json` of a search holds. Throws `format` for what is none, naming the file, `source`, and the place. */
export function readSearchResults(json: unknown, source: string): SearchResults {
  const parsed = v.safeParse(RESULTS, json, { abortEarly: true });
  if (parsed.success) return parsed.output as unknown as SearchResults;
  const [issue] = parsed.issues;
  const place = v.getDotPath(issue) ?? 'the content';
  const found = issue.input === undefined ? 'missing' : preview(issue.input);
  throw new TreadleError('format', `${source}: ${place} is ${found}; ${issue.message} is expected.`, {
    subject: `${source}: ${place}`,
    found: issue.input,
    expected: issue.message,
  });
}
