import {
  type Bytes,
  type Core,
  checkModel,
  expectBoolean,
  expectKeys,
  inWords,
  loadCore,
  type ModelSpec,
  parameterCount,
  problem,
  type Tensors,
  TreadleError,
} from '#bindings';
import type { Features } from '../data/features.js';
import type { ModelCheckpoint } from '../formats/checkpoint-bytes.js';
import { checkModelOptions, type ModelOptions, plainSpec, threadsOf } from '../model/create.js';
import type { Evaluation } from '../model/evaluation.js';
import type { History } from '../model/model.js';
import { checkListeners, type Data, type FitOptions, type StepEvent } from '../model/options.js';
import { FitRun, Gate } from '../model/run.js';
import { summarize } from '../model/summary.js';
import type { BrowserWorker } from '../threads/browser-worker.js';
import { startThread, type ThreadPort } from '../threads/start.js';
import type { EpochFigures } from '../train/loop.js';
import {
  type Answer,
  type HeldReference,
  type Method,
  type PostedOptions,
  postedError,
  type Request,
  receivedError,
} from './protocol.js';

/** What a worker is started with. */
export interface WorkerOptions {
  /**
   * Starts a worker whose script imports `treadle/worker`, where the package's own file cannot be reached: helper threads
   * are started by it too. Default: the package's own file.
   */
  start?: () => BrowserWorker;
}

/** Samples that a worker has taken over, to be used in place of data as often as is wanted. */
export interface HeldData extends HeldReference {
  /** Lets the worker forget them. */
  release(): void;
}

/** One that waits for an answer. */
interface Waiting {
  resolve: (answer: { value: unknown; spec?: ModelSpec | undefined }) => void;
  reject: (error: unknown) => void;
  tell?: (event: Extract<Answer, { type: 'epoch' | 'step' | 'checkpoint' }>) => void;
}

/** The number of the next request. All workers count on: what one of them holds means nothing to another. */
let next = 1;

/**
 * A thread that holds models and trains them, so that the one it was started from stays free: a worker of a page, or a
 * thread of Node, which does not keep the process alive while it has nothing to do. Made by `openWorker`.
 *
 * @example const worker = openWorker();
 */
export class ModelWorker {
  readonly #port: ThreadPort;
  readonly #start: (() => BrowserWorker) | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #helpers = new Map<number, ThreadPort>();
  #end: TreadleError | null = null;

