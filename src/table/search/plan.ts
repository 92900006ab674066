import { expectWhole, problem } from '#bindings';
import type { ModelOptions } from '../../model/create.js';
import { checkFitOptions, type FitOptions } from '../../model/options.js';
import { foldRows, lackingClasses } from '../folds.js';
import { factsOf } from '../kinds.js';
import { type Decided, decideGrouped, type PrepareOptions } from '../prepare.js';
import { columnOf, type Table } from '../table.js';
import { type TableFitOptions, tableDefaults } from '../table-model.js';
import { type Candidate, candidatesOf } from './candidates.js';
import { checkGrid, type SearchGrid } from './grid.js';
import { type Rung, rungsOf } from './halving.js';
import { type Division, divided, fitOptionsOf, foldedParts, type PartTables } from './parts.js';
import type { SearchEvent } from './records.js';
import { type ScoreName, scoresOfTask } from './scores.js';
import type { TrialStore } from './store.js';

/** How a table is cross-validated; all of `fit`'s options are taken too, but for those of one training. */
export interface CrossValidationOptions
  extends Omit<
    TableFitOptions,
    'validation' | 'stratify' | 'onEpoch' | 'onStep' | 'onCheckpoint' | 'checkpoint'
  > {
  /** Folds, from 2 up; each is held out once. Default: 5. */
  folds?: number;
  /** A column whose rows of one value stay together, in folds and in what is held out of them. It is not learnt from. */
  group?: string;
  /** A column of times or numbers: every fold comes after the rows that are trained on. */
  time?: string;
  /** Share of the rows trained on that is held out to end training early. Default: 0.15. */
  validation?: number;
  /** Trainings at once, each in a worker; 1 (the default) trains in this thread. It changes no byte. */
  jobs?: number;
  /** Hears of everything that happens, in order. */
  onEvent?: (event: SearchEvent) => void;
}

/** How candidates are searched; as {@link CrossValidationOptions}, but without `folds` there is no cross-validation. */
export interface SearchOptions extends CrossValidationOptions {
  /** What is tried: see {@link SearchGrid}. */
  grid?: SearchGrid;
  /** Where trainings are kept, to go on from. Default: nowhere. */
  store?: TrialStore;
}

/** A search as it was asked for, checked and resolved. */
export interface Plan {
  asked: PrepareOptions;
  whole: Decided;
  division: Division;
  folds: number | null;
  seeds: number[];
  candidates: Candidate[];
  rungs: Rung[];
  score: ScoreName;
  hidden: readonly number[];
  fit: FitOptions & { epochs: number };
  model: ModelOptions;
  jobs: number;
  parts: (() => PartTables)[];
  /** What is to be told of it before it begins, a sentence each. */
  warnings: string[];
}

const HIDDEN = [64, 32];
const MOST_JOBS = 1024;

/** Checks what is asked for and divides the rows. Throws `usage`, `range` and `data` as the functions that it calls. */
export function planSearch(table: Table, options: SearchOptions): Plan {
  if (typeof options !== 'object' || options === null) {
    throw problem('usage', { subject: 'options', found: options, expected: 'an object with the target' });
  }
  const {
    target,
    columns,
    task,
    classes,
    hidden = HIDDEN,
    grid: found = {},
    folds,
    group,
    time,
    ...rest
  } = options;
  const { validation = 0.15, seed = 0, jobs = 1, model = {}, store: _, onEvent, signal, ...fit } = rest;
  expectWhole('jobs', jobs, 1, MOST_JOBS);
  expectWhole('seed', seed, 0, 2 ** 32 - 1);
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw problem('usage', { subject: 'onEvent', found: onEvent, expected: 'a function' });
  }
  checkFitOptions({ ...fit, ...(signal && { signal }) });
  const grid = checkGrid(found);
  const asked: PrepareOptions = {
    target,
    ...(columns !== undefined && { columns }),
    ...(task !== undefined && { task }),
    ...(classes !== undefined && { classes }),
  };
  const whole = decideGrouped(table, asked, group);
  const ofTask = scoresOfTask(whole.target.task);
  const score = grid.score ?? ofTask[0]!;
  if (!ofTask.includes(score)) {
    throw problem('usage', { subject: 'score', found: score, expected: `one of ${ofTask.join(', ')}` });
  }
  const byClass = group === undefined && time === undefined && whole.target.task === 'classification';
  const division: Division = {
    validation,
    seed,
    group,
    time,
    stratify: byClass && whole.target.task === 'classification' ? whole.target.name : undefined,
  };
  const { validation: _share, ...rule } = division;
  const folded = folds === undefined ? null : foldRows(table, { ...rule, folds });
  const parts = folded === null ? [() => divided(table, division)] : foldedParts(table, folded, division);
  const { target: decided } = whole;
  if (score === 'rocAuc' && decided.task === 'classification') {
    const hasAll = ({ scored }: PartTables) =>
      factsOf(columnOf(scored, decided.name).cells).values.size === decided.classes.length;
    if (!parts.some((part) => hasAll(part()))) {
      throw problem('usage', {
        subject: 'score',
        found: score,
        because: `no rows that are scored have every class of ${decided.name}`,
        expected: 'another one, or a larger part of the rows',
      });
    }
  }
  const lacking =
    folded !== null && decided.task === 'classification' ? lackingClasses(table, decided.name, folded) : null;
  const base = { ...tableDefaults(table.rows), ...fit, task: whole.target.task };
  const candidates = candidatesOf(grid, seed);
  const most = Math.max(...candidates.map(({ settings }) => fitOptionsOf(base, settings).epochs));
  return {
    asked,
    whole,
    division,
    folds: folds ?? null,
    seeds: Array.from({ length: grid.seeds ?? 1 }, (_, at) => seed + at),
    candidates,
    rungs: rungsOf(grid.halving, candidates.length, most),
    score,
    hidden,
    fit: base,
    model,
    jobs,
    parts,
    warnings: lacking === null ? [] : [lacking],
  };
}
