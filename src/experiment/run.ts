import { type AbortSignalLike, type Core, type ErrorCode, TreadleError } from '#bindings';
import { classifierModel, toBlocks } from '../model/classifier.js';
import { encodeWeights, type WeightsMetadata, writeWeights } from '../node/model-file.js';
import { shown } from '../node/paths.js';
import { idOf } from '../node/run-folders.js';
import { epochRecord } from '../results/epochs.js';
import { seedOf } from '../results/job-id.js';
import type {
  EnsembleRecord,
  Job,
  ModelRecord,
  RunConfig,
  RunEvent,
  RunResults,
  TrainedModel,
} from '../results/records.js';
import { buildResults, byMeritOf, smallestFirst } from '../results/results.js';
import { type Clock, timeOf } from './clock.js';
import { testEnsembleFiles } from './ensemble.js';
import { describeEnvironment } from './environment.js';
import type { Executor, ExecutorChoice, JobListener } from './executor.js';
import { jobTitle } from './job-title.js';
import { planJobs } from './jobs.js';
import { threadExecutor } from './pool.js';
import { type PreparedData, samplesOf } from './prepare.js';
import { digestOf } from './replacement.js';
import { type BegunRun, checkpointsOf, type RunRecord, writeRecord } from './run-folder.js';
import { digestsOf, type Starts } from './starts.js';
import { testFiles } from './test-files.js';

/** Failures of the model itself, which training it again would only repeat. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['diverged', 'range', 'shape', 'data', 'usage']);

/** A run's jobs, and the record of each. */
export class Run {
  readonly folder: string;
  readonly config: RunConfig;
  record: RunRecord;
  readonly jobs: Job[];
  /** True once a model has failed for a reason that may be gone when the run is resumed. */
  resumable = false;
  readonly #records: Map<string, ModelRecord>;
  /** The latest write of the run's record; the next waits for it. */
  #written: Promise<void> = Promise.resolve();

  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignalLike | undefined;
  readonly clock: Clock;
  readonly #executor: Executor;
  #ensemble: EnsembleRecord | null = null;

