import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Core, loadCore, TreadleError } from '#bindings';
import { newClock, timeOf } from '../experiment/clock.js';
import { describeEnvironment } from '../experiment/environment.js';
import { testOf } from '../formats/hub/test-figures.js';
import { ensureWritableFolder, writeFileAtomic } from '../node/files.js';
import { lockFolder } from '../node/lock.js';
import { recordedPath, shown } from '../node/paths.js';
import { coreDigest, idOf, newRunId } from '../node/run-folders.js';
import { interruptedError, throwIfAborted } from '../strict/abort.js';
import { readableJson } from '../strict/json.js';
import { writeTableModel } from '../table/files.js';
import { settled } from '../table/prepare.js';
import {
  type BegunSearch,
  beginSearch,
  expectSameSearch,
  fileDigest,
  finishSearch,
  folderStore,
  openSearch,
  type SearchRecord,
} from '../table/search/folder.js';
import { type Plan, planSearch } from '../table/search/plan.js';
import type { SearchEvent } from '../table/search/records.js';
import { candidatesCsv, type SearchResults, searchEpochsCsv } from '../table/search/results.js';
import { searchPlanned } from '../table/search/search.js';
import type { TableModel } from '../table/table-model.js';
import { EXIT } from './errors.js';
import type { TrainOptions } from './fit-options.js';
import { expectGiven, type FitRows, fitRows, VALIDATION } from './fit-rows.js';
import { goOnUnread } from './output.js';
import { newConfig, resumedConfig, type SearchConfig } from './search-config.js';
import { searchShow } from './search-progress.js';
import { searchResultsText, writeSearchReport } from './search-report.js';
import { withView } from './signals.js';
import { expectOutputs, reportFile, weighedRows } from './table-report.js';
import { textView, type View } from './terminal.js';

/** A search that is about to go on: its folder, locked, and what it needs. */
interface Opened {
  begun: BegunSearch;
  config: SearchConfig;
  rows: FitRows;
  core: Core;
  plan: Plan;
  table: string;
  out: string;
  unlock: () => Promise<void>;
}

/** Cross-validates or searches, shows it while it goes on, and saves the model; returns the exit code. */
export async function searchAndShow(
  file: string | undefined,
  options: TrainOptions,
  command: Command,
): Promise<number> {
  const clock = newClock();
  const show = searchShow(() => timeOf(clock));
  const quiet: View<SearchEvent> = {
    event(event) {
      if (event.type === 'warning') process.stderr.write(`${show.line(event)}\n`);
    },
    note() {},
    suspend() {},
    resume() {},
    close() {},
  };
  const view = options.json ? quiet : textView(show);
  goOnUnread();
  const opened = await open(file, options, command);
  const { folder } = opened.begun;
  const sayHowToGoOn = () => process.stderr.write(`To go on: treadle fit --resume ${shown(folder)}\n`);
  try {
    const stopping = 'Stopping after this step; a second signal ends at once.';
    return await withView({ view, clock, stopping, sayHowToGoOn }, (signal) =>
      run(opened, options, view, signal, clock),
    );
  } catch (error) {
    if (!(error instanceof TreadleError && error.code === 'diverged')) sayHowToGoOn();
    throw error instanceof TreadleError && error.code === 'interrupted'
      ? interruptedError('The search')
      : error;
  } finally {
    await opened.unlock();
  }
}

/** Begins a search, or opens one that was stopped. */
async function open(file: string | undefined, options: TrainOptions, command: Command): Promise<Opened> {
  const { resume, runs } = options;
  const resumed = resume === undefined ? null : await openSearch(resume === true ? null : resume, runs);
  const config =
    resumed === null ? await newConfig(options, command) : await resumedConfig(resumed, options, command);
  const recorded = (path: string | undefined) =>
    path === undefined || resumed === null ? undefined : shown(resolve(resumed.folder, path));
  const table = expectGiven(
    'The table',
    file ?? recorded(resumed?.record.table.path),
    'a CSV, Parquet or JSON file',
  );
  const test = options.test ?? recorded(resumed?.record.test?.path);
  const isGiven = resumed === null || command.getOptionValueSource('out') === 'cli';
  const out = isGiven ? options.out : recorded(resumed.record.model)!;
  const rows = await fitRows(table, { ...config, ...(test !== undefined && { test }) });
  const folder = resumed?.folder ?? join(runs, newRunId(new Date()));
  const core = await loadCore();
  const plan = planOf(config, rows, core, options);
  const record: SearchRecord = {
    kind: 'search',
    schema: 1,
    build: core.build,
    core: await coreDigest(core.build),
    table: { path: recordedPath(table, folder), hash: await fileDigest(table) },
    test: test === undefined ? null : { path: recordedPath(test, folder), hash: await fileDigest(test) },
    model: recordedPath(out, folder),
    finished: false,
  };
  if (resumed !== null) expectSameSearch(resumed, record);
  await expectOutputs(options, out);
  await ensureWritableFolder(folder);
  const unlock = await lockFolder(folder);
  const begun = { folder, config, record };
  try {
    await beginSearch(begun);
  } catch (error) {
    await unlock();
    throw error;
  }
  return { begun, config, rows, core, plan, table, out, unlock };
}

