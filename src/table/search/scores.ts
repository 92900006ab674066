import type { Evaluation } from '../../model/evaluation.js';

/** What candidates can be compared by: figures of an evaluation, scikit-learn's by definition. */
export const SCORES = {
  accuracy: { task: 'classification', better: 'higher' },
  macroF1: { task: 'classification', better: 'higher' },
  rocAuc: { task: 'classification', better: 'higher' },
  logLoss: { task: 'classification', better: 'lower' },
  r2: { task: 'regression', better: 'higher' },
  rmse: { task: 'regression', better: 'lower' },
  mae: { task: 'regression', better: 'lower' },
  loss: { task: null, better: 'lower' },
} as const;

export type ScoreName = keyof typeof SCORES;

/** The names of all scores, in the order of tables. */
export const SCORE_NAMES = Object.keys(SCORES) as ScoreName[];

/** The scores that a task has, in the order of tables; the first is the one that candidates are compared by. */
export function scoresOfTask(task: string): ScoreName[] {
  return SCORE_NAMES.filter((name) => SCORES[name].task === null || SCORES[name].task === task);
}

/** One figure of an evaluation; NaN where it has none, such as the area under a curve of a class that is missing. */
export function scoreOf(evaluation: Evaluation, name: ScoreName): number {
  const found: unknown =
    name === 'macroF1' && evaluation.task === 'classification'
      ? evaluation.macro.f1
      : (evaluation as unknown as Record<string, unknown>)[name];
  return typeof found === 'number' ? found : Number.NaN;
}

/** A score over several folds or seeds. */
export interface Spread {
  mean: number;
  /** The standard deviation, of a population as numpy's `std` and scikit-learn's `std_test_score` have it. */
  deviation: number;
}

/** Mean and standard deviation of every score over the evaluations of one task that have it; NaN where none has. */
export function spreadOf(evaluations: readonly Evaluation[]): Partial<Record<ScoreName, Spread>> {
  const names = scoresOfTask(evaluations[0]!.task);
  return Object.fromEntries(
    names.map((name) => {
      const values = evaluations.flatMap((evaluation) => {
        const value = scoreOf(evaluation, name);
        return Number.isNaN(value) ? [] : [value];
      });
      if (values.length === 0) return [name, { mean: Number.NaN, deviation: Number.NaN }];
      const mean = values.reduce((sum, value) => sum + value / values.length, 0);
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
      return [name, { mean, deviation: Math.sqrt(variance) }];
    }),
  );
}

/** Below 0 where the first is the better one. What is no number is the worst. */
export function compareScores(name: ScoreName, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return SCORES[name].better === 'higher' ? b - a : a - b;
}
