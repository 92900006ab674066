import { figure, NONE } from '../results/format.js';
import type { CandidateRecord } from '../table/search/records.js';
import {
  epochsOf,
  orderText,
  type SearchResults,
  settingsTried,
  settingText,
} from '../table/search/results.js';
import { type ScoreName, type Spread, scoreOf, scoresOfTask } from '../table/search/scores.js';
import { plainTable } from './table.js';

/** So many candidates are printed: `candidates.csv` has all. */
const MOST_SHOWN = 20;

/** Of one candidate the folds, of several the candidates, best first. */
export function searchText(results: SearchResults): string {
  const { candidates } = results;
  return candidates.length === 1 ? foldsText(results) : candidatesText(results);
}

function foldsText({ candidates, task }: SearchResults): string {
  const names = scoresOfTask(task);
  const { trials, scores } = candidates[0]!;
  const rows = trials.map(({ fold, rows, kept, scores }) => [
    String(fold ?? 1),
    String(rows.train),
    String(rows.scored),
    String(kept),
    ...names.map((name) => score(scoreOf(scores!, name))),
  ]);
  const line = (title: string, of: keyof Spread) => [
    title,
    '',
    '',
    '',
    ...names.map((name) => score(scores![name]![of])),
  ];
  const head = ['fold', 'trained', 'scored', 'epoch', ...names];
  const spread = trials.length === 1 ? [] : [line('mean', 'mean'), line('deviation', 'deviation')];
  return `${trials.length === 1 ? 'On the validation rows' : `Cross-validation, ${trials.length} trainings`}:\n${plainTable(head, [...rows, ...spread], 1)}`;
}

function candidatesText({ candidates, score: by, task }: SearchResults): string {
  const settings = settingsTried(candidates);
  const names = [by, ...scoresOfTask(task).filter((name) => name !== by)];
  const severalTrials = candidates[0]!.trials.length > 1;
  const rows = candidates
    .slice(0, MOST_SHOWN)
    .map((candidate) => [
      candidate.id,
      ...settings.map((name) => settingText(candidate.settings[name])),
      ...scoreCells(candidate, names, severalTrials),
      String(epochsOf(candidate)),
      candidate.scores === null
        ? 'failed'
        : candidate.halvedAt === null
          ? ''
          : `given up after rung ${candidate.halvedAt}`,
    ]);
  const head = [
    'candidate',
    ...settings,
    ...(severalTrials ? [by, '±', ...names.slice(1)] : names),
    'epochs',
    '',
  ];
  const left = candidates.length - rows.length;
  const more = left > 0 ? `\n${left} more are in candidates.csv.` : '';
  return `Candidates by ${by}, ${orderText(by)}:\n${plainTable(head, rows, 1 + settings.length)}${more}`;
}

function scoreCells(
  { scores }: CandidateRecord,
  names: readonly ScoreName[],
  severalTrials: boolean,
): string[] {
  return names.flatMap((name, at) => {
    const spread = scores?.[name];
    const mean = score(spread?.mean);
    return at === 0 && severalTrials ? [mean, score(spread?.deviation)] : [mean];
  });
}

function score(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? NONE : figure(value);
}
