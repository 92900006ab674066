import { loadModel } from '../../create.js';
import { throwIfAborted } from '../../strict/abort.js';
import type { Table } from '../table.js';
import { TableModel } from '../table-model.js';
import { Search } from './climb.js';
import { Crew } from './crew.js';
import { type CrossValidationOptions, type Plan, planSearch, type SearchOptions } from './plan.js';
import type { CandidateRecord, TrialRecord } from './records.js';
import type { ScoreName, Spread } from './scores.js';
import { memoryStore, type TrialStore } from './store.js';

/** What a cross-validation has found. */
export interface CrossValidation {
  /** One training a fold, with its scores on the rows of the fold. */
  readonly folds: readonly TrialRecord[];
  /** Mean and standard deviation of every score over the folds. */
  readonly scores: Partial<Record<ScoreName, Spread>>;
}

/** What a search has found. */
export interface TableSearch {
  /** Trained as the best candidate on all rows given, but for those that ended its training. */
  readonly model: TableModel;
  /** The best first: by the score, ties by the loss, then in the order of the grid. Failed ones and those given up come last. */
  readonly candidates: readonly CandidateRecord[];
  /** The training of the model. */
  readonly final: TrialRecord;
}

/**
 * Cross-validates: trains a model for each fold on the other rows, of which some are held out to end training early, and scores
 * it on the fold's. Encoders are learnt on the rows trained on alone. Classes are in every fold in proportion, unless rows are
 * grouped or ordered by time; of a class that some fold lacks a warning tells. Rejects as `fitTable`, `range` for fewer than two
 * folds, `data` where rows or groups are fewer than folds.
 *
 * @example const { scores } = await crossValidate(table, { target: 'species', folds: 5 });
 */
export async function crossValidate(table: Table, options: CrossValidationOptions): Promise<CrossValidation> {
  const plan = planSearch(table, { folds: 5, ...options, grid: {} } as SearchOptions);
  const [only] = await inCrew(plan, options, memoryStore(), (search) => search.candidates());
  return { folds: only!.trials, scores: only!.scores! };
}

/**
 * Tries candidates of a grid or at random, compares them by the rows held out to end training or, with `folds`, by
 * cross-validation, and trains the model of the best. Rows to test it on are to be held out before. The same seed gives the same
 * results whatever `jobs` is. A candidate that fails is recorded with its error; rejects as {@link crossValidate}, with the
 * error of the first candidate where all fail, and with `interrupted` when the signal aborts.
 *
 * @example
 * const grid = { hidden: [[32], [64, 32]], learningRate: [0.01, 0.003] };
 * const { model, candidates } = await searchTable(table, { target: 'price', grid });
 */
export async function searchTable(table: Table, options: SearchOptions): Promise<TableSearch> {
  return searchPlanned(table, planSearch(table, options), options);
}

/** As {@link searchTable}, as it was planned for the table. */
export async function searchPlanned(
  table: Table,
  plan: Plan,
  running: Pick<SearchOptions, 'store' | 'onEvent' | 'signal'>,
): Promise<TableSearch> {
  return inCrew(plan, running, running.store ?? memoryStore(), async (search) => {
    const candidates = await search.candidates();
    const best = plan.candidates.find(({ id }) => id === candidates[0]!.id)!;
    search.emit({ type: 'best', candidate: best.id, settings: best.settings });
    const { record, data, bytes } = await search.final(table, best);
    const network = await loadModel(bytes, plan.model);
    return { model: new TableModel(network, data.encoder), candidates, final: record };
  });
}

async function inCrew<T>(
  plan: Plan,
  options: Pick<SearchOptions, 'onEvent' | 'signal'>,
  store: TrialStore,
  work: (search: Search) => Promise<T>,
): Promise<T> {
  throwIfAborted(options.signal, 'The search');
  const emit = options.onEvent ?? (() => {});
  const crew = new Crew(plan.jobs, (message) => emit({ type: 'warning', message }));
  try {
    return await work(new Search(plan, store, crew, emit, options.signal));
  } finally {
    crew.close();
  }
}
