import { randomBytes } from 'node:crypto';
import { basename, join, relative, resolve } from 'node:path';
import { type BuildChoice, type Engine, loadEngine, parameterCount, TreadleError } from '#bindings';
import { ensureWritableFolder, removeTemporaries } from '../files.js';
import { lockFolder } from '../lock.js';
import type { Job, ModelRecord, RunConfig, RunEvent, RunResults, TrainedModel } from '../records.js';
import { buildResults } from '../report/results.js';
import { jobTitle } from '../train/job-title.js';
import { saveWeights, type WeightsMetadata } from '../weights/model-file.js';
import { resolveConfig } from './config.js';
import { describeEnvironment } from './environment.js';
import { planJobs } from './plan.js';
import { trainJobs } from './pool.js';
import { type DataChoice, type PreparedData, prepareData } from './prepare.js';
import {
  type BegunRun,
  beginRun,
  checkpointsOf,
  coreDigest,
  expectSame,
  finishRun,
  openRun,
  type RunRecord,
  resumedConfig,
} from './run-folder.js';
import { testFiles } from './test-files.js';
import { orAborted, throwIfAborted } from './threads.js';

export interface RunAllOptions extends DataChoice {
  /** Whatever differs from the defaults. */
  settings?: Partial<RunConfig>;
  /** Folder for the weights; `weights` when left out. */
  weights?: string | undefined;
  /** Folder for the run's own folder; `runs` when left out. */
  out?: string | undefined;
  /**
   * Goes on with a run that was stopped, by its folder or id, or `true` for the newest unfinished one in `out`. What is
   * left out above is as the run was begun; only `jobs` and `threads` may differ from that.
   */
  resume?: string | true | undefined;
  /** Hears of everything that happens, in order. */
  onEvent?: (event: RunEvent) => void;
  /** Stops the run; see {@link runAll}. */
  signal?: AbortSignal;
  /** Opens a build of the core; by default without setting any V8 flag. */
  openEngine?: ((build: string) => Promise<Engine>) | undefined;
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
function openPlain(build: string): Promise<Engine> {
  return loadEngine({ build: build as BuildChoice });
}

/**
 * Trains a grid of models, saves their weights, tests each from its saved file, and writes results and report.
 * Every model leaves a checkpoint in the run's folder after each epoch; a run that was stopped, however, is resumed
 * from them to the bytes of one that was not. They are removed when the run is finished.
 *
 * A model that fails is told by a `failed` event and its record's `error`; the others go on. When the signal
 * aborts, the running models finish their step and save a checkpoint; what is finished by then is recorded and the
 * outcome says `interrupted`. Before training it rejects with `interrupted`. Rejects with `range` for settings that
 * are wrong, `unwritable` for folders that cannot be written, `locked` for a weights folder that another run is
 * using, `engine`, whatever the data's loading and splitting throws, and what {@link openRun}, {@link resumedConfig}
 * and {@link expectSame} throw of a run to resume. Prints nothing, leaves signals alone and leaves no thread behind.
 */
export async function runAll(options: RunAllOptions = {}): Promise<RunOutcome> {
  const unlock: (() => Promise<void>)[] = [];
  const lock = async (folder: string): Promise<void> => {
    unlock.push(await lockFolder(folder));
    await removeTemporaries(folder);
  };
  try {
    return await runLocked(options, lock);
  } finally {
    for (const end of unlock) await end();
  }
}

async function runLocked(
  options: RunAllOptions,
  lock: (folder: string) => Promise<void>,
): Promise<RunOutcome> {
  const started = performance.now();
  throwIfAborted(options.signal);
  const run = await openOrBegin(options, lock);
  const { folder } = run;
  const interrupted = await untilInterrupted(async () => {
    await run.train();
    await run.test();
  });

  const results = run.results(started);
  // Drawing needs large libraries: they are loaded when there is something to draw.
  const { writeReport, writeResults } = await import('../report/write.js');
  const resultsFile = await writeResults(folder, results);
  if (interrupted) return { folder, results, interrupted, resumable: true };
  const { html } = await writeReport(folder, results);
  const { resumable } = run;
  if (!resumable) await finishRun(run);
  if (results.best !== null) run.emit({ type: 'best', ...results.best });
  const seconds = (performance.now() - started) / 1000;
  run.emit({ type: 'done', results: shown(resultsFile), report: shown(html), seconds });
  return { folder, results, interrupted, resumable };
}

/** A run that may train: its folders locked, its data loaded, its record written or, when it is resumed, compared. */
async function openOrBegin(options: RunAllOptions, lock: (folder: string) => Promise<void>): Promise<Run> {
  const { out = 'runs', settings = {}, resume, signal, onEvent = () => {} } = options;
  const resumed = resume === undefined ? null : await openRun(resume === true ? null : resume, out);
  const config = resumed === null ? resolveConfig(settings) : resumedConfig(resumed, settings);
  const weights = options.weights ?? resumed?.record.weights ?? 'weights';
  const choice = {
    data: options.data ?? resumed?.record.data ?? undefined,
    verify: options.verify ?? resumed?.record.verify ?? true,
    log: options.log,
  };
  await ensureWritableFolder(weights);
  await ensureWritableFolder(out);
  await lock(weights);
  const id = resumed === null ? newRunId(new Date()) : basename(resumed.folder);
  const folder = resumed === null ? join(out, id) : resumed.folder;
  if (resumed !== null) await lock(folder);

  const engine = await (options.openEngine ?? openPlain)(resumed?.record.build ?? config.build);
  const data = await orAborted(prepareData(choice, config), signal);
  const record: RunRecord = {
    schema: 1,
    build: engine.build,
    core: await coreDigest(engine.build),
    dataset: { name: data.record.name, hash: data.record.hash },
    data: choice.data === undefined ? null : resolve(choice.data),
    verify: choice.verify,
    weights: resolve(weights),
    finished: false,
  };
  if (resumed !== null) {
    expectSame(resumed, record);
    await ensureWritableFolder(checkpointsOf(folder));
    await removeTemporaries(checkpointsOf(folder));
  } else {
    await ensureWritableFolder(folder);
    await lock(folder);
    await beginRun({ folder, config, record });
  }
  const run = new Run({ folder, config, record }, weights, engine, data, onEvent, signal);
  onEvent({
    type: 'run',
    id,
    folder: shown(folder),
    models: run.jobs.length,
    parameters: Object.fromEntries(run.jobs.map(({ model, spec }) => [model, parameterCount(spec)])),
    epochs: config.epochs,
    build: engine.build,
    jobs: config.jobs,
    threads: config.threads,
    resumed: resumed !== null,
  });
  return run;
}

/** The jobs of a run and the record that grows of each. */
class Run {
  readonly folder: string;
  readonly config: RunConfig;
  readonly record: RunRecord;
  readonly jobs: Job[];
  /** True once a model has failed for a reason that may be gone when the run is resumed. */
  resumable = false;
  readonly #records: Map<string, ModelRecord>;

