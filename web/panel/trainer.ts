import { batch, signal } from '@preact/signals';
import {
  type Data,
  type EpochFigures,
  type FitRun,
  type HeldData,
  type History,
  type ModelWorker,
  openWorker,
  type StepEvent,
  TreadleError,
  type WorkerModel,
} from 'treadle';
import { sentenceOf } from '../app/problems.ts';
import { type Pace, paced } from './pace.ts';
import { type Setup, type Shape, scheduleOf, specOf } from './setup.ts';

/** Samples for one training: to learn from, and to measure on after each epoch. */
export interface Samples {
  train: Data;
  validation: Data;
  /** Rows of `train`. */
  rows: number;
}

/** What a room trains. */
export interface Subject extends Shape {
  task: 'classification' | 'regression';
  /** The same samples are handed to the worker once: they are others where this differs. */
  samplesKey: string;
  samples: () => Samples | Promise<Samples>;
  /** There is nothing to learn from yet. */
  isEmpty?: boolean;
}

export type State = 'idle' | 'starting' | 'training' | 'paused' | 'done' | 'stopped' | 'failed';

/** Figures of a training, to be laid over another's. */
export interface Run {
  name: string;
  epochs: readonly EpochFigures[];
  best: number;
}

/** A model that was not trained here. */
export interface Opened {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** How a model was made. */
export interface Making {
  setup: Setup;
  /** The room's own settings, as they stood in its address. */
  address: string;
}

/** What a training takes the place of, until there is something of its own to show. */
interface Before {
  model: WorkerModel | null;
  opened: Opened | null;
  kept: number | null;
  making: Making | null;
  all: EpochFigures[];
  best: number;
  earlier: Run | null;
  progress: Progress;
}

/** How far a training is. */
export interface Progress {
  epoch: number;
  /** Rows a second, over the last moments. */
  speed: number;
  /** Seconds that are left; null where it is not known yet. */
  left: number | null;
}

const NOTHING: Progress = { epoch: 0, speed: 0, left: null };

/** Least time between two changes of what is shown of a training, in milliseconds. */
const SHOWN_EVERY = 100;

/**
 * Trains one network after another in a worker of the library's, and says how it goes. The page's own thread does nothing but
 * listen. A room has one.
 */
export class Trainer {
  readonly state = signal<State>('idle');
  readonly epochs = signal<readonly EpochFigures[]>([]);
  readonly best = signal(0);
  readonly progress = signal<Progress>(NOTHING);
  readonly problem = signal<string | null>(null);
  /** Why the model trains with one thread, where it does. */
  readonly warning = signal<string | null>(null);
  /** The run before. */
  readonly earlier = signal<Run | null>(null);
  /** The model of the last training, or of the one that goes on. */
  readonly model = signal<WorkerModel | null>(null);
  /** The model that was opened, with its file, which may hold more than the network; null once another is trained. */
  opened: Opened | null = null;
  /** The number of the kept model that is open, or was to be; null once another is trained or opened. */
  readonly kept = signal<number | null>(null);
  /** How the model was made; null where nobody knows. */
  making: Making | null = null;
  /** Called with the model at most ten times a second (or once a frame) while it trains, and once in the end. */
  onMoment: (model: WorkerModel) => void | Promise<void> = () => {};
  /** Whether a room wants to show each moment: then training waits for frames. */
  pace: Pace = 'free';

  #worker: ModelWorker | null = null;
  #held: { key: string; train: HeldData; validation: HeldData; rows: number } | null = null;
  #run: FitRun<History> | null = null;
  #stop = new AbortController();
  /** The model as it was when it was stopped. */
  #stopped: WorkerModel | null = null;
  /** Whether the training that goes on has made a step. */
  #hasStepped = false;
  #all: EpochFigures[] = [];
  #clock = { start: 0, shown: 0, rows: 0, seconds: 0 };

  /** The worker, started when it is first needed. */
  get worker(): ModelWorker {
    this.#worker ??= openWorker();
    return this.#worker;
  }

  get busy(): boolean {
    return ['starting', 'training', 'paused'].includes(this.state.value);
  }