  constructor({ start }: WorkerOptions = {}) {
    this.#start = start;
    this.#port = startThread(start);
    const die = (reason: string) =>
      this.#close(
        new TreadleError('worker', `The worker has died: ${reason}; a running worker is expected.`, {
          subject: 'worker',
          found: reason,
          expected: 'a running worker',
        }),
      );
    this.#port.onDeath(die);
    // It never ends by itself: one that is ended from outside while it starts says that all is well.
    void this.#port.ended().then(() => die('it was ended'));
    this.#port.onMessage((message) => this.#hear(message as Answer));
    this.#port.post({ role: 'serve' });
    this.#port.keepAlive(false);
  }

  /** A model with fresh weights that this worker holds. Rejects as `createModel`. */
  async createModel(spec: ModelSpec, options: ModelOptions = {}): Promise<WorkerModel> {
    const posted = await this.#options(options);
    const copy = plainSpec(checkModel(spec));
    const { id, answer } = this.#ask((id) => ({ type: 'create', id, spec: copy, options: posted }));
    await answer;
    return new WorkerModel(this, id, copy, posted.core);
  }

  /** The model in the bytes of `model.save()`, held by this worker. Rejects as `loadModel`. */
  async loadModel(bytes: Uint8Array | ArrayBuffer, options: ModelOptions = {}): Promise<WorkerModel> {
    const posted = await this.#options(options);
    const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    const { id, answer } = this.#ask((id) => ({ type: 'load', id, bytes: view, options: posted }));
    const { spec } = await answer;
    return new WorkerModel(this, id, spec!, posted.core);
  }

  /**
   * Hands samples over, once, to be used by any of the worker's models. Shared memory is shared; other arrays are copied or,
   * with `transfer`, moved: they are empty here afterwards. Rejects with `usage` for what cannot be posted.
   *
   * @example const held = await worker.hold({ x, y }, { transfer: true });
   */
  async hold(data: Data | Features, options: { transfer?: boolean } = {}): Promise<HeldData> {
    expectKeys('options', options, ['transfer']);
    expectBoolean('transfer', options.transfer);
    const { id, answer } = this.#ask(
      (id) => ({ type: 'hold', id, data }),
      undefined,
      options.transfer ? buffersOf(data) : [],
    );
    await answer;
    return { treadleHeld: id, release: () => this.#post({ type: 'release', data: id }) };
  }

  /** Ends the thread, its models and what they do, which rejects with `interrupted`. */
  dispose(): void {
    this.#close(
      new TreadleError('interrupted', 'The worker has been disposed of; a worker in use is expected.', {
        subject: 'worker',
        found: 'disposed of',
        expected: 'a worker in use',
      }),
    );
  }

  /** @internal Asks for a call of a model. */
  async call(model: number, method: Method, args: unknown[]): Promise<{ value: unknown }> {
    return this.#ask((id) => ({ type: 'call', id, model, method, args: args.map(reference) })).answer;
  }

  /** @internal Lets go of a model. */
  release(model: number): void {
    if (this.#end === null) this.#post({ type: 'dispose', model });
  }

  /** @internal Trains a model; yields its epochs. */
  async *fit(
    model: WorkerModel,
    number: number,
    core: Core,
    data: Data | HeldData,
    options: FitOptions,
    gate: Gate,
  ): AsyncGenerator<EpochFigures, History> {
    const { signal, onEpoch, onStep, onCheckpoint, validation, ...rest } = expectPostable(data, options);
    if (signal?.aborted) {
      throw new TreadleError('interrupted', 'The training was stopped before it began.', {
        subject: 'model',
      });
    }
    const events: EpochFigures[] = [];
    let wake: () => void = () => {};
    let outcome: { value: unknown } | { error: unknown } | null = null;
    const { id, answer } = this.#ask(
      (id) => ({
        type: 'fit',
        id,
        model: number,
        data: reference(data),
        options: { ...rest, ...(validation !== undefined && { validation: reference(validation) }) },
        listens: { steps: onStep !== undefined, checkpoints: onCheckpoint !== undefined },
        kernels: core.kernels,
      }),
      ({ type, value }) => {
        if (type === 'checkpoint') void this.#keep(id, value as ModelCheckpoint, onCheckpoint!);
        if (type === 'epoch') events.push(value as EpochFigures);
        if (type === 'step' && outcome === null) {
          try {
            onStep!(value as StepEvent);
          } catch (error) {
            outcome = { error };
          }
        }
        wake();
      },
    );
    answer.then(
      ({ value }) => {
        outcome ??= { value };
        wake();
      },
      (error: unknown) => {
        outcome ??= { error };
        wake();
      },
    );
    const stop = () => {
      gate.end();
      this.#steer({ type: 'stop', id });
    };
    signal?.addEventListener('abort', stop);
    gate.onChange = (isPaused) => this.#steer({ type: 'pause', id, isPaused });
    if (gate.paused) gate.onChange(true);
    try {
      for (;;) {
        if (events.length === 0 && outcome === null) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const figures = events.shift();
        if (figures !== undefined) {
          onEpoch?.(figures);
          yield figures;
          this.#steer({ type: 'next', id });
        } else if (outcome !== null) {
          const ended: { value?: unknown; error?: unknown } = outcome;
          if ('error' in ended) throw ended.error;
          const { history, spec } = ended.value as { history: History; spec: ModelSpec };
          model.spec = spec;
          return history;
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      gate.onChange = () => {};
      // Left early, the training is over here when it is over in the worker; of one that has ended nothing is left to tell.
      this.#steer({ type: 'leave', id });
      await answer.catch(() => {});
    }
  }

  async #keep(
    id: number,
    checkpoint: ModelCheckpoint,
    keep: NonNullable<FitOptions['onCheckpoint']>,
  ): Promise<void> {
    try {
      await keep(checkpoint);
      this.#steer({ type: 'kept', id, error: null });
    } catch (error) {
      this.#steer({ type: 'kept', id, error: postedError(error) });
    }
  }

  async #options(options: ModelOptions): Promise<PostedOptions> {
    checkModelOptions(options);
    const core = options.core ?? (await loadCore());
    // The trainer is no page's own thread, whatever this one is.
    const threads = threadsOf(options, core, true);
    const { seed = 0 } = options;
    return { seed, threads: typeof threads === 'number' ? threads : 'auto', core };
  }

  #ask(
    request: (id: number) => Request,
    tell?: Waiting['tell'],
    transfer: readonly ArrayBuffer[] = [],
  ): { id: number; answer: Promise<{ value: unknown; spec?: ModelSpec | undefined }> } {
    const id = next++;
    const answer = new Promise<{ value: unknown; spec?: ModelSpec | undefined }>((resolve, reject) => {
      if (this.#end !== null) {
        reject(this.#end);
        return;
      }
      try {
        this.#post(request(id), transfer);
      } catch (cause) {
        reject(notPostable(cause));
        return;
      }
      this.#waiting.set(id, { resolve, reject, ...(tell && { tell }) });
      this.#port.keepAlive(true);
    });
    return { id, answer };
  }

  #hear(answer: Answer): void {
    if (answer.type === 'help') {
      this.#help(answer);
      return;
    }
    if (answer.type === 'endHelp') {
      this.#helpers.get(answer.helper)?.terminate();
      this.#helpers.delete(answer.helper);
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.type === 'done' || answer.type === 'failed') {
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) this.#port.keepAlive(false);
      if (answer.type === 'done') waiting.resolve(answer);
      else waiting.reject(receivedError(answer.error));
    } else {
      waiting.tell?.(answer);
    }
  }

  /** Starts a helper beside the worker, which may not be able to start one of its own. */
  #help({ helper, ticket }: Extract<Answer, { type: 'help' }>): void {
    let port: ThreadPort;
    try {
      port = startThread(this.#start);
    } catch (error) {
      this.#post({ type: 'helper', helper, death: (error as Error).message });
      return;
    }
    this.#helpers.set(helper, port);
    const end = (death: string | null) => {
      if (this.#helpers.delete(helper) && this.#end === null) this.#post({ type: 'helper', helper, death });
    };
    port.onDeath(end);
    port.post({ role: 'help', ticket });
    void port.ended().then(() => end(null));
  }

  #steer(request: Request): void {
    if (this.#end === null) this.#post(request);
  }

  #post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(request, transfer);
  }

  #close(reason: TreadleError): void {
    if (this.#end !== null) return;
    this.#end = reason;
    for (const helper of this.#helpers.values()) helper.terminate();
    this.#helpers.clear();
    this.#port.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

/**
 * A model that lives in a worker: as `Model`, but that everything it computes comes as a promise.
 *
 * @example const model = await createModel(spec, { worker: true });
 */
export class WorkerModel {
  /** The model as plain JSON. Its output and classes are decided by the first training. */
  spec: ModelSpec;
  readonly #worker: ModelWorker;
  readonly #number: number;
  readonly #core: Core;
  /** Whether the worker is this model's alone, and ends with it. */
  #isAlone = false;
  #disposed = false;

  /** @internal */
  constructor(worker: ModelWorker, number: number, spec: ModelSpec, core: Core) {
    this.#worker = worker;
    this.#number = number;
    this.#core = core;
    this.spec = spec;
  }

  /** @internal Gives the model its worker: it ends with it. */
  own(): this {
    this.#isAlone = true;
    return this;
  }

  /** Trained parameters. */
  get parameters(): number {
    return parameterCount(this.spec);
  }

  /** A table of the layers with their output sizes and parameters, as text. */
  summary(): string {
    return summarize(this.spec);
  }

  /**
   * As `Model.fit`, in the worker: `onStep` is called at most once a frame, and the run can be paused. Data are samples in
   * memory, or what `hold` has handed over; a learning rate is a number or a schedule. Rejects as `Model.fit`, and with
   * `worker` when the thread dies.
   */
  fit(data: Data | HeldData, options: FitOptions = {}): FitRun<History> {
    const gate = new Gate();
    return new FitRun(this.#fit(data, options, gate), gate);
  }

  /** As `Model.evaluate`. */
  async evaluate(data: Data | HeldData): Promise<Evaluation> {
    return (await this.#call('evaluate', data)) as Evaluation;
  }

  /** As `Model.predict`. */
  async predict(x: Features | HeldData): Promise<(number | string | number[])[]> {
    return (await this.#call('predict', x)) as (number | string | number[])[];
  }

  /** As `Model.probabilities`. */
  async probabilities(x: Features | HeldData): Promise<Float32Array> {
    return (await this.#call('probabilities', x)) as Float32Array;
  }

  /** As `Model.save`. */
  async save(): Promise<Bytes> {
    return (await this.#call('save')) as Bytes;
  }

  /** As `Model.tensors`. */
  async tensors(): Promise<Tensors> {
    return (await this.#call('tensors')) as Tensors;
  }

  /** As `Model.setTensors`. */
  async setTensors(tensors: Tensors): Promise<void> {
    await this.#call('setTensors', tensors);
  }

  /** As `Model.dispose`. A worker that was started for this model alone ends. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#worker.release(this.#number);
    if (this.#isAlone) this.#worker.dispose();
  }

  async *#fit(data: Data | HeldData, options: FitOptions, gate: Gate): AsyncGenerator<EpochFigures, History> {
    this.#expectUse();
    return yield* this.#worker.fit(this, this.#number, this.#core, data, options, gate);
  }

  async #call(method: Method, ...args: unknown[]): Promise<unknown> {
    this.#expectUse();
    return (await this.#worker.call(this.#number, method, args)).value;
  }

  #expectUse(): void {
    if (!this.#disposed) return;
    throw problem('usage', { subject: 'The model', found: 'disposed of', expected: 'a model in use' });
  }
}

/** Options whose functions stay here. Throws `usage` for what a worker cannot be given. */
function expectPostable(data: unknown, options: FitOptions): FitOptions {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    throw problem('usage', { subject: 'options', found: inWords(given), expected: 'an object' });
  }
  if (typeof options.learningRate === 'function') {
    const because = 'the model is in a worker';
    throw problem('usage', {
      subject: 'learningRate',
      found: 'a function',
      because,
      expected: 'a number or a schedule',
    });
  }
  if (typeof data === 'object' && data !== null && (Symbol.asyncIterator in data || isGenerator(data))) {
    const because = 'the model is in a worker';
    throw problem('usage', { subject: 'data', found: 'a stream', because, expected: 'samples in memory' });
  }
  checkListeners(options);
  return options;
}

function isGenerator(data: object): boolean {
  return Symbol.iterator in data && !Array.isArray(data) && !ArrayBuffer.isView(data);
}

/** Samples that are held stand in a message by their number alone. */
function reference(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('treadleHeld' in value)) return value;
  return { treadleHeld: (value as HeldReference).treadleHeld };
}

/** The buffers of the arrays in data, each once. Shared ones cannot be transferred, and moved ones are empty. */
function buffersOf(data: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer && value.buffer.byteLength > 0) found.add(value.buffer);
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const item of Object.values(value)) visit(item);
    }
  };
  visit(data);
  return [...found];
}

function notPostable(cause: unknown): TreadleError {
  const found = (cause as Error).message;
  return new TreadleError(
    'usage',
    `What was given cannot be posted to the worker (${found}); numbers, texts and arrays of them are expected.`,
    { subject: 'worker', found, expected: 'numbers, texts and arrays of them', cause },
  );
}