  constructor(
    { folder, config, record }: BegunRun,
    readonly weightsFolder: string,
    readonly engine: Engine,
    readonly data: PreparedData,
    readonly emit: (event: RunEvent) => void,
    readonly signal: AbortSignal | undefined,
  ) {
    this.folder = folder;
    this.config = config;
    this.record = record;
    this.jobs = planJobs(config, data.shape, engine.build);
    this.#records = new Map(
      this.jobs.map(({ id, model, learningRate }) => [
        id,
        { model, learningRate, epochs: [], kept: null, weights: [], test: null },
      ]),
    );
  }

  /** Trains all jobs; when this ends, well or not, the weights of every trained model are saved. */
  async train(): Promise<void> {
    const { jobs, threads } = this.config;
    const { train, split } = this.data;
    const saves: Promise<void>[] = [];
    try {
      await trainJobs(this.jobs, {
        engine: this.engine,
        data: train,
        split,
        limits: { jobs, threads, helpers: this.engine.build.endsWith('-mt') },
        onEvent: (event) => this.#hear(event),
        onTrained: (job, trained) => {
          const save = this.#save(job, trained);
          save.catch(() => {}); // Heard below, when all threads have ended.
          saves.push(save);
        },
        onFailed: (job, error) => this.#fail(job, error),
        checkpoints: checkpointsOf(this.folder),
        signal: this.signal,
      });
    } finally {
      await Promise.all(saves);
    }
  }