  /**
   * Trains a network from fresh weights; `address` has the room's settings. What goes wrong is told in `problem`. Where nothing
   * was learnt, the model before is back.
   */
  async train(subject: Subject, setup: Setup, address = ''): Promise<void> {
    if (this.busy) return;
    const before = this.#begin({ setup, address });
    const { signal } = this.#stop;
    try {
      const held = await this.#hold(subject);
      const model = await this.worker.createModel(specOf(subject, setup), {
        seed: setup.seed,
        threads: 'auto',
        onWarning: (sentence) => {
          this.warning.value = sentence;
        },
      });
      if (signal.aborted) {
        model.dispose();
        throw new TreadleError('interrupted', 'The training was stopped before it began.');
      }
      this.model.value = model;
      this.#run = model.fit(held.train, {
        task: subject.task,
        validation: held.validation as unknown as Data,
        epochs: setup.epochs,
        learningRate: scheduleOf(setup),
        optimizer: { type: setup.optimizer },
        ...(setup.patience > 0 && { patience: setup.patience }),
        ...(setup.batch > 0 && { batchSize: setup.batch }),
        seed: setup.seed,
        signal,
        onStep: (step) => this.#step(step, held.rows, setup.epochs),
      });
      this.state.value = 'training';
      await this.#follow(this.#run, model, setup);
    } catch (error) {
      // Another training may have begun since this one was put away.
      if (this.#stop.signal === signal) this.#fail(error, before);
    } finally {
      if (this.#stop.signal === signal) this.#run = null;
      if (before.model !== this.model.value) before.model?.dispose();
    }
  }

  pause(): void {
    if (this.state.value !== 'training') return;
    this.#run!.pause();
    this.state.value = 'paused';
    this.#show();
  }

  resume(): void {
    if (this.state.value !== 'paused') return;
    this.#clock = { ...this.#clock, start: performance.now(), rows: 0 };
    this.#run!.resume();
    this.state.value = 'training';
  }

  /** Ends a training now; the model stays as it is at this step, or, before the first, the one before is back. */
  async stop(): Promise<void> {
    if (!this.busy) return;
    if (this.#run !== null && this.#hasStepped) {
      try {
        const bytes = await this.model.value!.save();
        this.#stopped = await this.worker.loadModel(bytes);
      } catch (error) {
        this.problem.value = sentenceOf(error);
      }
    }
    this.#stop.abort();
  }

  /** Shows a model that was kept, with its number, or comes from a file. */
  async open(
    bytes: Uint8Array<ArrayBuffer>,
    run: Run,
    making: Making | null = null,
    kept: number | null = null,
  ): Promise<void> {
    const model = await this.worker.loadModel(bytes);
    this.opened = { name: run.name, bytes };
    this.making = making;
    batch(() => {
      this.model.value?.dispose();
      this.model.value = model;
      this.kept.value = kept;
      this.#all = [...run.epochs];
      this.epochs.value = this.#all;
      this.best.value = run.best;
      this.progress.value = NOTHING;
      this.problem.value = null;
      this.state.value = 'done';
    });
    await this.onMoment(model);
  }

  /** Forgets the model and its figures, as when the data are others. */
  reset(): void {
    if (this.busy) this.#stop.abort();
    this.opened = null;
    this.making = null;
    batch(() => {
      this.model.value?.dispose();
      this.model.value = null;
      this.kept.value = null;
      this.#all = [];
      this.epochs.value = [];
      this.earlier.value = null;
      this.problem.value = null;
      this.state.value = 'idle';
      this.progress.value = NOTHING;
    });
  }

  dispose(): void {
    // Nothing is told any more of what ends with the worker.
    this.#stop = new AbortController();
    this.#worker?.dispose();
    this.#worker = null;
  }

  #begin(making: Making): Before {
    const before = {
      model: this.model.value,
      opened: this.opened,
      kept: this.kept.value,
      making: this.making,
      all: this.#all,
      best: this.best.value,
      earlier: this.earlier.value,
      progress: this.progress.value,
    };
    this.#stop = new AbortController();
    this.#stopped = null;
    this.#hasStepped = false;
    this.opened = null;
    this.making = making;
    batch(() => {
      if (this.#all.length > 0) {
        this.earlier.value = { name: 'the run before', epochs: this.#all, best: this.best.value };
      }
      this.#all = [];
      this.kept.value = null;
      this.epochs.value = [];
      this.best.value = 0;
      this.problem.value = null;
      this.warning.value = null;
      this.progress.value = { ...NOTHING, left: making.setup.epochs > 0 ? null : 0 };
      this.state.value = 'starting';
    });
    this.#clock = { start: performance.now(), shown: 0, rows: 0, seconds: 0 };
    return before;
  }

  async #hold(subject: Subject) {
    if (this.#held?.key === subject.samplesKey) return this.#held;
    this.#held?.train.release();
    this.#held?.validation.release();
    this.#held = null;
    const { train, validation, rows } = await subject.samples();
    this.#held = {
      key: subject.samplesKey,
      train: await this.worker.hold(train),
      validation: await this.worker.hold(validation),
      rows,
    };
    return this.#held;
  }

