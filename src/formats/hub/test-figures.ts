import * as v from 'valibot';
import { problem } from '#bindings';
import type { Evaluation } from '../../model/evaluation.js';
import { structureProblem } from '../../strict/json.js';
import { decodeSafetensors } from '../safetensors.js';
import { formatError } from '../tensor.js';
import { formatOf } from '../weights.js';

/** Figures that cards have: their type as the Hub names it, and their title. */
export const CARD_FIGURES = {
  accuracy: { type: 'accuracy', title: 'accuracy' },
  macroF1: { type: 'f1', title: 'macro-F1' },
  precision: { type: 'precision', title: 'macro precision' },
  recall: { type: 'recall', title: 'macro recall' },
  rocAuc: { type: 'roc_auc', title: 'ROC AUC' },
  logLoss: { type: 'log_loss', title: 'log loss' },
  r2: { type: 'r_squared', title: 'R2' },
  rmse: { type: 'rmse', title: 'RMSE' },
  mae: { type: 'mae', title: 'MAE' },
  loss: { type: 'loss', title: 'loss' },
} as const;

export type CardFigure = keyof typeof CARD_FIGURES;

/** What a test on samples that a model was not trained on has found: for the model's card. */
export interface TestFigures {
  /** Name of the samples, such as their file's. */
  data: string;
  /** SHA-256 (hex) of the data. */
  hash?: string | undefined;
  /** How many samples there were. */
  samples: number;
  /** Figures as `evaluate` defines them. */
  scores: Partial<Record<CardFigure, number>>;
}

/** The key of a file's metadata under which the figures stand, as JSON. */
export const TEST_KEY = 'treadle_test';

/** One level of scores, and more of them than there are. */
const LIMITS = { depth: 2, values: 100 };

const FIGURES = v.strictObject(
  {
    data: v.string('a text'),
    hash: v.optional(v.string('a text')),
    samples: v.pipe(v.number('a count'), v.integer('a count'), v.minValue(1, 'a count from 1')),
    scores: v.record(
      v.picklist(
        Object.keys(CARD_FIGURES) as CardFigure[],
        `some of ${Object.keys(CARD_FIGURES).join(', ')}`,
      ),
      v.pipe(v.number('a finite number'), v.finite('a finite number')),
      'an object of scores',
    ),
  },
  'data, samples and scores',
);

/** Throws `usage` for figures that are none. */
export function checkTest(test: unknown): TestFigures {
  const parsed = v.safeParse(FIGURES, test, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const place = v.getDotPath(issue);
  throw problem('usage', {
    subject: place === null ? 'test' : `test.${place}`,
    found: issue.input,
    expected: issue.message,
  });
}

/** The figures that a model's file has; null for a file without any. Throws `format` for what is none; `source` is the file. */
export function testIn(bytes: Uint8Array, source: string): TestFigures | null {
  const json =
    formatOf(bytes) === 'safetensors' ? decodeSafetensors(bytes, source).metadata?.[TEST_KEY] : undefined;
  if (json === undefined) return null;
  try {
    if (structureProblem(json, LIMITS) === null) return v.parse(FIGURES, JSON.parse(json));
  } catch {
    // Told below.
  }
  throw formatError(source, `its ${TEST_KEY} has no form that is known`, 'figures of a test');
}

/** The figures of an evaluation; those that are no numbers are left out. */
export function testOf(data: string, evaluation: Evaluation): TestFigures {
  const { samples } = evaluation;
  const macro = 'macro' in evaluation ? evaluation.macro : null;
  const own = { ...evaluation, ...macro, macroF1: macro?.f1 } as unknown as Record<string, unknown>;
  const scores = Object.keys(CARD_FIGURES).flatMap((name) =>
    Number.isFinite(own[name]) ? [[name, own[name]]] : [],
  );
  return { data, samples, scores: Object.fromEntries(scores) };
}