  /** Tests every saved model from its first file, as many at once as there are threads. */
  async test(): Promise<void> {
    const saved = this.jobs.filter((job) => this.#record(job).weights.length > 0);
    const files = saved.map((job) => this.#record(job).weights[0]!);
    const { test, shape } = this.data;
    await testFiles(files, {
      engine: this.engine,
      threads: this.config.threads,
      data: test,
      shape,
      signal: this.signal,
      onTested: (file, result) => {
        const job = saved[files.indexOf(file)]!;
        if (result instanceof TreadleError) return this.#fail(job, result);
        this.#record(job).test = result;
        this.emit({ type: 'test', model: job.model, learningRate: job.learningRate, ...result });
      },
    });
  }

  /** The record of the run as it now is; `started` is the time in `performance.now()`'s milliseconds. */
  results(started: number): RunResults {
    for (const job of this.jobs) {
      const record = this.#record(job);
      if (record.kept === null) record.error ??= `${jobTitle(job)} was interrupted before it was finished.`;
    }
    const seconds = (performance.now() - started) / 1000;
    return buildResults({
      environment: describeEnvironment(this.engine, seconds),
      config: this.config,
      dataset: this.data.record,
      models: [...this.#records.values()],
    });
  }

  #record(job: Job): ModelRecord {
    return this.#records.get(job.id)!;
  }

  #hear(event: RunEvent): void {
    if (event.type === 'start') this.#records.get(event.job)!.epochs = [...event.finished];
    if (event.type === 'epoch') {
      const { epoch, trainLoss, trainAccuracy, valLoss, valAccuracy, valMacroF1, seconds } = event;
      this.#records
        .get(event.job)!
        .epochs.push({ epoch, trainLoss, trainAccuracy, valLoss, valAccuracy, valMacroF1, seconds });
    }
    this.emit(event);
  }

  /** Saves a trained model; a failure to do so is that model's failure, the others go on. */
  async #save(job: Job, trained: TrainedModel): Promise<void> {
    const record = this.#record(job);
    try {
      const files = await saveWeights(this.weightsFolder, trained.tensors, this.#metadata(job, trained));
      record.weights = files.map(shown);
      record.kept = trained.kept;
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      this.#fail(job, error);
      return;
    }
    this.emit({ type: 'saved', job: job.id, weights: record.weights, kept: trained.kept });
  }

  #metadata(job: Job, { kept, epochs }: TrainedModel): WeightsMetadata {
    const { record } = this.data;
    const figures = epochs[kept.epoch - 1]!;
    return {
      treadle: '1',
      model: job.model,
      hidden: [...job.spec.hidden],
      inputs: job.spec.inputs,
      classes: job.spec.classes,
      dropout: job.spec.dropout,
      learningRate: job.learningRate,
      epochs: job.epochs,
      keptEpoch: kept.epoch,
      batchSize: job.batchSize,
      seed: job.seed,
      mode: this.config.mode,
      build: job.build,
      dataHash: record.hash,
      dataset: record.name,
      classNames: record.classNames,
      imageWidth: record.imageWidth,
      imageHeight: record.imageHeight,
      valLoss: figures.valLoss,
      valAccuracy: figures.valAccuracy,
      valMacroF1: figures.valMacroF1,
    };
  }

  #fail(job: Job, error: TreadleError): void {
    this.#record(job).error = error.message;
    const parent = this.jobs.find(({ id }) => id === job.parent);
    const isOrphan = parent !== undefined && this.#record(parent).error !== undefined;
    if (error.code !== 'diverged' && !isOrphan) this.resumable = true;
    const { id, model, learningRate } = job;
    this.emit({ type: 'failed', job: id, model, learningRate, code: error.code, message: error.message });
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

/** A name that sorts by time and is the run's own: UTC time stamp and a random suffix. */
function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${stamp}-${randomBytes(2).toString('hex')}`;
}

/** A path as records show it: relative to the folder that the command runs in. */
function shown(path: string): string {
  return relative(process.cwd(), path);
}
