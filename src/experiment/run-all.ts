import { join, resolve } from 'node:path';
import {
  type AbortSignalLike,
  type BuildChoice,
  type Core,
  checkNetwork,
  expectBoolean,
  loadCore,
  problem,
  TreadleError,
} from '#bindings';
import { classifierModel, classifierParameters } from '../model/classifier.js';
import { ensureWritableFolder, removeEmptyFolders, removeTemporaries } from '../node/files.js';
import { lockFolder } from '../node/lock.js';
import { weightsFileNames } from '../node/model-file.js';
import { recordedPath, shown } from '../node/paths.js';
import { coreDigest, idOf, newRunId } from '../node/run-folders.js';
import type { Job, RunConfig, RunEvent, RunResults } from '../results/records.js';
import { bestModel } from '../results/results.js';

import { throwIfAborted } from '../strict/abort.js';
import { type Clock, newClock, timeOf } from './clock.js';
import { resolveConfig } from './config.js';
import type { ExecutorChoice } from './executor.js';
import { asOfOwner, followed, isLocked, untilUnlocked, withCopies, writtenResults } from './follow.js';
import { jobOptions } from './job-options.js';
import { countFrom } from './jobs.js';
import { type DataChoice, type PreparedData, prepareData } from './prepare.js';
import { leaveToReplace, type Replace } from './replacement.js';
import { Run } from './run.js';
import { RunBoard } from './run-board.js';
import {
  type BegunRun,
  beginRun,
  checkpointsOf,
  expectSame,
  finishRun,
  isFinished,
  openRun,
  type RunRecord,
  resumedConfig,
  weightsFolderOf,
  writeRecord,
} from './run-folder.js';
import { digestsOf, keepStarts, keptStarts, startingWeights } from './starts.js';
import { writeResults } from './write-results.js';

const DEFAULT_OUT = 'runs';

export interface RunAllOptions extends DataChoice {
  /** Whatever differs from the defaults. */
  settings?: Partial<RunConfig>;
  /** Folder for the weights; `weights` when left out. */
  weights?: string | undefined;
  /**
   * Whether weights that another run has saved under the same names may be replaced, or a function that is asked that,
   * with their paths, before training begins; false when left out. A resumed run always replaces its own.
   */
  replace?: Replace | undefined;
  /**
   * Saved weights that every model starts from which no other model hands its own: a file, or a folder with weights of each
   * architecture, of which the best by validation is taken. Kept with the run, so a resumed run has them.
   */
  from?: string | undefined;
  /** Folder for the run's own folder; `runs` when left out. */
  out?: string | undefined;
  /**
   * Goes on with a run that was stopped, by its folder or id, or `true` for the newest unfinished one in `out`. What is
   * left out above is as the run was begun; of its settings only `jobs` and `threads` may differ from that.
   */
  resume?: string | true | undefined;
  /** Hears of everything that happens, in order. */
  onEvent?: (event: RunEvent) => void;
  /** Stops the run; see {@link runAll}. */
  signal?: AbortSignalLike;
  /** Measures all times; one that is never paused when left out. */
  clock?: Clock | undefined;
  /** Opens a build of the core; by default without setting any V8 flag. */
  openCore?: ((build: string) => Promise<Core>) | undefined;
  /**
   * Folder for TensorBoard: each model's figures, hyper-parameters and confusion matrix under the run's id; none when left
   * out. A resumed run that is given it writes all of its models' files anew.
   */
  tensorBoard?: string | undefined;
  /** Whether charts and a page are made of the results; false leaves that to `treadle report`. Default: true. */
  report?: boolean | undefined;
  /** Where the models are trained; in threads of this process when left out. */
  executor?: ExecutorChoice | undefined;
}

export interface RunOutcome {
  /** Where `config.json`, `results.json`, `epochs.csv` and the report are. */
  folder: string;
  results: RunResults;
  /** True when the signal stopped it: the results are of the models finished by then. */
  interrupted: boolean;
  /** True when something is left that resuming the run could finish: all but models that diverged. */
  resumable: boolean;
}

/** The core as a library opens it: no V8 flag is set. */
function openPlain(build: string): Promise<Core> {
  return loadCore({ build: build as BuildChoice });
}

/**
 * Trains a grid of models, saves their weights, tests each from its saved file, and writes results and report.
 * Every model leaves a checkpoint in the run's folder after each epoch; a run that was stopped, in
 * whatever way, is resumed from them and ends with the bytes of one that was not. They are removed when it is finished.
 *
 * A model that fails is reported by a `failed` event and its record's `error`; the others go on. When the signal
 * aborts, the running models finish their step and save a checkpoint; what is finished by then is recorded and the
 * outcome says `interrupted`. Before training it rejects with `interrupted`. Rejects with `range` for settings that
 * are wrong and networks that no memory can hold, `usage` for weights that it may not replace, `unwritable` for folders
 * that cannot be written, `locked` for folders that another run is using (but one that is resumed by way of an executor of
 * other machines is followed, and what its owner has written is returned), `engine`, whatever loading and
 * splitting the data throws, and what `openRun`, `resumedConfig` and `expectSame` throw.
 * Prints nothing, leaves signals alone and leaves no thread behind.
 *
 * @example const { results, folder } = await runAll({ settings: { epochs: 2 }, onEvent: ({ type }) => console.log(type) });
 */