/** Checks that what is asked for can be done, before anything is written. */
function planOf(
  { hidden, epochs, grid, cv, group, time, seed }: SearchConfig,
  { asked, whole, rest }: FitRows,
  core: Core,
  options: TrainOptions,
): Plan {
  const jobs = Math.min(options.jobs, options.threads);
  const threads = core.build.endsWith('-mt') ? Math.min(64, Math.floor(options.threads / jobs)) : 1;
  return planSearch(rest, {
    ...asked,
    ...settled(whole),
    ...(hidden !== undefined && { hidden }),
    ...(epochs !== undefined && { epochs }),
    ...(group !== undefined && { group }),
    ...(time !== undefined && { time }),
    ...(grid !== undefined && { grid }),
    ...(cv !== undefined && { folds: cv }),
    validation: VALIDATION,
    seed,
    jobs,
    model: { core, threads },
  });
}

async function run(
  { begun, config, rows, core, plan, table, out }: Opened,
  options: TrainOptions,
  view: View<SearchEvent>,
  signal: AbortSignal,
  clock: ReturnType<typeof newClock>,
): Promise<number> {
  const started = timeOf(clock);
  const { folder, record } = begun;
  const at = `${plan.jobs} at once`;
  view.note(
    `Run ${idOf(folder)}${options.resume === undefined ? '' : ' resumed'}: build ${core.build}, ${at}.`,
  );
  const { whole, rest, held } = rows;
  const { model, candidates, final } = await searchPlanned(rest, plan, {
    store: folderStore(folder),
    signal,
    onEvent: (event) => view.event(event),
  });
  throwIfAborted(signal, 'The search');
  const test = held === null ? null : model.evaluate(held);
  const tested = basename(record.test?.path ?? table);
  await writeTableModel(out, model, test === null ? {} : { test: testOf(tested, test) });
  const results: SearchResults = {
    kind: 'search',
    schema: 1,
    environment: describeEnvironment(core, (timeOf(clock) - started) / 1000),
    config,
    table: { path: shown(table), hash: record.table.hash, rows: rest.rows + (held?.rows ?? 0) },
    task: whole.target.task,
    classes: whole.target.task === 'classification' ? whole.target.classes : null,
    columns: whole.columns,
    score: plan.score,
    candidates,
    final,
    test,
    importance: model.explain(weighedRows(rows)),
    model: shown(out),
    modelHash: await fileDigest(out),
  };
  const file = join(folder, 'results.json');
  await writeFileAtomic(join(folder, 'candidates.csv'), candidatesCsv(results));
  await writeFileAtomic(join(folder, 'epochs.csv'), searchEpochsCsv(results));
  await writeFileAtomic(file, readableJson(results));
  const report = reportFile(options, out);
  if (report !== null) await writeSearchReport(report, results, { model, rows, table });
  await finishSearch(begun);
  view.close();
  process.stdout.write(
    options.json
      ? `${JSON.stringify(jsonOf(results, file, report))}\n`
      : textOf(results, model, file, report),
  );
  model.dispose();
  return EXIT.done;
}

/** As a plain fit's object, and what was compared. */
function jsonOf(
  { columns, final, test, importance, model, candidates, score }: SearchResults,
  file: string,
  report: string | null,
) {
  const { rows, epochs, kept } = final;
  return {
    columns,
    rows: { train: rows.train, validation: rows.validation, test: test?.samples ?? 0 },
    epochs: epochs.length,
    kept,
    scores: test,
    importance,
    model,
    score,
    candidates: candidates.map(({ id, settings, scores, halvedAt, trials }) => ({
      ...{ id, settings, scores, halvedAt },
      folds: trials.map((trial) => trial.scores),
    })),
    results: shown(file),
    report: report === null ? null : shown(report),
  };
}

function textOf(results: SearchResults, model: TableModel, file: string, report: string | null): string {
  return `\n${searchResultsText(results, model)}\nSaved ${results.model}.${report === null ? '' : ` The report is ${shown(report)}.`} The run is in ${shown(file)}.\n`;
}