  constructor(
    { folder, config, record }: BegunRun,
    readonly weightsFolder: string,
    readonly core: Core,
    readonly data: PreparedData,
    readonly starts: Starts,
    { emit, signal, clock }: Pick<Run, 'emit' | 'signal' | 'clock'>,
    executor?: ExecutorChoice | undefined,
  ) {
    this.emit = emit;
    this.signal = signal;
    this.clock = clock;
    this.folder = folder;
    this.config = config;
    this.record = record;
    this.#executor = executor?.({ id: idOf(folder), config, record, core, data, starts }) ?? this.#threads();
    this.jobs = planJobs(config, data.shape, core.build, digestsOf(starts));
    this.#records = new Map(
      this.jobs.map(({ id, model, learningRate }) => [
        id,
        { id, model, learningRate, epochs: [], kept: null, weights: [], test: null },
      ]),
    );
  }

  /** Trains all jobs; when this ends, well or not, the weights of every trained model are saved. */
  async train(): Promise<void> {
    const saves: Promise<void>[] = [];
    const listener: JobListener = {
      onEvent: (event) => this.#hear(event),
      onTrained: (job, trained) => {
        const save = this.#save(job, trained);
        save.catch(() => {}); // It is awaited below, when all threads have ended.
        saves.push(save);
      },
      onFailed: (job, error) => this.#fail(job, error),
    };
    try {
      await this.#executor.train(this.jobs, listener, this.signal);
    } finally {
      await Promise.all(saves);
    }
  }

  /** Lets the executor forget the run. */
  async finish(): Promise<void> {
    await this.#executor.finish?.();
  }

  /** Trains in threads of this process. */
  #threads(): Executor {
    const { jobs, threads } = this.config;
    return threadExecutor({
      core: this.core,
      data: this.data.train,
      split: this.data.split,
      starts: new Map([...this.starts.values()].map(({ digest, weights }) => [digest, weights])),
      limits: { jobs, threads, helpers: this.core.build.endsWith('-mt') },
      checkpoints: checkpointsOf(this.folder),
      clock: this.clock,
    });
  }

  /** Tests every saved model from its first file, as many at once as there are threads, and then those of several seeds as one. */
  async test(): Promise<void> {
    const saved = this.jobs.filter((job) => this.#record(job).weights.length > 0);
    const files = saved.map((job) => this.#record(job).weights[0]!);
    const { test, shape } = this.data;
    await testFiles(files, {
      core: this.core,
      threads: this.config.threads,
      data: test,
      shape,
      average: this.config.average,
      signal: this.signal,
      onTested: (file, result) => {
        const job = saved[files.indexOf(file)]!;
        if (result instanceof TreadleError) return this.#fail(job, result);
        this.#record(job).test = result;
        const { id, model, learningRate } = job;
        this.emit({ type: 'test', job: id, model, learningRate, ...result });
      },
    });
    await this.#testEnsemble();
  }

  /** Tests the mean of the best models by validation, as many of them as do best there. */
  async #testEnsemble(): Promise<void> {
    const { config, data, core, signal } = this;
    if (config.seeds === 1) return;
    const tested = this.#recordsOf(({ pass }) => pass === config.passes).filter(({ test }) => test !== null);
    if (tested.length < 2) return;
    const order = smallestFirst(config, data.record);
    const ranked = byMeritOf(tested, order);
    const { result, members, agreement, chosenBy } = await testEnsembleFiles(
      ranked.map(({ weights }) => weights[0]!),
      {
        core,
        shape: { ...data.shape, average: config.average },
        data: data.test,
        choice: samplesOf(data.train, data.split.validation),
        signal,
      },
    );
    const ids = ranked.slice(0, members.length).map(({ id }) => id);
    this.#ensemble = { members: ids, valAccuracy: chosenBy!, agreement, test: result };
    this.emit({ type: 'ensemble', ...this.#ensemble });
  }

  /** The record of the run as it now is; `started` is a time of its clock. */
  results(started: number): RunResults {
    for (const job of this.jobs) {
      const record = this.#record(job);
      if (record.kept !== null || record.error !== undefined) continue;
      record.error = `${jobTitle(job)} was interrupted before it was finished.`;
      record.interrupted = true;
    }
    const seconds = (timeOf(this.clock) - started) / 1000;
    return buildResults({
      environment: describeEnvironment(this.core, seconds),
      config: this.config,
      dataset: this.data.record,
      models: this.#recordsOf(({ pass }) => pass === this.config.passes),
      earlier: this.#recordsOf(({ pass }) => pass < this.config.passes),
      ...(this.#ensemble && { ensemble: this.#ensemble }),
    });
  }

  #recordsOf(isAsked: (job: Job) => boolean): ModelRecord[] {
    return this.jobs.filter(isAsked).map((job) => this.#record(job));
  }

  #record(job: Job): ModelRecord {
    return this.#records.get(job.id)!;
  }

  #hear(event: RunEvent): void {
    if (event.type === 'start') this.#records.get(event.job)!.epochs = [...event.finished];
    if (event.type === 'epoch') this.#records.get(event.job)!.epochs.push(epochRecord(event));
    this.emit(event);
  }

  /** Saves a trained model; a failure to do so is that model's failure, the others go on. */
  async #save(job: Job, trained: TrainedModel): Promise<void> {
    const { tensors, batchesTracked } = trained.weights;
    const record = this.#record(job);
    if (job.pass < this.config.passes) {
      record.kept = trained.kept;
      this.emit({ type: 'saved', job: job.id, weights: [], kept: trained.kept });
      return;
    }
    try {
      const files = encodeWeights(
        toBlocks(classifierModel(job.spec), tensors, batchesTracked),
        this.#metadata(job, trained),
        seedOf(job.id),
      );
      await this.#noteOwn(files.map(({ bytes }) => digestOf(bytes)));
      record.weights = (await writeWeights(this.weightsFolder, files)).map(shown);
      record.kept = trained.kept;
    } catch (error) {
      if (!(error instanceof TreadleError)) throw error;
      this.#fail(job, error);
      return;
    }
    this.emit({ type: 'saved', job: job.id, weights: record.weights, kept: trained.kept });
  }

  /** Notes files as the run's own, so that it may write them again when it is resumed. */
  async #noteOwn(digests: readonly string[]): Promise<void> {
    this.record = {
      ...this.record,
      replaceable: [...new Set([...this.record.replaceable, ...digests])],
    };
    // Models are saved concurrently, so writes are queued; each has all digests that are known by then.
    this.#written = this.#written.catch(() => {}).then(() => writeRecord(this));
    await this.#written;
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
      schedule: job.schedule === 'cosine' ? 'cosine' : undefined,
      augment: job.augment === null ? undefined : JSON.stringify(job.augment),
      from: job.from ?? undefined,
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
    if (!FINAL.has(error.code) && !isOrphan) this.resumable = true;
    const { id, model, learningRate } = job;
    this.emit({ type: 'failed', job: id, model, learningRate, code: error.code, message: error.message });
  }
}