export async function runAll(options: RunAllOptions = {}): Promise<RunOutcome> {
  try {
    return await runAsOwner(options);
  } catch (error) {
    const { executor } = options;
    const isLockedNow = error instanceof TreadleError && error.code === 'locked';
    if (!isLockedNow || executor === undefined) throw error;
    const run = await resumedRun(options);
    if (run === null || !(await isLocked(run.folder))) throw error;
    return follow(options, executor, run);
  }
}

/** The run that is to be gone on with; null for a new one. Throws as {@link openRun}. */
async function resumedRun({ resume, out = DEFAULT_OUT }: RunAllOptions): Promise<BegunRun | null> {
  return resume === undefined ? null : openRun(resume === true ? null : resume, out);
}

/** Follows a run that another process owns until that has finished it; goes on with it where that process is gone before. */
async function follow(options: RunAllOptions, executor: ExecutorChoice, run: BegunRun): Promise<RunOutcome> {
  const { folder } = run;
  const { onEvent, signal } = options;
  const clock = options.clock ?? newClock();
  const started = timeOf(clock);
  const weights = options.weights ?? weightsFolderOf(run);
  options.log?.(`Run ${idOf(folder)} belongs to another process: it is followed, and written by that.`);
  const outcome = await withCopies(folder, (copies) =>
    runAsOwner({
      ...options,
      clock,
      resume: copies.folder,
      weights: copies.weights,
      data: options.data ?? recordedData(run),
      tensorBoard: undefined,
      report: false,
      executor: followed(executor),
      onEvent: asOfOwner(folder, weights, onEvent),
    }),
  );
  const stopped = { ...outcome, folder, interrupted: true, resumable: true };
  if (outcome.interrupted || (await untilInterrupted(() => untilUnlocked(folder, signal)))) return stopped;
  // The owner may have been stopped, or have died.
  if (!outcome.resumable && !(await isFinished(folder))) return runAll({ ...options, resume: folder });
  const written = await writtenResults(folder);
  const seconds = (timeOf(clock) - started) / 1000;
  const report = written.report === null ? null : shown(written.report);
  onEvent?.({ type: 'done', results: shown(written.file), report, seconds });
  return { ...outcome, folder, results: written.results };
}

async function runAsOwner(options: RunAllOptions): Promise<RunOutcome> {
  const unlock: (() => Promise<void>)[] = [];
  const made: string[] = [];
  const folders: Folders = {
    make: async (folder) => void made.push(...(await ensureWritableFolder(folder))),
    lock: async (folder) => {
      unlock.push(await lockFolder(folder));
      await removeTemporaries(folder);
    },
  };
  let isRefused = true;
  try {
    const outcome = await runLocked(options, folders);
    isRefused = false;
    return outcome;
  } finally {
    for (const end of unlock) await end();
    if (isRefused) await removeEmptyFolders(made);
  }
}

/** Makes the folders of a run, and locks them. */
interface Folders {
  /** One that stays empty is removed again where the run is refused. Throws `unwritable`. */
  make(folder: string): Promise<void>;
  /** Until the run has ended. Throws `locked`. */
  lock(folder: string): Promise<void>;
}

async function runLocked(options: RunAllOptions, folders: Folders): Promise<RunOutcome> {
  const clock = options.clock ?? newClock();
  const started = timeOf(clock);
  throwIfAborted(options.signal);
  expectBoolean('report', options.report);
  if (options.tensorBoard !== undefined) await folders.make(options.tensorBoard);
  const board = options.tensorBoard === undefined ? null : new RunBoard(options.tensorBoard);
  const onEvent = (event: RunEvent): void => {
    board?.hear(event);
    options.onEvent?.(event);
  };
  const run = await openOrBegin({ ...options, onEvent, clock }, folders);
  const { folder } = run;
  board?.begin(idOf(folder), run.jobs, run.data.record.classNames);
  let interrupted: boolean;
  try {
    interrupted = await untilInterrupted(async () => {
      await run.train();
      await run.test();
    });
  } finally {
    const problem = await board?.close();
    if (problem) options.log?.(`Not all is written for TensorBoard: ${problem}`);
  }

  const results = run.results(started);
  const resultsFile = await writeResults(folder, results);
  let html: string | null = null;
  const stopped =
    interrupted ||
    (await untilInterrupted(async () => {
      if (options.report === false) return;
      // Imported here: drawing needs large libraries.
      const { writeReport } = await import('../report/write.js');
      html = shown((await writeReport(folder, results, { signal: run.signal })).html);
    }));
  if (stopped) return { folder, results, interrupted: true, resumable: true };
  const { resumable } = run;
  if (!resumable) {
    await finishRun(run);
    await run.finish();
  }
  const best = bestModel(results);
  if (best !== undefined) {
    run.emit({ type: 'best', job: best.id, model: best.model, learningRate: best.learningRate });
  }
  const seconds = (timeOf(clock) - started) / 1000;
  run.emit({ type: 'done', results: shown(resultsFile), report: html, seconds });
  return { folder, results, interrupted: false, resumable };
}