  #step({ epoch, step, steps }: StepEvent, rows: number, epochs: number): void {
    this.#hasStepped = true;
    if (this.state.value !== 'training') return;
    const seen = (epoch - 1 + (steps === null ? 0 : step / steps)) * rows;
    this.#clock.rows ||= Math.max(1, seen);
    if (this.#clock.rows === seen) this.#clock.start = performance.now();
    const seconds = (performance.now() - this.#clock.start) / 1000;
    if (seconds < 0.05) return;
    const speed = (seen - this.#clock.rows) / seconds;
    this.#clock.seconds = speed > 0 ? (epochs * rows - seen) / speed : 0;
    if (performance.now() - this.#clock.shown >= SHOWN_EVERY) {
      this.#clock.shown = performance.now();
      this.progress.value = { epoch: epoch - 1, speed, left: speed > 0 ? this.#clock.seconds : null };
      this.#show();
    }
  }

  async #follow(run: FitRun<History>, model: WorkerModel, setup: Setup): Promise<void> {
    let last = 0;
    for await (const figures of run) {
      this.#all.push(figures);
      const now = performance.now();
      if (this.pace === 'frame') await paced();
      if (now - last < (this.pace === 'frame' ? 0 : SHOWN_EVERY)) continue;
      last = now;
      if (now - this.#clock.shown >= SHOWN_EVERY) this.#show();
      // A room that has fallen behind is not waited for, but in frames.
      const shown = this.onMoment(model);
      if (this.pace === 'frame') await shown;
    }
    const history = await run;
    batch(() => {
      this.best.value = history.best;
      this.epochs.value = [...this.#all];
      this.progress.value = { ...this.progress.value, epoch: history.epochs.length, left: 0 };
      this.state.value = 'done';
    });
    if (history.epochs.length < setup.epochs) this.best.value = history.best;
    await this.onMoment(model);
  }

  #show(): void {
    batch(() => {
      this.epochs.value = [...this.#all];
      this.progress.value = { ...this.progress.value, epoch: this.#all.length };
    });
  }

  #fail(error: unknown, before: Before): void {
    const isStopped = error instanceof TreadleError && error.code === 'interrupted';
    if (this.state.value === 'idle') return;
    batch(() => {
      this.epochs.value = [...this.#all];
      if (isStopped && this.#stopped !== null) {
        this.model.value?.dispose();
        this.model.value = this.#stopped;
        this.best.value = this.#all.length;
        this.state.value = 'stopped';
        return;
      }
      // The weights are as they were before the first step.
      this.#putBack(before, isStopped || this.#all.length === 0);
      this.state.value = isStopped ? 'stopped' : 'failed';
      if (isStopped) return;
      this.problem.value = sentenceOf(error);
      if (error instanceof TreadleError && error.code === 'worker') {
        // The next training starts a worker of its own.
        this.#worker?.dispose();
        this.#worker = null;
        this.#held = null;
        this.model.value = null;
      }
    });
    if (this.model.value !== null) void this.onMoment(this.model.value);
  }

  /** The model before, where there was one, and its figures. */
  #putBack(
    { model, opened, kept, making, all, best, earlier, progress }: Before,
    withFigures: boolean,
  ): void {
    if (this.model.value !== model) this.model.value?.dispose();
    this.model.value = model;
    this.opened = opened;
    this.kept.value = kept;
    this.making = making;
    if (!withFigures) return;
    this.#all = all;
    this.epochs.value = [...all];
    this.best.value = best;
    this.earlier.value = earlier;
    this.progress.value = progress;
  }
}
