import { figuresOf } from '../../metrics/figures.js';
import type { Evaluation } from '../../model/evaluation.js';
import { csvField } from '../../strict/text.js';
import type { Importance } from '../importance.js';
import type { ColumnDecision } from '../kinds.js';
import type { Settings } from './grid.js';
import type { CandidateRecord, TrialRecord } from './records.js';
import { SCORES, type ScoreName, scoresOfTask } from './scores.js';

/** `results.json` of a search or a cross-validation of a table. Plain data: NaN is null. */
export interface SearchResults {
  kind: 'search';
  schema: 1;
  /** The machine and engine, as in other runs' results. */
  environment: { node: string; cpu: string; build: string; seconds: number };
  /** What was asked for. */
  config: object;
  table: { path: string; hash: string; rows: number };
  task: 'classification' | 'regression';
  /** Names of the classes, or of the numbers. */
  classes: readonly string[] | null;
  columns: readonly ColumnDecision[];
  /** What candidates are compared by. */
  score: ScoreName;
  /** The best first. */
  candidates: readonly CandidateRecord[];
  /** The training of the model that is saved. */
  final: TrialRecord;
  /** The test of that model; null where no rows were held out for it. */
  test: Evaluation | null;
  /** Of the rows that it was tested on or, without those, of those that ended its training. */
  importance: Importance;
  /** Where it is saved, and the SHA-256 (hex) of the file. */
  model: string;
  modelHash: string;
}

/** The settings that a search has tried, in the order of tables. */
export function settingsTried(candidates: readonly CandidateRecord[]): (keyof Settings)[] {
  return Object.keys(candidates[0]!.settings) as (keyof Settings)[];
}

/** A setting as it stands in tables: widths with hyphens. */
export function settingText(value: Settings[keyof Settings]): string {
  if (!Array.isArray(value)) return String(value);
  return value.length === 0 ? 'none' : value.join('-');
}

/** Epochs of all of a candidate's trainings. */
export function epochsOf({ trials }: CandidateRecord): number {
  return trials.reduce((sum, { epochs }) => sum + epochs.length, 0);
}

/** `candidates.csv`: a line for each candidate, the best first; scores to six digits. */
export function candidatesCsv({ candidates, task }: SearchResults): string {
  const settings = settingsTried(candidates);
  const scores = scoresOfTask(task);
  const head = [
    'candidate',
    ...settings,
    ...scores.flatMap((name) => [`mean_${snake(name)}`, `std_${snake(name)}`]),
    'trainings',
    'epochs',
    'given_up_after_rung',
  ];
  const lines = candidates.map((candidate) => [
    candidate.id,
    ...settings.map((name) => settingText(candidate.settings[name])),
    ...scores.flatMap((name) => {
      const spread = candidate.scores?.[name];
      return [rounded(spread?.mean), rounded(spread?.deviation)];
    }),
    candidate.trials.length,
    epochsOf(candidate),
    candidate.halvedAt ?? '',
  ]);
  return csv([head, ...lines]);
}

/** `epochs.csv`: a line for each epoch of every training, the model's own last. */
export function searchEpochsCsv({ candidates, final, task }: SearchResults): string {
  const figures = figuresOf(task);
  const head = [
    'training',
    'candidate',
    'fold',
    'seed',
    'epoch',
    ...figures.map(({ column }) => column),
    'seconds',
  ];
  const trials = [...candidates.flatMap((candidate) => candidate.trials), final];
  const lines = trials.flatMap(({ id, candidate, fold, seed, epochs }) =>
    epochs.map((epoch) => [
      ...[id, candidate, fold ?? '', seed, epoch.epoch],
      ...figures.map(({ name }) => rounded(epoch[name])),
      rounded(epoch.seconds, 3),
    ]),
  );
  return csv([head, ...lines]);
}

/** Whether a score's best is its highest, in words. */
export function orderText(score: ScoreName): string {
  return SCORES[score].better === 'higher' ? 'highest first' : 'lowest first';
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function rounded(value: number | null | undefined, digits = 6): string {
  return value === null || value === undefined || Number.isNaN(value)
    ? ''
    : String(Number(value.toFixed(digits)));
}

function csv(lines: readonly (readonly (string | number)[])[]): string {
  return `${lines.map((line) => line.map((cell) => csvField(String(cell))).join(',')).join('\n')}\n`;
}