/** A run ready to train, new or resumed: its folders are locked, its data loaded and its record written. */
async function openOrBegin(options: RunAllOptions & { clock: Clock }, { make, lock }: Folders): Promise<Run> {
  const { out = DEFAULT_OUT, settings = {}, resume, from, signal, onEvent = () => {} } = options;
  if (resume !== undefined && from !== undefined) throw startOfResumed(from);
  const resumed = await resumedRun(options);
  const config = resumed === null ? resolveConfig(settings) : resumedConfig(resumed, settings);
  const weights = options.weights ?? (resumed === null ? 'weights' : shown(weightsFolderOf(resumed)));
  const choice = {
    data: options.data ?? recordedData(resumed),
    verify: options.verify ?? resumed?.record.verify ?? true,
    log: options.log,
  };
  const folder = resumed === null ? join(out, newRunId(new Date())) : resumed.folder;
  await make(weights);
  await make(resumed === null ? out : folder);
  await lock(weights);
  if (resumed !== null) await lock(folder);
  const names = weightsNamesOf(config);
  const own = resumed?.record.replaceable ?? [];
  const replaceable = [...own, ...(await leaveToReplace(weights, names, own, options.replace ?? false))];
  throwIfAborted(signal);

  const core = await (options.openCore ?? openPlain)(resumed?.record.build ?? config.build);
  const data = await prepareData(choice, config, signal);
  const starts =
    resumed === null
      ? await startingWeights(from, config, data.shape)
      : await keptStarts(checkpointsOf(folder), resumed.record.from?.digests ?? {}, config, data.shape);
  const record: RunRecord = {
    schema: 2,
    build: core.build,
    core: await coreDigest(core.build),
    dataset: { name: data.record.name, hash: data.record.hash },
    data: choice.data === undefined ? null : recordedPath(choice.data, folder),
    verify: choice.verify,
    weights: recordedPath(weights, folder),
    from:
      from === undefined
        ? (resumed?.record.from ?? null)
        : { path: recordedPath(from, folder), digests: digestsOf(starts) },
    replaceable,
    finished: false,
  };
  if (resumed !== null) {
    expectSame(resumed, record);
    // Every weights file has the dataset's name: another folder's must not change their bytes.
    record.dataset = resumed.record.dataset;
    data.record.name = record.dataset.name;
  }
  const hooks = { emit: onEvent, signal, clock: options.clock };
  const begun = { folder, config, record };
  const run = new Run(begun, weights, core, data, starts, hooks, options.executor);
  checkMemory(run.jobs, core, data);
  if (resumed !== null) {
    await ensureWritableFolder(checkpointsOf(folder));
    await removeTemporaries(checkpointsOf(folder));
    await writeRecord(run);
  } else {
    await make(folder);
    await lock(folder);
    await make(checkpointsOf(folder));
    await keepStarts(checkpointsOf(folder), starts);
    await beginRun(run);
  }
  announce(run, resumed !== null);
  return run;
}

/** Names of all weights files of a run. */
function weightsNamesOf({ architectures, learningRates, seed, seeds }: RunConfig): string[] {
  const numbers = seeds === 1 ? [null] : countFrom(seed, seeds);
  return architectures.flatMap(({ name }) =>
    numbers.flatMap((own) => learningRates.flatMap((rate) => weightsFileNames(name, rate, own))),
  );
}

function startOfResumed(from: string): TreadleError {
  return problem('usage', {
    subject: 'from',
    found: from,
    because: 'a resumed run has the weights that it was begun with',
    expected: 'none',
  });
}

/** Emits the `run` event. */
function announce({ folder, config, jobs, core, emit }: Run, resumed: boolean): void {
  emit({
    type: 'run',
    id: idOf(folder),
    folder: shown(folder),
    models: jobs.length,
    parameters: Object.fromEntries(jobs.map(({ model, spec }) => [model, classifierParameters(spec)])),
    epochs: config.epochs,
    build: core.build,
    jobs: config.jobs,
    threads: config.threads,
    resumed,
  });
}

/** The folder of data that a run was begun with, wherever the run is now; undefined for the usual places. */
function recordedData(run: BegunRun | null): string | undefined {
  if (run === null || run.record.data === null) return undefined;
  return shown(resolve(run.folder, run.record.data));
}

/** Throws `range` for the first architecture whose network no WebAssembly memory can hold. */
function checkMemory(jobs: readonly Job[], core: Core, { split, train }: PreparedData): void {
  for (const job of jobs) {
    const { model, spec } = job;
    try {
      checkNetwork(core, classifierModel(spec), jobOptions(job, split.train.length, train.labels.length, 1));
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      const { code, message, found, expected } = error;
      throw new TreadleError(code, `Model ${model}: ${message}`, {
        subject: `architectures.${model}`,
        found,
        expected,
        cause: error,
      });
    }
  }
}

/** Whether the work was interrupted; any other failure is thrown on. */
async function untilInterrupted(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof TreadleError && error.code === 'interrupted') return true;
    throw error;
  }
}
