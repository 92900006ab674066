import { randomBytes } from 'node:crypto';
import { join, relative } from 'node:path';
import { type BuildName, type Engine, loadEngine, TreadleError } from '#bindings';
import { ensureWritableFolder, writeFileAtomic } from '../files.js';
import type { Job, ModelRecord, RunConfig, RunEvent, RunResults, TrainedModel } from '../records.js';
import { buildResults } from '../report/results.js';
import { jobTitle } from '../train/job-title.js';
import { saveWeights, type WeightsMetadata } from '../weights/model-file.js';
import { resolveConfig } from './config.js';
import { describeEnvironment } from './environment.js';
import { planJobs } from './plan.js';
import { trainJobs } from './pool.js';
import { type DataChoice, type PreparedData, prepareData } from './prepare.js';
import { testFiles } from './test-files.js';
import { orAborted, throwIfAborted } from './threads.js';

export interface RunAllOptions extends DataChoice {
  /** Whatever differs from the defaults. */
  settings?: Partial<RunConfig>;
  /** Folder for the weights; `weights` when left out. */
  weights?: string;
  /** Folder for the run's own folder; `runs` when left out. */
  out?: string;
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
}

/** The core as a library opens it: no V8 flag is set. */
function openPlain(build: string): Promise<Engine> {
  return loadEngine({ build: build as BuildName | 'auto' });
}

/**
 * Trains a grid of models, saves their weights, tests each from its saved file, and writes results and report.
 *
 * A model that fails is told by a `failed` event and its record's `error`; the others go on. When the signal
 * aborts during training or tests, the models finished by then are recorded and the outcome says `interrupted`;
 * before that it rejects with `interrupted`. Rejects with `range` for settings that are wrong, `unwritable`
 * for folders that cannot be written, `engine`, and whatever the data's loading and splitting throws.
 * Prints nothing, leaves signals alone and leaves no thread behind.
 */
export async function runAll(options: RunAllOptions = {}): Promise<RunOutcome> {
  const started = performance.now();
  const { signal } = options;
  const config = resolveConfig(options.settings);
  const weightsFolder = options.weights ?? 'weights';
  const out = options.out ?? 'runs';
  throwIfAborted(signal);
  await ensureWritableFolder(weightsFolder);
  await ensureWritableFolder(out);
  const engine = await (options.openEngine ?? openPlain)(config.build);
  const data = await orAborted(prepareData(options, config), signal);

  const id = newRunId(new Date());
  const folder = join(out, id);
  await ensureWritableFolder(folder);
  await writeFileAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);

  const run = new Run(options, config, engine, data, weightsFolder);
  run.emit({
    type: 'run',
    id,
    folder: shown(folder),
    models: run.jobs.length,
    epochs: config.epochs,
    build: engine.build,
    jobs: config.jobs,
    threads: config.threads,
  });
  const interrupted = await untilInterrupted(async () => {
    await run.train();
    await run.test();
  });

  const results = run.results(started);
  // Drawing needs large libraries: they are loaded when there is something to draw.
  const { writeReport, writeResults } = await import('../report/write.js');
  const resultsFile = await writeResults(folder, results);
  if (interrupted) return { folder, results, interrupted };
  const { html } = await writeReport(folder, results);
  if (results.best !== null) run.emit({ type: 'best', ...results.best });
  const seconds = (performance.now() - started) / 1000;
  run.emit({ type: 'done', results: shown(resultsFile), report: shown(html), seconds });
  return { folder, results, interrupted };
}

/** The jobs of a run and the record that grows of each. */
class Run {
  readonly jobs: Job[];
  readonly emit: (event: RunEvent) => void;
  readonly #config: RunConfig;
  readonly #engine: Engine;
  readonly #data: PreparedData;
  readonly #weightsFolder: string;
  readonly #signal: AbortSignal | undefined;
  readonly #records: Map<string, ModelRecord>;

  constructor(
    options: RunAllOptions,
    config: RunConfig,
    engine: Engine,
    data: PreparedData,
    weightsFolder: string,
  ) {
    this.emit = options.onEvent ?? (() => {});
    this.#signal = options.signal;
    this.#config = config;
    this.#engine = engine;
    this.#data = data;
    this.#weightsFolder = weightsFolder;
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
    const { jobs, threads } = this.#config;
    const { train, split } = this.#data;
    const saves: Promise<void>[] = [];
    try {
      await trainJobs(this.jobs, {
        engine: this.#engine,
        data: train,
        split,
        limits: { jobs, threads, helpers: this.#engine.build.endsWith('-mt') },
        onEvent: (event) => this.#hear(event),
        onTrained: (job, trained) => {
          const save = this.#save(job, trained);
          save.catch(() => {}); // Heard below, when all threads have ended.
          saves.push(save);
        },
        onFailed: (job, error) => this.#fail(job, error),
        signal: this.#signal,
      });
    } finally {
      await Promise.all(saves);
    }
  }

  /** Tests every saved model from its first file. */
  async test(): Promise<void> {
    const saved = this.jobs.filter((job) => this.#record(job).weights.length > 0);
    const files = saved.map((job) => this.#record(job).weights[0]!);
    const { test, shape } = this.#data;
    await testFiles(files, {
      engine: this.#engine,
      data: test,
      shape,
      signal: this.#signal,
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
      environment: describeEnvironment(this.#engine, seconds),
      config: this.#config,
      dataset: this.#data.record,
      models: [...this.#records.values()],
    });
  }

  #record(job: Job): ModelRecord {
    return this.#records.get(job.id)!;
  }

  #hear(event: RunEvent): void {
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
      const files = await saveWeights(this.#weightsFolder, trained.tensors, this.#metadata(job, trained));
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
    const { record } = this.#data;
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
      mode: this.#config.mode,
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
